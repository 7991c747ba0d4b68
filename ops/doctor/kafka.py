"""Kafka: its topics against the contract, and what the credentials here may do with them."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from ops.doctor.findings import Finding, mend, unknown, well
from shared.contracts import topics
from shared.contracts.topics import DEAD_LETTER_PARTITIONS, RETENTION_DAYS, Topic
from shared.messaging.kafka import MAX_MESSAGE_BYTES, group_id
from shared.messaging.topic_ids import (
    Operation,
    authorized_operations,
    authorized_operations_on_group,
)
from shared.messaging.topics import admin_client
from shared.settings import ServiceSettings

RETENTION_MS: Final = RETENTION_DAYS * 86_400_000
SAFE_COPIES: Final = 3
MAY_BE_LESS: Final = "-1"
NO_SUCH_TOPIC: Final = 3
"""Error code of Kafka; a topic that may not be seen has another."""

READS: Final[Mapping[str, tuple[Topic, ...]]] = {
    "cartas": (),
    "measurements": (topics.SERVICE_EVENTS,),
    "evaluator": (topics.CARTAS, topics.MEASUREMENTS, topics.COMPLAINTS),
    "buzon": (topics.CARTAS,),
    "notifier": (topics.CARTAS, topics.BREACHES),
    "portal": (
        topics.CARTAS,
        topics.RESULTS,
        topics.BREACHES,
        topics.COMPLAINTS,
        topics.CORRECTIVE_ACTIONS,
    ),
}
WRITES: Final[Mapping[str, tuple[Topic, ...]]] = {
    "cartas": (topics.CARTAS,),
    "measurements": (topics.SERVICE_EVENTS, topics.MEASUREMENTS),
    "evaluator": (topics.RESULTS, topics.BREACHES),
    "buzon": (topics.COMPLAINTS,),
    "notifier": (topics.CORRECTIVE_ACTIONS,),
    "portal": (),
}
"""Topics of each service as architecture has them; a test compares both with the services."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it should be."""

    name: str
    partitions: int
    policy: str


def wanted(prefix: str) -> list[Wanted]:
    """Return every topic and its dead letters."""
    return [
        each
        for topic in topics.ALL
        for each in (
            Wanted(
                prefix + topic.name, topic.partitions, "compact" if topic.compacted else "delete"
            ),
            Wanted(prefix + topic.dead_letters, DEAD_LETTER_PARTITIONS, "delete"),
        )
    ]


async def look(settings: ServiceSettings) -> AsyncIterator[Finding]:
    """Yield what the brokers tell."""
    try:
        async with admin_client(settings) as admin:
            brokers = len((await admin.describe_cluster())["brokers"])
            yield _brokers(brokers, settings)
            async for finding in _topics(admin, settings):
                yield finding
    except (KafkaError, OSError, TimeoutError) as error:
        yield unknown("Kafka", error, "is it up, is the address reached from here, is it let in?")


def _brokers(number: int, settings: ServiceSettings) -> Finding:
    if number >= SAFE_COPIES > settings.kafka_replication:
        do = f"CARTAS_KAFKA_REPLICATION={SAFE_COPIES}, and give topics that are there more copies"
        return mend("Kafka", f"{number} brokers, but one copy of a topic would do", do)
    return well("Kafka", f"{number} broker(s), topics in {settings.kafka_replication} copies")


async def _topics(admin: AIOKafkaAdminClient, settings: ServiceSettings) -> AsyncIterator[Finding]:
    expected = wanted(settings.topic_prefix)
    names = [topic.name for topic in expected]
    described = {each["topic"]: each for each in await admin.describe_topics(names)}
    there = [name for name in names if not described.get(name, {"error_code": 3})["error_code"]]
    configs = await _configs(admin, there)
    for topic in expected:
        if topic.name not in there:
            do = "python -m shared.messaging.topics create"
            yield mend(f"topic {topic.name}", "is not there, or not shown to us", do)
            continue
        partitions = described[topic.name]["partitions"]
        faults = [
            *_layout(topic, partitions, settings.kafka_replication),
            *_config(topic, configs.get(topic.name, {}), len(partitions[0]["replicas"])),
        ]
        what = f"topic {topic.name}"
        if not configs.get(topic.name):
            do = "let this user DescribeConfigs on topics, or look as one that may"
            yield unknown(what, "its settings are not shown to us", do)
        elif faults:
            told, do = ("; ".join(words) for words in zip(*faults, strict=True))
            yield mend(what, told, do)
        else:
            yield well(what, f"{len(partitions)} partitions, {topic.policy}")


async def _configs(
    admin: AIOKafkaAdminClient, names: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    responses: Any = await admin.describe_configs(asked)
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for response in responses
        for error, _, _, name, entries in response.resources
        if not error
    }


def _layout(
    topic: Wanted, partitions: Sequence[Mapping[str, Any]], copies: int
) -> Iterator[tuple[str, str]]:
    if len(partitions) < topic.partitions:
        yield (
            f"{len(partitions)} partitions instead of {topic.partitions}",
            "fixed for life: on a new system make it anew, else leave it",
        )
    if any(len(each["replicas"]) < copies for each in partitions):
        told = f"fewer than {copies} copies"
        yield told, "kafka-reassign-partitions.sh gives partitions more replicas"
    if any(len(each["isr"]) < len(each["replicas"]) for each in partitions):
        yield "a copy is behind", "which broker is away? kafka-topics.sh --describe"


def _config(topic: Wanted, told: Mapping[str, str], copies: int) -> Iterator[tuple[str, str]]:
    alter = f"kafka-configs.sh --alter --topic {topic.name} --add-config"
    if told.get("cleanup.policy") != topic.policy:
        policy = told.get("cleanup.policy")
        yield f"cleanup.policy is {policy}", f"{alter} cleanup.policy={topic.policy}"
    elif topic.policy == "delete" and _is_less(told.get("retention.ms"), RETENTION_MS):
        days = int(told["retention.ms"]) // 86_400_000
        told_days = f"kept {days} days instead of {RETENTION_DAYS}"
        yield told_days, f"{alter} retention.ms={RETENTION_MS}"
    if topic.policy == "delete" and told.get("retention.bytes", MAY_BE_LESS) != MAY_BE_LESS:
        yield "dropped by size (retention.bytes)", f"{alter} retention.bytes=-1"
    if _is_less(told.get("max.message.bytes"), MAX_MESSAGE_BYTES):
        yield "max.message.bytes is too small", f"{alter} max.message.bytes={MAX_MESSAGE_BYTES}"
    if told.get("unclean.leader.election.enable") == "true":
        do = f"{alter} unclean.leader.election.enable=false"
        yield "a copy that is behind may take over, and lose messages", do
    if copies >= SAFE_COPIES and _is_less(told.get("min.insync.replicas"), 2):
        yield "one copy is enough to confirm", f"{alter} min.insync.replicas=2"


def _is_less(told: str | None, least: int) -> bool:
    return told is not None and told != MAY_BE_LESS and int(told) < least


async def look_at_rights(service: str, settings: ServiceSettings) -> Finding:
    """Return whether the credentials may do with topics and groups what the service does, no more.

    A right to more groups is not looked for: who may read no topic of theirs hinders them at most.
    """
    what = f"Kafka's ACLs for {service}"
    try:
        async with admin_client(settings) as admin:
            lacks, exceeds = await _rights(service, settings, admin)
    except (KafkaError, OSError, TimeoutError) as error:
        return unknown(what, error)
    if lacks:
        do = (
            "kafka-acls.sh --add --allow-principal User:...: the table in docs/guides/kubernetes.md"
        )
        return mend(what, f"it may not {'; '.join(lacks)}", do)
    if exceeds and settings.kafka_username is not None:
        do = "kafka-acls.sh --remove: a user of its own for each service"
        return mend(what, f"it may more than it must: {'; '.join(exceeds)}", do)
    if exceeds:
        return well(what, "none: whoever reaches the broker may all; let nobody else reach it")
    return well(what, "may what it must, and no more")


async def _rights(
    service: str, settings: ServiceSettings, admin: AIOKafkaAdminClient
) -> tuple[list[str], list[str]]:
    names = [settings.topic_prefix + name for t in topics.ALL for name in (t.name, t.dead_letters)]
    told = await admin.describe_topics(names)
    there = {each["topic"] for each in told if each["error_code"] != NO_SUCH_TOPIC}
    lacks: list[str] = []
    exceeds: list[str] = []
    for topic in topics.ALL:
        name = settings.topic_prefix + topic.name
        if name not in there:
            continue
        allowed = await authorized_operations(admin._client, name)
        for operation, users in ((Operation.READ, READS), (Operation.WRITE, WRITES)):
            must = topic in users[service]
            may = operation in allowed
            if must and not may:
                lacks.append(f"{operation.name.lower()} {name}")
            # A reader sends again what was refused; a writer may look at what it wrote.
            if may and topic not in READS[service] + WRITES[service]:
                exceeds.append(f"{operation.name.lower()} {name}")
        if topic in READS[service]:
            letters = settings.topic_prefix + topic.dead_letters
            if letters in there and not await _may_write(admin, letters):
                lacks.append(f"write {letters}")
            group = group_id(settings, group=service, topic=topic.name)
            if Operation.READ not in await authorized_operations_on_group(admin, group):
                lacks.append(f"read as group {group}")
    return lacks, exceeds


async def _may_write(admin: AIOKafkaAdminClient, topic: str) -> bool:
    return Operation.WRITE in await authorized_operations(admin._client, topic)
