"""A scripted Kafka: logs, a group, its consumer and a producer, with the semantics of the real."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaConnectionError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from tests.model.processes import CURRENT, hear_the_end

PARTITIONS = 2
# So small that one drain sends several batches to a partition, one after the other.
MESSAGES_OF_A_BATCH = 2
TIMESTAMP_MS = 1_800_000_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Kafka has it."""

    topic: str
    partition: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class Kafka:
    """What outlives our processes: the logs, what was published, who owns what, what was committed.

    `assignment` is the group's own view (partition -> process); a process learns it when it runs.
    """

    logs: dict[int, list[tuple[bytes, bytes]]] = field(
        default_factory=lambda: {number: [] for number in range(PARTITIONS)}
    )
    starts: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), 0))
    published: list[Message] = field(default_factory=list)
    committed: dict[int, int] = field(default_factory=dict)
    assignment: dict[int, str] = field(default_factory=dict)
    generation: int = 0

    def assign(self, assignment: Mapping[int, str]) -> None:
        """Give the partitions out anew."""
        self.assignment = dict(assignment)
        self.generation += 1


class Reader:
    """The consumer: one member of the group."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._process = CURRENT.get()
        self._listener: ConsumerRebalanceListener | None = None
        self._topic = ""
        self._generation = -1
        self._joining = False
        self._mine: set[TopicPartition] = set()
        self._paused: set[TopicPartition] = set()
        self._positions: dict[TopicPartition, int] = {}
        self.again = 0
        """So many records that were delivered already come once more with the next poll."""

    def subscribe(self, topics: list[str], listener: ConsumerRebalanceListener) -> None:
        (self._topic,) = topics
        self._listener = listener

    async def start(self) -> None:
        self._process.reader = self

    async def stop(self) -> None:
        self._process.reader = None

    def hear_of_the_group(self) -> bool:
        """Begin to follow the group's latest assignment; return False where that is known."""
        if self._generation == self._kafka.generation or self._joining:
            return False
        self._joining = True
        self._process.spawn(self._follow())
        return True

    async def _follow(self) -> None:
        assert self._listener is not None
        await self._listener.on_partitions_revoked(set(self._mine))
        self._generation = self._kafka.generation
        self._positions, self._paused = {}, set()
        self._mine = {
            TopicPartition(self._topic, number)
            for number, name in self._kafka.assignment.items()
            if name == self._process.name
        }
        await self._listener.on_partitions_assigned(set(self._mine))
        self._joining = False
        self._process.wake()

    def assignment(self) -> set[TopicPartition]:
        return set(self._mine)

    def pause(self, *partitions: TopicPartition) -> None:
        self._check(partitions)
        self._paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self._check(partitions)
        self._paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._check([partition])
        self._positions[partition] = offset

    def _check(self, partitions: Iterable[TopicPartition]) -> None:
        if not self._mine.issuperset(partitions):
            raise IllegalStateError("not assigned")

    async def beginning_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return {tp: self._kafka.starts[tp.partition] for tp in partitions}

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return {tp: self._end(tp) for tp in partitions}

    def highwater(self, partition: TopicPartition) -> int:
        return self._end(partition)

    def _end(self, partition: TopicPartition) -> int:
        return len(self._kafka.logs[partition.partition])

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._check(offsets)
        self._kafka.committed |= {tp.partition: offset for tp, offset in offsets.items()}

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[Any, list[Any]]:
        """Return what comes next, or nothing where there was a wait."""
        if not self._has_news():
            await self._news()
        return await self._process.gate(
            "poll", lambda: self._fetch(max_records), broken=KafkaConnectionError("poll")
        )

    def _has_news(self) -> bool:
        active = self._mine - self._paused
        return self.again > 0 or any(self._positions.get(tp, -1) != self._end(tp) for tp in active)

    async def _news(self) -> None:
        woken = asyncio.Event()
        self._process.sleeping.append(woken.set)
        await woken.wait()

    async def _fetch(self, max_records: int) -> dict[Any, list[Any]]:
        found: dict[Any, list[Any]] = {}
        for tp in sorted(self._mine - self._paused):
            position = self._position(tp)
            if not self._kafka.starts[tp.partition] <= position <= self._end(tp):
                if found:
                    return found  # as the real one: what was fetched first, the error next time
                raise OffsetOutOfRangeError({tp: position})
            first = max(self._kafka.starts[tp.partition], position - self.again)
            records = self._records(tp, first, max_records)
            if records:
                found[tp] = records
                self._positions[tp] = max(position, records[-1].offset + 1)
        self.again = 0
        return found

    def _position(self, tp: TopicPartition) -> int:
        """Where nobody seeks, the group's committed offset; without one, an error (`none`)."""
        if tp not in self._positions:
            if tp.partition not in self._kafka.committed:
                raise NoOffsetForPartitionError(tp)
            self._positions[tp] = self._kafka.committed[tp.partition]
        return self._positions[tp]

    def _records(self, tp: TopicPartition, first: int, number: int) -> list[Any]:
        log = self._kafka.logs[tp.partition]
        return [
            ConsumerRecord(
                tp.topic, tp.partition, offset, TIMESTAMP_MS, 0, key, value, None, -1, -1, ()
            )
            for offset, (key, value) in enumerate(log[first : first + number], first)
        ]


class Batch:
    """Messages that travel together."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bytes]] = []

    def append(self, *, key: bytes, value: bytes, timestamp: int | None) -> object | None:
        if len(self.messages) == MESSAGES_OF_A_BATCH:
            return None
        self.messages.append((key, value))
        return self


class Sender:
    """The producer: a batch is appended as a whole and acknowledged, or one of both fails."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._process = CURRENT.get()
        known = SimpleNamespace(partitions_for_topic=lambda _topic: set(range(PARTITIONS)))
        self._sending: list[asyncio.Task[None]] = []
        self.client = SimpleNamespace(cluster=known)

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Wait for what is on its way: nobody's giving up calls a message back."""
        await asyncio.gather(*self._sending, return_exceptions=True)

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Awaitable[None]:
        """Return what ends with the acknowledgement."""

        async def append() -> None:
            self._kafka.published += [
                Message(topic, partition, key, value) for key, value in batch.messages
            ]

        sending = asyncio.create_task(self._send(append))
        sending.add_done_callback(hear_the_end)
        self._sending.append(sending)
        return asyncio.shield(sending)

    async def _send(self, append: Callable[[], Awaitable[None]]) -> None:
        await self._process.gate("send", append, broken=KafkaConnectionError("send"))
