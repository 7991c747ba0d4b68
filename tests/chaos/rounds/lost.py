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
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from shared.contracts import topics
from shared.contracts.topics import Topic
from shared.messaging.kafka import MAX_MESSAGE_BYTES
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

    async def expire(self) -> None:
        """Have Kafka delete what its reader, which stands still, has not read yet.

        An answer to its last question may be on its way to it: only what came later than the first
        news, and the news after them, is surely unread.
        """
        stored = await self._grown_beyond(await self._grown_beyond(await self.stored()))
        await self._grown_beyond(stored)

        async def gone() -> bool:
            first = await self._offsets("beginnings")
            return any(first[partition] > stored[partition] for partition in first)

        await self._keep_for("1")
        await eventually(gone, SECONDS, what=f"something unread is gone from {self.name}")
        await self._keep_for(str(topics.RETENTION_DAYS * 86_400_000))

    async def _grown_beyond(self, before: Offsets) -> Offsets:
        """Return the ends, once one of them is beyond where it was."""

        async def grown() -> Offsets | None:
            ends = await self._offsets("ends")
            is_beyond = any(ends[number] > before.get(number, 0) for number in ends)
            return ends if is_beyond else None

        return await eventually(grown, SECONDS, what=f"news on {self.name}")

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

    async def shouted(self, before: Offsets) -> None:
        """Wait until the reader says in all three ways that it stands, and see that it does."""
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
        lost = await self._passed(before)
        assert not lost, f"{self.reader} went past what it has not read: {lost}"

    async def _passed(self, before: Offsets) -> dict[int, tuple[int, int]]:
        """Return the halted partitions that moved all the same."""
        first = await self._offsets("beginnings")
        now = await self.stored()
        return {
            partition: (before.get(partition, 0), offset)
            for partition, offset in now.items()
            if before.get(partition, 0) < first[partition] <= offset
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
    before = await loss.stored()
    async with stopped(arena, loss.reader) if stands else nullcontext():
        if expired:
            await loss.expire()
        else:
            await loss.make_anew()
    await loss.shouted(before)
