"""The job: a copy every night, a try again where it failed, and what Prometheus is told of it."""

import asyncio
import logging
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import asyncpg
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ops.backup.copies import BackupError, Copies, begun_at, size_of
from ops.backup.settings import BackupSettings

AGAIN_AFTER: Final = timedelta(minutes=15)
ANSWERS_WITHIN_SECONDS: Final = 3.0
ARCHIVER: Final = """
SELECT current_setting('archive_mode') <> 'off' AS archives,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS fails
FROM pg_stat_archiver
"""

logger = logging.getLogger(__name__)


class Job:
    """Copies one server into one folder, for ever."""

    def __init__(self, settings: BackupSettings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._copies = Copies(settings.dir, settings.programs)
        self._ended = threading.Event()
        self._seconds = Gauge(
            "cartas_backup_seconds",
            "How long the last copy took, until it was proved.",
            registry=registry,
        )
        self._failed = Counter(
            "cartas_backup_failures", "Copies that could not be made.", registry=registry
        )
        registry.register(Told(self._copies, settings.url))

    def run(self) -> None:
        """Copy at the hour until told to stop; at once where there is no copy of the last day."""
        while not self._ended.wait(self._until_due().total_seconds()):
            if not self.take():
                self._ended.wait(AGAIN_AFTER.total_seconds())

    def stop(self, *_: object) -> None:
        """End after the copy in hand."""
        self._ended.set()

    def take(self) -> bool:
        """Make one copy; return whether it is whole."""
        began = time.monotonic()
        try:
            copy = self._copies.take(self._settings.url)
            self._copies.forget(self._settings.kept)
        except (BackupError, OSError) as error:
            logger.error("copy_failed", extra={"reason": str(error)})  # noqa: TRY400 - all is said
            self._failed.inc()
            return False
        self._seconds.set(time.monotonic() - began)
        logger.info("copied", extra={"copy": copy.name, "bytes": size_of(copy)})
        return True

    def _until_due(self) -> timedelta:
        copies = self._copies.all
        newest = begun_at(copies[-1]).astimezone() if copies else None
        return (
            due(newest, datetime.now().astimezone(), self._settings) - datetime.now().astimezone()
        )


def due(newest: datetime | None, now: datetime, settings: BackupSettings) -> datetime:
    """Return when the next copy is to be made: the first `at` after the newest, or now if past.

    All instants are aware and in the zone in which `at` is meant.
    """
    if newest is None:
        return now
    hour = settings.at
    first = newest.replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0)
    while first <= newest:
        first += timedelta(days=1)
    return max(first, now)


class Told(Collector):
    """What is looked up when Prometheus asks: the folder, and the server's archiver."""

    def __init__(self, copies: Copies, url: str) -> None:
        self._copies = copies
        self._url = url

    def describe(self) -> Iterator[Metric]:
        """Say the names without a look."""
        yield from self._empty().values()

    def collect(self) -> Iterator[Metric]:
        """Look; what is not known is left out."""
        told = self._empty()
        copies = self._copies.all
        newest = begun_at(copies[-1]).timestamp() if copies else 0.0
        told["newest"].add_metric([], newest)
        told["copies"].add_metric([], len(copies))
        if copies:
            told["bytes"].add_metric([], size_of(copies[-1]))
        usage = shutil.disk_usage(self._copies.folder)
        told["disk"].add_metric(["total"], usage.total)
        told["disk"].add_metric(["free"], usage.free)
        fails = asyncio.run(wal_fails(self._url))
        if fails is not None:
            told["wal"].add_metric([], fails)
        yield from told.values()

    @staticmethod
    def _empty() -> dict[str, GaugeMetricFamily]:
        return {
            "newest": GaugeMetricFamily(
                "cartas_backup_newest_timestamp_seconds",
                "When the newest copy was begun that is whole and proved; 0: there is none.",
            ),
            "copies": GaugeMetricFamily("cartas_backup_copies", "Whole copies in the folder."),
            "bytes": GaugeMetricFamily("cartas_backup_bytes", "Size of the newest copy."),
            "disk": GaugeMetricFamily(
                "cartas_backup_disk_bytes", "Disk of the copies.", labels=["what"]
            ),
            "wal": GaugeMetricFamily(
                "cartas_backup_wal_failing",
                "1 where PostgreSQL could not archive its WAL at the last try, or does not at all.",
            ),
        }


async def wal_fails(url: str) -> bool | None:
    """Return whether the server does not archive its WAL; None where it does not answer."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            connection = await asyncpg.connect(url)
            try:
                row = await connection.fetchrow(ARCHIVER)
            finally:
                await connection.close(timeout=1)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    return row is None or not row["archives"] or row["fails"]


def serve(settings: BackupSettings) -> None:
    """Run the job and its /metrics until SIGTERM or SIGINT."""
    registry = CollectorRegistry()
    job = Job(settings, registry)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, job.stop)
    server, thread = start_http_server(settings.port, settings.host, registry)
    try:
        job.run()
    finally:
        server.shutdown()
        thread.join()
