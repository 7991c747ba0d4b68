"""One mail to one server: what it answered, sorted into what we do about it."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import aiosmtplib

from services.notifier.settings import Settings
from services.notifier.store.mails import Mail

PERMANENT: Final = 500
MAX_REPLY: Final = 300


class Sent(StrEnum):
    """What became of an attempt. `abandoned` is said by us, when offering it has taken too long."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer; `code` is None where there was no server to answer."""

    outcome: Sent
    code: int | None
    reply: str


async def send(settings: Settings, mail: Mail) -> Answer:
    """Offer the mail once; never raises for what a server or network does.

    A 5xx about the recipient or the message is final. A 5xx about us (greeting, log-in, sender)
    is a fault of the set-up, not of the mailbox: it is tried again.
    """
    try:
        async with asyncio.timeout(settings.smtp_attempt_seconds):
            return await _send(settings, mail)
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _of_message(error.recipients[0])
    except aiosmtplib.SMTPDataError as error:
        return _of_message(error)
    except aiosmtplib.SMTPResponseException as error:
        return Answer(Sent.DEFERRED, error.code, _shortened(error.message))
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return Answer(Sent.DEFERRED, None, _shortened(f"{type(error).__name__}: {error}"))


async def _send(settings: Settings, mail: Mail) -> Answer:
    password = settings.smtp_password
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.start_tls,
        timeout=settings.smtp_attempt_seconds,
        local_hostname=settings.smtp_hello_name,
    )
    async with client:
        _, reply = await client.sendmail(settings.sender_mailbox, [mail.mailbox], mail.message)
    return Answer(Sent.ACCEPTED, aiosmtplib.SMTPStatus.completed, _shortened(reply))


def _of_message(error: aiosmtplib.SMTPResponseException) -> Answer:
    outcome = Sent.REFUSED if error.code >= PERMANENT else Sent.DEFERRED
    return Answer(outcome, error.code, _shortened(error.message))


def _shortened(reply: str) -> str:
    return " ".join(reply.split())[:MAX_REPLY]
