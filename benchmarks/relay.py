"""Rows a second from the outbox to acknowledged by Kafka, and how long a single row takes.

    python -m benchmarks.relay [--rows 200000] [--seconds 10]

The real relay, alone in this process, on a service's own database: from its start, connections
included, until each row is acknowledged. CPU of this process, of PostgreSQL and of
Kafka apart, per 100,000 rows. Then the topics are read back: each message must be there once, those
of a key in their order; the program fails otherwise. In the same run the relay's parts one after
the other on as many rows, with the relay's own statements and functions, and its limit: a plain
aiokafka producer that sends the prepared batches from memory. Last, single rows by an open-loop
schedule, from their commit until they are acknowledged.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice

import asyncpg
import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from benchmarks.environment import Bench, TopicSettings, bench, cpu_seconds, machine
from shared.contracts import topics
from shared.contracts.schema_files import EXAMPLES
from shared.contracts.topics import Topic
from shared.database import Pool, open_pool
from shared.messaging import MessagingMetrics, Relay, transaction
from shared.messaging.kafka import client_options, producer_options
from shared.messaging.loads import Flight, Load, pack
from shared.messaging.relay import BATCH, DELETE, NEXT, SESSION

SERVICE = "measurements"
ROWS_OF_A_KEY = 4
ROWS_OF_A_TRANSACTION = 1000
WARMING = 50_000
LATENCY_RATE = 200
# Seven cases, two results and a late case in ten: about what the chain publishes under load.
MIX = 7 * ["measurement.case.v1"] + 2 * ["result.v1"] + ["breach.v1.late-case"]
TOPICS = {"measurement": topics.MEASUREMENTS, "result": topics.RESULTS, "breach": topics.BREACHES}
# Analysed and without what earlier rows left, as autovacuum keeps it.
TIDY = "VACUUM (ANALYZE) outbox"
# The session of a relay that has ended keeps the shard's lock for a moment; a second one waits 2 s.
RELAY_GONE = """
SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND database =
    (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published, and the number by which it is found again."""

    topic: Topic
    key: str
    payload: bytes


def messages(count: int, first: int = 0) -> Iterator[Message]:
    """Yield the examples under numbers from `first` on as ids; those of a key are far apart."""
    kinds = [(TOPICS[name.split(".")[0]], _halves(name)) for name in MIX]
    keys = max(1, count // ROWS_OF_A_KEY // len(kinds)) * len(kinds)
    for number in range(first, first + count):
        topic, (head, tail) = kinds[number % len(kinds)]
        payload = b"%s%036d%s" % (head, number, tail)
        yield Message(topic, f"medicion/T{number % keys:08}", payload)


def _halves(name: str) -> tuple[bytes, bytes]:
    """Return an example, compact, cut where its id stands."""
    document = msgspec.json.decode((EXAMPLES / f"{name}.json").read_bytes())
    head, tail = msgspec.json.encode(document | {"id": "\x00"}).split(rb"\u0000")
    return head, tail


def number_of(payload: bytes) -> int:
    """Return the number that `messages` gave it."""
    return int(msgspec.json.decode(payload)["id"])


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of the clock and of each process."""

    name: str
    rows: int
    seconds: float
    client: float
    postgres: float
    kafka: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass(slots=True)
class Stopwatch:
    """Seconds by the clock and of this process's CPU, added up over its turns."""

    clock: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what passes in the block."""
        clock, cpu = time.perf_counter(), time.process_time()
        yield
        self.clock += time.perf_counter() - clock
        self.cpu += time.process_time() - cpu


@contextmanager
def measuring(made: Bench, name: str, rows: int) -> Iterator[list[Measured]]:
    """Measure the block; the list has the line after it."""
    line: list[Measured] = []
    watch, servers = Stopwatch(), (made.postgres, made.kafka)
    before = [cpu_seconds(each) for each in servers]
    with watch.running():
        yield line
    postgres, kafka = (cpu_seconds(each) - cpu for each, cpu in zip(servers, before, strict=True))
    line.append(Measured(name, rows, watch.clock, watch.cpu, postgres, kafka))


def settings_of(made: Bench) -> TopicSettings:
    """Return settings that reach the service's database."""
    url = SecretStr(made.database_url(SERVICE))
    return made.settings().model_copy(update={"database_url": url})


async def fill(pool: Pool, count: int, first: int = 0) -> None:
    """Publish through transactions, as services do."""
    waiting = messages(count, first)
    while batch := list(islice(waiting, ROWS_OF_A_TRANSACTION)):
        async with transaction(pool, service=SERVICE) as tx:
            for message in batch:
                tx.publish_raw(message.topic, message.key, message.payload)
    await pool.execute(TIDY)


class Told(MessagingMetrics):
    """Metrics that also tell when how many rows had been acknowledged."""

    def __init__(self, rows: int) -> None:
        super().__init__(CollectorRegistry())
        self._inc = self.relayed.inc
        self.relayed.inc = self._tell  # type: ignore[method-assign]
        self.expect(rows)

    def expect(self, rows: int) -> None:
        """Begin anew: `reached` is set when so many are acknowledged, each with its instant."""
        self.at: list[float] = []
        self.wanted = rows
        self.reached = asyncio.Event()

    def _tell(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        self._inc(amount, exemplar)
        self.at += int(amount) * [time.perf_counter()]
        if len(self.at) >= self.wanted:
            self.reached.set()


@asynccontextmanager
async def relaying(settings: TopicSettings, pool: Pool, told: Told) -> AsyncIterator[None]:
    """Run the relay until the block ends."""
    while not await pool.fetchval(RELAY_GONE):
        await asyncio.sleep(0.01)
    relay = Relay(settings, shard=0, metrics=told)
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        relay.stop()
        await task


async def drain(made: Bench, pool: Pool, count: int, *, first: int) -> Measured:
    """Time the relay on a full outbox; check what has reached Kafka."""
    settings = settings_of(made)
    await fill(pool, count, first)
    told = Told(count)
    with measuring(made, "relay", count) as line:
        async with relaying(settings, pool, told):
            await told.reached.wait()
    await check(settings, count, first)
    return line[0]


async def check(settings: TopicSettings, count: int, first: int) -> None:
    """Read the topics back. Exits where one number is missing, repeated or out of order."""
    last: dict[tuple[str, bytes], int] = {}
    seen = 0
    async for topic, key, payload in published(settings):
        number = number_of(payload)
        if last.get((topic, key), -1) >= number:
            sys.exit(f"{key!r}: {number} after {last[topic, key]}")
        last[topic, key] = number
        seen += number >= first
    if seen != count:
        sys.exit(f"{seen} messages of {count}")


async def published(settings: TopicSettings) -> AsyncIterator[tuple[str, bytes, bytes]]:
    """Yield each message of the three topics from its beginning to its end now."""
    consumer = AIOKafkaConsumer(**client_options(settings), auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(
            [
                TopicPartition(f"{settings.topic_prefix}{topic.name}", number)
                for topic in TOPICS.values()
                for number in range(topic.partitions)
            ]
        )
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record.topic, record.key, record.value
    finally:
        await consumer.stop()


async def parts(made: Bench, pool: Pool, count: int) -> tuple[Measured, dict[str, Stopwatch]]:
    """Time sending from memory, then each of the relay's parts, one after the other."""
    settings = settings_of(made)
    connection = await asyncpg.connect(
        made.database_url(SERVICE), server_settings={**SESSION, "application_name": "parts"}
    )
    producer = AIOKafkaProducer(**producer_options(settings))
    await producer.start()
    try:
        await fill(pool, count)
        loads = await _prepared(connection, producer, settings)
        with measuring(made, "plain producer, batches from memory", count) as line:
            for load in loads:
                await _fly(producer, load)
        await fill(pool, count)
        return line[0], await _one_by_one(connection, producer, settings)
    finally:
        await producer.stop()
        await connection.close()


async def _one_by_one(
    connection: "asyncpg.Connection[asyncpg.Record]",
    producer: AIOKafkaProducer,
    settings: TopicSettings,
) -> dict[str, Stopwatch]:
    select, encode, send, delete = (Stopwatch() for _ in range(4))
    while True:
        with select.running():
            rows = await connection.fetch(NEXT, 0, BATCH, [])
        if not rows:
            break
        with encode.running():
            load = await pack(producer, settings.topic_prefix, rows)
        with send.running():
            acknowledged = await _fly(producer, load)
        with delete.running():
            await connection.execute(DELETE, acknowledged)
    return {
        "select": select,
        "group and encode": encode,
        "compress, send, acknowledge": send,
        "delete": delete,
    }


async def _prepared(
    connection: "asyncpg.Connection[asyncpg.Record]",
    producer: AIOKafkaProducer,
    settings: TopicSettings,
) -> list[Load]:
    loads: list[Load] = []
    while rows := await connection.fetch(NEXT, 0, BATCH, []):
        loads.append(await pack(producer, settings.topic_prefix, rows))
        await connection.execute(DELETE, [row["id"] for row in rows])
    return loads


async def _fly(producer: AIOKafkaProducer, load: Load) -> Sequence[int]:
    flight = Flight(producer, load, landed=lambda: None)
    error = await flight.error()
    if error is not None:
        raise error
    return flight.acknowledged


async def latencies(made: Bench, pool: Pool, seconds: int) -> list[float]:
    """Return milliseconds from commit to acknowledgement of single rows, one writer, sorted."""
    told, committed = Told(1), list[float]()
    async with relaying(settings_of(made), pool, told):
        await fill(pool, 1)
        await told.reached.wait()
        told.expect(seconds * LATENCY_RATE)
        began = time.perf_counter()
        for turn, message in enumerate(messages(seconds * LATENCY_RATE)):
            await asyncio.sleep(max(0.0, began + turn / LATENCY_RATE - time.perf_counter()))
            async with transaction(pool, service=SERVICE) as tx:
                tx.publish_raw(message.topic, message.key, message.payload)
            committed.append(time.perf_counter())
        await told.reached.wait()
    # One writer, one after the other: the rows leave in the order of their commits.
    return sorted(1000 * (end - start) for start, end in zip(committed, told.at, strict=True))


async def run(rows: int, seconds: int) -> list[str]:
    """Fill and drain, the parts, then single rows; return a table of each."""
    async with bench() as made:
        url = await made.database(SERVICE)
        async with await open_pool(url, name="benchmark", size=2) as pool:
            # Warm: Kafka compiles what it has run for a while, a new topic has to find its leaders.
            await drain(made, pool, WARMING, first=0)
            relay = await drain(made, pool, rows, first=WARMING)
            plain, profile = await parts(made, pool, rows)
            single = await latencies(made, pool, seconds)
    return [rates(relay, plain), profiled(relay, profile), single_rows(single)]


def rates(relay: Measured, plain: Measured) -> str:
    """Return the table in Markdown; CPU per 100,000 rows, rates beside the plain producer's."""
    rows = [
        "| what | rows | rows/s | of the plain | client CPU s/100k | PostgreSQL | Kafka |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in (relay, plain):
        cpu = [100_000 * part / line.rows for part in (line.client, line.postgres, line.kafka)]
        rows.append(
            f"| {line.name} | {line.rows:,} | {line.rate:,.0f} | {line.rate / plain.rate:.3f} | "
            + " | ".join(f"{each:.2f}" for each in cpu)
            + " |"
        )
    return "\n".join(rows)


def profiled(relay: Measured, profile: Mapping[str, Stopwatch]) -> str:
    """Return the parts' table: what they take alone, and all of them when they overlap."""
    scale = 100_000 / relay.rows
    lines = [(name, watch.clock, watch.cpu) for name, watch in profile.items()]
    together = [sum(column) for column in zip(*(line[1:] for line in lines), strict=True)]
    lines.append(("one after the other", together[0], together[1]))
    lines.append(("relay: side by side", relay.seconds, relay.client))
    head = ["| part | s/100k rows | client CPU |", "|---|---|---|"]
    return "\n".join(
        head
        + [f"| {name} | {clock * scale:.2f} | {cpu * scale:.2f} |" for name, clock, cpu in lines]
    )


def single_rows(sorted_ms: Sequence[float]) -> str:
    """Return the table of single rows."""
    at: Callable[[float], float] = partial(_quantile, sorted_ms)
    return (
        "| rows/s, one by one | samples | p50 ms | p99 | max |\n|---|---|---|---|---|\n"
        f"| {LATENCY_RATE} | {len(sorted_ms):,} | {at(0.5):.1f} | {at(0.99):.1f} | "
        f"{sorted_ms[-1]:.1f} |"
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Throughput and latency of the outbox relay.")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=10, help="Of single rows.")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tables = runner.run(run(arguments.rows, arguments.seconds))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, load average {os.getloadavg()[0]:.1f}\n")
    print(*tables, sep="\n\n")


if __name__ == "__main__":
    main()
