"""The wall clock in: mail to be sent, terms that have passed, alerts that wait, digests."""

from typing import Final

from services.notifier.courier import Courier
from services.notifier.metrics import WAITING, Metrics
from services.notifier.settings import Settings
from services.notifier.store import catalogue, mails, terms
from services.notifier.use_cases.actions import escalate, redate, schedule_later
from services.notifier.use_cases.alerts import Office, address
from services.notifier.use_cases.digests import send_digest
from shared.database import Pool
from shared.messaging import transaction
from shared.service import Context, Periodic

BATCH: Final = 100
CATCH_UP_SECONDS: Final = 5.0
DIGEST_SECONDS: Final = 60.0
GAUGE_SECONDS: Final = 5.0
SERVICE: Final = "notifier"


def periodics(settings: Settings, office: Office, metrics: Metrics) -> tuple[Periodic, ...]:
    """Return the tasks; each goes on where a stop or a crash left it."""

    async def deliver(context: Context) -> None:
        await Courier(context.pool, settings, office, metrics=metrics).run()

    async def escalate_all(context: Context) -> None:
        await escalate_due(context.pool, office, metrics)

    async def catch_up(context: Context) -> None:
        await catch_up_with_catalogue(context.pool, office)

    async def digest(context: Context) -> None:
        await send_digests(context.pool, office)

    async def gauge(context: Context) -> None:
        await read_gauges(context.pool, metrics)

    return (
        Periodic("deliver mail", settings.delivery_poll_seconds, deliver, is_open_ended=True),
        Periodic("escalate", settings.escalation_poll_seconds, escalate_all),
        Periodic("catch up with the catalogue", CATCH_UP_SECONDS, catch_up),
        Periodic("send digests", DIGEST_SECONDS, digest),
        Periodic("read gauges", GAUGE_SECONDS, gauge),
    )


async def escalate_due(pool: Pool, office: Office, metrics: Metrics) -> None:
    """Tell the next level of every term that has passed, each action in its own transaction."""
    async with transaction(pool, service=SERVICE) as tx:
        due = await terms.due_actions(tx.connection, tx.now, limit=BATCH)
    for action in due:
        async with transaction(pool, service=SERVICE) as tx:
            metrics.escalations.inc(await escalate(tx, office, action))


async def catch_up_with_catalogue(pool: Pool, office: Office) -> None:
    """Do what could not be done before a calendar, a carta or an address was known, or changed."""
    async with transaction(pool, service=SERVICE) as tx:
        unscheduled = await terms.unscheduled(tx.connection, limit=BATCH)
        outdated = await terms.outdated(tx.connection, limit=BATCH)
        waiting = await mails.waiting_alerts(tx.connection, limit=10 * BATCH)
    for action in unscheduled:
        async with transaction(pool, service=SERVICE) as tx:
            await schedule_later(tx, action)
    for action in outdated:
        async with transaction(pool, service=SERVICE) as tx:
            await redate(tx, action)
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
        waiting = await mails.waiting(tx.connection, tx.now)
        overdue = await terms.overdue(tx.connection, tx.now)
        open_actions = await terms.open_actions(tx.connection, tx.now)
    for what in WAITING:
        oldest = waiting[f"oldest_{what.removesuffix('s')}"]
        age = 0.0 if oldest is None else (tx.now - oldest).total_seconds()
        metrics.waiting.labels(what).set(waiting[what])
        metrics.oldest.labels(what).set(age)
    metrics.rejecting.set(waiting["rejecting"])
    for awaited, count in overdue.items():
        metrics.overdue.labels(awaited).set(count)
    metrics.tell_actions(open_actions)
