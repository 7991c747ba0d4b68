"""The end offsets of topics, asked of Kafka over one connection."""

from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.topics import Topic
from shared.messaging.kafka import client_options
from shared.messaging.topic_ids import topic_id_of
from shared.settings import ServiceSettings


class EndOffsets:
    """An open connection; it reads no message."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._prefix = settings.topic_prefix
        self._consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False)

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._consumer.stop()

    def full_name(self, topic: Topic) -> str:
        """Return the name with this installation's prefix."""
        return f"{self._prefix}{topic.name}"

    async def id_of(self, topic: Topic) -> str:
        """Return which topic of this name it is now; asked after `of`. Raises KafkaError."""
        return await topic_id_of(self._consumer, self.full_name(topic))

    async def of(self, topic: Topic) -> dict[int, int]:
        """Return the next offset of each partition. Raises KafkaError."""
        name = self.full_name(topic)
        partitions = [TopicPartition(name, number) for number in range(topic.partitions)]
        ends = await self._consumer.end_offsets(partitions)
        return {tp.partition: offset for tp, offset in ends.items()}
