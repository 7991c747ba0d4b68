"""Rows of the outbox on their way to Kafka: packed by partition, flown, acknowledged."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from struct import iter_unpack
from typing import TypeAlias

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

SEND_WITHIN_SECONDS = 30.0

Place: TypeAlias = tuple[str, int]
"""A topic's full name and a partition of it."""


MULTIPLIER = 0x5BD1E995
SEED = 0x9747B28C
LOW_32_BITS = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return MurmurHash2 of `key` with Kafka's seed, as aiokafka's own does in twice the time."""
    hashed = SEED ^ len(key)
    whole = len(key) & ~3
    for (word,) in iter_unpack("<I", key[:whole]):
        mixed = word * MULTIPLIER & LOW_32_BITS
        mixed = (mixed ^ mixed >> 24) * MULTIPLIER
        hashed = (hashed * MULTIPLIER ^ mixed) & LOW_32_BITS
    if whole < len(key):
        last = int.from_bytes(key[whole:], "little")
        hashed = (hashed ^ last) * MULTIPLIER & LOW_32_BITS
    hashed = (hashed ^ hashed >> 13) * MULTIPLIER & LOW_32_BITS
    return hashed ^ hashed >> 15


@lru_cache(maxsize=20_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that Kafka's own default partitioner gives `key`."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


@dataclass(slots=True)
class Parcel:
    """Rows of one partition in one batch of Kafka's."""

    batch: BatchBuilder
    ids: list[int] = field(default_factory=list)

    def add(self, row_id: int, key: bytes, payload: bytes) -> bool:
        """Take a row; return False, with nothing done, where it finds no room."""
        if self.batch.append(key=key, value=payload, timestamp=None) is None:
            return False
        self.ids.append(row_id)
        return True


Load: TypeAlias = dict[Place, list[Parcel]]


async def pack(producer: AIOKafkaProducer, prefix: str, rows: Iterable[asyncpg.Record]) -> Load:
    """Return the rows by partition, in their order; a partition's parcels go one by one."""
    load: Load = {}
    topics: dict[str, tuple[str, int]] = {}
    for row_id, name, key, payload in rows:
        if name not in topics:
            topics[name] = await _topic(producer, f"{prefix}{name}")
        topic, partitions = topics[name]
        parcels = load.setdefault((topic, partition_of(key, partitions)), [])
        if not parcels or not parcels[-1].add(row_id, key, payload):
            parcels.append(Parcel(producer.create_batch()))
            # An empty batch takes any row: its limit is the payload's own in the table.
            parcels[-1].add(row_id, key, payload)
    return load


async def _topic(producer: AIOKafkaProducer, topic: str) -> tuple[str, int]:
    known = producer.client.cluster.partitions_for_topic(topic)
    return topic, len(known or await producer.partitions_for(topic))


class Flight:
    """A load on its way. What Kafka has acknowledged of it may be deleted, even if the rest fails.

    Partitions go side by side, a partition's parcels one after the other: a failed one holds back
    those behind it. `landed` is called once nothing is on its way any more.
    """

    def __init__(
        self, producer: AIOKafkaProducer, load: Load, *, landed: Callable[[], None]
    ) -> None:
        self.ids = [row_id for parcels in load.values() for each in parcels for row_id in each.ids]
        self.acknowledged: list[int] = []
        self._sending = asyncio.gather(
            *(self._send(producer, place, parcels) for place, parcels in load.items()),
            return_exceptions=True,
        )
        self._sending.add_done_callback(lambda _: landed())

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

    async def _send(self, producer: AIOKafkaProducer, place: Place, parcels: list[Parcel]) -> None:
        topic, partition = place
        for parcel in parcels:
            async with asyncio.timeout(SEND_WITHIN_SECONDS):
                await (await producer.send_batch(parcel.batch, topic, partition=partition))
            self.acknowledged += parcel.ids
