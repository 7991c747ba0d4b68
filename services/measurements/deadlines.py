"""What happens by the wall clock: progress, suspensions, figures, purges."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from services.measurements.domain.checks import SourceState
from services.measurements.kafka_ends import EndOffsets
from services.measurements.metrics import Metrics
from services.measurements.settings import Settings
from services.measurements.store import activity, heard
from services.measurements.store.progress import take_turn
from services.measurements.store.sources import set_state
from services.measurements.use_cases.progress import (
    NOTHING_TOLD,
    Mark,
    Told,
    advance,
    set_mark,
    tell,
)
from shared.clock import utc_now
from shared.messaging import transaction
from shared.messaging.backoff import OUTAGES
from shared.messaging.log_dirs import fullest_disks
from shared.service import Context, Periodic

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.1
FIGURES_SECONDS = 10.0
PURGE_SECONDS = 3600.0
DISKS_SECONDS = 60.0


def periodics(settings: Settings, metrics: Metrics) -> list[Periodic]:
    """Return the service's tasks."""
    return [
        Periodic(
            "progress",
            settings.progress_seconds,
            follow_progress(settings, metrics),
            is_open_ended=True,
        ),
        Periodic("suspend offenders", FIGURES_SECONDS, suspend_offenders(settings)),
        Periodic("figures", FIGURES_SECONDS, metrics.refresh),
        Periodic("Kafka's disks", DISKS_SECONDS, look_at_disks(settings, metrics)),
        Periodic("purge", PURGE_SECONDS, purge),
    ]


def follow_progress(settings: Settings, metrics: Metrics) -> Callable[[Context], Awaitable[None]]:
    """Return the task that never ends by itself: it holds one connection to Kafka meanwhile."""

    async def run(context: Context) -> None:
        async with EndOffsets(settings) as ends:
            follower = ProgressFollower(context, ends, settings, metrics)
            while True:
                await asyncio.sleep(await follower.step())

    return run


class ProgressFollower:
    """Takes one mark after the other through the pipeline, in turns with other processes."""

    def __init__(
        self, context: Context, ends: EndOffsets, settings: Settings, metrics: Metrics
    ) -> None:
        self._context = context
        self._ends = ends
        self._settings = settings
        self._metrics = metrics
        self._mark: Mark | None = None
        self._told: Told = NOTHING_TOLD

    async def step(self) -> float:
        """Take the mark on as far as it goes; return for how many seconds to wait."""
        async with transaction(self._context.pool, service=self._settings.service) as tx:
            if not await take_turn(tx.connection):
                self._mark = None
                return self._settings.progress_seconds
            mark = self._mark or await set_mark(tx)
            next_mark = await advance(tx, mark, self._ends)
            if next_mark is not None:
                self._mark = next_mark
                return 0.0 if next_mark.step is not mark.step else STEP_SECONDS
            told = await tell(
                tx,
                mark,
                told=self._told,
                ends=self._ends,
                idle_seconds=self._settings.idle_progress_seconds,
            )
        self._mark = None
        self._metrics.progress_through.set(mark.through.timestamp())
        self._told = told or replace(self._told, ends=mark.ends)
        return self._settings.progress_seconds


def suspend_offenders(settings: Settings) -> Callable[[Context], Awaitable[None]]:
    """Return the task that suspends sources, each alone, whose refusals pass the limit."""

    async def run(context: Context) -> None:
        since = utc_now() - timedelta(minutes=settings.suspend_window_minutes)
        async with transaction(context.pool, service=settings.service) as tx:
            for uri in await activity.offenders(
                tx.connection,
                since,
                least_events=settings.suspend_least_events,
                refused_percent=settings.suspend_refused_percent,
            ):
                reason = f"{settings.suspend_refused_percent} % or more was refused"
                await set_state(tx.connection, uri, state=SourceState.SUSPENDED, reason=reason)
                logger.error("source_suspended", extra={"source_uri": uri})

    return run


def look_at_disks(settings: Settings, metrics: Metrics) -> Callable[[Context], Awaitable[None]]:
    """Return the task that asks Kafka how full it is; away, nothing is told of it."""

    async def run(context: Context) -> None:
        try:
            disks = await fullest_disks(settings)
        except OUTAGES:
            logger.warning("kafka_disks_unknown", exc_info=True)
            disks = []
        metrics.tell_disks(disks)

    return run


async def purge(context: Context) -> None:
    """Forget what is over its term."""
    async with transaction(context.pool) as tx:
        await activity.purge(tx.connection)
        await heard.purge(tx.connection)
