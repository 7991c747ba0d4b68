"""The AsyncAPI document of a service, from the same declarations that run.

FastStream generates it; its broker is declared and never started.
"""

from collections.abc import Sequence
from typing import Any

from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from shared.contracts.topics import Topic
from shared.messaging import Subscription


def asyncapi_document(
    service: str,
    describe: str,
    *,
    subscriptions: Sequence[Subscription],
    publishes: Sequence[Topic],
) -> dict[str, Any]:
    """Return the document (AsyncAPI 3.0) with every topic read and written, schemas included."""
    broker = KafkaBroker("kafka:9092")
    for subscription in subscriptions:
        _declare_subscriber(broker, subscription)
    for topic in publishes:
        broker.publisher(topic.name, schema=topic.message, description=topic.describes)
    specification = AsyncAPI(broker, title=service, version="1", description=describe)
    document: dict[str, Any] = specification.to_specification().to_jsonable()
    document.pop("servers", None)
    for channel in document.get("channels", {}).values():
        channel.pop("servers", None)
    return document


def _declare_subscriber(broker: KafkaBroker, subscription: Subscription) -> None:
    async def handle(body: Any) -> None:
        """Only its annotation is read."""

    handle.__name__ = subscription.topic.name
    handle.__annotations__["body"] = subscription.topic.message
    broker.subscriber(
        subscription.topic.name,
        group_id=subscription.group,
        title=f"{subscription.topic.name} to {subscription.group}",
        description=subscription.topic.describes,
    )(handle)
