"""Messages that Kafka lost before they were read: the halt, and the written way on.

The way is that of the operators' guide ("A partition is halted"): whoever sent the messages sends
them again, then the reader reads its topic from the beginning.
"""

from collections.abc import Awaitable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from shared.contracts import topics
from shared.contracts.topics import Topic
from shared.messaging.kafka import MAX_MESSAGE_BYTES
from shared.messaging.subscription import Record
from shared.messaging.topics import create_topics
from tests.chaos.rounds.arena import Arena
from tests.chaos.rounds.standing import stopped
from tests.chaos.run import Run
from tests.chaos.town import Chunk
from tests.support.topics import settings_of
from tests.support.waiting import eventually

READERS: Final = {topics.SERVICE_EVENTS: "measurements", topics.MEASUREMENTS: "evaluator"}
BY_NAME: Final = {topic.name: topic for topic in READERS}
SECONDS: Final = 60
STORED: Final = """
SELECT partition, coalesce(next_offset, 0) AS next_offset FROM kafka_offset WHERE topic = $1
"""
SHOUTS: Final = ("partition_halted", "partitions_halted", "topic_missing")
Offsets = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Loss:
    """A topic, who reads it, and where its log ended before anything was lost."""

    arena: Arena
    topic: Topic
    log_bytes: int

    @property
    def name(self) -> str:
        return f"{self.arena.world.prefix}{self.topic.name}"

    @property
    def reader(self) -> str:
        return READERS[self.topic]

    @classmethod
    def of(cls, arena: Arena, topic: str) -> "Loss":
        loss = cls(arena, BY_NAME[topic], 0)
        return cls(arena, loss.topic, loss.log.stat().st_size)

    @property
    def log(self) -> Path:
        return self.arena.world.folder / f"{self.reader}.log"

    async def stored(self) -> Offsets:
        connection = await self.arena.world.connect(self.reader)
        try:
            rows = await connection.fetch(STORED, self.name)
        finally:
            await connection.close()
        return {row["partition"]: row["next_offset"] for row in rows}

    async def held(self) -> Record:
        """Return a record of the topic, once there is one."""
        partitions = [TopicPartition(self.name, number) for number in range(self.topic.partitions)]
        servers = self.arena.world.servers.kafka.servers
        consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
        await consumer.start()

        async def first() -> "Record | None":
            found = await consumer.getmany(timeout_ms=200, max_records=1)
            return next((records[0] for records in found.values() if records), None)

        try:
            consumer.assign(partitions)
            return await eventually(first, SECONDS, what=f"a record on {self.name}")
        finally:
            await consumer.stop()

    async def expire(self, again: Record) -> Offsets:
        """Have Kafka delete what its reader, which stands still, has not read yet.

        An answer to its last question may be on its way to it: only what came later than the first
        news, and the news after them, is surely unread. Return from where on, in each partition.
        """
        first = await self._news(again, await self._offsets("ends"))
        surely = await self._news(again, first)
        await self._news(again, surely)

        async def gone() -> bool:
            kept = await self._offsets("beginnings")
            return any(kept[partition] > surely[partition] for partition in kept)

        await self._keep_for("1")
        await eventually(gone, SECONDS, what=f"something unread is gone from {self.name}")
        await self._keep_for(str(topics.RETENTION_DAYS * 86_400_000))
        return surely

    async def _news(self, again: Record, before: Offsets) -> Offsets:
        """Return the ends, once one of them is beyond where it was.

        `measurements` alone brings the town's events to Kafka and reads them from there: while it
        stands, an emitter that writes to Kafka itself says `again` what it has said.
        """
        if self.topic is topics.SERVICE_EVENTS:
            await self._write(again)

        async def grown() -> Offsets | None:
            ends = await self._offsets("ends")
            return ends if any(ends[number] > before[number] for number in ends) else None

        return await eventually(grown, SECONDS, what=f"news on {self.name}")

    async def _write(self, record: Record) -> None:
        servers = self.arena.world.servers.kafka.servers
        async with AIOKafkaProducer(bootstrap_servers=servers, acks="all") as producer:
            await producer.send_and_wait(
                self.name,
                record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers),
            )

    async def _offsets(self, which: str) -> Offsets:
        partitions = [TopicPartition(self.name, number) for number in range(self.topic.partitions)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.arena.world.servers.kafka.servers)
        await consumer.start()
        try:
            asked = consumer.end_offsets if which == "ends" else consumer.beginning_offsets
            return {tp.partition: offset for tp, offset in (await asked(partitions)).items()}
        finally:
            await consumer.stop()

    async def _keep_for(self, milliseconds: str) -> None:
        settings = {"retention.ms": milliseconds, "max.message.bytes": str(MAX_MESSAGE_BYTES)}
        wanted = ConfigResource(ConfigResourceType.TOPIC, self.name, settings)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.arena.world.servers.kafka.servers)
        await admin.start()
        try:
            for answer in await admin.alter_configs([wanted]):
                for code, *_ in answer.resources:
                    assert code == 0, for_code(code)
        finally:
            await admin.close()

    async def make_anew(self) -> None:
        """Delete the topic and make it again, as an operator would by mistake."""
        world = self.arena.world
        admin = AIOKafkaAdminClient(bootstrap_servers=world.servers.kafka.servers)
        await admin.start()
        try:
            await admin.delete_topics([self.name])
        finally:
            await admin.close()
        settings = settings_of(world.servers.kafka.servers, world.prefix)

        async def made() -> bool:
            return self.name in await create_topics(settings, [self.topic])

        await eventually(made, SECONDS, what=f"{self.name} anew")

    async def shouted(self, surely: Offsets) -> None:
        """Wait until the reader says in all three ways that it stands, and see that it does.

        `surely`: from where on it had surely read nothing when that was deleted.
        """
        url = f"http://127.0.0.1:{self.arena.world.system.ports[self.reader]}"

        async def unready() -> bool:
            async with httpx.AsyncClient(base_url=url, timeout=5) as http:
                try:
                    ready = (await http.get("/health/ready")).json()
                    metrics = (await http.get("/metrics")).text
                except httpx.TransportError:
                    return False
            says = [one for one in ready["reasons"] if one.startswith(self.topic.name)]
            assert any("halted" in one or "stopped" in one for one in says), ready
            assert _counts_a_halt(metrics), "no metric tells it"
            return True

        await eventually(unready, SECONDS, what=f"{self.reader} shouts")
        said = self.log.read_bytes()[self.log_bytes :].decode(errors="replace")
        assert any(word in said for word in SHOUTS), "the log does not tell it"
        passed = await self._passed(surely)
        assert not passed, f"{self.reader} went past what it has not read: {passed}"

    async def _passed(self, surely: Offsets) -> dict[int, tuple[int, int]]:
        """Return the partitions that lost something unread, and moved past it all the same."""
        kept = await self._offsets("beginnings")
        now = await self.stored()
        return {
            partition: (unread, now[partition])
            for partition, unread in surely.items()
            if unread < kept[partition] <= now.get(partition, 0)
        }

    async def go_on(self, run: Run, chunk: Chunk) -> None:
        """What was lost is sent again, and read."""
        world = self.arena.world
        if self.topic is topics.SERVICE_EVENTS:
            await run.send(chunk.emissions)
        else:
            await _done(world.command("services.measurements", "republish"))
        rewinding = ("offsets", "rewind", self.topic.name)
        await _done(world.command(f"services.{self.reader}", *rewinding))
        await world.wait_until_ready(self.reader)


def _counts_a_halt(metrics: str) -> bool:
    lines = [
        line
        for line in metrics.splitlines()
        if line.startswith(("cartas_partition_halted{", "cartas_consumer_stopped{"))
    ]
    return any(float(line.rsplit(maxsplit=1)[1]) > 0 for line in lines)


async def _done(command: Awaitable[tuple[int, str]]) -> None:
    code, output = await command
    assert code == 0, output


async def suffer(arena: Arena, topic: str, *, expired: bool, stands: bool) -> None:
    """Lose what is unread of a topic, while its reader stands still or reads; see it shout."""
    loss = Loss.of(arena, topic)
    again = await loss.held()
    surely: Offsets = {}
    async with stopped(arena, loss.reader) if stands else nullcontext():
        if expired:
            surely = await loss.expire(again)
        else:
            await loss.make_anew()
    await loss.shouted(surely)
