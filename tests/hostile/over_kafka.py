"""Spoiled records on every topic, as any client of Kafka may write them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import topics
from shared.contracts.schema_files import message_types, models_of
from shared.contracts.topics import DEAD_LETTER_PARTITIONS, Topic
from simulator import MUNICIPALITY
from tests.e2e.town import Town, event
from tests.hostile.over_http import Counts
from tests.hostile.spoiling import Document, spoil
from tests.support.waiting import eventually
from tests.unit.contracts.documents import examples

STRANGER = "hostil"
"""A municipality of nobody: what is good enough to be taken must not change the simulator's."""
NOBODYS = frozenset({"unexpected_error", "undecodable"})
"""Reasons that name a fault of our own code."""
TIMES = (None, None, None, 0, -1, -62_135_596_800_001, 10**12)
Headers = list[tuple[str, bytes | None]]
HEADERS: tuple[Headers, ...] = (
    [],
    [],
    [],
    [("ce_type", b"ticket.issued"), ("ce_id", b"\xff")],
    [("ce_specversion", b"1.0"), ("content-type", b"application/json; charset=utf-16")],
    [("ce_id", None)],
    [("ce_data", b"x"), ("CE_ID", b"y")],
    [("content-type", b"\xff")],
    [("x", b"y")] * 500,
)
PASSED = """
SELECT partition, next_offset FROM kafka_offset WHERE topic = $1 AND next_offset IS NOT NULL
"""
READS = "SELECT EXISTS (SELECT FROM kafka_offset WHERE topic = $1)"
REFUSED = """
SELECT reason, field, detail FROM refusal
WHERE topic = $1 AND refused_at >= $2 AND payload IS NOT NULL
"""
REFUSED_IN_ALL = "SELECT topic, count(*) AS number FROM refusal GROUP BY topic"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it is sent."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None
    headers: Headers


def documents_of(topic: Topic) -> list[Document]:
    """The contract's examples of a topic, of a municipality that is not there."""
    found = examples()
    models = tuple(models_of(topic))
    names = [name for name, model in message_types().items() if model in models]
    told = [each for name in names for each in found.get(name, ())]
    if topic is topics.SERVICE_EVENTS:
        return [
            *found["service-event.v1"],
            event("ticket.issued", data={"municipality": MUNICIPALITY}),
        ]
    text = json.dumps(told).replace(MUNICIPALITY, STRANGER)
    documents: list[Document] = json.loads(text)
    for document in documents:
        if "pipeline" in document["data"]:
            document["data"]["pipeline"] = STRANGER
    return documents


def record(rng: Random, documents: Sequence[Document], *, compacted: bool) -> Record:
    """Kafka itself refuses what has no key where it keeps the latest of each."""
    document = rng.choice(documents)
    _, value = spoil(rng, document)
    data = document["data"]
    key = f"{data.get('municipality')}/{data.get('case', 'x')}".encode()
    if rng.random() < 0.1:
        key = rng.choice((b"", b"\xff\x00", b"x" * 5000))
    nothing = rng.choice(("key", "value", *[""] * 48))
    return Record(
        None if nothing == "key" and not compacted else key,
        None if nothing == "value" else value,
        rng.choice(TIMES),
        rng.choice(HEADERS),
    )


async def send_all(town: Town, topic: Topic, rng: Random, number: int) -> Counts:
    """Send so many records, wait until every reader is past them; return what became of them."""
    documents = documents_of(topic)
    name = f"{town.prefix}{topic.name}"
    began = datetime.now(UTC)
    async with AIOKafkaProducer(
        bootstrap_servers=town.kafka, max_request_size=2_000_000, acks="all"
    ) as out:
        sent = []
        for _ in range(number):
            each = record(rng, documents, compacted=topic.compacted)
            told = {"key": each.key, "timestamp_ms": each.timestamp_ms, "headers": each.headers}
            sent.append(await out.send(name, each.value, **told))
        await asyncio.gather(*sent)
    ends = await _ends(town, topic)
    counts: Counts = Counter()
    for service in town.system.processes:
        async with _database(town, service) as con:
            if not await con.fetchval(READS, name):
                continue
            await eventually(partial(_is_past, con, name, ends), 120, what=f"{service}: {name}")
            counts += await _told(con, f"Kafka `{topic.name}`, {service}", topic, began, number)
    return counts


async def _told(
    con: asyncpg.Connection, intake: str, topic: Topic, began: datetime, number: int
) -> Counts:
    refused = await con.fetch(REFUSED, topic.name, began)
    ours = [dict(row) for row in refused if row["reason"] in NOBODYS]
    assert not ours, f"{intake}: {ours[:5]}"
    reasons = Counter(row["reason"] for row in refused)
    return Counter(
        {(intake, "taken"): number - len(refused)}
        | {(intake, f"refused {reason}"): times for reason, times in reasons.items()}
    )


async def _is_past(con: asyncpg.Connection, name: str, ends: dict[int, int]) -> bool:
    passed = {row["partition"]: row["next_offset"] for row in await con.fetch(PASSED, name)}
    return all(passed.get(partition, 0) >= end for partition, end in ends.items())


async def _ends(town: Town, topic: Topic) -> dict[int, int]:
    places = [
        TopicPartition(f"{town.prefix}{topic.name}", each) for each in range(topic.partitions)
    ]
    async with AIOKafkaConsumer(bootstrap_servers=town.kafka) as consumer:
        return {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}


async def dead_letters_balance(town: Town) -> None:
    """Every refusal of a record has one dead letter, which says whose, where and why."""
    balances = (
        eventually(partial(_letters_balance, town, topic), 60, what=topic.dead_letters)
        for topic in topics.ALL
    )
    await asyncio.gather(*balances)


async def _letters_balance(town: Town, topic: Topic) -> bool:
    letters = Counter[str]()
    for value in set(await town.everything_on(topic.dead_letters, DEAD_LETTER_PARTITIONS)):
        letter = json.loads(value)["data"]
        assert letter["reason"], letter
        letters[letter["service"]] += 1
    for service in town.system.processes:
        async with _database(town, service) as con:
            rows = {row["topic"]: row["number"] for row in await con.fetch(REFUSED_IN_ALL)}
        assert letters[service] == rows.get(topic.name, 0), (service, topic.name)
    return True


@asynccontextmanager
async def _database(town: Town, service: str) -> AsyncIterator[asyncpg.Connection]:
    con = await asyncpg.connect(town.system.database_url(service))
    try:
        yield con
    finally:
        await con.close()
