"""The relay: outbox rows to Kafka, in order per key, at least once.

One relay a shard, by advisory lock: two would break the order within a key. A row is deleted when
Kafka has acknowledged it; a crash in between repeats it, with the same id.
"""

import asyncio
import logging
from collections import defaultdict
from functools import lru_cache

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from shared.database import Connection
from shared.messaging.backoff import OUTAGES, Backoff
from shared.messaging.kafka import CLIENT_ANSWERS_WITHIN_SECONDS, producer_options
from shared.messaging.metrics import MessagingMetrics
from shared.messaging.producer import stop_quietly
from shared.messaging.pulse import Pulse
from shared.messaging.transaction import OUTBOX_CHANNEL
from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

TAKE_SHARD = "SELECT pg_try_advisory_lock(hashtext('outbox relay'), $1)"
# Never "id > last": identity values are taken before commit, so a lower one can become visible
# later and would be skipped for ever.
NEXT = """
SELECT id, topic, key, payload FROM outbox WHERE shard = $1 ORDER BY id LIMIT $2
"""
# By id, not by range: an id in between may belong to a transaction that is still open.
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
WAITING = """
SELECT count(*) AS rows,
       coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS age
FROM outbox
"""

BATCH = 5000
POLL_SECONDS = 1.0
STANDBY_SECONDS = 2.0
SEND_WITHIN_SECONDS = 30.0
FAREWELL_SECONDS = 5.0


@lru_cache(maxsize=200_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that Kafka's own default partitioner gives `key`."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


class Relay:
    """Publishes one shard of the outbox of one database."""

    def __init__(self, settings: ServiceSettings, *, shard: int, metrics: MessagingMetrics) -> None:
        self._settings = settings
        self._shard = shard
        self._metrics = metrics
        self.name = f"relay {shard}"
        self.pulse = Pulse()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask the loop to end after the batch in flight."""
        self._stopping.set()
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
            server_settings={"application_name": f"{self._settings.service} relay"},
            command_timeout=30,
        )
        producer: AIOKafkaProducer | None = None
        try:
            while not await connection.fetchval(TAKE_SHARD, self._shard):
                self.pulse.beat()
                if await self._pause(STANDBY_SECONDS):
                    return
            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._wake.set())
            producer = AIOKafkaProducer(**producer_options(self._settings))
            async with asyncio.timeout(CLIENT_ANSWERS_WITHIN_SECONDS):
                await producer.start()
            self._metrics.relay_leader.labels(str(self._shard)).set(1)
            await self._publish(connection, producer)
        finally:
            if producer is not None:
                await stop_quietly(producer)
            await connection.close(timeout=FAREWELL_SECONDS)

    async def _publish(self, connection: Connection, producer: AIOKafkaProducer) -> None:
        while not self._stopping.is_set():
            self.pulse.beat()
            self._wake.clear()
            if await self._drain(connection, producer) < BATCH:
                await self._measure(connection)
                await self._wait_for_wake()

    async def _wait_for_wake(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    async def _pause(self, seconds: float) -> bool:
        """Sleep; return whether we are to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _drain(self, connection: Connection, producer: AIOKafkaProducer) -> int:
        rows = await connection.fetch(NEXT, self._shard, BATCH)
        if not rows:
            return 0
        groups: dict[tuple[str, int], list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            topic = f"{self._settings.topic_prefix}{row['topic']}"
            partitions = await self._partitions(producer, topic)
            groups[topic, partition_of(row["key"], partitions)].append(row)
        results = await asyncio.gather(
            *(self._send(producer, place, group) for place, group in groups.items()),
            return_exceptions=True,
        )
        sent = [row_id for result in results if isinstance(result, list) for row_id in result]
        if sent:
            await connection.execute(DELETE, sent)
            self._metrics.relayed.inc(len(sent))
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(rows)

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        known = producer.client.cluster.partitions_for_topic(topic)
        return len(known or await producer.partitions_for(topic))

    async def _send(
        self, producer: AIOKafkaProducer, place: tuple[str, int], rows: list[asyncpg.Record]
    ) -> list[int]:
        """Send one partition's rows one batch after the other; return the acknowledged ids."""
        topic, partition = place
        waiting = list(reversed(rows))
        sent: list[int] = []
        while waiting:
            batch = producer.create_batch()
            ids: list[int] = []
            while waiting:
                row = waiting[-1]
                if batch.append(key=row["key"], value=row["payload"], timestamp=None) is None:
                    break
                ids.append(waiting.pop()["id"])
            async with asyncio.timeout(SEND_WITHIN_SECONDS):
                acknowledged = await producer.send_batch(batch, topic, partition=partition)
                await acknowledged
            sent += ids
        return sent

    async def _measure(self, connection: Connection) -> None:
        for row in await connection.fetch(WAITING):
            self._metrics.outbox_rows.set(row["rows"])
            self._metrics.outbox_age.set(row["age"])
