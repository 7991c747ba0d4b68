"""Mails a second, and what they cost: written from breaches, then offered to the mailbox process.

    python -m benchmarks.mail [--mails 3000]

Breaches are taken in batches of 500, as the consumer takes them, into the notifier's database with
a catalogue of 42 units and 125 posts. Then the notifier runs as a process: all mails fall due at
one instant, and are timed until the last has been recorded. CPU milliseconds are for one mail.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import psutil
from pydantic import SecretStr

from benchmarks.environment import Bench, bench, cpu_seconds, machine
from services.notifier.links import Links
from services.notifier.use_cases.alerts import Office
from services.notifier.use_cases.breaches import take_breaches
from services.notifier.use_cases.catalogue import take_catalogue
from shared.contracts.breaches import BreachEvent
from shared.contracts.cartas import CatalogueEvent
from shared.database import Pool, open_pool
from shared.messaging import transaction
from tests.support.processes import SERVICE_SECRET
from tests.unit.notifier import builders as b

BATCH = 500
UNITS, POSTS_OF_UNIT = 40, 3
OFFICE = Office(
    sender="avisos@cartas.example",
    sender_name="Cartas compromiso",
    public_url="https://cartas.example",
    links=Links.of(SecretStr(SERVICE_SECRET)),
)
HOLD = "UPDATE mail SET next_attempt_at = 'infinity' WHERE state = 'waiting'"
LET_GO = "UPDATE mail SET next_attempt_at = now() WHERE state = 'waiting'"
ALL_SETTLED = "SELECT NOT EXISTS (SELECT FROM mail WHERE state = 'waiting')"


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table; CPU in seconds."""

    name: str
    mails: int
    seconds: float
    notifier: float
    postgres: float


def catalogue() -> list[CatalogueEvent]:
    """Return the catalogue of a municipality of usual size."""
    units = [b.unit(f"U{number}", f"Unidad {number}") for number in range(UNITS)]
    posts = [
        b.post(f"p{number}-{place}", unit=f"U{number}")
        for number in range(UNITS)
        for place in range(POSTS_OF_UNIT)
    ]
    return b.catalogue(*units, *posts)


def batches(count: int) -> Iterator[list[BreachEvent]]:
    """Yield `count` breaches, each of an office of its own and so an action of its own."""
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        yield [b.breach(unit=f"caja-{number}", time=datetime.now(UTC)) for number in numbers]


async def write(pool: Pool, count: int) -> None:
    """Take the breaches as the consumer does."""
    async with transaction(pool, service="notifier") as tx:
        await take_catalogue(tx, catalogue())
    for batch in batches(count):
        async with transaction(pool, service="notifier") as tx:
            await take_breaches(tx, OFFICE, batch)


async def deliver(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let all mails fall due and wait until each has been recorded."""
    await connection.execute(LET_GO)
    while not await connection.fetchval(ALL_SETTLED):
        await asyncio.sleep(0.02)


def sampler(made: Bench, name: str, count: int, process: psutil.Process) -> Callable[[], Measured]:
    """Begin to measure; what is returned ends it."""
    began = time.perf_counter()
    before = cpu_seconds(process), cpu_seconds(made.postgres)

    def end() -> Measured:
        seconds = time.perf_counter() - began
        after = cpu_seconds(process), cpu_seconds(made.postgres)
        return Measured(name, count, seconds, after[0] - before[0], after[1] - before[1])

    return end


async def run(count: int) -> list[Measured]:
    """Write, then deliver."""
    async with bench() as made:
        url = await made.database("notifier")
        async with await open_pool(url, name="benchmark", size=3) as pool:
            end = sampler(made, "written from breaches", count, psutil.Process())
            await write(pool, count)
            written = end()
            await pool.execute(HOLD)
        connection = await asyncpg.connect(url)
        try:
            async with made.system(["notifier"]) as system:
                notifier = psutil.Process(system.processes["notifier"].process.pid)
                end = sampler(made, "offered, accepted, recorded", count, notifier)
                await deliver(connection)
                return [written, end()]
        finally:
            await connection.close()


def table(lines: list[Measured]) -> str:
    """Return the table in Markdown."""
    rows = [
        "| what | mails | mails/s | notifier CPU ms a mail | PostgreSQL |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| {line.name} | {line.mails:,} | {line.mails / line.seconds:,.0f} "
        f"| {1000 * line.notifier / line.mails:.1f} | {1000 * line.postgres / line.mails:.1f} |"
        for line in lines
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Writing and delivery of mail.")
    parser.add_argument("--mails", type=int, default=3000)
    arguments = parser.parse_args()
    lines = asyncio.run(run(arguments.mails))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, load average {os.getloadavg()[0]:.1f}\n")
    print(table(lines))


if __name__ == "__main__":
    main()
