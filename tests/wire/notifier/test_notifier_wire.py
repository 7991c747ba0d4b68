from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import topics
from shared.contracts.breaches import BreachEvent
from shared.contracts.corrective_actions import ActionChanged
from shared.contracts.events import Event
from shared.contracts.topics import Topic
from tests.integration.notifier.support import MailServer, mail_server
from tests.support.databases import FreshDatabase
from tests.support.processes import ServiceProcess, running_service
from tests.support.servers import Servers
from tests.support.waiting import eventually
from tests.unit.notifier import builders as b


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@dataclass(slots=True)
class Wire:
    """The notifier as a process between a real Kafka and a real mail server."""

    servers: Servers
    prefix: str
    producer: AIOKafkaProducer
    database_url: str
    server: MailServer
    log_dir: Path

    async def send(self, topic: Topic, events: Iterable[Event]) -> None:
        for event in events:
            await self.producer.send_and_wait(
                self.prefix + topic.name, event.to_bytes(), key=event.key.encode()
            )

    async def send_bytes(self, topic: Topic, value: bytes) -> None:
        await self.producer.send_and_wait(self.prefix + topic.name, value, key=b"x")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ServiceProcess]:
        async with running_service(
            "notifier",
            self.database_url,
            kafka=self.servers.kafka,
            prefix=self.prefix,
            log_dir=self.log_dir,
            extra={
                "CARTAS_SMTP_HOST": "127.0.0.1",
                "CARTAS_SMTP_PORT": str(self.server.port),
                "CARTAS_SMTP_ATTEMPT_SECONDS": "5",
            },
        ) as process:
            yield process

    async def both_published(self) -> list[ActionChanged]:
        found = await self.published()
        return found if len(found) >= 2 else []

    async def published(self) -> list[ActionChanged]:
        topic = self.prefix + topics.CORRECTIVE_ACTIONS.name
        async with AIOKafkaConsumer(bootstrap_servers=self.servers.kafka) as consumer:
            partitions = [
                TopicPartition(topic, number)
                for number in range(topics.CORRECTIVE_ACTIONS.partitions)
            ]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            found: list[ActionChanged] = []
            while any([await consumer.position(each) < ends[each] for each in partitions]):
                batches = await consumer.getmany(timeout_ms=500)
                values = [record.value for records in batches.values() for record in records]
                found += [ActionChanged.model_validate_json(value) for value in values]
            return found


@pytest_asyncio.fixture
async def wire(
    servers: Servers,
    topic_prefix: str,
    database: FreshDatabase,
    server: MailServer,
    tmp_path: Path,
) -> AsyncIterator[Wire]:
    database_url = await database("notifier")
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        yield Wire(servers, topic_prefix, producer, database_url, server, tmp_path)


def recent(**changes: Any) -> BreachEvent:
    return b.breach(time=datetime.now(UTC), **changes)


async def count(wire: Wire, statement: str) -> int:
    connection = await asyncpg.connect(wire.database_url)
    try:
        return int(await connection.fetchval(statement))
    finally:
        await connection.close()


async def test_a_breach_on_the_topic_becomes_one_mail_and_one_action(wire: Wire) -> None:
    await wire.send(topics.CARTAS, b.catalogue())
    breach, marker = recent(), recent(unit="caja-1")
    async with wire.running() as process:
        await wire.send_bytes(topics.BREACHES, b'{"not": "a breach"}')
        await wire.send(topics.BREACHES, [breach, breach, marker, breach])
        await eventually(lambda: len(wire.server.accepted) >= 2, what="two mails")
        relayed = await eventually(wire.both_published, what="both are published")
        async with httpx.AsyncClient(base_url=process.url) as http:
            metrics = (await http.get("/metrics")).text
            document = (await http.get("/asyncapi")).json()

    assert wire.server.told == ["enlace@puerto.example"] * 2
    assert {event.data.change for event in relayed} == {"requested"}
    assert 'notifier_mails_total{kind="breached",outcome="accepted"} 2.0' in metrics
    assert "notifier_event_to_mail_seconds_count 2.0" in metrics
    assert 'notifier_actions_overdue{awaited="plan"}' in metrics
    assert await count(wire, "SELECT count(*) FROM refusal") == 1
    assert "corrective-actions.v1" in str(document)


async def test_a_killed_notifier_tells_what_it_had_not_told_and_nothing_twice(wire: Wire) -> None:
    await wire.send(topics.CARTAS, b.catalogue())
    breaches = [recent(unit=f"caja-{number}") for number in range(20)]
    wire.server.answers["enlace@puerto.example"] = ["451 4.3.0 Later"]
    async with wire.running() as process:
        await wire.send(topics.BREACHES, breaches[:10])
        await eventually(lambda: len(wire.server.accepted) >= 5, what="some mail")
        await process.kill()
    await wire.send(topics.BREACHES, breaches)
    async with wire.running():
        await eventually(
            lambda: len({mail["Message-ID"] for mail in wire.server.messages()}) == 20,
            timeout=90,
            what="all mail",
        )
        await eventually(
            lambda: count(wire, "SELECT 1 - sign(count(*)) FROM mail WHERE state = 'waiting'"),
            timeout=90,
            what="nothing waits",
        )

    assert await count(wire, "SELECT count(*) FROM action") == 20
    bytes_of: dict[str, set[bytes]] = {}
    for mail, (_, raw) in zip(wire.server.messages(), wire.server.accepted, strict=True):
        bytes_of.setdefault(str(mail["Message-ID"]), set()).add(raw)
    assert all(len(versions) == 1 for versions in bytes_of.values())
    # The kill may fall between acceptance and commit of the mails under way, nowhere else.
    assert len(wire.server.accepted) <= 20 + 4


async def test_a_kill_between_acceptance_and_record_repeats_the_same_message(wire: Wire) -> None:
    await wire.send(topics.CARTAS, b.catalogue())
    gate = wire.server.hold()
    async with wire.running() as process:
        await wire.send(topics.BREACHES, [recent()])
        await eventually(lambda: wire.server.offered, what="the mail under way")
        connection = await asyncpg.connect(wire.database_url)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE delivery IN EXCLUSIVE MODE")
                gate.set()
                await eventually(lambda: wire.server.accepted, what="accepted, not recorded")
                await process.kill()
        finally:
            await connection.close()
    assert await count(wire, "SELECT count(*) FROM delivery") == 0
    async with wire.running():
        await eventually(lambda: len(wire.server.accepted) == 2, timeout=60, what="once more")
        await eventually(lambda: count(wire, "SELECT count(*) FROM delivery"), what="recorded")

    (_, first), (_, again) = wire.server.accepted
    assert first == again
    assert await count(wire, "SELECT count(*) FROM mail WHERE state = 'accepted'") == 1
