"""What it costs when a partition moves to another process: orderly, by joining, after a kill -9.

    python -m benchmarks.takeover [--rate 200]

Two processes of measurements share the partitions of service-events.v1 under an open-loop load. One
is stopped, started again, killed: first the one whose relay publishes for both, then the other.
Timed is each event, from Kafka's acknowledgement until its case can be read from measurements.v1:
since the load falls on all partitions all the time, the worst of them is what the change cost.
"""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import httpx

from benchmarks.beside import READY_SECONDS, start_beside
from benchmarks.emitter import Schedule, emit
from benchmarks.environment import PREFIX, Bench, bench, machine
from benchmarks.latency import percentile
from benchmarks.load import MUNICIPALITY, SERVICE, SOURCE
from benchmarks.watching import CASES, Seen, watching
from shared.contracts import topics
from tests.support.processes import ServiceProcess, end
from tests.support.systems import System
from tests.support.waiting import eventually

NAME = "measurements"
SECONDS = 25
CHANGES_AFTER_SECONDS = 8.0
QUIET_WITHIN_SECONDS = 90.0
LATE_SECONDS = 1.0
OWNERS = "SELECT count(DISTINCT owner) FROM kafka_offset WHERE topic = $1"
FACTS = "SELECT sum(facts)::bigint, sum(repeats)::bigint FROM balance"
LEADS = 'cartas_outbox_relay_leader{shard="0"} 1.0'


@dataclass(frozen=True, slots=True)
class Cost:
    """What one change cost the events around it, in seconds. `lost` never came."""

    change: str
    events: int
    median: float
    worst: float
    late: int
    lost: int
    load: float


class Pair:
    """Two processes of the service on one database."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.members: list[ServiceProcess] = [system.processes[NAME]]

    async def start_another(self) -> None:
        """Start a second process and wait until it is ready."""
        another = await start_beside(self._system, NAME)
        self.members.append(another)
        await eventually(another.is_ready, READY_SECONDS, what="the second is ready")

    async def take(self, *, leading: bool) -> ServiceProcess:
        """Take out the member whose relay leads, or the other."""
        for member in self.members:
            async with httpx.AsyncClient(timeout=10) as http:
                leads = LEADS in (await http.get(f"{member.url}/metrics")).text
            if leads is leading:
                self.members.remove(member)
                return member
        raise RuntimeError("no relay leads" if leading else "all relays lead")

    async def stop(self, *, leading: bool) -> None:
        """Stop one with SIGTERM, as a deployment does."""
        await end(await self.take(leading=leading))

    async def kill(self, *, leading: bool) -> None:
        """Kill one with SIGKILL, as a power cut does."""
        await (await self.take(leading=leading)).kill()

    async def close(self) -> None:
        """End what runs."""
        for member in self.members:
            await end(member)


@asynccontextmanager
async def two_processes(made: Bench) -> AsyncIterator[Pair]:
    """Run the service twice, with a source that may speak."""
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(made.system(["cartas", NAME]))
        await system.run("services.cartas", "load", "benchmarks/promises.yaml")
        await system.run(
            *("services.measurements", "source", "add", "--municipality", MUNICIPALITY),
            *("--source", SOURCE, "--services", SERVICE, "--reports", "*"),
        )
        pair = Pair(system)
        stack.push_async_callback(pair.close)
        await pair.start_another()
        yield pair


async def cost_of(
    made: Bench, change: str, act: Callable[[], Awaitable[None]], schedule: Schedule
) -> Cost:
    """Send by the schedule, do it in the middle, and wait until everything has come through."""
    seen = Seen()
    readable = seen.at.setdefault("readable on measurements.v1", {})
    async with watching(made, seen, schedule, (CASES,)):
        sending = asyncio.create_task(emit(made.settings(), schedule))
        await eventually(lambda: readable, QUIET_WITHIN_SECONDS, what="the first event")
        await asyncio.sleep(CHANGES_AFTER_SECONDS)
        began = time.monotonic()
        await act()
        sent = (await sending).acknowledged
        give_up = time.monotonic() + QUIET_WITHIN_SECONDS
        while (lost := len(sent.keys() - readable.keys())) and time.monotonic() < give_up:
            await asyncio.sleep(0.1)
    before = sorted(
        readable[case] - at for case, at in sent.items() if readable.get(case, began) < began
    )
    after = [readable[case] - sent[case] for case in readable if readable[case] >= began]
    late = sum(seconds > LATE_SECONDS for seconds in after)
    median, load = percentile(before, 0.5), os.getloadavg()[0]
    return Cost(change, 2 * len(sent), median, max(after), late, lost, load)


async def run(rate: int) -> tuple[list[Cost], int, int, int]:
    """Go through the changes; return their costs, events sent, facts stored, and repeats."""
    schedule, costs = Schedule(rate, SECONDS, late=rate // 2), []
    async with bench() as made, two_processes(made) as pair:
        database = await asyncpg.connect(made.database_url(NAME))
        changes: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("stopped, its relay led", lambda: pair.stop(leading=True)),
            ("one joins", pair.start_another),
            ("killed -9, its relay led", lambda: pair.kill(leading=True)),
            ("one joins", pair.start_another),
            ("stopped, its relay stood by", lambda: pair.stop(leading=False)),
            ("one joins", pair.start_another),
            ("killed -9, its relay stood by", lambda: pair.kill(leading=False)),
        ]
        try:
            for change, act in changes:
                await eventually(lambda: _shared(database, len(pair.members)))
                costs.append(await cost_of(made, change, act, schedule))
                first = schedule.tickets.stop
                schedule = Schedule(rate, SECONDS, late=rate // 2, first=first)
            facts, repeats = await database.fetchrow(FACTS)  # type: ignore[misc]
        finally:
            await database.close()
    return costs, 2 * schedule.first, facts, repeats


async def _shared(database: "asyncpg.Connection[asyncpg.Record]", members: int) -> bool:
    topic = f"{PREFIX}{topics.SERVICE_EVENTS.name}"
    return bool(await database.fetchval(OWNERS, topic) == members)


def table(costs: list[Cost]) -> str:
    """Return the table in Markdown."""
    rows = [
        "| change | events | p50 before, ms | worst after, s | later than 1 s | lost | load |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {cost.change} | {cost.events:,} | {1000 * cost.median:.0f} | {cost.worst:.1f} "
        f"| {cost.late:,} | {cost.lost} | {cost.load:.1f} |"
        for cost in costs
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a partition that moves costs.")
    parser.add_argument("--rate", type=int, default=200, help="Events a second.")
    arguments = parser.parse_args()
    costs, sent, facts, repeats = asyncio.run(run(arguments.rate))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}\n")
    print(table(costs))
    print(f"\n{sent:,} events sent, {facts:,} facts stored, {repeats:,} repeats refused")


if __name__ == "__main__":
    main()
