"""Letters as bytes on the wire: rendered once, then the same for every attempt."""

import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notifier.letters import Letter

TEMPLATES = Environment(
    loader=PackageLoader("services.notifier"),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=False,
    lstrip_blocks=False,
)
HTML = TEMPLATES.get_template("mail.html.j2")
TEXT = TEMPLATES.get_template("mail.txt.j2")
MAX_HEADER_LINE: Final = 76
SIGNATURE: Final = "-- "
PART: Final = (
    b"\r\n--%s\r\n"
    b'Content-Type: text/%s; charset="utf-8"\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n%s"
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, in which thread. `thread` is the Message-ID of an action's first mail."""

    sender: str
    sender_name: str
    mailbox: str
    title: str
    message_id: str
    thread: str | None
    date: datetime


def message_id(identity: str, sender: str) -> str:
    """Return the Message-ID of the mail called `identity`: a repeat is the same message."""
    return f"<{identity}@{sender.rpartition('@')[2]}>"


def render(letter: Letter, envelope: Envelope) -> bytes:
    """Return the whole message, CRLF line ends, every part quoted-printable, nothing but ASCII.

    Set by hand: the standard library parses each header it is given, which takes longer than all
    the rest of an alert.
    """
    # No line of quoted-printable text can hold "=_" (RFC 2045, 6.7).
    boundary = f"=_{hashlib.sha256(envelope.message_id.encode()).hexdigest()[:32]}"
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(letter, envelope, boundary))
    parts = (("plain", TEXT.render(letter=letter)), ("html", HTML.render(letter=letter)))
    body = b"".join(
        PART % (boundary.encode(), kind.encode(), _quoted_printable(text)) for kind, text in parts
    )
    return head.encode("ascii") + body + b"\r\n--%s--\r\n" % boundary.encode()


def _headers(letter: Letter, envelope: Envelope, boundary: str) -> Iterator[tuple[str, str]]:
    yield "From", _address(envelope.sender_name, envelope.sender)
    yield "To", _address(envelope.title, envelope.mailbox)
    yield "Subject", _unstructured("Subject", _one_line(letter.subject))
    yield "Date", format_datetime(envelope.date)
    yield "Message-ID", envelope.message_id
    if envelope.thread is not None and envelope.thread != envelope.message_id:
        yield "In-Reply-To", envelope.thread
        yield "References", envelope.thread
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "All"
    yield "Content-Language", "es-MX"
    yield "MIME-Version", "1.0"
    yield "Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'


def _address(name: str, mailbox: str) -> str:
    phrase = _one_line(name)
    if not phrase:
        return mailbox
    if _is_plain(phrase):
        return formataddr((phrase, mailbox))
    return f"{_unstructured('To', phrase)}\r\n <{mailbox}>"


def _unstructured(name: str, text: str) -> str:
    charset = "us-ascii" if _is_plain(text) else "utf-8"
    header = Header(text, charset, maxlinelen=MAX_HEADER_LINE, header_name=name)
    return header.encode(linesep="\r\n")


def _is_plain(text: str) -> bool:
    """Say whether it may stand in a header as it is, and is not read as an encoded word."""
    return text.isascii() and text.isprintable() and "=?" not in text


def _quoted_printable(text: str) -> bytes:
    """Blanks that end a line are dropped, but for those of the signature's mark."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    trimmed = (line if line == SIGNATURE else line.rstrip(" \t") for line in lines)
    return binascii.b2a_qp("\r\n".join(trimmed).encode())


def _one_line(text: str) -> str:
    """A line break in a header would start another header."""
    return " ".join(text.split())
