"""End offsets of `complaints.v1`, asked over one connection that is kept."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts import topics
from shared.messaging.kafka import client_options
from shared.messaging.topic_ids import topic_id_of
from shared.settings import ServiceSettings


class TopicEnds:
    """Asks Kafka how far the topic reaches. Not for use by two tasks at a time."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None

    async def get(self) -> tuple[dict[int, int], str]:
        """Return the next offset of each partition, and of which topic of that name they are.

        Raises KafkaError; the next call reconnects.
        """
        name = f"{self._settings.topic_prefix}{topics.COMPLAINTS.name}"
        wanted = [TopicPartition(name, n) for n in range(topics.COMPLAINTS.partitions)]
        try:
            consumer = await self._connected()
            ends = await consumer.end_offsets(wanted)
            topic_id = await topic_id_of(consumer, name)
        except BaseException:
            await self.stop()
            raise
        return {place.partition: offset for place, offset in sorted(ends.items())}, topic_id

    async def stop(self) -> None:
        """Close the connection."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            # Without subscription: it only asks, it never fetches.
            self._consumer = AIOKafkaConsumer(**client_options(self._settings))
            await self._consumer.start()
        return self._consumer
