"""What JSON may say and PostgreSQL cannot keep: a NUL in a text, an instant beyond UTC's dates.

Looked for in the bytes, so that what every message passes costs next to nothing.
"""

import re
from typing import Any

import msgspec

_LAST_DAYS = re.compile(rb'"(?:0001-01-01|9999-12-31)[Tt ]')


def check_storable(payload: bytes) -> None:
    """Raise msgspec.ValidationError for what no table takes; the payload must be JSON.

    An offset leads from the first and from the last day of all beyond them.
    """
    if b"\\u0000" in payload and _holds_nul(msgspec.json.decode(payload)):
        raise msgspec.ValidationError("Expected text without NUL")
    if (b'"9999-12-31' in payload or b'"0001-01-01' in payload) and _LAST_DAYS.search(payload):
        raise msgspec.ValidationError("Expected an instant before the last day of all")


def _holds_nul(value: Any) -> bool:
    """Tell a NUL from a text that shows how one is written."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str) and "\x00" in each:
            return True
        if isinstance(each, dict):
            left += [*each, *each.values()]
        elif isinstance(each, list):
            left += each
    return False
