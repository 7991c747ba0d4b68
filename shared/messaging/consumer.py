"""The loop of one subscription: fetch, have it applied, wait out what is away.

Runs on aiokafka itself: docs/decisions/0001 says why FastStream only declares it.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)

from shared.database import Pool
from shared.errors import (
    ClientStalledError,
    ConfigurationError,
    ConsumerStoppedError,
    FencedError,
    ReleasedError,
)
from shared.messaging.applying import Applier
from shared.messaging.backoff import OUTAGES, Backoff
from shared.messaging.guard import PartitionGuard
from shared.messaging.headers import read_any_name
from shared.messaging.kafka import CLIENT_ANSWERS_WITHIN_SECONDS, close, consumer_options
from shared.messaging.metrics import MessagingMetrics
from shared.messaging.pulse import Pulse
from shared.messaging.stopwatch import Stopwatch
from shared.messaging.subscription import (
    Record,
    Subscription,
)
from shared.messaging.topics import topic_id
from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

POLL_MS = 200
# What the client had fetched before it was asked comes without a wait.
LAY_READY_SECONDS = 0.001
FEW_RECORDS = 500
FETCH_MORE_MS = 5
KAFKA_COMMIT_SECONDS = 5.0
# Longer than a session: a process that lost its partitions knows it by then.
RECLAIM_SECONDS = 15.0
# The client's fetching or its part in the group can die in silence: so often, when nothing comes,
# Kafka is asked whether something waits, and a client that leaves it there twice is replaced.
IDLE_CHECK_SECONDS = 30.0
# More than the group waits for its slowest member.
JOINS_WITHIN_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class _Idle:
    """A time without records; `waiting` is what Kafka held beyond our positions at its start."""

    waiting: frozenset[tuple[TopicPartition, int]] = frozenset()
    since: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        return time.monotonic() - self.since > IDLE_CHECK_SECONDS


class Consumer:
    """One member of a consumer group."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        settings: ServiceSettings,
        pool: Pool,
        owner: str,
        metrics: MessagingMetrics,
    ) -> None:
        self.subscription = subscription
        self._settings = settings
        self._metrics = metrics
        self._full_topic = f"{settings.topic_prefix}{subscription.topic.name}"
        self._stopping = asyncio.Event()
        self._caught_up = False
        self._lag_told: set[int] = set()
        self.name = f"consumer {subscription.topic.name}"
        self.pulse = Pulse()
        self._watch = Stopwatch(metrics.part_seconds, subscription.topic.name)
        self.stopped_by: Exception | None = None
        self._guard = PartitionGuard(
            pool,
            group=subscription.group,
            topic=self._full_topic,
            owner=owner,
            metrics=metrics,
            told_as=subscription.topic.name,
        )
        self._applier = Applier(
            subscription,
            service=settings.service,
            pool=pool,
            guard=self._guard,
            metrics=metrics,
            watch=self._watch,
        )
        metrics.initialise(subscription.topic.name)

    def not_ready(self) -> str | None:
        """Return why the subscription is not ready, or None."""
        fault = self._fault()
        return None if fault is None else f"{self.subscription.topic.name}: {fault}"

    def _fault(self) -> str | None:
        if self.stopped_by is not None or self._guard.fatal is not None:
            return f"stopped ({self.stopped_by or self._guard.fatal})"
        if not self._guard.assigned_once:
            return "no partitions assigned yet"
        if any(ownership.halted for ownership in self._guard.owned.values()):
            return "a partition is halted"
        if self._guard.fenced_at:
            return "a partition belongs to another process"
        if self.subscription.reference and not self._caught_up:
            return "reference data not caught up"
        return self.pulse.fault()

    async def run(self) -> None:
        """Consume until stopped; an outage of Kafka is waited out."""
        backoff = Backoff()
        while not self._stopping.is_set():
            self.pulse.beat()
            consumer = AIOKafkaConsumer(**self._options())
            try:
                await self._start(consumer)
                backoff = Backoff()
                await self._consume(consumer)
            except UnicodeDecodeError:
                read_any_name()
                logger.warning("header_name_unreadable", extra={"topic": self._full_topic})
            except ConsumerStoppedError as error:
                self.stopped_by = error
                self._metrics.stopped.labels(self.subscription.topic.name).set(1)
                logger.critical("consumer_stopped", extra={"topic": self._full_topic})
                return
            except ReleasedError:
                logger.warning("consumer_goes_on", extra={"topic": self._full_topic})
            except UnknownTopicOrPartitionError:
                self._guard.fatal = ConfigurationError(f"{self._full_topic} does not exist")
                self._metrics.stopped.labels(self.subscription.topic.name).set(1)
                logger.critical("topic_missing", extra={"topic": self._full_topic})
                await backoff.sleep()
            except (ClientStalledError, *OUTAGES):
                logger.warning("consumer_retried", extra={"topic": self._full_topic}, exc_info=True)
                await backoff.sleep()
            except Exception:
                # Nothing of a message: those are sorted below. A loop must not end in silence.
                logger.exception("consumer_failed", extra={"topic": self._full_topic})
                await backoff.sleep()
            finally:
                await self._guard.release()
                self._tell_lag_of_owned_only()
                await close(consumer)

    def _options(self) -> dict[str, Any]:
        subscription = self.subscription
        return consumer_options(
            self._settings, group=subscription.group, topic=subscription.topic.name
        )

    def stop(self) -> None:
        """Ask the loop to end after the batch in flight."""
        self._stopping.set()

    async def _start(self, consumer: AIOKafkaConsumer) -> None:
        self._guard.consumer = consumer
        self._guard.joining_since = time.monotonic()
        self._guard.topic_id = await topic_id(self._settings, self._full_topic)
        consumer.subscribe([self._full_topic], listener=self._guard)
        async with asyncio.timeout(CLIENT_ANSWERS_WITHIN_SECONDS):
            await consumer.start()

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        next_commit = time.monotonic() + KAFKA_COMMIT_SECONDS
        idle = _Idle()
        while not self._stopping.is_set():
            records = await self._poll(consumer)
            if records:
                await self._handle(records)
                idle = _Idle()
            elif idle.is_due():
                idle = await self._still_fetching(consumer, idle)
            await self._guard.reclaim(RECLAIM_SECONDS)
            self.pulse.beat()
            self._note_progress(consumer)
            self._watch.lap("turn")
            if time.monotonic() >= next_commit:
                await self._guard.look_at_topic()
                await self._commit_to_kafka(consumer)
                next_commit = time.monotonic() + KAFKA_COMMIT_SECONDS

    async def _poll(self, consumer: AIOKafkaConsumer) -> list[Record]:
        """Return what has come, in order for each partition; wait for it, but not for more of it.

        Few records that lay ready are the first that came while a batch was applied: the client
        fetches no more until they are taken. One more fetch brings the rest of what Kafka has;
        these few alone would make it wait for a transaction of their own.
        """
        began = time.monotonic()
        records = await self._fetched(consumer, POLL_MS, self.subscription.max_records)
        lay_ready = time.monotonic() - began < LAY_READY_SECONDS
        if lay_ready and 0 < len(records) < FEW_RECORDS:
            room = self.subscription.max_records - len(records)
            records += await self._fetched(consumer, FETCH_MORE_MS, room) if room else []
        self._watch.lap("wait")
        return records

    async def _fetched(
        self, consumer: AIOKafkaConsumer, timeout_ms: int, at_most: int
    ) -> list[Record]:
        try:
            batches = await consumer.getmany(timeout_ms=timeout_ms, max_records=at_most)
        except OffsetOutOfRangeError as error:
            for tp, offset in error.args[0].items():
                self._guard.halt(tp.partition, offset)
            return []
        except NoOffsetForPartitionError:
            return []  # Kafka's own committed offset is not asked; the claim seeks to ours
        return [record for records in batches.values() for record in records]

    async def _handle(self, records: Sequence[Record]) -> None:
        """Apply the records, waiting out outages; the position never runs ahead of the effects."""
        backoff = Backoff()
        while not self._stopping.is_set():
            self.pulse.beat()
            async with self._guard.lock:
                mine = self._guard.ours(records)
                if not mine:
                    return
                try:
                    await self._applier.apply(mine)
                except FencedError:
                    await self._reread()
                    continue
                except OUTAGES:
                    self._metrics.retries.labels(self.subscription.topic.name).inc()
                    logger.warning(
                        "batch_retried", extra={"topic": self._full_topic}, exc_info=True
                    )
                else:
                    return
            await backoff.sleep()
            async with self._guard.lock:
                await self._reread()
            await self._tell_what_waits()

    async def _reread(self) -> None:
        with suppress(*OUTAGES):
            await self._guard.reread()

    async def _tell_what_waits(self) -> None:
        """Tell the lag while a batch is tried again: nothing is fetched, only Kafka knows it."""
        positions = self._positions()
        with suppress(*OUTAGES):
            async with asyncio.timeout(KAFKA_COMMIT_SECONDS):
                ends = await self._guard.reading().end_offsets(list(positions))
            for tp, end in ends.items():
                self._tell_lag(tp.partition, end - positions[tp])

    def _positions(self) -> dict[TopicPartition, int]:
        return {
            TopicPartition(self._full_topic, partition): ownership.position
            for partition, ownership in self._guard.owned.items()
            if not ownership.halted
        }

    async def _still_fetching(self, consumer: AIOKafkaConsumer, before: "_Idle") -> "_Idle":
        """Look whether Kafka holds what does not come. Raises ClientStalledError."""
        since = self._guard.joining_since
        if since is not None and time.monotonic() - since > JOINS_WITHIN_SECONDS:
            raise ClientStalledError(self._full_topic, "the group does not answer")
        positions = self._positions()
        ends = await consumer.end_offsets(list(positions)) if positions else {}
        waiting = {(tp, at) for tp, at in positions.items() if ends[tp] > at}
        if left := waiting & before.waiting:
            raise ClientStalledError(self._full_topic, f"{len(left)} partitions do not come")
        return _Idle(frozenset(waiting))

    def _note_progress(self, consumer: AIOKafkaConsumer) -> None:
        name = self.subscription.topic.name
        self._tell_lag_of_owned_only()
        self._metrics.stopped.labels(name).set(self._guard.fatal is not None)
        lags: list[int] = []
        for partition, ownership in self._guard.owned.items():
            highwater = consumer.highwater(TopicPartition(self._full_topic, partition))
            if highwater is None:
                continue
            lags.append(self._tell_lag(partition, highwater - ownership.position))
        if not self._caught_up and self._guard.assigned_once:
            self._caught_up = len(lags) == len(self._guard.owned) and not any(lags)

    def _tell_lag_of_owned_only(self) -> None:
        """No lag is told of a topic that nobody reads: an alert looks for that."""
        for partition in self._lag_told - self._guard.owned.keys():
            self._metrics.lag.remove(self.subscription.topic.name, str(partition))
        self._lag_told &= self._guard.owned.keys()

    def _tell_lag(self, partition: int, records: int) -> int:
        lag = max(0, records)
        self._metrics.lag.labels(self.subscription.topic.name, str(partition)).set(lag)
        self._lag_told.add(partition)
        return lag

    async def _commit_to_kafka(self, consumer: AIOKafkaConsumer) -> None:
        """Tell Kafka where we are, for lag tools only; ours are the offsets in PostgreSQL."""
        positions = {
            TopicPartition(self._full_topic, partition): ownership.position
            for partition, ownership in self._guard.owned.items()
        }
        if positions:
            with suppress(CommitFailedError, IllegalStateError, KafkaError, TimeoutError):
                async with asyncio.timeout(KAFKA_COMMIT_SECONDS):
                    await consumer.commit(positions)
