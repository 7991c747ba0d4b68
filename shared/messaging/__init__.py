"""Effects exactly once around Kafka and PostgreSQL, for a service in a dozen lines.

    async def on_results(tx: Transaction, batch: Sequence[Received]) -> None:
        for received in batch:
            await store.upsert_result(tx.connection, received.event.data)

    Subscription(topic=topics.RESULTS, group="portal", handle=on_results)

A batch is one transaction: the offsets of its partitions advance in it, fenced by epoch; what it
publishes goes through the outbox, which one relay a shard empties in order per key; what it cannot
take is refused by name and kept. Outages are retried in place and dead-letter nothing.
"""

from shared.messaging.consumer import Consumer
from shared.messaging.metrics import MessagingMetrics
from shared.messaging.producer import DurableProducer, KafkaUnavailableError
from shared.messaging.relay import Relay
from shared.messaging.subscription import Received, Subscription
from shared.messaging.transaction import Transaction, claim, transaction

__all__ = [
    "Consumer",
    "DurableProducer",
    "KafkaUnavailableError",
    "MessagingMetrics",
    "Received",
    "Relay",
    "Subscription",
    "Transaction",
    "claim",
    "transaction",
]
