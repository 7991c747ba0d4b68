"""What every service tells of itself beside its messages: schema, memory, clock, database, backlog.

Read at a beat of its own, not where messages are handled: it goes on while Kafka is away.
"""

import logging
import shutil
import time
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector

from shared.clock import AGREES_WITHIN, follow, machine_now, utc_now
from shared.database import Pool, schema_version
from shared.messaging import MessagingMetrics

logger = logging.getLogger(__name__)

READ_EVERY_SECONDS = 5.0
CONDITION_TASK = "read the condition"
"""The name of that beat; where it is late, PostgreSQL does not answer."""
# More than these wait for a person all the same: counting on would only cost.
MOST_COUNTED = 10_000

# An answer that took longer says too little about when it was given.
ANSWERS_WITHIN_SECONDS = 1.0

CLOCK = "SELECT clock_timestamp()"
# Through the index and no further than the limit: a table that was just emptied is large, and the
# planner believes it to be small.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
WAITING = """
SELECT count(*) AS rows,
       coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS age
FROM (SELECT created_at FROM outbox ORDER BY shard, id LIMIT 100000) AS waiting
"""
BACKLOG = """
SELECT pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM (
            SELECT FROM refusal WHERE replayed_at IS NULL LIMIT $1) AS counted) AS waiting,
       (SELECT count(*) FROM (
            SELECT FROM refusal WHERE refused_at >= now() - interval '1 hour' LIMIT $1) AS counted)
           AS last_hour
"""


class Condition:
    """The gauges of one process; memory, start and open files are those of Prometheus' clients."""

    def __init__(
        self,
        registry: CollectorRegistry,
        messaging: MessagingMetrics,
        *,
        postgres_dir: Path | None = None,
    ) -> None:
        ProcessCollector(registry=registry)
        self._messaging = messaging
        self._postgres_dir = postgres_dir
        self._schema = Info(
            "cartas_schema",
            "The last migration of the service's own: another version is another program.",
            registry=registry,
        )
        self._clock = Gauge(
            "cartas_clock_ahead_seconds",
            "This machine's clock less PostgreSQL's (which is followed): not 0 needs a look.",
            registry=registry,
        )
        self._time = Gauge(
            "cartas_clock_timestamp_seconds",
            "The time that this process goes by; processes must agree on it.",
            registry=registry,
        )
        self._time.set_function(lambda: utc_now().timestamp())
        self._brokers = Gauge(
            "cartas_kafka_brokers",
            "Brokers that Kafka names as alive; 0: none of them answers this process.",
            registry=registry,
        )
        self._add_gauges(registry)

    def _add_gauges(self, registry: CollectorRegistry) -> None:
        """What is read at the beat."""
        self._database = Gauge(
            "cartas_database_bytes",
            "Size of the service's database: its growth tells when the disk is full.",
            registry=registry,
        )
        self._disk = Gauge(
            "cartas_database_disk_bytes",
            "PostgreSQL's disk, where CARTAS_POSTGRES_DIR names its folder on this machine.",
            ["what"],
            registry=registry,
        )
        self._letters = Gauge(
            "cartas_dead_letters",
            f"Refused records not sent again yet, and those of the last hour; at most"
            f" {MOST_COUNTED}. What waits needs a look: `<service> dlt list`.",
            ["which"],
            registry=registry,
        )
        for which in ("waiting", "last_hour"):
            self._letters.labels(which)

    def tell_schema(self, service: str) -> None:
        """Tell the version that was found at the start, which is this program's."""
        self._schema.info({"version": schema_version(service)})

    async def compare_clocks(self, pool: Pool) -> None:
        """Tell how far this machine's clock is ahead of the database's, and follow that one."""
        async with pool.acquire() as connection:
            asked = time.monotonic()
            theirs = await connection.fetchval(CLOCK)
            now, ours = time.monotonic(), machine_now()
        if now - asked > ANSWERS_WITHIN_SECONDS:
            return
        since = (now - asked) / 2
        follow(theirs, now - since)
        ahead = (ours - theirs) / timedelta(seconds=1) - since
        self._clock.set(ahead)
        if abs(ahead) > AGREES_WITHIN.total_seconds():
            logger.error("clock_wrong", extra={"ahead_seconds": round(ahead, 3)})

    def tell_brokers(self, alive: int) -> None:
        """Tell how many brokers there are."""
        self._brokers.set(alive)

    def _look_at_disk(self) -> None:
        """Tell the disk of PostgreSQL; nothing where its folder is not here any more."""
        self._disk.clear()
        if self._postgres_dir is not None and self._postgres_dir.is_dir():
            usage = shutil.disk_usage(self._postgres_dir)
            self._disk.labels("total").set(usage.total)
            self._disk.labels("free").set(usage.free)

    async def read(self, pool: Pool) -> None:
        """Read what the database knows and its disk, and compare the clocks."""
        self._look_at_disk()
        await self.compare_clocks(pool)
        async with pool.acquire() as connection:
            row = await connection.fetchrow(BACKLOG, MOST_COUNTED)
            async with connection.transaction():
                await connection.execute(BY_INDEX)
                outbox = await connection.fetchrow(WAITING)
        assert row is not None
        assert outbox is not None
        self._database.set(row["database_bytes"])
        self._messaging.outbox_rows.set(outbox["rows"])
        self._messaging.outbox_age.set(outbox["age"])
        self._letters.labels("waiting").set(row["waiting"])
        self._letters.labels("last_hour").set(row["last_hour"])
