"""A producer that answers only when Kafka has the message; replaced after any error."""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contracts.topics import Topic
from shared.messaging.kafka import producer_options
from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

# Batches of an idempotent producer never expire by themselves.
ACKNOWLEDGED_WITHIN_SECONDS = 10.0


class KafkaUnavailableError(Exception):
    """Kafka did not acknowledge in time; whether it has the message is not known. Send it again."""


class DurableProducer:
    """Sends and waits for acks=all. After an error its sequence numbers are lost: it is rebuilt."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def send(self, topic: Topic, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish (key, payload) pairs; return when all are durable.

        Raises KafkaUnavailableError: the sender must repeat them; consumers drop repeats by id.
        """
        full_name = f"{self._settings.topic_prefix}{topic.name}"
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
                producer = await self._ready()
                sent = [
                    await producer.send(full_name, value=payload, key=key.encode())
                    for key, payload in messages
                ]
                await asyncio.gather(*sent)
        except (TimeoutError, KafkaError, OSError) as error:
            await self._discard(producer)
            raise KafkaUnavailableError(type(error).__name__) from error

    async def _ready(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(**producer_options(self._settings))
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer | None) -> None:
        async with self._lock:
            if producer is None or producer is not self._producer:
                return
            self._producer = None
        await stop_quietly(producer)

    async def stop(self) -> None:
        """Flush and close."""
        if self._producer is not None:
            await stop_quietly(self._producer)
            self._producer = None


async def stop_quietly(producer: AIOKafkaProducer) -> None:
    """Close a producer; one that Kafka does not answer is given up after five seconds."""
    try:
        async with asyncio.timeout(5.0):
            await producer.stop()
    except (TimeoutError, KafkaError, OSError):
        logger.warning("producer_abandoned", exc_info=True)
