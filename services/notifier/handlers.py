"""Kafka in: the catalogue and what the evaluator says of compromisos."""

from collections.abc import Sequence

from services.notifier.metrics import Metrics
from services.notifier.use_cases.alerts import Office
from services.notifier.use_cases.breaches import take_breaches
from services.notifier.use_cases.catalogue import take_catalogue
from shared.contracts import topics
from shared.contracts.breaches import BreachEvent
from shared.messaging import Received, Subscription, Transaction

GROUP = "notifier"


def subscriptions(office: Office, metrics: Metrics) -> tuple[Subscription, ...]:
    """Return what the notifier reads."""

    async def on_catalogue(tx: Transaction, batch: Sequence[Received]) -> None:
        await take_catalogue(tx, [received.event for received in batch])

    async def on_breaches(tx: Transaction, batch: Sequence[Received]) -> None:
        events: list[BreachEvent] = [received.event for received in batch]
        await take_breaches(tx, office, events)
        for event in events:
            historical = str(event.data.historical).lower()
            metrics.statements.labels(event.data.kind.value, historical).inc()

    return (
        Subscription(topic=topics.CARTAS, group=GROUP, handle=on_catalogue, reference=True),
        Subscription(topic=topics.BREACHES, group=GROUP, handle=on_breaches),
    )
