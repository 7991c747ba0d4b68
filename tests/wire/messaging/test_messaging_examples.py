"""The committed examples over a real Kafka, as services and foreign emitters send and read them."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from prometheus_client import CollectorRegistry

from shared.contracts import hot, topics
from shared.contracts.schema_files import message_types, models_of
from shared.contracts.topics import Topic
from shared.database import Pool, open_pool
from shared.messaging import Consumer, MessagingMetrics, Received, Subscription, Transaction
from tests.integration.messaging.support import SERVICE, Settings, running, settings_for
from tests.support.databases import FreshDatabase
from tests.support.servers import Servers
from tests.support.waiting import eventually
from tests.unit.contracts.documents import Document, examples

DECODERS = {
    topics.SERVICE_EVENTS.name: hot.decode_service_event,
    topics.MEASUREMENTS.name: hot.decode_measurement,
}


@pytest_asyncio.fixture
async def settings(servers: Servers, database: FreshDatabase, topic_prefix: str) -> Settings:
    return settings_for(servers.kafka, topic_prefix, await database(SERVICE))


@pytest_asyncio.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    async with await open_pool(
        settings.database_url.get_secret_value(), name="wire", size=10
    ) as opened:
        yield opened


@pytest_asyncio.fixture
async def producer(servers: Servers) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=servers.kafka, acks="all")
    await made.start()
    yield made
    await made.stop()


class Seen:
    """What one consumer of each topic took."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self.events: list[Any] = []
        metrics = MessagingMetrics(CollectorRegistry())
        self.consumers = [
            Consumer(
                self._subscription(topic),
                settings=settings,
                pool=pool,
                owner="wire",
                metrics=metrics,
            )
            for topic in topics.ALL
        ]

    def _subscription(self, topic: Topic) -> Subscription:
        async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
            self.events += [received.event for received in batch]

        decode = DECODERS.get(topic.name)
        return Subscription(topic=topic, group="wire", handle=handle, decode=decode)

    def ids(self) -> list[str]:
        return sorted(event.id for event in self.events)


def by_topic() -> dict[str, list[Document]]:
    """The examples, by the topic that they travel on."""
    models, found = message_types(), examples()
    return {
        topic.name: [
            document
            for name, documents in found.items()
            if models[name] in list(models_of(topic))
            for document in documents
        ]
        for topic in topics.ALL
    }


async def test_every_example_is_taken_from_its_topic(
    settings: Settings, pool: Pool, producer: AIOKafkaProducer
) -> None:
    sent = []
    for name, documents in by_topic().items():
        assert documents
        for document in documents:
            value = json.dumps(document).encode()
            await producer.send_and_wait(f"{settings.topic_prefix}{name}", value, key=b"key")
            sent.append(document["id"])
    seen = Seen(settings, pool)
    async with running(*seen.consumers):
        await eventually(lambda: len(seen.events) >= len(sent))
    assert seen.ids() == sorted(sent)
    assert await pool.fetchval("SELECT count(*) FROM refusal") == 0


@pytest.mark.parametrize("bind", [to_binary_event, to_structured_event])
async def test_events_of_a_foreign_sdk_are_taken_in_either_mode(
    settings: Settings, pool: Pool, producer: AIOKafkaProducer, bind: Any
) -> None:
    documents = [replace_time(document) for document in examples()["service-event.v1"]]
    for document in documents:
        data = document.pop("data")
        message: KafkaMessage = bind(CloudEvent(document, data))
        await producer.send_and_wait(
            f"{settings.topic_prefix}{topics.SERVICE_EVENTS.name}",
            message.value,
            key=b"key",
            headers=list(message.headers.items()),
        )
    seen = Seen(settings, pool)
    async with running(*seen.consumers):
        await eventually(lambda: len(seen.events) >= len(documents))
    assert seen.ids() == sorted(document["id"] for document in documents)
    assert {event.time for event in seen.events} == {document["time"] for document in documents}
    assert await pool.fetchval("SELECT count(*) FROM refusal") == 0


def replace_time(document: Document) -> Document:
    return {**document, "time": datetime.fromisoformat(document["time"])}
