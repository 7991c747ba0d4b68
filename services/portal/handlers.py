"""Kafka in: what the others decided, kept for the pages."""

from collections.abc import Sequence

from services.portal.store import catalogue, results
from shared.contracts import topics
from shared.contracts.breaches import BreachKind
from shared.contracts.complaints import ComplaintChanged
from shared.messaging import Received, Subscription, Transaction

GROUP = "portal"


async def on_catalogue(tx: Transaction, batch: Sequence[Received]) -> None:
    await catalogue.keep(tx.connection, [received.event for received in batch])


async def on_results(tx: Transaction, batch: Sequence[Received]) -> None:
    await results.keep_results(tx.connection, [received.event.data for received in batch])


async def on_breaches(tx: Transaction, batch: Sequence[Received]) -> None:
    """Late cases of an import ask nothing of anybody now: they stay in the results."""
    events = [received.event for received in batch]
    wanted = [e for e in events if not (e.data.historical and e.data.kind is BreachKind.LATE_CASE)]
    await results.keep_statements(tx.connection, wanted)


async def on_complaints(tx: Transaction, batch: Sequence[Received]) -> None:
    changes = [r.event.data for r in batch if isinstance(r.event, ComplaintChanged)]
    await results.keep_complaints(tx.connection, changes)


async def on_actions(tx: Transaction, batch: Sequence[Received]) -> None:
    await results.keep_actions(tx.connection, [received.event.data for received in batch])


def subscriptions() -> tuple[Subscription, ...]:
    """Return what the portal reads."""
    return (
        Subscription(topic=topics.CARTAS, group=GROUP, handle=on_catalogue, reference=True),
        Subscription(topic=topics.RESULTS, group=GROUP, handle=on_results),
        Subscription(topic=topics.BREACHES, group=GROUP, handle=on_breaches),
        Subscription(topic=topics.COMPLAINTS, group=GROUP, handle=on_complaints),
        Subscription(topic=topics.CORRECTIVE_ACTIONS, group=GROUP, handle=on_actions),
    )
