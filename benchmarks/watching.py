"""Readers of the chain's topics that note when each late ticket can be seen there."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from benchmarks.emitter import Schedule
from benchmarks.environment import PREFIX, Bench
from shared.contracts import topics
from shared.contracts.breaches import BreachKind
from shared.contracts.topics import Topic
from shared.messaging.kafka import client_options


@dataclass(slots=True)
class Seen:
    """By place and case: when it was seen there, in seconds of the monotonic clock."""

    wall: float = field(default_factory=lambda: time.time() - time.monotonic())
    at: dict[str, dict[str, float]] = field(default_factory=dict)

    def note(self, place: str, case: str, at: float) -> None:
        """Note the first time; what is repeated is not late for that."""
        self.at.setdefault(place, {}).setdefault(case, at)

    def note_record(self, topic: str, readable: str, case: str, record: ConsumerRecord) -> None:
        """Note a record: its time is when the relay took it from the outbox."""
        self.note(readable, case, time.monotonic())
        self.note(f"taken for {topic}", case, record.timestamp / 1000 - self.wall)

    def between(self, begin: str, end: str) -> list[float]:
        """Return the seconds from one place to the other, ascending."""
        first, then = self.at.get(begin, {}), self.at.get(end, {})
        return sorted(then[case] - first[case] for case in then if case in first)


class _BreachData(msgspec.Struct):
    kind: str
    case: str | None = None


class _Breach(msgspec.Struct):
    data: _BreachData


Watch: TypeAlias = Callable[[AIOKafkaConsumer, Seen, Schedule], Coroutine[Any, Any, None]]


async def _watch_cases(consumer: AIOKafkaConsumer, seen: Seen, schedule: Schedule) -> None:
    async for record in consumer:
        case = (record.key or b"").decode().rpartition("/")[2]
        if case[:1] == "T" and schedule.is_late(int(case[1:])) and b"ticket.called" in record.value:
            seen.note_record("measurements.v1", "readable on measurements.v1", case, record)


async def _watch_breaches(consumer: AIOKafkaConsumer, seen: Seen, _: Schedule) -> None:
    decode = msgspec.json.Decoder(_Breach).decode
    async for record in consumer:
        data = decode(record.value).data
        if data.kind == BreachKind.LATE_CASE and data.case is not None:
            readable = "late case readable on breaches.v1"
            seen.note_record("breaches.v1", readable, data.case, record)


CASES = (topics.MEASUREMENTS, _watch_cases)
BREACHES = (topics.BREACHES, _watch_breaches)


@asynccontextmanager
async def watching(
    made: Bench, seen: Seen, schedule: Schedule, watched: Sequence[tuple[Topic, Watch]]
) -> AsyncIterator[None]:
    """Note each late ticket of the schedule when it can be read from the topics."""
    tasks: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as stack:
        for topic, watch in watched:
            name = f"{PREFIX}{topic.name}"
            consumer = AIOKafkaConsumer(name, **client_options(made.settings()))
            await consumer.start()
            stack.push_async_callback(consumer.stop)
            tasks.append(asyncio.create_task(watch(consumer, seen, schedule)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
