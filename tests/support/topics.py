"""Topics of its own for each test, told apart by a random prefix."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from shared.messaging.topics import admin_client, create_topics
from shared.settings import ServiceSettings
from tests.support.processes import SERVICE_SECRET
from tests.support.servers import Servers
from tests.support.waiting import eventually


class TopicSettings(ServiceSettings, service="test"):
    """Settings that only reach Kafka; the database is never opened."""


@pytest_asyncio.fixture
async def topic_prefix(servers: Servers) -> AsyncIterator[str]:
    """Prefix under which every topic exists and is empty; they are deleted after the test."""
    async with own_topics(servers) as prefix:
        yield prefix


@asynccontextmanager
async def own_topics(servers: Servers) -> AsyncIterator[str]:
    """Make every topic under a random prefix; delete them afterwards."""
    settings = settings_of(servers.kafka, f"t{uuid4().hex[:8]}.")
    names = await create_topics(settings)
    async with admin_client(settings) as admin:
        await eventually(lambda: _all_have_leaders(admin, names), what="leaders of the topics")
        yield settings.topic_prefix
        await admin.delete_topics(names)


def settings_of(kafka: str, prefix: str) -> TopicSettings:
    """Return what reaches the topics under a prefix."""
    return TopicSettings(
        kafka_servers=kafka,
        topic_prefix=prefix,
        service_secret=SecretStr(SERVICE_SECRET),
        public_url="http://127.0.0.1",
        database_url=SecretStr("postgresql://nobody@127.0.0.1/none"),
        port=1,
    )


async def _all_have_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> bool:
    described = await admin.describe_topics(names)
    return all(
        topic["error_code"] == 0 and all(part["leader"] >= 0 for part in topic["partitions"])
        for topic in described
    )
