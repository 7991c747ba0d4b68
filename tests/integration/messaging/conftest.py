"""A topic with two partitions and a database of its own for each test."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from shared.database import open_pool
from shared.messaging.topics import admin_client, create_topics
from tests.integration.messaging.support import (
    CREATE_EFFECT,
    SERVICE,
    TOPIC,
    Bench,
    settings_for,
)
from tests.support.databases import FreshDatabase
from tests.support.servers import Servers


@pytest_asyncio.fixture
async def bench(
    servers: Servers, database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    # Lanes for the few records of a test, too.
    monkeypatch.setattr("shared.messaging.applying.LEAST_FOR_LANES", 0)
    url = await database(SERVICE)
    settings = settings_for(servers.kafka, f"t{uuid4().hex[:8]}.", url)
    names = await create_topics(settings, [TOPIC])
    producer = AIOKafkaProducer(bootstrap_servers=servers.kafka, acks="all")
    await producer.start()
    try:
        async with await open_pool(url, name="test", size=10) as pool:
            await pool.execute(CREATE_EFFECT)
            yield Bench(settings, pool, producer)
    finally:
        await producer.stop()
        async with admin_client(settings) as admin:
            await admin.delete_topics(names)
