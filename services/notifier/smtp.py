"""Sessions with the mail server, and what it answers, sorted into what we do about it."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import aiosmtplib

from services.notifier.settings import Settings
from services.notifier.store.mails import Mail

PERMANENT: Final = 500
MAX_REPLY: Final = 300
MAILS_A_SESSION: Final = 100
"""Many servers end a session, or slow it down, that offers more."""
IDLE_SECONDS: Final = 30.0
FAREWELL_SECONDS: Final = 2.0


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


class Session:
    """One connection for mail after mail, opened when there is some; one mail at a time.

    A mail is offered once. Only where a session that has served before fails before the message
    itself was offered (the server closed it meanwhile, or wants no more of it) is a new one opened
    and asked again.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None
        self._offered = 0
        self._must_reset = False
        self._used_at = 0.0

    async def send(self, mail: Mail) -> Answer:
        """Offer the mail; never raises for what a server or network does.

        A 5xx about the recipient or the message is final. A 5xx about us (greeting, log-in, sender)
        is a fault of the set-up, not of the mailbox: it is tried again.
        """
        done = False
        try:
            async with asyncio.timeout(self._settings.smtp_attempt_seconds):
                answer = await self._send(mail)
            done = answer.code != aiosmtplib.SMTPStatus.domain_unavailable
        except aiosmtplib.SMTPResponseException as error:
            return Answer(Sent.DEFERRED, error.code, _shortened(error.message))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Answer(Sent.DEFERRED, None, _shortened(f"{type(error).__name__}: {error}"))
        finally:
            self._used_at = time.monotonic()
            if not done:
                self.drop()
        return answer

    async def close(self) -> None:
        """Take leave of the server; one that does not answer is left."""
        if self._client is not None and self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await self._client.quit(timeout=FAREWELL_SECONDS)
        self.drop()

    async def close_if_idle(self) -> None:
        """Take leave before the server does, or the way to it is forgotten."""
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            await self.close()

    def drop(self) -> None:
        """Close the connection without a word."""
        if self._client is not None:
            self._client.close()
        self._client = None

    async def _send(self, mail: Mail) -> Answer:
        try:
            client = await self._begin(mail)
            _, reply = await client.data(mail.message)
        except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
            self._must_reset = True
            outcome = Sent.REFUSED if error.code >= PERMANENT else Sent.DEFERRED
            return Answer(outcome, error.code, _shortened(error.message))
        return Answer(Sent.ACCEPTED, aiosmtplib.SMTPStatus.completed, _shortened(reply))

    async def _begin(self, mail: Mail) -> aiosmtplib.SMTP:
        """Name sender and recipient, in the session at hand or else in a new one."""
        if self._offered >= MAILS_A_SESSION:
            await self.close()
        if self._client is not None and self._client.is_connected:
            try:
                return await self._envelope(self._client, mail)
            except aiosmtplib.SMTPRecipientRefused as error:
                if error.code != aiosmtplib.SMTPStatus.domain_unavailable:
                    raise
            except (aiosmtplib.SMTPResponseException, ConnectionError):
                pass
        self.drop()
        return await self._envelope(await self._connect(), mail)

    async def _envelope(self, client: aiosmtplib.SMTP, mail: Mail) -> aiosmtplib.SMTP:
        if self._must_reset:
            await client.rset()
        self._must_reset = False
        self._offered += 1
        await client.mail(self._settings.sender_mailbox)
        await client.rcpt(mail.mailbox)
        return client

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        password = settings.smtp_password
        self._offered, self._must_reset = 0, False
        self._client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.start_tls,
            timeout=settings.smtp_attempt_seconds,
            local_hostname=settings.smtp_hello_name,
        )
        await self._client.connect()
        return self._client


def _shortened(reply: str) -> str:
    return " ".join(reply.split())[:MAX_REPLY]
