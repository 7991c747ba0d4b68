"""Ownership of partitions: claimed by epoch in PostgreSQL, so that a former owner cannot write."""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from shared.database import Connection, Pool
from shared.errors import ConfigurationError, FencedError, ReleasedError
from shared.messaging.backoff import OUTAGES, Backoff
from shared.messaging.metrics import MessagingMetrics
from shared.messaging.subscription import Record
from shared.messaging.topic_ids import topic_id_of

logger = logging.getLogger(__name__)

KAFKA_ANSWERS_WITHIN_SECONDS = 5.0
MADE_ANEW = "was made anew: its offsets in the database belong to another"

# Sorted, so that two claimants of the same partitions cannot lock each other. Where nothing was
# read yet the beginning is kept: what Kafka deletes from there on was not read.
CLAIM = """
INSERT INTO kafka_offset AS o (consumer_group, topic, partition, topic_id, owner, next_offset)
SELECT $1, $2, p, $4, $5, beginning
FROM unnest($3::int[], $6::bigint[]) AS new (p, beginning) ORDER BY p
ON CONFLICT (consumer_group, topic, partition) DO UPDATE
SET epoch = o.epoch + 1, owner = excluded.owner, claimed_at = now(),
    next_offset = coalesce(o.next_offset, excluded.next_offset)
RETURNING partition, next_offset, epoch, topic_id
"""
READ = """
SELECT partition, next_offset, epoch
FROM kafka_offset
WHERE consumer_group = $1 AND topic = $2 AND partition = ANY($3::int[])
"""
# A person let it be read again from the beginning, or put the offsets right.
GOES_ON = """
SELECT bool_and(o.topic_id = $3) AND coalesce(bool_and(o.epoch <> mine.epoch), true) AS goes_on
FROM kafka_offset o
LEFT JOIN unnest($4::int[], $5::bigint[]) AS mine (partition, epoch)
    ON mine.partition = o.partition
WHERE o.consumer_group = $1 AND o.topic = $2
"""
# First statement of every batch: it locks the rows in sorted order and compares epoch AND the
# offset as last read, so neither a former owner nor a COMMIT whose answer was lost counts twice.
ADVANCE = """
WITH held AS (
    SELECT o.partition
    FROM kafka_offset o
    JOIN unnest($3::int[], $4::bigint[], $5::bigint[]) AS x (partition, epoch, expected)
        ON x.partition = o.partition
    WHERE o.consumer_group = $1 AND o.topic = $2
        AND o.epoch = x.epoch AND o.next_offset IS NOT DISTINCT FROM x.expected
    ORDER BY o.partition
    FOR UPDATE OF o
)
UPDATE kafka_offset o
SET next_offset = y.next_offset
FROM held, unnest($3::int[], $6::bigint[]) AS y (partition, next_offset)
WHERE o.consumer_group = $1 AND o.topic = $2
    AND o.partition = held.partition AND y.partition = held.partition
"""


@dataclass(slots=True)
class Ownership:
    """One partition we own: our epoch, what the database says, where Kafka is read from next."""

    epoch: int
    stored: int
    position: int
    halted: bool = False


class PartitionGuard(ConsumerRebalanceListener):  # type: ignore[misc]  # the client is untyped
    """Claims partitions when they are assigned, and advances their offsets inside a transaction."""

    def __init__(
        self,
        pool: Pool,
        *,
        group: str,
        topic: str,
        owner: str,
        metrics: MessagingMetrics,
        told_as: str,
    ) -> None:
        """`topic` is the name on Kafka; `told_as` that in metrics, without the prefix."""
        self._pool = pool
        self._group = group
        self._topic = topic
        self._told_as = told_as
        self._owner = owner
        self._metrics = metrics
        self.lock = asyncio.Lock()
        self.owned: dict[int, Ownership] = {}
        self.fenced_at: dict[int, float] = {}
        self.assigned_once = False
        self.joining_since: float | None = None
        self.fatal: Exception | None = None
        self.consumer: AIOKafkaConsumer | None = None
        self.topic_id = ""

    def reading(self) -> AIOKafkaConsumer:
        """Return the consumer whose assignments we follow; it is set before it starts."""
        if self.consumer is None:
            raise ConfigurationError("the guard has no consumer yet")
        return self.consumer

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Give up everything: an eager group assigns all of it anew."""
        self.joining_since = time.monotonic()
        await self.release()

    async def release(self) -> None:
        """Wait for the transaction in flight, then own nothing; the next owner halts for itself."""
        async with self.lock:
            for partition, ownership in self.owned.items():
                if ownership.halted:
                    self._metrics.halted.labels(self._told_as, str(partition)).set(0)
            self.owned.clear()
            self.fenced_at.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Claim the partitions and go to their stored offsets; keeps trying through an outage."""
        consumer = self.reading()
        self.joining_since = None
        # Before the first await: nothing may be fetched from Kafka's own committed offsets. Without
        # any position the client asks for those, again and again, for as long as we are halted.
        consumer.pause(*assigned)
        for tp in assigned:
            consumer.seek(tp, 0)
        backoff = Backoff()
        while assigned and set(assigned) <= consumer.assignment():
            try:
                await self._claim(consumer, sorted(assigned))
                break
            except ConfigurationError as error:
                self.fatal = error
                logger.critical("partitions_halted", extra={"reason": str(error)})
                return
            except OUTAGES:
                logger.warning("claim_retried", extra={"topic": self._topic}, exc_info=True)
                await backoff.sleep()
        self.assigned_once = True
        self._metrics.rebalances.labels(self._told_as).inc()

    async def _claim(self, consumer: AIOKafkaConsumer, assigned: Sequence[TopicPartition]) -> None:
        beginnings = await consumer.beginning_offsets(assigned)
        partitions = [tp.partition for tp in assigned]
        rows = await self._pool.fetch(
            CLAIM,
            self._group,
            self._topic,
            partitions,
            self.topic_id,
            self._owner,
            [beginnings[tp] for tp in assigned],
        )
        if not set(assigned) <= consumer.assignment():
            return
        by_partition = {tp.partition: tp for tp in assigned}
        for row in rows:
            if row["topic_id"] != self.topic_id:
                raise ConfigurationError(f"{self._topic} {MADE_ANEW}")
            tp = by_partition[row["partition"]]
            stored = row["next_offset"]
            self.owned[tp.partition] = Ownership(row["epoch"], stored, position=stored)
            self.fenced_at.pop(tp.partition, None)
            consumer.seek(tp, stored)
        consumer.resume(*assigned)
        self.fatal = None

    def ours(self, records: Iterable[Record]) -> list[Record]:
        """Return the records that we own and have not applied yet, each once.

        Call it under the lock. After a rebalance the client brings again what it brought before.
        """
        mine: list[Record] = []
        following = {
            partition: ownership.position
            for partition, ownership in self.owned.items()
            if not ownership.halted
        }
        for record in records:
            position = following.get(record.partition)
            if position is not None and record.offset >= position:
                following[record.partition] = record.offset + 1
                mine.append(record)
        return mine

    async def advance(self, connection: Connection, after: dict[int, int]) -> None:
        """Move the stored offsets to `after` (partition -> next offset). Raises FencedError."""
        partitions = sorted(after)
        if not self.owned.keys() >= after.keys():  # another lane has found us fenced off
            raise FencedError(self._topic, partitions)
        owned = [self.owned[partition] for partition in partitions]
        tag = await connection.execute(
            ADVANCE,
            self._group,
            self._topic,
            partitions,
            [ownership.epoch for ownership in owned],
            [ownership.stored for ownership in owned],
            [after[partition] for partition in partitions],
        )
        if int(tag.split()[-1]) != len(partitions):
            raise FencedError(self._topic, partitions)

    def applied(self, after: dict[int, int]) -> None:
        """Remember what a committed transaction has stored."""
        for partition, offset in after.items():
            if (ownership := self.owned.get(partition)) is not None:
                ownership.stored = ownership.position = offset

    async def reread(self) -> bool:
        """Learn what is stored after a failure; return whether we were fenced off anywhere.

        A COMMIT whose answer was lost has advanced the offset: its records are then not ours to
        apply again. Partitions with another epoch are forgotten and paused.
        """
        rows = await self._pool.fetch(READ, self._group, self._topic, list(self.owned))
        fenced = False
        for row in rows:
            ownership = self.owned[row["partition"]]
            if row["epoch"] != ownership.epoch:
                self._forget(row["partition"])
                fenced = True
            elif row["next_offset"] is not None:
                ownership.stored = row["next_offset"]
                ownership.position = max(ownership.position, row["next_offset"])
        return fenced

    async def reclaim(self, after_seconds: float) -> None:
        """Claim again what we were fenced off so long ago, where the group still gives it to us.

        A claim of an earlier assignment can arrive after ours; its sender then owns nothing, and
        nobody would read the partition. Whoever really lost it has heard so from the group by now.
        """
        consumer = self.reading()
        due = time.monotonic() - after_seconds
        late = {
            TopicPartition(self._topic, partition)
            for partition, since in self.fenced_at.items()
            if since <= due
        }
        if mine := sorted(late & consumer.assignment()):
            async with self.lock:
                await self._claim(consumer, mine)

    def _forget(self, partition: int) -> None:
        del self.owned[partition]
        self.fenced_at[partition] = time.monotonic()
        self._metrics.fenced.labels(self._told_as).inc()
        logger.error("partition_fenced", extra={"topic": self._topic, "partition": partition})
        tp = TopicPartition(self._topic, partition)
        if self.consumer is not None and tp in self.consumer.assignment():
            self.consumer.pause(tp)

    async def look_at_topic(self) -> None:
        """Halt where the topic was made anew under us; end where a person lets us go on.

        Offsets alone do not show it: the new topic may hold records at those that come next, and
        where the group gave us nothing while there was none, nobody would look for minutes. What
        was applied of it until now stays applied; those before it are read after the rewind.
        Raises ReleasedError, UnknownTopicOrPartitionError.
        """
        halted = [one for one in self.owned.values() if one.halted]
        try:
            async with asyncio.timeout(KAFKA_ANSWERS_WITHIN_SECONDS):
                current = await topic_id_of(self.reading(), self._topic)
        except UnknownTopicOrPartitionError:
            raise
        except (TimeoutError, KafkaError):
            return  # Kafka is away
        if (halted or self.fatal) and await self._goes_on(current):
            raise ReleasedError(self._topic)
        if self.fatal is None and current != self.topic_id:
            self._made_anew()

    def _made_anew(self) -> None:
        """Stop all of it: the topic that we were reading is gone, another has taken its name."""
        self.fatal = ConfigurationError(f"{self._topic} {MADE_ANEW}")
        logger.critical("partitions_halted", extra={"reason": str(self.fatal)})
        for partition, ownership in self.owned.items():
            self.halt(partition, ownership.position)

    async def _goes_on(self, topic_id: str) -> bool:
        """Return whether what was halted may be read again, as a person has decided."""
        epochs = {number: mine.epoch for number, mine in self.owned.items() if mine.halted}
        [row] = await self._pool.fetch(
            GOES_ON, self._group, self._topic, topic_id, list(epochs), list(epochs.values())
        )
        return bool(row["goes_on"])

    def halt(self, partition: int, offset: int) -> None:
        """Stop one partition for good: Kafka does not hold the offset that comes next."""
        ownership = self.owned.get(partition)
        if ownership is None or self.consumer is None:
            return
        ownership.halted = True
        self._metrics.halted.labels(self._told_as, str(partition)).set(1)
        self.consumer.pause(TopicPartition(self._topic, partition))
        logger.critical(
            "partition_halted",
            extra={"topic": self._topic, "partition": partition, "offset": offset},
        )
