"""A mail server that answers as told, and the notifier's parts on a real database."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.notifier.app import office_of
from services.notifier.courier import Courier
from services.notifier.metrics import Metrics
from services.notifier.settings import Settings
from services.notifier.store import mails
from services.notifier.store.mails import Delivery
from services.notifier.use_cases.alerts import Office
from services.notifier.use_cases.breaches import take_breaches
from services.notifier.use_cases.catalogue import take_catalogue
from shared.contracts.breaches import BreachEvent
from shared.contracts.cartas import CatalogueEvent
from shared.database import Pool, open_pool
from shared.messaging import Transaction
from tests.support.processes import SERVICE_SECRET
from tests.support.servers import free_port
from tests.unit.notifier import builders as b

ACCEPTED = "250 2.0.0 Queued"


@dataclass  # no slots: aiosmtpd looks at every member, and those of Python 3.11.2 cannot be
class MailServer:
    """Takes mail over SMTP. `answers` says what a recipient is answered, in turn; then 250.

    `gate` holds back the answers to messages that come while it is there. A session may bring
    `mails_a_session` mails; then it is closed with `farewell`, or without a word.
    """

    port: int = 0
    mails_a_session: int | None = None
    farewell: str | None = None
    sessions: dict[Any, int] = field(default_factory=dict)
    gate: threading.Event | None = None
    answers: dict[str, list[str]] = field(default_factory=dict)
    offered: list[tuple[str, bytes]] = field(default_factory=list)
    accepted: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        begun = self.sessions.get(session.peer, 0)
        if self.mails_a_session is not None and begun >= self.mails_a_session:
            if self.farewell is not None:
                await server.push(self.farewell)
            _hang_up(server)
        self.sessions[session.peer] = begun + 1
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        scripted = self.answers.get(address, [])
        if scripted and scripted[0].startswith("5"):
            return scripted.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        [recipient] = envelope.rcpt_tos
        self.offered.append((recipient, content))
        scripted = self.answers.get(recipient, [])
        answer = scripted.pop(0) if scripted else ACCEPTED
        gate = self.gate
        while gate is not None and not gate.is_set():
            await asyncio.sleep(0.01)
        if answer == "silence":
            await asyncio.sleep(3600)
        if answer == "hang up":
            _hang_up(server)
        if answer.startswith("250"):
            self.accepted.append((recipient, content))
        return answer

    def hold(self) -> threading.Event:
        """Answer no message from now on until the event that is returned is set."""
        self.gate = threading.Event()
        return self.gate

    @property
    def told(self) -> list[str]:
        return [recipient for recipient, _ in self.accepted]

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.SMTP) for _, raw in self.accepted]


def _hang_up(server: SMTP) -> None:
    assert server.transport is not None
    server.transport.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    handler = MailServer(port=free_port())
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop(no_assert=True)


@dataclass(slots=True)
class Notifier:
    """The service's use cases on its own database, with a clock that the test sets."""

    pool: Pool
    settings: Settings
    server: MailServer
    metrics: Metrics
    office: Office

    @asynccontextmanager
    async def at(self, now: datetime) -> AsyncIterator[Transaction]:
        async with self.pool.acquire() as connection, connection.transaction():
            tx = Transaction(connection, "notifier", now)  # type: ignore[arg-type]
            yield tx
            await tx.flush()

    async def learn(self, events: Iterable[CatalogueEvent]) -> None:
        async with self.at(b.NOON) as tx:
            await take_catalogue(tx, events)

    async def take(self, *events: BreachEvent, now: datetime = b.NOON) -> None:
        async with self.at(now) as tx:
            await take_breaches(tx, self.office, events)

    def courier(self, clock: Callable[[], datetime], **changes: Any) -> Courier:
        """A courier of its own, as a process has it."""
        settings = self.settings.model_copy(update=changes)
        return Courier(self.pool, settings, self.office, metrics=self.metrics, clock=clock)

    async def deliver(self, now: datetime = b.NOON + timedelta(minutes=1)) -> None:
        courier = self.courier(lambda: now)
        await courier.deliver_due()
        await courier.close()

    async def ledger(self) -> list[Delivery]:
        """The whole ledger, oldest first."""
        async with self.at(b.NOON) as tx:
            lines = await mails.deliveries(tx.connection, b.M, action=None, limit=500)
        return lines[::-1]

    async def outbox(self) -> list[str]:
        """What was published so far and not relayed, in order."""
        rows = await self.pool.fetch("SELECT payload FROM outbox ORDER BY id")
        return [row["payload"].decode() for row in rows]


@asynccontextmanager
async def notifier(database_url: str, server: MailServer) -> AsyncIterator[Notifier]:
    settings = Settings(
        kafka_servers="127.0.0.1:1",
        service_secret=SecretStr(SERVICE_SECRET),
        public_url="https://cartas.puerto.example",
        database_url=SecretStr(database_url),
        smtp_host="127.0.0.1",
        smtp_port=server.port,
        smtp_attempt_seconds=1.0,
    )
    async with await open_pool(database_url, name="test", size=6) as pool:
        yield Notifier(pool, settings, server, Metrics(CollectorRegistry()), office_of(settings))
