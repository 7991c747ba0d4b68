"""Topics of its own for each test, told apart by a random prefix."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.contracts import topics
from tests.support.servers import Servers
from tests.support.waiting import eventually


@pytest_asyncio.fixture
async def topic_prefix(servers: Servers) -> AsyncIterator[str]:
    """Prefix under which every topic exists and is empty; they are deleted after the test."""
    prefix = f"t{uuid4().hex[:8]}."
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    wanted = [_new(prefix, topic) for topic in topics.ALL]
    wanted += [NewTopic(prefix + topic.dead_letters, 1, 1) for topic in topics.ALL]
    names = [topic.name for topic in wanted]
    try:
        await admin.create_topics(wanted, timeout_ms=30_000)
        await eventually(lambda: _all_have_leaders(admin, names), what="leaders of the topics")
        yield prefix
        await admin.delete_topics(names)
    finally:
        await admin.close()


def _new(prefix: str, topic: topics.Topic) -> NewTopic:
    configs = {"cleanup.policy": "compact"} if topic.compacted else {}
    return NewTopic(prefix + topic.name, topic.partitions, 1, topic_configs=configs)


async def _all_have_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> bool:
    described = await admin.describe_topics(names)
    return all(
        topic["error_code"] == 0 and all(part["leader"] >= 0 for part in topic["partitions"])
        for topic in described
    )
