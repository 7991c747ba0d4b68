"""What the fast decoders find wrong with a message, without what was sent."""

import re

import msgspec

_PATH = re.compile(r"at `\$\.?([^`]*)`")


def faulty_field(error: msgspec.ValidationError) -> str | None:
    """Return the path of the faulty member that the decoder names, without the value."""
    found = _PATH.search(str(error))
    return found.group(1) if found else None


def expected(error: msgspec.ValidationError) -> str:
    """Return what the decoder expected, without what was sent: no value, no stranger's name.

    Where something is invalid or unknown, the decoder's message ends with it, in quotes.
    """
    text = str(error).split(" - at ")[0]
    if text.startswith(("Invalid", "Object contains unknown field")):
        return re.split(" [`']", text, maxsplit=1)[0]
    return text
