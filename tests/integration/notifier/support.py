"""A mail server that answers as told, and the notifier's parts on a real database."""

import asyncio
from collections.abc import AsyncIterator, Iterable
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
from services.notifier.deadlines import deliver_due
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


@dataclass(slots=True)
class MailServer:
    """Takes mail over SMTP. `answers` says what a recipient is answered, in turn; then 250."""

    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    offered: list[tuple[str, bytes]] = field(default_factory=list)
    accepted: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        scripted = self.answers.get(address, [])
        if scripted and scripted[0].startswith("5"):
            return scripted.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        [recipient] = envelope.rcpt_tos
        self.offered.append((recipient, content))
        scripted = self.answers.get(recipient, [])
        answer = scripted.pop(0) if scripted else ACCEPTED
        if answer == "silence":
            await asyncio.sleep(3600)
        if answer.startswith("250"):
            self.accepted.append((recipient, content))
        return answer

    @property
    def told(self) -> list[str]:
        return [recipient for recipient, _ in self.accepted]

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.SMTP) for _, raw in self.accepted]


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

    @property
    def office(self) -> Office:
        return office_of(self.settings)

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

    async def deliver(self, now: datetime = b.NOON + timedelta(minutes=1)) -> None:
        await deliver_due(
            self.pool, self.settings, self.office, metrics=self.metrics, clock=lambda: now
        )

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
        yield Notifier(pool, settings, server, Metrics(CollectorRegistry()))
