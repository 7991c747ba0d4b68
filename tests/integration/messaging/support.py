"""One topic and one database, a consumer whose effects can be counted, and ways to break things."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from shared.contracts import topics
from shared.database import Pool
from shared.messaging import (
    Consumer,
    MessagingMetrics,
    Received,
    Relay,
    Subscription,
    Transaction,
    transaction,
)
from shared.messaging.subscription import Handler
from shared.settings import ServiceSettings
from tests.support.processes import SERVICE_SECRET
from tests.support.waiting import eventually
from tests.unit.contracts.documents import changed, example

SERVICE = "cartas"  # whose schema, apart from the messaging tables, does not matter here
GROUP = "messaging-test"
TOPIC = replace(topics.COMPLAINTS, partitions=2)
# No key and no ON CONFLICT: an effect that happens twice shows.
CREATE_EFFECT = "CREATE TABLE effect (folio text NOT NULL, by_whom text NOT NULL)"
ADD_EFFECTS = "INSERT INTO effect (folio, by_whom) SELECT unnest($1::text[]), $2"


class Settings(ServiceSettings, service=SERVICE):
    """Settings of a service that does nothing but pass messages."""


def settings_for(kafka: str, prefix: str, database_url: str) -> Settings:
    return Settings(
        kafka_servers=kafka,
        topic_prefix=prefix,
        service_secret=SecretStr(SERVICE_SECRET),
        public_url="http://127.0.0.1",
        database_url=SecretStr(database_url),
        port=1,
    )


async def note_effects(tx: Transaction, batch: Sequence[Received], by_whom: str = "me") -> None:
    folios = [received.event.data.folio for received in batch]
    await tx.connection.execute(ADD_EFFECTS, folios, by_whom)


def complaint(folio: str) -> bytes:
    document = changed(example("complaint.v1"), "data.folio", folio)
    return json.dumps(changed(document, "id", f"id of {folio}")).encode()


@dataclass(slots=True)
class Bench:
    """One test's topic and database."""

    settings: Settings
    pool: Pool
    producer: AIOKafkaProducer
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    metrics: MessagingMetrics = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = MessagingMetrics(self.registry)

    @property
    def topic(self) -> str:
        return f"{self.settings.topic_prefix}{TOPIC.name}"

    def partition(self, number: int) -> TopicPartition:
        return TopicPartition(self.topic, number)

    async def send(self, *values: bytes | None, partition: int = 0, **more: Any) -> None:
        for value in values:
            await self.producer.send_and_wait(
                self.topic, value=value, partition=partition, key=b"key", **more
            )

    async def send_complaints(self, *folios: str, partition: int = 0) -> None:
        await self.send(*map(complaint, folios), partition=partition)

    async def effects(self) -> Counter[str]:
        return Counter(row["folio"] for row in await self.pool.fetch("SELECT folio FROM effect"))

    async def wait_for(self, *folios: str, timeout: float = 20.0) -> None:
        """Wait until each of `folios`, and nothing else, has had its effect, once."""

        async def all_there() -> bool:
            return (await self.effects()).keys() >= set(folios)

        await eventually(all_there, timeout, what="effects")
        assert await self.effects() == Counter(folios)

    async def refusals(self) -> list[Any]:
        return await self.pool.fetch("SELECT * FROM refusal ORDER BY partition, kafka_offset")

    async def stored(self) -> dict[int, int | None]:
        rows = await self.pool.fetch("SELECT partition, next_offset FROM kafka_offset")
        return {row["partition"]: row["next_offset"] for row in rows}

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def consumer(
        self, handle: Handler = note_effects, *, pool: "Pool | None" = None, max_records: int = 500
    ) -> Consumer:
        return Consumer(
            Subscription(topic=TOPIC, group=GROUP, handle=handle, max_records=max_records, lanes=2),
            settings=self.settings,
            pool=pool or self.pool,
            owner="test",
            metrics=self.metrics,
        )

    async def publish(self, *folios: str) -> None:
        """Through the outbox, in one transaction."""
        async with transaction(self.pool, service=SERVICE) as tx:
            for folio in folios:
                tx.publish_raw(TOPIC, folio, complaint(folio))

    @asynccontextmanager
    async def reading(
        self, name: str = TOPIC.name, *, partitions: int = TOPIC.partitions
    ) -> AsyncIterator["Reader"]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            full_name = f"{self.settings.topic_prefix}{name}"
            consumer.assign([TopicPartition(full_name, number) for number in range(partitions)])
            await consumer.seek_to_beginning()
            yield Reader(consumer)
        finally:
            await consumer.stop()


@dataclass(slots=True)
class Reader:
    """All that has been published so far, as (key, document)."""

    consumer: AIOKafkaConsumer
    documents: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    """When each was published, in milliseconds since 1970."""

    async def read(self) -> list[tuple[str, dict[str, Any]]]:
        for records in (await self.consumer.getmany(timeout_ms=50)).values():
            self.documents += [(r.key.decode(), json.loads(r.value)) for r in records]
            self.stamps += [record.timestamp for record in records]
        return self.documents

    async def folios(self) -> list[str]:
        return [document["data"]["folio"] for _, document in await self.read()]

    async def wait_for(self, *folios: str) -> None:
        async def all_there() -> bool:
            return set(await self.folios()) >= set(folios)

        await eventually(all_there, what="messages")


@asynccontextmanager
async def running(*loops: Consumer | Relay) -> AsyncIterator[None]:
    """The loops as tasks, asked to stop in the end."""
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        async with asyncio.timeout(30):
            await asyncio.gather(*tasks)


@asynccontextmanager
async def killed(loop: Relay) -> AsyncIterator[None]:
    """A loop that is not asked to stop, but cut off wherever it is."""
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class LossyProxy:
    """Passes PostgreSQL's protocol on; once armed, the answer to the next COMMIT is lost."""

    def __init__(self, database_url: str) -> None:
        self._to = urlsplit(database_url)
        self.armed = False
        self.lost = 0
        self.url = ""

    def url_at(self, port: int) -> str:
        login = self._to.netloc.rpartition("@")[0]
        return self._to._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator["LossyProxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = self.url_at(server.sockets[0].getsockname()[1])
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(self._to.hostname, self._to.port)
        committing = asyncio.Event()
        back = asyncio.create_task(self._answers(upstream, writer, committing))
        while data := await reader.read(65536):
            if self.armed and b"COMMIT;" in data:
                self.armed = False
                committing.set()
            downstream.write(data)
            await downstream.drain()
        downstream.close()
        await back

    async def _answers(
        self,
        upstream: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        committing: asyncio.Event,
    ) -> None:
        with suppress(ConnectionError):
            while data := await upstream.read(65536):
                if committing.is_set():
                    self.lost += 1
                    break
                writer.write(data)
                await writer.drain()
        writer.close()
