"""A process with one consumer, for tests that kill and freeze processes."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from shared.database import open_pool
from shared.messaging import Consumer, MessagingMetrics, Received, Subscription, Transaction
from tests.integration.messaging.support import GROUP, TOPIC, note_effects, settings_for


async def main(kafka: str, prefix: str, database_url: str) -> None:
    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await note_effects(tx, batch, by_whom=str(os.getpid()))

    async with await open_pool(database_url, name="worker", size=3) as pool:
        consumer = Consumer(
            Subscription(topic=TOPIC, group=GROUP, handle=handle, max_records=5),
            settings=settings_for(kafka, prefix, database_url),
            pool=pool,
            owner=str(os.getpid()),
            metrics=MessagingMetrics(CollectorRegistry()),
        )
        await consumer.run()


if __name__ == "__main__":
    logging.basicConfig(level="WARNING")
    asyncio.run(main(*sys.argv[1:]))
