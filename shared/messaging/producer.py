"""A producer that answers only when Kafka has the message; replaced after any error."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.clock import utc_milliseconds
from shared.contracts.topics import Topic
from shared.messaging.kafka import MAX_MESSAGE_BYTES, producer_options
from shared.messaging.partitions import partitions_of
from shared.rounds import Rounds
from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

# Batches of an idempotent producer never expire by themselves.
ACKNOWLEDGED_WITHIN_SECONDS = 10.0
ROUND_REQUESTS = 200
# A batch of one message must fit into a request, with what Kafka writes around it.
LARGEST_BYTES = MAX_MESSAGE_BYTES - 2048

Messages = Sequence[tuple[bytes, bytes]]


class KafkaUnavailableError(Exception):
    """Kafka did not acknowledge in time; whether it has the message is not known. Send it again."""


class DurableProducer:
    """Sends and waits for acks=all. After an error its sequence numbers are lost: it is rebuilt.

    What is sent while Kafka acknowledges something else goes with the next round, one batch a
    partition: one message alone leaves at once, and a thousand senders share their requests.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._rounds: Rounds[tuple[str, Messages], None] = Rounds(
            self._send, at_most=ROUND_REQUESTS
        )

    async def send(self, topic: Topic, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish (key, payload) pairs; return when all are durable. Those of a key stay in order.

        Raises KafkaUnavailableError: the sender must repeat them; consumers drop repeats by id.
        """
        full_name = f"{self._settings.topic_prefix}{topic.name}"
        encoded = [(key.encode(), payload) for key, payload in messages]
        try:
            if any(len(key) + len(payload) > LARGEST_BYTES for key, payload in encoded):
                raise MessageSizeTooLargeError
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
                await self._rounds.ask((full_name, encoded))
        except (TimeoutError, KafkaError, OSError) as error:
            raise KafkaUnavailableError(type(error).__name__) from error

    async def _send(self, asked: Sequence[tuple[str, Messages]]) -> list[None]:
        """Send a round; it takes all of it or the producer is given up."""
        try:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
                producer = await self._ready()
                places = await _by_partition(producer, asked)
                await asyncio.gather(
                    *(_deliver(producer, *place, group) for place, group in places.items())
                )
        except (TimeoutError, KafkaError, OSError):
            await self.stop()
            raise
        return [None] * len(asked)

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(**producer_options(self._settings))
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def stop(self) -> None:
        """Flush and close."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_quietly(producer)


async def _by_partition(
    producer: AIOKafkaProducer, asked: Sequence[tuple[str, Messages]]
) -> dict[tuple[str, int], list[tuple[bytes, bytes]]]:
    places: dict[tuple[str, int], list[tuple[bytes, bytes]]] = defaultdict(list)
    for topic, messages in asked:
        partitions = len(await producer.partitions_for(topic))
        numbers = partitions_of([key for key, _ in messages], partitions)
        for number, message in zip(numbers, messages, strict=True):
            places[topic, number].append(message)
    return places


async def _deliver(
    producer: AIOKafkaProducer, topic: str, partition: int, messages: Messages
) -> None:
    """Send one partition's messages, one batch after the other; each fits into an empty one."""
    sent, now = 0, utc_milliseconds()
    while sent < len(messages):
        batch = producer.create_batch()
        while sent < len(messages):
            key, payload = messages[sent]
            if batch.append(key=key, value=payload, timestamp=now) is None:
                break
            sent += 1
        await (await producer.send_batch(batch, topic, partition=partition))


async def stop_quietly(producer: AIOKafkaProducer) -> None:
    """Close a producer; one that Kafka does not answer is given up after five seconds."""
    try:
        async with asyncio.timeout(5.0):
            await producer.stop()
    except (TimeoutError, KafkaError, OSError):
        logger.warning("producer_abandoned", exc_info=True)
