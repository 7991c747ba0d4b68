"""Kafka in."""

from services.measurements.settings import Settings
from services.measurements.use_cases.progress import GROUP
from services.measurements.use_cases.take import decode, take_batch
from shared.contracts import topics
from shared.messaging import Subscription


def subscriptions(settings: Settings) -> list[Subscription]:
    """Return what the service consumes."""
    return [
        Subscription(
            topic=topics.SERVICE_EVENTS,
            group=GROUP,
            handle=take_batch,
            decode=decode,
            max_records=settings.batch_records,
        )
    ]
