"""Kafka in: the catalogue."""

from collections.abc import Sequence

from services.buzon.use_cases.catalogue import take_catalogue
from shared.contracts import topics
from shared.messaging import Received, Subscription, Transaction

GROUP = "buzon"


async def on_catalogue(tx: Transaction, batch: Sequence[Received]) -> None:
    """Keep what is promised, by whom, on which calendar."""
    await take_catalogue(tx, [received.event for received in batch])


SUBSCRIPTIONS = (
    Subscription(topic=topics.CARTAS, group=GROUP, handle=on_catalogue, reference=True),
)
