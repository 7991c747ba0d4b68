"""Our evaluator and Kafka Streams in turn on the common job, in one run on the same events.

    python -m benchmarks.common_job [--records 1000000] [--rounds 1]

Timed from the first record applied to the last effect durable: for us the last commit, with the
outbox published; for the peer its last transaction. CPU of contender, PostgreSQL and Kafka apart.
What each stores: the evaluator every case and the verdict on it, counts, and each late case as a
message; Kafka Streams (exactly_once_v2) counts, the ids of the last hour, and changes of state.
The counts of both must equal those of plain Python.
"""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer

from benchmarks.common_job.events import TOWN, Expected, catalogue, expected, for_evaluator
from benchmarks.common_job.peers import Drained, available, compiled, drained, fill, moment, streams
from benchmarks.environment import PREFIX, Bench, bench, machine
from benchmarks.parts import part_table, read_parts
from shared.contracts import topics
from shared.messaging.kafka import producer_options

REACHED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM kafka_offset WHERE topic = $1"
EMPTY = "SELECT NOT EXISTS (SELECT FROM outbox)"
KNOWN = "SELECT count(*) FROM catalogue_entry WHERE kind = 'carta'"
COUNTERS = """
SELECT compromiso || '|' || window_id AS name, sum(met + failed)::bigint AS cases,
       sum(met)::bigint AS in_time
FROM tally WHERE municipality = $1 GROUP BY compromiso, window_id
"""
CONTENDERS = ("evaluator", "streams exactly_once_v2")


@dataclass(frozen=True, slots=True)
class Run:
    """One contender's run, and whether it came to the right counts."""

    name: str
    drained: Drained
    right: bool
    parts: str = ""


async def fill_measurements(made: Bench, count: int) -> None:
    """Put what measurements makes of the events on its topic."""
    topic = f"{PREFIX}{topics.MEASUREMENTS.name}"
    producer = AIOKafkaProducer(**producer_options(made.settings()), linger_ms=20)
    await producer.start()
    try:
        for key, value in for_evaluator(count):
            await producer.send(topic, value, key=key)
        await producer.flush()
    finally:
        await producer.stop()


async def learn(made: Bench) -> None:
    """Have the evaluator learn the promises, before there is anything to judge."""
    file = made.folder / "promises.yaml"
    file.write_text(catalogue())
    async with made.system(["cartas", "evaluator"]) as system:
        await system.run("services.cartas", "load", str(file))
        database = await asyncpg.connect(made.database_url("evaluator"))
        try:
            await _until(database, f"SELECT ({KNOWN}) >= 500")
        finally:
            await database.close()


async def ours(made: Bench, count: int) -> tuple[Drained, str]:
    """Run the evaluator until it has judged the topic and its outbox is empty; the parts, too."""
    async with made.system(["evaluator"]) as system:
        process = psutil.Process(system.processes["evaluator"].process.pid)
        database = await asyncpg.connect(made.database_url("evaluator"))
        try:
            begun = await _reached(database, 1)
            first = moment(made, process)
            await _reached(database, count)
            await _until(database, EMPTY)
            done = moment(made, process)
            parts = await read_parts(system, ["evaluator"])
            rows = await database.fetch(COUNTERS, TOWN)
        finally:
            await database.close()
        counters = {row["name"]: [row["cases"], row["in_time"]] for row in rows}
        memory = process.memory_info().rss
    found = drained(first, done, count - begun, memory, counters)
    return found, part_table(parts, found.seconds)


async def _reached(database: "asyncpg.Connection[asyncpg.Record]", offset: int) -> int:
    while True:
        topic = f"{PREFIX}{topics.MEASUREMENTS.name}"
        reached: int = await database.fetchval(REACHED, topic)
        if reached >= offset:
            return reached
        await asyncio.sleep(0.02)


async def _until(database: "asyncpg.Connection[asyncpg.Record]", condition: str) -> None:
    while not await database.fetchval(condition):
        await asyncio.sleep(0.02)


async def compare(count: int, rounds: int) -> list[Run]:
    """Run both in turn, each round with fresh servers."""
    answer, why_not = expected(count), available()
    runs: list[Run] = []
    for number in range(rounds):
        async with bench() as made:
            await learn(made)
            await fill_measurements(made, count)
            own, parts = await ours(made, count)
            runs.append(_run(CONTENDERS[0], own, answer, parts))
            if why_not is None:
                topic = f"{PREFIX}common-job"
                await fill(made, topic, count)
                path = compiled(made.folder)
                found = await streams(
                    made,
                    path,
                    topic=topic,
                    count=count,
                    guarantee="exactly_once_v2",
                    run=f"streams-{number}-{int(time.time())}",
                )
                runs.append(_run(CONTENDERS[1], found, answer))
    if why_not is not None:
        sys.stderr.write(f"Kafka Streams was not run: {why_not}\n")
    return runs


def _run(name: str, found: Drained, answer: Expected, parts: str = "") -> Run:
    counted = {key: value for key, value in found.counters.items() if value[0]}
    return Run(name, found, counted == answer.counters, parts)


def table(runs: list[Run]) -> str:
    """Return the runs in Markdown, each with its ratio to the peer's runs of the same call."""
    peers = [run.drained for run in runs if run.name != CONTENDERS[0]]
    rate = sum(each.rate for each in peers) / len(peers) if peers else None
    cpu = sum(each.cpu for each in peers) / len(peers) if peers else None
    rows = [
        "| contender | records | events/s | × peer | CPU s/100k: all | × peer | contender "
        "| PostgreSQL | Kafka | RSS MiB | counts |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        each, hundred = run.drained, 100_000 / run.drained.records
        rows.append(
            f"| {run.name} | {each.records:,} | {each.rate:,.0f} | {_ratio(each.rate, rate)} "
            f"| {each.cpu:.2f} | {_ratio(each.cpu, cpu)} | {each.client * hundred:.2f} "
            f"| {each.postgres * hundred:.2f} | {each.kafka * hundred:.2f} "
            f"| {each.memory / 2**20:.0f} | {'equal' if run.right else 'NOT equal'} |"
        )
    return "\n".join(rows)


def _ratio(value: float, peer: float | None) -> str:
    return "–" if peer is None else f"{value / peer:.2f}"


def main() -> None:
    """Measure and print; the exit code is 1 where a contender came to other counts."""
    parser = argparse.ArgumentParser(description="The common job: our evaluator, Kafka Streams.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    runs = asyncio.run(compare(arguments.records, arguments.rounds))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, load average {os.getloadavg()[0]:.1f}\n")
    print(table(runs))
    for run in runs:
        if run.parts:
            print(f"\nWhere the time went; lanes go on beside each other:\n\n{run.parts}")
    sys.exit(0 if all(run.right for run in runs) else 1)


if __name__ == "__main__":
    main()
