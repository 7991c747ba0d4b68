"""Events a second and CPU seconds of measurements and of the evaluator, from a pre-filled topic.

    python -m benchmarks.throughput [--tickets 50000] [--processes 2]

Each service starts on a topic that is full, and is timed from the first record it has applied to
the last. CPU is that of the service, of PostgreSQL and of Kafka apart, per 100,000 records. Beside
them, on the same records in the same run: a plain aiokafka consumer that only decodes. With
`--processes`, each service then does the same work again with so many processes, on a fresh
database, timed from the instant each owns a part of the topic.
"""

import argparse
import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.beside import running_beside
from benchmarks.environment import PREFIX, Bench, bench, cpu_seconds, machine
from benchmarks.load import MUNICIPALITY, SERVICE, SOURCE, key_of, tickets
from shared.contracts import hot, topics
from shared.messaging.kafka import client_options, producer_options

PROGRESS = """
SELECT coalesce(sum(next_offset), 0)::bigint FROM kafka_offset WHERE topic = $1
"""


# What is left when all processes own a part must be enough to be timed.
MOST_DONE_BEFORE = 0.5
FORGET = "TRUNCATE kafka_offset, fact, case_head, balance, source_clock, traffic CASCADE"
OWNERS = "SELECT count(DISTINCT owner) FROM kafka_offset WHERE topic = $1"


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table. CPU in seconds per 100,000 records, of all its processes."""

    name: str
    records: int
    seconds: float
    client: float
    postgres: float
    kafka: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


async def fill(made: Bench, count: int) -> int:
    """Put the tickets' events on service-events.v1; return how many."""
    producer = AIOKafkaProducer(**producer_options(made.settings()), linger_ms=20)
    await producer.start()
    sent = 0
    try:
        for event in tickets(count, datetime.now(UTC), late_every=10):
            await producer.send(
                f"{PREFIX}{topics.SERVICE_EVENTS.name}", hot.encode(event), key=key_of(event)
            )
            sent += 1
        await producer.flush()
    finally:
        await producer.stop()
    return sent


async def end_of(made: Bench, topic: str) -> int:
    """Return how many records the topic holds."""
    consumer = AIOKafkaConsumer(topic, **client_options(made.settings()))
    await consumer.start()
    try:
        return sum((await consumer.end_offsets(consumer.assignment())).values())
    finally:
        await consumer.stop()


async def plain_consumer(made: Bench, records: int) -> Measured:
    """Fetch and decode only: what the client library itself costs."""
    topic = f"{PREFIX}{topics.SERVICE_EVENTS.name}"
    consumer = AIOKafkaConsumer(
        topic, **client_options(made.settings()), auto_offset_reset="earliest"
    )
    me = psutil.Process()
    await consumer.start()
    seen = 0
    began, cpu, kafka = time.perf_counter(), cpu_seconds(me), cpu_seconds(made.kafka)
    try:
        while seen < records:
            for batch in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                for record in batch:
                    hot.decode_service_event(record.value)
                seen += len(batch)
    finally:
        await consumer.stop()
    return _measured(
        "plain consumer, decode only",
        seen,
        time.perf_counter() - began,
        (cpu_seconds(me) - cpu, 0.0, cpu_seconds(made.kafka) - kafka),
    )


def _measured(name: str, records: int, seconds: float, cpu: tuple[float, float, float]) -> Measured:
    client, postgres, kafka = (100_000 * part / records for part in cpu)
    return Measured(name, records, seconds, client, postgres, kafka)


async def drain(
    made: Bench, service: str, topic: str, records: int, *, processes: int = 1
) -> Measured:
    """Run the service until it has applied the whole topic and its outbox is empty."""
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(made.system([service]))
        database = await asyncpg.connect(made.database_url(service))
        stack.push_async_callback(database.close)
        running = [system.processes[service]]
        running += [
            await stack.enter_async_context(running_beside(system, service))
            for _ in range(processes - 1)
        ]
        spent = (
            [psutil.Process(each.process.pid) for each in running],
            [made.postgres],
            [made.kafka],
        )
        while await database.fetchval(OWNERS, f"{PREFIX}{topic}") < processes:
            await asyncio.sleep(0.02)
        first = await _progress_beyond(database, topic, 0)
        if first > records * MOST_DONE_BEFORE:
            sys.exit(f"{service}: {first:,} of {records:,} done when all had joined: more tickets!")
        began = time.perf_counter()
        before = [sum(map(cpu_seconds, each)) for each in spent]
        await _progress_beyond(database, topic, records - 1)
        await _until(database, "SELECT NOT EXISTS (SELECT FROM outbox)")
        seconds = time.perf_counter() - began
        after = [sum(map(cpu_seconds, each)) for each in spent]
    client, postgres, kafka = (end - start for start, end in zip(before, after, strict=True))
    name = service if processes == 1 else f"{service}, {processes} processes"
    return _measured(name, records - first, seconds, (client, postgres, kafka))


async def _progress_beyond(
    database: "asyncpg.Connection[asyncpg.Record]", topic: str, offset: int
) -> int:
    while True:
        reached: int = await database.fetchval(PROGRESS, f"{PREFIX}{topic}")
        if reached > offset:
            return reached
        await asyncio.sleep(0.02)


async def _until(database: "asyncpg.Connection[asyncpg.Record]", condition: str) -> None:
    while not await database.fetchval(condition):
        await asyncio.sleep(0.02)


async def register(made: Bench) -> None:
    """Load the promises and register the source, with the services stopped."""
    async with made.system(["cartas", "measurements"]) as system:
        await system.run("services.cartas", "load", "benchmarks/promises.yaml")
        await system.run(
            *("services.measurements", "source", "add", "--municipality", MUNICIPALITY),
            *("--source", SOURCE, "--services", SERVICE, "--reports", "*"),
        )


async def run(count: int, processes: int) -> list[Measured]:
    """Fill, then drain each service in turn, and once more with more processes where asked."""
    async with bench() as made:
        await register(made)
        records = await fill(made, count)
        lines = [await plain_consumer(made, records)]
        lines.append(await drain(made, "measurements", topics.SERVICE_EVENTS.name, records))
        cases = await end_of(made, f"{PREFIX}{topics.MEASUREMENTS.name}")
        lines.append(await drain(made, "evaluator", topics.MEASUREMENTS.name, cases))
        if processes > 1:
            await made.forget("evaluator")
            lines.append(
                await drain(made, "evaluator", topics.MEASUREMENTS.name, cases, processes=processes)
            )
            await _forget_facts(made)
            lines.append(
                await drain(
                    made,
                    "measurements",
                    topics.SERVICE_EVENTS.name,
                    records,
                    processes=processes,
                )
            )
    return lines


async def _forget_facts(made: Bench) -> None:
    """Leave the registered source: all that was read comes again."""
    database = await asyncpg.connect(made.database_url("measurements"))
    try:
        await database.execute(FORGET)
    finally:
        await database.close()


def table(lines: list[Measured]) -> str:
    """Return the table in Markdown, with the ratio of each rate to the plain consumer's."""
    limit = lines[0]
    rows = [
        "| what | records | events/s | of the plain | client CPU s/100k | PostgreSQL | Kafka |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {line.name} | {line.records:,} | {line.rate:,.0f} | {line.rate / limit.rate:.3f} "
        f"| {line.client:.2f} | {line.postgres:.2f} | {line.kafka:.2f} |"
        for line in lines
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Throughput of measurements and of the evaluator.")
    parser.add_argument("--tickets", type=int, default=50_000, help="Two events each.")
    parser.add_argument("--processes", type=int, default=1, help="Of each service, at the end.")
    arguments = parser.parse_args()
    lines = asyncio.run(run(arguments.tickets, arguments.processes))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, load average {os.getloadavg()[0]:.1f}\n")
    print(table(lines))


if __name__ == "__main__":
    main()
