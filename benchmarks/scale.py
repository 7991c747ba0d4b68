"""A catalogue of 100,000 compromisos in 360 municipalities: start-up, memory, one change, pages.

    python -m benchmarks.scale [--towns 360] [--compromisos 280] [--cases 250]
                               [--verdicts 20000000] [--steps start,windows,...] [--folder DIR]

Every municipality is as large as a real one, with 50 cartas for 160 procedures, and all of them
have cases at the same time: the worst that a cache of towns can meet. The steps, in their order:

- *catalogue*: the states lie on cartas.v1 and the evaluator's database is empty; until all is in.
- *windows*: until every promise has its windows (one past window each), and results published in a
  minute after that. The process begins anew for it.
- *start*: with all of that stored, from the start of the process until it is ready; its memory.
- *events*: cases of all municipalities, mixed, on measurements.v1; until all are judged; memory.
- *change*: one carta of one municipality; until its cases are judged again, and how many towns were
  read anew for a batch of cases of all of them.
- *verdicts*: the judged cases, many times over, put into the evaluator's tables by SQL.
- *pages*: what the pages of results take then, and how large the tables are. The portal has results
  of three closed months of each municipality that is asked for, put on results.v1 by the program.

With --folder what a step left stays there, so that steps can be run one by one. Memory is the
proportional set size (PSS) of the process; the service is at its own settings but for one past
window of each promise.
"""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.environment import PREFIX, Bench, bench, cpu_seconds, machine
from benchmarks.filling import HOLDS, SIZES, multiply
from benchmarks.results import closed_results
from benchmarks.throughput import end_of
from benchmarks.towns import Towns, measured
from services.evaluator.store import balance
from shared.contracts import topics
from shared.contracts.topics import Topic
from shared.messaging.kafka import producer_options
from tests.support.systems import System

STEPS: Final = ("catalogue", "windows", "start", "events", "change", "verdicts", "pages")
SETTINGS: Final = {"CARTAS_EVALUATOR_PAST_WINDOWS": "1"}
READY_SECONDS: Final = 900.0
SETTLE_SECONDS: Final = 10.0
PUBLISH_SECONDS: Final = 60.0
REQUESTS: Final = 100
MONTHS: Final = 3
PAGE: Final = 100
REACHED: Final = """
SELECT coalesce(sum(next_offset), 0)::bigint FROM kafka_offset WHERE topic = $1
"""
TO_OPEN: Final = "SELECT count(*) FROM catalogue_town WHERE next_window_at <= now()"
OPENED: Final = "SELECT count(*) FROM judged_window"
PUBLISHED: Final = "SELECT count(*) FROM judged_window WHERE result IS NOT NULL"
WAITING: Final = """
SELECT (SELECT count(*) FROM rejudging) + (SELECT count(*) FROM outbox)
"""
UNPUBLISHED: Final = "SELECT count(*) FROM judged_window WHERE stale"
WITH_RESULTS: Final = """
SELECT municipality FROM judged_window WHERE result IS NOT NULL
GROUP BY municipality HAVING count(*) >= $1
"""
# What goes through a whole table when a process begins: the balance.
LONG: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
    AND clock_timestamp() - query_start > interval '1 second'
"""

Asked = tuple[str, dict[str, Any]]
"""The path of a page and its query."""


@dataclass(slots=True)
class Scale:
    """A run: what it works on, and the lines that it found."""

    made: Bench
    towns: Towns
    cases_each: int
    verdicts: int
    lines: list[tuple[str, str]] = field(default_factory=list)

    def say(self, what: str, found: str) -> None:
        """Keep a line, and show it at once: a run takes long."""
        self.lines.append((what, found))
        print(f"{what}: {found}", flush=True)


@dataclass(slots=True)
class Running:
    """The evaluator at work, and a connection to its database."""

    system: System
    database: "asyncpg.Connection[asyncpg.Record]"
    ready_seconds: float

    @property
    def process(self) -> psutil.Process:
        """The service's process."""
        return psutil.Process(self.system.processes["evaluator"].process.pid)

    def mebibytes(self) -> str:
        """Return its memory now, and the most that it ever held resident."""
        told = self.process.memory_full_info()
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return f"{told.pss / 2**20:.0f} MiB (peak resident {int(peak.split()[1]) / 2**10:.0f} MiB)"

    async def metric(self, name: str) -> float:
        """Return a metric without labels."""
        async with self.system.client("evaluator") as http:
            text = (await http.get("/metrics")).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name:
                    return sample.value
        raise KeyError(name)

    async def until(self, is_so: Callable[[], Awaitable[bool]]) -> float:
        """Return the seconds until something is so."""
        began = time.perf_counter()
        while not await is_so():
            await asyncio.sleep(0.05)
        return time.perf_counter() - began

    async def reached(self, topic: Topic) -> int:
        """Return how many records of a topic have been applied."""
        count: int = await self.database.fetchval(REACHED, f"{PREFIX}{topic.name}")
        return count

    async def is_empty(self, query: str) -> bool:
        """Return whether a count is nought."""
        return not await self.database.fetchval(query)


@asynccontextmanager
async def evaluator(scale: Scale, *others: str) -> AsyncIterator[Running]:
    """Run the evaluator (and others); its time until ready is counted from its start."""
    began = time.perf_counter()
    async with scale.made.system(
        ["evaluator", *others], SETTINGS, ready_within=READY_SECONDS
    ) as system:
        ready = time.perf_counter() - began
        database = await asyncpg.connect(system.database_url("evaluator"))
        try:
            yield Running(system, database, ready)
        finally:
            await database.close()


async def send(scale: Scale, topic: Topic, messages: Iterable[tuple[bytes, bytes]]) -> int:
    """Put messages on a topic; return how many."""
    producer = AIOKafkaProducer(**producer_options(scale.made.settings()), linger_ms=20)
    await producer.start()
    count = 0
    try:
        for key, payload in messages:
            await producer.send(f"{PREFIX}{topic.name}", payload, key=key)
            count += 1
        await producer.flush()
    finally:
        await producer.stop()
    return count


async def on_kafka(scale: Scale, topic: Topic) -> str:
    """Return how much of Kafka's disk a topic takes, and each of its messages."""
    name = f"{PREFIX}{topic.name}"
    segments = (scale.made.folder / "servers").rglob(f"{name}-*/*.log")
    size = sum(segment.stat().st_size for segment in segments)
    count = await end_of(scale.made, name)
    return f"{size / 2**20:.0f} MiB, {count:,} messages, {size / max(count, 1):.0f} bytes each"


async def catalogue(scale: Scale) -> None:
    """Take the whole catalogue in."""
    events = ((each.key.encode(), each.to_bytes()) for each in scale.towns.events())
    records = await send(scale, topics.CARTAS, events)
    async with evaluator(scale) as running:
        seconds = running.ready_seconds
        mebibytes = running.mebibytes()
        size = await running.database.fetchval("SELECT pg_total_relation_size('catalogue_entry')")
    scale.say("states of the catalogue", f"{records:,}")
    scale.say("taken into an empty database, ready after", f"{seconds:.1f} s")
    scale.say("evaluator then", mebibytes)
    scale.say("catalogue in PostgreSQL", f"{size / 2**20:.0f} MiB")


async def windows(scale: Scale) -> None:
    """Open every window, and publish results for a while."""
    async with evaluator(scale) as running:
        began, cpu = time.perf_counter(), cpu_seconds(running.process)
        await running.until(lambda: running.is_empty(TO_OPEN))
        seconds = time.perf_counter() - began
        spent = cpu_seconds(running.process) - cpu
        opened = await running.database.fetchval(OPENED)
        scale.say("windows", f"{opened:,}")
        scale.say("all open after", f"{seconds:.1f} s ({spent:.1f} CPU s of the evaluator)")
        before, since = await running.database.fetchval(PUBLISHED), time.perf_counter()
        await asyncio.sleep(PUBLISH_SECONDS)
        added = await running.database.fetchval(PUBLISHED) - before
        rate = added / (time.perf_counter() - since)
        scale.say("results published meanwhile", f"{rate:.0f} a second")
        scale.say("evaluator then", running.mebibytes())


async def start(scale: Scale) -> None:
    """Start with everything stored, and stay idle for a while."""
    async with evaluator(scale) as running:
        scale.say("started again, ready after", f"{running.ready_seconds:.1f} s")
        await asyncio.sleep(SETTLE_SECONDS)
        scale.say("evaluator idle", running.mebibytes())


async def _judge(scale: Scale, running: Running, revision: int) -> tuple[int, float, float]:
    """Send a round of cases of all towns, mixed; return how many, the seconds and CPU seconds."""
    cases = scale.towns.cases(10 * scale.cases_each, datetime.now(UTC).date())
    step = max(1, len(cases) // scale.cases_each)
    chosen = cases[::step]
    names = scale.towns.names()
    rounds = zip(*(measured(chosen, name, revision=revision) for name in names), strict=True)
    keys = [f"{name}/{case.case}".encode() for case in chosen for name in names]
    before = await running.reached(topics.MEASUREMENTS)
    cpu, began = cpu_seconds(running.process), time.perf_counter()
    messages = zip(keys, chain.from_iterable(rounds), strict=True)
    count = await send(scale, topics.MEASUREMENTS, messages)

    async def is_through() -> bool:
        return await running.reached(topics.MEASUREMENTS) >= before + count

    await running.until(is_through)
    seconds = time.perf_counter() - began
    return count, seconds, cpu_seconds(running.process) - cpu


async def events(scale: Scale) -> None:
    """Judge cases of all municipalities, twice: with nothing in the cache, and then warm."""
    async with evaluator(scale) as running:
        for revision, how in ((1, "the first"), (2, "once more")):
            count, seconds, cpu = await _judge(scale, running, revision)
            loaded = await running.metric("cartas_catalogue_towns_loaded_total")
            scale.say(
                f"cases of all towns, {how}",
                f"{count:,} in {seconds:.1f} s, {100_000 * cpu / count:.1f} CPU s for 100,000; "
                f"towns read so far {loaded:,.0f}",
            )
            scale.say("evaluator then", running.mebibytes())
        held = await running.metric("cartas_catalogue_promises")
        scale.say("promises held", f"{held:,.0f}")
        for topic in (topics.MEASUREMENTS, topics.RESULTS):
            scale.say(f"{topic.name} on Kafka", await on_kafka(scale, topic))
        holds = await running.database.fetchrow(HOLDS)
        assert holds is not None
        scale.say("stored", ", ".join(f"{count:,} {name}" for name, count in holds.items()))


async def change(scale: Scale) -> None:
    """Change one carta of one municipality, with the promises of all in use."""
    async with evaluator(scale) as running:
        await _judge(scale, running, 3)
        before = await running.metric("cartas_catalogue_towns_loaded_total")
        version = await running.database.fetchval("SELECT version FROM catalogue")
        changed = scale.towns.changed(scale.towns.names()[-1], minimum_sample=version % 30 + 1)
        await send(scale, topics.CARTAS, [(changed.key.encode(), changed.to_bytes())])

        async def is_applied() -> bool:
            now = await running.database.fetchval("SELECT version FROM catalogue")
            return bool(now > version and await running.is_empty(WAITING))

        seconds = await running.until(is_applied)
        count, judged_in, _ = await _judge(scale, running, 4)
        loaded = await running.metric("cartas_catalogue_towns_loaded_total") - before
        scale.say("one carta changed, its cases judged again after", f"{seconds:.2f} s")
        scale.say("then cases of all towns", f"{count:,} in {judged_in:.1f} s")
        scale.say("towns read because of it", f"{loaded:,.0f}")


async def verdicts(scale: Scale) -> None:
    """Put the judged cases many times over into the tables."""
    database = await asyncpg.connect(await scale.made.database("evaluator"), command_timeout=None)
    try:
        seconds = await multiply(database, scale.verdicts)
        holds = await database.fetchrow(HOLDS)
        began = time.perf_counter()
        difference = await database.fetchval(balance.DIFFERENCE)
        balanced = time.perf_counter() - began
    finally:
        await database.close()
    assert holds is not None
    scale.say("filled by SQL", f"in {seconds / 60:.1f} minutes")
    scale.say("stored", ", ".join(f"{count:,} {name}" for name, count in holds.items()))
    scale.say("balance of all verdicts", f"{balanced:.1f} s, a difference of {difference:,}")


async def _timed(scale: Scale, running: Running, service: str, addresses: list[Asked]) -> str:
    """Ask for pages one after the other; return the median, the 99th percentile, the CPU time."""
    if not addresses:
        return "nothing to ask for"
    spent = []
    process = psutil.Process(running.system.processes[service].process.pid)
    cpu = cpu_seconds(process)
    async with running.system.client(service) as http:
        for path, query in addresses:
            began = time.perf_counter()
            response = await http.get(path, params=query)
            spent.append(1000 * (time.perf_counter() - began))
            assert response.is_success, response.text
    ordered = sorted(spent)
    p99 = ordered[len(ordered) * 99 // 100]
    of_page = 1000 * (cpu_seconds(process) - cpu) / len(addresses)
    return f"p50 {median(ordered):.0f} ms, p99 {p99:.0f} ms; {of_page:.0f} ms of the service's CPU"


async def _shown(scale: Scale, running: Running) -> None:
    """Wait until the portal shows what is published, and nothing goes through a whole table."""
    published = await end_of(scale.made, f"{PREFIX}{topics.RESULTS.name}")
    portal = await asyncpg.connect(running.system.database_url("portal"))
    try:

        async def is_settled() -> bool:
            taken = await portal.fetchval(REACHED, f"{PREFIX}{topics.RESULTS.name}")
            return bool(taken >= published and await running.is_empty(LONG))

        scale.say("portal shows all results after", f"{await running.until(is_settled):.0f} s")
    finally:
        await portal.close()


async def pages(scale: Scale) -> None:
    """Ask for pages of every kind, of municipalities in turn; tell how large the tables are."""
    names = scale.towns.names()
    asked = [names[number * 7 % len(names)] for number in range(REQUESTS)]
    pattern = scale.towns.catalogue()
    told = chain.from_iterable(closed_results(pattern, name, MONTHS) for name in asked)
    count = await send(scale, topics.RESULTS, ((e.key.encode(), e.to_bytes()) for e in told))
    scale.say("results of closed months put on results.v1 for the portal", f"{count:,}")
    async with evaluator(scale, "portal") as running:
        await _shown(scale, running)
        waiting = await running.database.fetchval(UNPUBLISHED)
        load = os.getloadavg()[0]
        scale.say("windows still to be published", f"{waiting:,}; load average {load:.1f}")
        full = [row["municipality"] for row in await running.database.fetch(WITH_RESULTS, PAGE)]
        scale.say(f"municipalities with {PAGE} results in the evaluator", str(len(full)))
        of_town: list[Asked] = [
            ("/v1/results", {"municipality": full[number % len(full)], "limit": PAGE})
            for number in range(REQUESTS if full else 0)
        ]
        scale.say(
            f"GET /v1/results, {PAGE} of a town", await _timed(scale, running, "evaluator", of_town)
        )
        keys = await running.database.fetch(
            "SELECT municipality, compromiso, unit, window_id AS window FROM judged_window "
            "WHERE window_no IN (SELECT window_no FROM case_in_window TABLESAMPLE SYSTEM (0.1)) "
            "LIMIT $1",
            REQUESTS,
        )
        behind = [("/v1/cases", {**dict(key), "status": "met", "limit": PAGE}) for key in keys]
        scale.say(
            f"GET /v1/cases, {PAGE} of a window", await _timed(scale, running, "evaluator", behind)
        )
        portal: list[Asked] = [(f"/{name}", {}) for name in asked]
        scale.say("portal, page of a town", await _timed(scale, running, "portal", portal))
        carta = pattern.cartas[0].data.carta
        of_carta: list[Asked] = [(f"/{name}/c/{carta}", {}) for name in asked]
        scale.say("portal, page of a carta", await _timed(scale, running, "portal", of_carta))
        for row in await running.database.fetch(SIZES):
            scale.say(f"table {row['relation']}", row["told"])


async def run(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """Do the steps."""
    folder = None if arguments.folder is None else arguments.folder.resolve()
    steps = {
        each.__name__: each for each in (catalogue, windows, start, events, change, verdicts, pages)
    }
    async with bench(folder) as made:
        towns = Towns(arguments.towns, arguments.compromisos)
        scale = Scale(made, towns, arguments.cases, arguments.verdicts)
        await made.database("evaluator")
        for name in arguments.steps.split(","):
            scale.say(f"**{name}**", f"load average {os.getloadavg()[0]:.1f}")
            await steps[name](scale)
        return scale.lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A large catalogue and many verdicts.")
    parser.add_argument("--towns", type=int, default=360)
    parser.add_argument("--compromisos", type=int, default=280, help="Of each municipality.")
    parser.add_argument("--cases", type=int, default=250, help="Of each municipality, a round.")
    parser.add_argument("--verdicts", type=int, default=20_000_000)
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--folder", type=Path, help="Where what the steps left is kept.")
    arguments = parser.parse_args()
    lines = asyncio.run(run(arguments))
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {machine()}\n\n| what | |\n|---|---|")
    for what, found in lines:
        print(f"| {what} | {found} |")


if __name__ == "__main__":
    main()
