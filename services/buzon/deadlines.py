"""The wall clock in: how far we are complete, figures for operators, what can be forgotten."""

from datetime import timedelta
from typing import Final

from services.buzon.ends import TopicEnds
from services.buzon.metrics import Metrics
from services.buzon.settings import Settings
from services.buzon.store import gauges, redatings
from services.buzon.use_cases import completeness, limits, redating
from shared.clock import utc_now
from shared.contracts import topics
from shared.database import Pool
from shared.messaging import transaction
from shared.service import Context, Periodic

SERVICE: Final = "buzon"
GAUGE_SECONDS: Final = 10.0
REDATE_SECONDS: Final = 5.0
BATCH: Final = 100
FORGET_SECONDS: Final = 600.0


def periodics(settings: Settings, metrics: Metrics) -> tuple[Periodic, ...]:
    """Return the tasks; each goes on where a stop or a crash left it."""
    ends = TopicEnds(settings)
    idle = timedelta(seconds=settings.idle_progress_seconds)

    async def tell_progress(context: Context) -> None:
        await tell(context, ends, idle=idle, metrics=metrics)

    async def redate(context: Context) -> None:
        await redate_outdated(context.pool)

    async def gauge(context: Context) -> None:
        async with context.pool.acquire() as connection:
            metrics.show(await gauges.waiting(connection, utc_now()))  # type: ignore[arg-type]

    async def forget(context: Context) -> None:
        async with transaction(context.pool, service=SERVICE) as tx:
            await limits.purge(tx, window_seconds=settings.window_seconds)

    return (
        Periodic("tell progress", settings.progress_poll_seconds, tell_progress),
        Periodic("date folios again", REDATE_SECONDS, redate),
        Periodic("read gauges", GAUGE_SECONDS, gauge),
        Periodic("forget requests", FORGET_SECONDS, forget),
    )


async def redate_outdated(pool: Pool) -> None:
    """Date folios again whose calendar changed or has come at last, each in its transaction."""
    after = ""
    while True:
        async with transaction(pool, service=SERVICE) as tx:
            outdated = await redatings.outdated(tx.connection, after=after, limit=BATCH)
        for folio in outdated:
            async with transaction(pool, service=SERVICE) as tx:
                await redating.redate(tx, folio)
        if len(outdated) < BATCH:
            return
        after = outdated[-1]


async def tell(context: Context, ends: TopicEnds, *, idle: timedelta, metrics: Metrics) -> None:
    """Publish a progress that is due; the offsets are taken after its messages are on Kafka."""
    async with transaction(context.pool, service=SERVICE) as tx:
        due = await completeness.prepare(tx, idle=idle)
    if due is None:
        return
    progress = completeness.message(due, *await ends.get())
    await context.producer.send(topics.COMPLAINTS, [(progress.key, progress.to_bytes())])
    async with transaction(context.pool, service=SERVICE) as tx:
        await completeness.settle(tx, due)
    metrics.complete_through.set(due.through.timestamp())
