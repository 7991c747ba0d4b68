"""The relay: outbox rows to Kafka, in order per key, at least once.

One relay a shard, by advisory lock: two would break the order within a key. While a load of rows is
on its way the next is read and packed, and it leaves once the one before it is acknowledged as a
whole. A row is deleted when Kafka has acknowledged it, with those acknowledged a moment before and
after: each statement that changes something waits for the disk, and what follows for it. A crash in
between repeats them, with the same ids.
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.database import Connection
from shared.messaging.backoff import OUTAGES, Backoff
from shared.messaging.bell import OUTBOX_CHANNEL, hearing
from shared.messaging.kafka import CLIENT_ANSWERS_WITHIN_SECONDS, producer_options
from shared.messaging.loads import Flight, Load, pack
from shared.messaging.metrics import MessagingMetrics
from shared.messaging.producer import stop_quietly
from shared.messaging.pulse import Pulse
from shared.messaging.stopwatch import Stopwatch
from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

TAKE_SHARD = "SELECT pg_try_advisory_lock(hashtext('outbox relay'), $1)"
# Never "id > last": identity values are taken before commit, so a lower one can become visible
# later and would be skipped for ever. What is on its way or acknowledged ($3) is left out by id, in
# runs without a gap: compared with each of 5,000 ids, as a prepared statement soon does, a read
# takes 0.3 s.
NEXT = """
SELECT id, topic, key, payload FROM outbox
WHERE shard = $1 AND NOT id <@ $3::int8multirange ORDER BY id LIMIT $2
"""
# By id, not by range: an id in between may belong to a transaction that is still open.
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
# However small the planner believes the outbox to be: read in the order of its index, up to LIMIT.
SESSION = {"enable_seqscan": "off", "enable_sort": "off", "jit": "off"}

BATCH = 5000
POLL_SECONDS = 1.0
# Acknowledged rows wait for so long, or until there are BATCH of them, to be deleted together.
DELETE_AFTER_SECONDS = 0.05
STANDBY_SECONDS = 0.5
FAREWELL_SECONDS = 5.0


class Relay:
    """Publishes one shard of the outbox of one database."""

    def __init__(self, settings: ServiceSettings, *, shard: int, metrics: MessagingMetrics) -> None:
        self._settings = settings
        self._shard = shard
        self._metrics = metrics
        self.name = f"relay {shard}"
        self.pulse = Pulse()
        self._watch = Stopwatch(metrics.part_seconds, "relay")
        self._flight: Flight | None = None
        self._landed = _Landed()
        self._news = True
        self._read_at = 0.0
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask the loop to end after the batch in flight."""
        self._stopping.set()
        self._wake.set()

    def _tell(self) -> None:
        """Something was committed: look for it."""
        self._news = True
        self._wake.set()

    def not_ready(self) -> str | None:
        """Return why the outbox does not reach Kafka, or None."""
        fault = self.pulse.fault()
        return None if fault is None else f"{self.name}: {fault}"

    async def run(self) -> None:
        """Publish until stopped; never raises, an outage is waited out."""
        backoff = Backoff()
        while not self._stopping.is_set():
            self.pulse.beat()
            try:
                await self._lead()
                backoff = Backoff()
            except OUTAGES:
                logger.warning("relay_retried", exc_info=True)
            except Exception:
                logger.exception("relay_failed")
            self._metrics.relay_leader.labels(str(self._shard)).set(0)
            if not self._stopping.is_set():
                await backoff.sleep()

    async def _lead(self) -> None:
        """Take the shard's lock and publish until something fails (then: a new producer)."""
        connection = await asyncpg.connect(
            self._settings.database_url.get_secret_value(),
            server_settings={"application_name": f"{self._settings.service} relay", **SESSION},
            command_timeout=30,
        )
        producer: AIOKafkaProducer | None = None
        try:
            while not await connection.fetchval(TAKE_SHARD, self._shard):
                self.pulse.beat()
                if await self._pause(STANDBY_SECONDS):
                    return
            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._tell())
            producer = AIOKafkaProducer(**producer_options(self._settings))
            async with asyncio.timeout(CLIENT_ANSWERS_WITHIN_SECONDS):
                await producer.start()
            self._metrics.relay_leader.labels(str(self._shard)).set(1)
            with hearing(self._tell):
                await self._publish(connection, producer)
        finally:
            if producer is not None:
                await stop_quietly(producer)
            await connection.close(timeout=FAREWELL_SECONDS)

    async def _publish(self, connection: Connection, producer: AIOKafkaProducer) -> None:
        self._landed, self._news = _Landed(), True
        try:
            while not self._stopping.is_set():
                self.pulse.beat()
                self._wake.clear()
                await self._turn(connection, producer)
                if self._landed.is_due():
                    await self._delete(connection)
                if not self._news:
                    await self._wait_for_wake()
                    self._watch.lap("wait")
            await self._relieve(connection, producer, {})
            await self._delete(connection)
        finally:
            if self._flight is not None:
                self._flight.abandon()
                self._flight = None

    async def _turn(self, connection: Connection, producer: AIOKafkaProducer) -> None:
        """Read what is not on its way yet, where there may be any, and send it."""
        rows = []
        if self._news or time.monotonic() - self._read_at >= POLL_SECONDS:
            rows = await self._read(connection)
        if rows or (self._flight is not None and self._flight.has_landed):
            load = await pack(producer, self._settings.topic_prefix, rows)
            self._watch.lap("pack")
            await self._relieve(connection, producer, load)

    async def _read(self, connection: Connection) -> "list[asyncpg.Record]":
        self._news, self._read_at = False, time.monotonic()
        flying = self._flight.runs if self._flight is not None else []
        passed_over = [*self._landed.runs, *flying]
        rows = await connection.fetch(NEXT, self._shard, BATCH, passed_over)
        self._news |= len(rows) == BATCH
        self._watch.lap("read")
        return rows

    async def _relieve(
        self, connection: Connection, producer: AIOKafkaProducer, load: Load
    ) -> None:
        """Wait for the flight and send `load` after it, unless it failed."""
        landed = self._flight
        error = await landed.error() if landed is not None else None
        following = load and error is None
        self._flight = Flight(producer, load, landed=self._wake.set) if following else None
        self._watch.lap("acknowledge")
        if landed is not None:
            self._landed.add(landed)
            self._metrics.relayed.inc(len(landed.acknowledged))
        if error is not None:
            await self._delete(connection)
            raise error

    async def _delete(self, connection: Connection) -> None:
        landed, self._landed = self._landed, _Landed()
        if landed.acknowledged:
            await connection.execute(DELETE, landed.acknowledged)
            self._watch.lap("delete")

    async def _wait_for_wake(self) -> None:
        seconds = DELETE_AFTER_SECONDS if self._landed.acknowledged else POLL_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _pause(self, seconds: float) -> bool:
        """Sleep; return whether we are to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


@dataclass(slots=True)
class _Landed:
    """What Kafka has acknowledged since the last rows were deleted."""

    acknowledged: list[int] = field(default_factory=list)
    runs: "list[asyncpg.Range[int]]" = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def add(self, flight: Flight) -> None:
        if not self.acknowledged:
            self.since = time.monotonic()
        self.acknowledged += flight.acknowledged
        self.runs += flight.runs

    def is_due(self) -> bool:
        waited = time.monotonic() - self.since
        enough = len(self.acknowledged) >= BATCH or waited >= DELETE_AFTER_SECONDS
        return bool(self.acknowledged) and enough
