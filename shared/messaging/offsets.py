"""How far each partition was applied against what Kafka holds, and the way on after a halt."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.database import Connection, Pool
from shared.messaging.kafka import client_options
from shared.messaging.topics import topic_id
from shared.settings import ServiceSettings

STORED = """
SELECT topic, partition, topic_id, next_offset, owner, rewound_at
FROM kafka_offset ORDER BY topic, partition
"""
# Another epoch: whoever holds the partition learns of it and claims it anew. Rows in sorted order.
REWIND = """
WITH held AS (
    SELECT consumer_group, topic, partition FROM kafka_offset
    WHERE topic = $1 AND ($2::int[] IS NULL OR partition = ANY($2))
    ORDER BY consumer_group, topic, partition
    FOR UPDATE
)
UPDATE kafka_offset o
SET next_offset = NULL, topic_id = $3, epoch = o.epoch + 1, rewound_at = clock_timestamp()
FROM held
WHERE (o.consumer_group, o.topic, o.partition) = (held.consumer_group, held.topic, held.partition)
RETURNING o.partition
"""
OF_ANOTHER = "SELECT EXISTS (SELECT FROM kafka_offset WHERE topic = $1 AND topic_id <> $2)"
# Their places were in a topic that is gone; the new one has records of its own there.
FORGET_PLACES = """
UPDATE refusal SET partition = NULL, kafka_offset = NULL
WHERE topic = $1 AND partition IS NOT NULL
"""


class State(StrEnum):
    """What stands at a stored offset."""

    GOES_ON = "goes on"
    LOST = "lost: Kafka deleted what comes next"
    BEYOND = "beyond: Kafka does not reach so far"
    MADE_ANEW = "the topic was made anew"


@dataclass(frozen=True, slots=True)
class Place:
    """A partition: the next offset to apply (None: its beginning), and Kafka's first and end."""

    topic: str
    partition: int
    stored: int | None
    first: int
    end: int
    same_topic: bool
    owner: str

    @property
    def state(self) -> State:
        if not self.same_topic:
            return State.MADE_ANEW
        if self.stored is None or self.first <= self.stored <= self.end:
            return State.GOES_ON
        return State.LOST if self.stored < self.first else State.BEYOND


async def places(pool: Pool, settings: ServiceSettings) -> list[Place]:
    """Return every partition that the service reads. Raises KafkaError."""
    rows = await pool.fetch(STORED)
    if not rows:  # asked of nothing, the client cancels us
        return []
    partitions = [TopicPartition(row["topic"], row["partition"]) for row in rows]
    ids = {topic: await topic_id(settings, topic) for topic in {row["topic"] for row in rows}}
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        firsts = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    return [
        Place(
            row["topic"],
            row["partition"],
            row["next_offset"],
            firsts[tp],
            ends[tp],
            same_topic=ids[row["topic"]] == row["topic_id"],
            owner=row["owner"],
        )
        for tp, row in zip(partitions, rows, strict=True)
    ]


async def rewind(
    connection: Connection,
    settings: ServiceSettings,
    topic: str,
    *,
    partitions: Sequence[int] | None = None,
) -> list[int]:
    """Let partitions (None: all) of a topic be read again from their beginning; return which.

    What was applied counts once. Raises KafkaError where there is no such topic.
    """
    full_name = f"{settings.topic_prefix}{topic}"
    current = await topic_id(settings, full_name)
    made_anew = await connection.fetchval(OF_ANOTHER, full_name, current)
    if made_anew:
        await connection.execute(FORGET_PLACES, topic)
    chosen = None if made_anew or partitions is None else list(partitions)
    rows = await connection.fetch(REWIND, full_name, chosen, current)
    return sorted(row["partition"] for row in rows)
