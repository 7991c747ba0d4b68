"""Topics on the cluster: created once with fixed partition counts, checked at start."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts import topics
from shared.contracts.topics import DEAD_LETTER_PARTITIONS, RETENTION_DAYS, Topic
from shared.errors import ConfigurationError
from shared.messaging.kafka import MAX_MESSAGE_BYTES, client_options
from shared.messaging.topic_ids import read_topic_id
from shared.settings import ServiceSettings

_RETENTION_MS = str(RETENTION_DAYS * 86_400_000)


@asynccontextmanager
async def admin_client(settings: ServiceSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an administration client."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def topic_id(settings: ServiceSettings, full_name: str) -> str:
    """Return the id of the topic in its cluster. Raises KafkaError."""
    async with admin_client(settings) as admin:
        return await read_topic_id(admin._client, full_name)


def _new_topic(
    settings: ServiceSettings, name: str, partitions: int, *, compacted: bool
) -> NewTopic:
    kept = (
        {"cleanup.policy": "compact"}
        if compacted
        else {"cleanup.policy": "delete", "retention.ms": _RETENTION_MS}
    )
    return NewTopic(
        name=f"{settings.topic_prefix}{name}",
        num_partitions=partitions,
        replication_factor=settings.kafka_replication,
        topic_configs={**kept, "max.message.bytes": str(MAX_MESSAGE_BYTES)},
    )


def _wanted(settings: ServiceSettings, wanted: Iterable[Topic]) -> list[NewTopic]:
    return [
        new
        for topic in wanted
        for new in (
            _new_topic(settings, topic.name, topic.partitions, compacted=topic.compacted),
            _new_topic(settings, topic.dead_letters, DEAD_LETTER_PARTITIONS, compacted=False),
        )
    ]


async def create_topics(
    settings: ServiceSettings, wanted: Iterable[Topic] = topics.ALL
) -> list[str]:
    """Create the topics and their dead-letter topics that do not exist; return those made."""
    async with admin_client(settings) as admin:
        response = await admin.create_topics(_wanted(settings, wanted))
    made: list[str] = []
    for name, code, *_ in response.topic_errors:
        if code == 0:
            made.append(name)
        elif for_code(code) is not TopicAlreadyExistsError:
            raise for_code(code)(name)
    return made


class _TopicSettings(ServiceSettings, service="cartas"):
    """Made with the catalogue's settings: it is the first service of a new system."""


def main() -> None:
    """`python -m shared.messaging.topics create`: make what is missing, print each name."""
    from shared.settings import load_settings

    if sys.argv[1:] != ["create"]:
        raise SystemExit("usage: python -m shared.messaging.topics create")
    try:
        made = asyncio.run(create_topics(load_settings(_TopicSettings)))
    except ConfigurationError as error:
        raise SystemExit(str(error)) from error
    for name in made:
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
