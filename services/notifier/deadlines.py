"""The wall clock in: mail to be sent, terms that have passed, alerts that wait, digests."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from services.notifier.metrics import Metrics
from services.notifier.settings import Settings
from services.notifier.smtp import send
from services.notifier.store import catalogue, mails, terms
from services.notifier.store.mails import Mail
from services.notifier.use_cases.actions import escalate, schedule_later
from services.notifier.use_cases.alerts import Office, address
from services.notifier.use_cases.delivery import record
from services.notifier.use_cases.digests import forget_notices, send_digest
from shared.clock import utc_now
from shared.database import Pool
from shared.messaging import transaction
from shared.service import Context, Periodic

BATCH: Final = 100
CATCH_UP_SECONDS: Final = 5.0
DIGEST_SECONDS: Final = 60.0
GAUGE_SECONDS: Final = 5.0
FORGET_SECONDS: Final = 3600.0
SERVICE: Final = "notifier"


def periodics(settings: Settings, office: Office, metrics: Metrics) -> tuple[Periodic, ...]:
    """Return the tasks; each goes on where a stop or a crash left it."""

    async def deliver(context: Context) -> None:
        await deliver_due(context.pool, settings, office, metrics=metrics)

    async def escalate_all(context: Context) -> None:
        await escalate_due(context.pool, office, metrics)

    async def catch_up(context: Context) -> None:
        await catch_up_with_catalogue(context.pool, office)

    async def digest(context: Context) -> None:
        await send_digests(context.pool, office)

    async def gauge(context: Context) -> None:
        await read_gauges(context.pool, metrics)

    async def forget(context: Context) -> None:
        async with transaction(context.pool, service=SERVICE) as tx:
            await forget_notices(tx)

    return (
        Periodic("deliver mail", settings.delivery_poll_seconds, deliver),
        Periodic("escalate", settings.escalation_poll_seconds, escalate_all),
        Periodic("catch up with the catalogue", CATCH_UP_SECONDS, catch_up),
        Periodic("send digests", DIGEST_SECONDS, digest),
        Periodic("read gauges", GAUGE_SECONDS, gauge),
        Periodic("forget notices", FORGET_SECONDS, forget),
    )


async def deliver_due(
    pool: Pool,
    settings: Settings,
    office: Office,
    *,
    metrics: Metrics,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Offer what is due until nothing is, several mails at a time; a slow server holds up one.

    A mail under way is finished even when the service is told to stop: one that the server
    accepted and that we did not write down would be sent again.
    """

    async def attempt(mail: Mail) -> None:
        answer = await send(settings, mail)
        async with transaction(pool, service=SERVICE) as tx:
            tx.now = clock()
            outcome = await record(tx, office, mail, answer)
        if outcome is not None:
            metrics.count_delivery(mail.kind, outcome, caused_at=mail.caused_at, now=tx.now)

    under_way: set[asyncio.Task[None]] = set()
    try:
        while True:
            leased = await _lease(pool, settings, clock(), under_way=len(under_way))
            under_way |= {asyncio.create_task(attempt(mail)) for mail in leased}
            if not under_way:
                return
            done, under_way = await asyncio.wait(
                under_way,
                timeout=settings.delivery_poll_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            await asyncio.gather(*done)
    finally:
        if under_way:
            await asyncio.wait(under_way, timeout=settings.shutdown_seconds)


async def _lease(pool: Pool, settings: Settings, now: datetime, *, under_way: int) -> list[Mail]:
    free = settings.smtp_connections - under_way
    if free <= 0:
        return []
    lease = timedelta(seconds=settings.lease_seconds)
    async with transaction(pool, service=SERVICE) as tx:
        return await mails.lease_mails(tx.connection, now, limit=free, lease=lease)


async def escalate_due(pool: Pool, office: Office, metrics: Metrics) -> None:
    """Tell the next level of every term that has passed, each action in its own transaction."""
    async with transaction(pool, service=SERVICE) as tx:
        due = await terms.due_actions(tx.connection, tx.now, limit=BATCH)
    for action in due:
        async with transaction(pool, service=SERVICE) as tx:
            metrics.escalations.inc(await escalate(tx, office, action))


async def catch_up_with_catalogue(pool: Pool, office: Office) -> None:
    """Do what could not be done before a calendar, a carta or an address was known."""
    async with transaction(pool, service=SERVICE) as tx:
        unscheduled = await terms.unscheduled(tx.connection, limit=BATCH)
        waiting = await mails.waiting_alerts(tx.connection, limit=10 * BATCH)
    for action in unscheduled:
        async with transaction(pool, service=SERVICE) as tx:
            await schedule_later(tx, action)
    for alert in waiting:
        async with transaction(pool, service=SERVICE) as tx:
            await address(tx, office, alert)


async def send_digests(pool: Pool, office: Office) -> None:
    async with transaction(pool, service=SERVICE) as tx:
        municipalities = await catalogue.municipalities(tx.connection)
    for municipality in municipalities:
        async with transaction(pool, service=SERVICE) as tx:
            await send_digest(tx, office, municipality)


async def read_gauges(pool: Pool, metrics: Metrics) -> None:
    async with transaction(pool, service=SERVICE) as tx:
        waiting = await mails.waiting(tx.connection)
        overdue = await terms.overdue(tx.connection, tx.now)
    for what in ("mails", "alerts"):
        oldest = waiting[f"oldest_{what.removesuffix('s')}"]
        age = 0.0 if oldest is None else (tx.now - oldest).total_seconds()
        metrics.waiting.labels(what).set(waiting[what])
        metrics.oldest.labels(what).set(age)
    metrics.rejecting.set(waiting["rejecting"])
    for awaited, count in overdue.items():
        metrics.overdue.labels(awaited).set(count)
