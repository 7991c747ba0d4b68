"""What the tests of measurements do again and again."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import hot, topics
from shared.contracts.topics import Topic
from shared.database import Pool
from tests.support import programs

QUEUE = "https://turnos.example/registro-civil"
MEASUREMENTS = "services.measurements"
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"


@dataclass(slots=True)
class System:
    """Addresses of one test's system, and the ways into it."""

    pool: Pool
    kafka: str
    prefix: str
    environment: Mapping[str, str]
    python: str
    folder: Path
    database_url: str
    url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)

    async def command(self, *arguments: str, expect: int = 0) -> str:
        """Run `python -m services.measurements …`; return what it printed."""
        ran = await programs.run(MEASUREMENTS, *arguments, environment=self.environment)
        assert ran.code == expect, ran.output
        return ran.output

    async def start(self, *arguments: str) -> programs.Program:
        output = self.folder / "command.log"
        return await programs.start(
            MEASUREMENTS, *arguments, environment=self.environment, output=output
        )

    async def add_source(self, uri: str = QUEUE, *more: str, services: str = "RC-ACTAS") -> str:
        output = await self.command(
            *("source", "add", "--municipality", "nogal", "--source", uri),
            *("--services", services, "--attributes", "tipo"),
            *(() if "--reports" in more else ("--reports", "*")),
            *more,
        )
        self.tokens[uri] = output.strip().splitlines()[-1]
        return self.tokens[uri]

    async def post(
        self,
        body: object,
        *,
        token: str | None = None,
        content_type: str = STRUCTURED,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent = {
            "Authorization": f"Bearer {token if token is not None else self.tokens[QUEUE]}",
            "Content-Type": content_type,
            **(headers or {}),
        }
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            return await http.post("/v1/events", content=content, headers=sent)

    async def activity(self, uri: str = QUEUE) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.tokens[uri]}"}
        async with httpx.AsyncClient(base_url=self.url, timeout=10) as http:
            response = await http.get("/v1/activity", headers=headers)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def produce(self, *records: tuple[str, bytes]) -> None:
        """As a native Kafka emitter would."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all")
        await producer.start()
        try:
            for key, value in records:
                name = f"{self.prefix}{topics.SERVICE_EVENTS.name}"
                await producer.send_and_wait(name, value=value, key=key.encode())
        finally:
            await producer.stop()

    @asynccontextmanager
    async def messages(self, topic: Topic) -> AsyncIterator["Messages"]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            name = f"{self.prefix}{topic.name}"
            partitions = [TopicPartition(name, number) for number in range(topic.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            yield Messages(consumer)
        finally:
            await consumer.stop()

    async def count(self, table: str) -> int:
        return int(await self.pool.fetchval(f"SELECT count(*) FROM {table}"))

    async def balance(self) -> dict[str, int]:
        row = await self.pool.fetchrow(
            "SELECT sum(events) AS events, sum(facts) AS facts, sum(repeats) AS repeats,"
            " sum(corrections) AS corrections, sum(refused) AS refused FROM balance"
        )
        assert row is not None
        return {name: int(number or 0) for name, number in row.items()}


@dataclass(slots=True)
class Messages:
    """Everything on a topic so far, decoded on demand."""

    consumer: AIOKafkaConsumer
    values: list[bytes] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)

    async def read(self) -> list[bytes]:
        for records in (await self.consumer.getmany(timeout_ms=100)).values():
            self.values += [record.value for record in records]
            self.places += [(record.partition, record.offset) for record in records]
        return self.values

    async def cases(self) -> dict[str, hot.CaseMeasured]:
        """The highest revision of each case."""
        latest: dict[str, hot.CaseMeasured] = {}
        for value in await self.read():
            message = hot.decode_measurement(value)
            if isinstance(message, hot.CaseMeasured):
                before = latest.get(message.data.case)
                if before is None or before.data.revision < message.data.revision:
                    latest[message.data.case] = message
        return latest

    async def progress(self) -> list[hot.Progress]:
        decoded = [hot.decode_measurement(value) for value in await self.read()]
        return [message for message in decoded if isinstance(message, hot.Progress)]

    async def imports(self) -> list[hot.ImportDeclared]:
        decoded = [hot.decode_measurement(value) for value in await self.read()]
        return [message for message in decoded if isinstance(message, hot.ImportDeclared)]


def event(
    kind: str = "ticket.issued",
    *,
    case: str = "A-1",
    event_id: str | None = None,
    minutes_ago: float = 10,
    source: str = QUEUE,
    time: str | None = None,
    **data: Any,
) -> dict[str, Any]:
    """A CloudEvent as an emitter sends it."""
    happened = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes_ago)
    return {
        "specversion": "1.0",
        "id": event_id or str(uuid4()),
        "source": source,
        "type": kind,
        "time": time or happened.isoformat(),
        "data": {"case": case, "service": "RC-ACTAS", **data},
    }


def native(raw: dict[str, Any], *, municipality: str = "nogal") -> tuple[str, bytes]:
    """The same as a record of a native emitter."""
    full = raw | {"data": {"municipality": municipality, **raw["data"]}}
    return f"{municipality}/{raw['data']['case']}", msgspec.json.encode(full)
