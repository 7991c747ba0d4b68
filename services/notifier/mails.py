"""Letters as bytes on the wire: rendered once, then the same for every attempt."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

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
    """Return the whole message, CRLF line ends, every part quoted-printable or ASCII."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(envelope.sender_name, envelope.sender)
    message["To"] = _address(envelope.title, envelope.mailbox)
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_datetime(envelope.date)
    message["Message-ID"] = envelope.message_id
    if envelope.thread is not None and envelope.thread != envelope.message_id:
        message["In-Reply-To"] = envelope.thread
        message["References"] = envelope.thread
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(TEXT.render(letter=letter), cte="quoted-printable")
    message.add_alternative(HTML.render(letter=letter), subtype="html", cte="quoted-printable")
    # Setting content removes Content-* headers that were there before.
    message["Content-Language"] = "es-MX"
    return message.as_bytes()


def _address(name: str, mailbox: str) -> Address:
    return Address(_one_line(name), addr_spec=mailbox)


def _one_line(text: str) -> str:
    """A line break in a header would start another header."""
    return " ".join(text.split())
