"""Rows of the outbox on their way to Kafka: packed by partition, flown, acknowledged."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.clock import utc_milliseconds
from shared.messaging.partitions import partitions_of

SEND_WITHIN_SECONDS = 30.0

Place: TypeAlias = tuple[str, int]
"""A topic's full name and a partition of it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Rows of one partition in one batch of Kafka's."""

    batch: BatchBuilder
    ids: list[int] = field(default_factory=list)


Load: TypeAlias = dict[Place, list[Parcel]]


async def pack(producer: AIOKafkaProducer, prefix: str, rows: Iterable[asyncpg.Record]) -> Load:
    """Return the rows by partition, in their order."""
    by_topic: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        by_topic[row["topic"]].append(row)
    load: Load = {}
    for name, of_topic in by_topic.items():
        topic = f"{prefix}{name}"
        places = partitions_of([row["key"] for row in of_topic], await _count(producer, topic))
        by_partition: dict[int, list[asyncpg.Record]] = defaultdict(list)
        for partition, row in zip(places, of_topic, strict=True):
            by_partition[partition].append(row)
        for partition, of_partition in by_partition.items():
            load[topic, partition] = list(_parcels(producer, of_partition))
    return load


async def _count(producer: AIOKafkaProducer, topic: str) -> int:
    known = producer.client.cluster.partitions_for_topic(topic)
    return len(known or await producer.partitions_for(topic))


def _parcels(producer: AIOKafkaProducer, rows: Iterable[asyncpg.Record]) -> Iterator[Parcel]:
    """Yield batches as full as they get. An empty one takes any row that the table does."""
    parcel, now = Parcel(producer.create_batch()), utc_milliseconds()
    for row_id, _, key, payload in rows:
        if parcel.batch.append(key=key, value=payload, timestamp=now) is None:
            yield parcel
            parcel = Parcel(producer.create_batch())
            parcel.batch.append(key=key, value=payload, timestamp=now)
        parcel.ids.append(row_id)
    yield parcel


def runs(ids: Sequence[int]) -> "list[asyncpg.Range[int]]":
    """Return the half-open ranges that hold `ids`, which ascend, and no other number."""
    gaps = [place for place in range(1, len(ids)) if ids[place] != ids[place - 1] + 1]
    bounds = [0, *gaps, len(ids)] if ids else []
    return [asyncpg.Range(ids[first], ids[end - 1] + 1) for first, end in pairwise(bounds)]


class Flight:
    """A load on its way. What Kafka has acknowledged of it may be deleted, even if the rest fails.

    Partitions go side by side, a partition's parcels one after the other: a failed one holds back
    those behind it. `landed` is called once nothing is on its way any more.
    """

    def __init__(
        self, producer: AIOKafkaProducer, load: Load, *, landed: Callable[[], None]
    ) -> None:
        parcels = [each for of_place in load.values() for each in of_place]
        self.runs = runs(sorted(row_id for each in parcels for row_id in each.ids))
        self.acknowledged: list[int] = []
        self._landed = landed
        self._sending = asyncio.gather(
            *(self._send(producer, place, parcels) for place, parcels in load.items()),
            return_exceptions=True,
        )
        self._sending.add_done_callback(self._land)

    @property
    def has_landed(self) -> bool:
        """Whether each parcel is acknowledged or given up."""
        return self._sending.done()

    async def error(self) -> BaseException | None:
        """Wait for the landing; return what went wrong first, or None."""
        results = await self._sending
        return next((each for each in results if isinstance(each, BaseException)), None)

    def abandon(self) -> None:
        """Wait for no answer any more; what was not acknowledged is sent again by the next."""
        self._sending.cancel()

    def _land(self, sending: "asyncio.Future[list[BaseException | None]]") -> None:
        """An abandoned gathering ends with an error, which nobody else is left to retrieve."""
        if not sending.cancelled():
            sending.exception()
        self._landed()

    async def _send(self, producer: AIOKafkaProducer, place: Place, parcels: list[Parcel]) -> None:
        topic, partition = place
        for parcel in parcels:
            async with asyncio.timeout(SEND_WITHIN_SECONDS):
                await (await producer.send_batch(parcel.batch, topic, partition=partition))
            self.acknowledged += parcel.ids
