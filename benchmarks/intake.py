"""The HTTP intake: how many events a second it takes when each answer waits for Kafka.

    python -m benchmarks.intake [--seconds 10] [--rate 1500] [--connections 8]

The real measurements service, which meanwhile also consumes what it takes in, on a Kafka and a
PostgreSQL of its own; a load in a process of its own. Empty requests first: what the server itself
allows. Then single events as fast as they are answered, by an open-loop schedule, and batches of
100. The first of them finds a broker that still compiles itself, as one just started does; none
begins before what the one before brought is stored and published. Afterwards the topic is read:
every event of a 202 must be on it, once.
"""

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import httpx
import msgspec
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.environment import PREFIX, Bench, bench, cpu_seconds, machine
from benchmarks.http_load import Job, Report
from benchmarks.load import MUNICIPALITY, SERVICE, SOURCE
from shared.contracts import topics
from shared.messaging.kafka import client_options
from tests.support.systems import System

BATCH = 100
OPEN_CONNECTIONS = 100
PARTS = "measurements_intake_seconds"
WAITING = ("authorise", "receive", "acknowledge", "refuse")
IS_THROUGH = """
SELECT coalesce(sum(next_offset), 0) >= $1 AND NOT EXISTS (SELECT FROM outbox) FROM kafka_offset
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds by process so far, and the requests' seconds by part."""

    service: float
    kafka: float
    postgres: float
    parts: dict[str, float]

    def since(self, before: "Spent") -> "Spent":
        """Return what was spent between two readings."""
        parts = {name: self.parts[name] - before.parts.get(name, 0) for name in self.parts}
        return Spent(
            self.service - before.service,
            self.kafka - before.kafka,
            self.postgres - before.postgres,
            parts,
        )


@dataclass(frozen=True, slots=True)
class Phase:
    """One load and what came of it."""

    title: str
    job: Job
    report: Report
    spent: Spent
    behind: float
    """Seconds from the last answer until all was stored and published."""

    @property
    def events(self) -> int:
        """Events sent; requests, where they were empty."""
        return self.report.requests * max(1, self.job.batch)

    @property
    def per_second(self) -> float:
        return self.events / self.report.seconds


class _Identity(msgspec.Struct):
    id: str


async def spent(made: Bench, system: System) -> Spent:
    """Read the counters."""
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{system.url('measurements')}/metrics")).text
    parts = {
        sample.labels["part"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{PARTS}_sum"
    }
    service = psutil.Process(system.processes["measurements"].process.pid)
    return Spent(cpu_seconds(service), cpu_seconds(made.kafka), cpu_seconds(made.postgres), parts)


async def load(job: Job) -> Report:
    """Run the load in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.http_load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(msgspec.json.encode(job))
    if process.returncode != 0:
        raise RuntimeError("the load failed")
    return msgspec.json.decode(output, type=Report)


def jobs(port: int, token: str, arguments: argparse.Namespace) -> list[tuple[str, Job]]:
    """Return the loads in their order, each with its title."""
    seconds, rate = arguments.seconds, arguments.rate
    few = Job(port, "", seconds, arguments.connections, token, time=datetime.now(UTC).isoformat())
    many = replace(few, connections=OPEN_CONNECTIONS)
    return [
        ("empty requests", replace(few, name="empty", batch=0, seconds=seconds / 2)),
        ("single, closed loop", replace(many, name="c")),
        (f"single, {rate:,}/s by schedule", replace(many, name="s", rate=rate)),
        (f"batches of {BATCH}, closed loop", replace(few, name="b", batch=BATCH)),
    ]


async def run(arguments: argparse.Namespace) -> tuple[list[Phase], str]:
    """Return the phases and what the topic says of them."""
    async with bench() as made, made.system(("measurements",)) as system:
        token = await system.run(
            *("services.measurements", "source", "add", "--municipality", MUNICIPALITY),
            *("--source", SOURCE, "--services", SERVICE, "--reports", "*"),
            *("--attributes", "tipo"),
        )
        phases: list[Phase] = []
        port = system.ports["measurements"]
        for title, job in jobs(port, token.strip().splitlines()[-1], arguments):
            before = await spent(made, system)
            report = await load(job)
            cost = (await spent(made, system)).since(before)
            phases.append(Phase(title, job, report, cost, await caught_up(made)))
        return phases, await verdict(made, phases)


async def caught_up(made: Bench) -> float:
    """Wait until all that is on the topic is stored and published; return the seconds it took."""
    began = time.perf_counter()
    async with _reader(made) as (consumer, places):
        ends = await consumer.end_offsets(places)
    connection = await asyncpg.connect(made.database_url("measurements"))
    try:
        while not await connection.fetchval(IS_THROUGH, sum(ends.values())):
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    return time.perf_counter() - began


@asynccontextmanager
async def _reader(made: Bench) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """Open a consumer of the events' topic, at its beginning."""
    name = f"{PREFIX}{topics.SERVICE_EVENTS.name}"
    places = [TopicPartition(name, n) for n in range(topics.SERVICE_EVENTS.partitions)]
    consumer = AIOKafkaConsumer(**client_options(made.settings()), auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(places)
        yield consumer, places
    finally:
        await consumer.stop()


async def verdict(made: Bench, phases: list[Phase]) -> str:
    """Compare answers and topic. Raises RuntimeError for an event lost or taken twice."""
    promised = {
        f"{phase.job.name}-{request * phase.job.batch + place}"
        for phase in phases
        for request in set(range(phase.report.requests)) - set(phase.report.unconfirmed)
        for place in range(phase.job.batch)
    }
    found = await _on_topic(made)
    lost = len(promised - found.keys())
    twice = sum(number > 1 for number in found.values())
    if lost or twice:
        raise RuntimeError(f"of {len(promised):,} events answered 202: {lost} lost, {twice} twice")
    return (
        f"All {len(promised):,} events answered 202 are on the topic, each once; the same process"
        f" had stored and published all {phases[-1].behind:.1f} s after the last."
    )


async def _on_topic(made: Bench) -> Counter[str]:
    identity = msgspec.json.Decoder(_Identity)
    found: Counter[str] = Counter()
    async with _reader(made) as (consumer, places):
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found.update(identity.decode(record.value).id for record in records)
    return found


def table(phases: list[Phase]) -> str:
    """Return the loads; milliseconds, processor seconds per 100,000 events (or requests)."""
    rows = [
        "| load | events/s | p50 ms | p99 | max | answers | service CPU s/100k | Kafka |"
        " PostgreSQL | load itself | then behind by s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for phase in phases:
        report, cost = phase.report, phase.spent
        latencies = (report.p50, report.p99, report.longest)
        spent_by = (cost.service, cost.kafka, cost.postgres, report.cpu)
        rows.append(
            f"| {phase.title} | {phase.per_second:,.0f} | "
            + " | ".join(f"{1000 * figure:.1f}" for figure in latencies)
            + f" | {', '.join(f'{n:,} × {s}' for s, n in report.statuses.items())} | "
            + " | ".join(f"{100_000 * figure / phase.events:.2f}" for figure in spent_by)
            + f" | {phase.behind:.1f} |"
        )
    return "\n".join(rows)


def profile(phases: list[Phase]) -> str:
    """Return where the time of the service goes, a row for each part of a request."""
    empty, *loads = phases
    server = empty.spent.service / empty.report.requests
    columns = [_profile_of(phase, server) for phase in loads]
    rows = [
        f"| part | {' | '.join(phase.title for phase in loads)} |",
        f"|---|{'---|' * len(loads)}",
    ]
    rows += [
        f"| {name} | {' | '.join(column[name] for column in columns)} |"
        for name in ("server and framework", *empty.spent.parts, "everything else")
    ]
    return "\n".join(rows)


def _profile_of(phase: Phase, server: float) -> dict[str, str]:
    """Return microseconds of processor an event, or milliseconds of waiting a request."""
    parts = phase.spent.parts
    computed = {name: parts[name] for name in parts if name not in WAITING}
    computed["server and framework"] = server * phase.report.requests
    computed["everything else"] = phase.spent.service - sum(computed.values())
    waited = {
        name: f"{1000 * parts[name] / phase.report.requests:.2f} ms waited"
        for name in parts
        if name in WAITING
    }
    return waited | {n: f"{1e6 * s / phase.events:.1f} µs" for n, s in computed.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Throughput and latency of the HTTP intake.")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=int, default=1500, help="Single events a second.")
    parser.add_argument("--connections", type=int, default=8, help="Of the closed loops.")
    phases, said = asyncio.run(run(parser.parse_args()))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, load average {os.getloadavg()[0]:.1f}\n")
    print(table(phases), profile(phases), sep="\n\n")
    batches = phases[-1]
    ratio = batches.report.requests / batches.report.seconds / phases[0].per_second
    single = phases[1].per_second / phases[0].per_second
    print(f"\nOf the requests that the empty endpoint answers: single {single:.2f},", end=" ")
    print(f"batches {ratio:.3f} ({ratio * BATCH:.2f} in events). {said}")


if __name__ == "__main__":
    main()
