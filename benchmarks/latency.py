"""Latency of the chain under an open-loop schedule, hop by hop, and where the services' time goes.

    python -m benchmarks.latency [--rate 2000] [--rate 10000] [--seconds 60] [--late 20]

`late` tickets of each second break an every-case promise, each in a unit and so a window of its
own: each gives a late case, a breach and a mail. Timed are those, from the instant their second
event was due to be sent: the schedule does not wait for the system, what is sent late counts. A hop
ends where the next begins: acknowledged by Kafka; taken from the outbox for measurements.v1, and
readable there; taken from the outbox for breaches.v1, and readable there; accepted by the SMTP
server.
"""

import argparse
import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psutil
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from benchmarks.emitter import Schedule, Sent, emit
from benchmarks.environment import Bench, bench, cpu_seconds, machine
from benchmarks.load import MUNICIPALITY, SERVICE, SOURCE
from benchmarks.parts import Part, part_table, parts_between, read_parts
from benchmarks.watching import BREACHES, CASES, Seen, watching
from tests.support.servers import free_port
from tests.support.systems import System

SERVICES = ("cartas", "measurements", "evaluator", "notifier")
CHAIN = SERVICES[1:]
CASE = re.compile(rb"T\d{8}")
WARM_UP = Schedule(rate=500, seconds=6, late=10)
QUIET_WITHIN_SECONDS = 60.0
HOPS = (
    ("due to be sent", "acknowledged by Kafka"),
    ("acknowledged by Kafka", "taken for measurements.v1"),
    ("taken for measurements.v1", "readable on measurements.v1"),
    ("readable on measurements.v1", "taken for breaches.v1"),
    ("taken for breaches.v1", "late case readable on breaches.v1"),
    ("late case readable on breaches.v1", "mail accepted"),
)
WHOLE = (
    ("acknowledged by Kafka", "late case readable on breaches.v1"),
    ("due to be sent", "late case readable on breaches.v1"),
    ("acknowledged by Kafka", "mail accepted"),
    ("due to be sent", "mail accepted"),
)


class Mailbox:
    """An SMTP server that accepts everything and notes when, by the case that the mail names."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Note the mail; the answer is the acceptance."""
        found = CASE.search(envelope.original_content or b"")
        if found is not None:
            self._seen.note("mail accepted", found.group().decode(), time.monotonic())
        return "250 OK"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one schedule gave. CPU in seconds of a processor for each second of the schedule."""

    schedule: Schedule
    seen: Seen
    missing: int
    cpu: dict[str, float]
    parts: list[Part]
    load: float


async def measure(chain: "Chain", schedule: Schedule) -> Measured:
    """Send by the schedule and wait until everything has come through."""
    made, system = chain.made, chain.system
    seen = chain.mailbox.seen = Seen()
    processes = {name: psutil.Process(system.processes[name].process.pid) for name in CHAIN}
    processes |= {"PostgreSQL": made.postgres, "Kafka": made.kafka}
    async with watching(made, seen, schedule, (CASES, BREACHES)):
        before = {name: cpu_seconds(process) for name, process in processes.items()}
        parts = await read_parts(system, CHAIN)
        sent = await emit(made.settings(), schedule)
        seen.at["due to be sent"], seen.at["acknowledged by Kafka"] = sent.due, sent.acknowledged
        spent = {name: cpu_seconds(process) - before[name] for name, process in processes.items()}
        load = os.getloadavg()[0]
        parts = parts_between(parts, await read_parts(system, CHAIN))
        missing = await until_quiet(seen, sent)
    cpu = {name: seconds / schedule.seconds for name, seconds in spent.items()}
    return Measured(schedule, seen, missing, cpu, parts, load)


class Switch(Mailbox):
    """The one mailbox of a run; `seen` is that of the schedule under way."""

    def __init__(self) -> None:
        super().__init__(Seen())

    @property
    def seen(self) -> Seen:
        """Where mails are noted."""
        return self._seen

    @seen.setter
    def seen(self, seen: Seen) -> None:
        self._seen = seen


async def until_quiet(seen: Seen, sent: Sent) -> int:
    """Wait for the mails; return how many of the late tickets gave none."""
    give_up = time.monotonic() + QUIET_WITHIN_SECONDS
    while missing := len(sent.due.keys() - seen.at.get("mail accepted", {}).keys()):
        if time.monotonic() > give_up:
            break
        await asyncio.sleep(0.2)
    return missing


@dataclass(frozen=True, slots=True)
class Chain:
    """A running chain, warmed up, and the mailbox that its notifier writes to."""

    made: Bench
    system: System
    mailbox: Switch


@asynccontextmanager
async def running_chain() -> AsyncIterator[Chain]:
    """Run the chain until the block ends; a short schedule has warmed it up."""
    port = free_port()
    mailbox = Switch()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    smtp = {"CARTAS_SMTP_HOST": "127.0.0.1", "CARTAS_SMTP_PORT": str(port)}
    try:
        async with bench() as made, made.system(SERVICES, extra=smtp) as system:
            await system.run("services.cartas", "load", "benchmarks/promises.yaml")
            await system.run(
                *("services.measurements", "source", "add", "--municipality", MUNICIPALITY),
                *("--source", SOURCE, "--services", SERVICE, "--reports", "*"),
            )
            chain = Chain(made, system, mailbox)
            await measure(chain, WARM_UP)
            yield chain
    finally:
        controller.stop(no_assert=True)


async def run(rates: Sequence[int], seconds: int, late: int) -> list[Measured]:
    """Run the chain under each schedule in turn."""
    first, found = WARM_UP.tickets.stop, []
    async with running_chain() as chain:
        for rate in rates:
            schedule = Schedule(rate, seconds, late, first)
            found.append(await measure(chain, schedule))
            first = schedule.tickets.stop
    return found


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of the ordered values do not exceed (nearest rank)."""
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def table(measured: Measured) -> str:
    """Return the tables of one schedule in Markdown: latencies, hops, processor time, parts."""
    schedule = measured.schedule
    return "\n".join(
        [
            f"{schedule.rate:,} events/s for {schedule.seconds} s, {schedule.late} late a second, "
            f"load average {measured.load:.1f}, {measured.missing} without a mail\n",
            "| from | until | samples | p50 ms | p90 | p99 | p99.9 | max |",
            "|---|---|---|---|---|---|---|---|",
            *(_line(measured.seen, *ends) for ends in (*WHOLE, *HOPS)),
            "\nProcessors busy: "
            + ", ".join(f"{name} {share:.2f}" for name, share in measured.cpu.items()),
            "\n" + part_table(measured.parts, schedule.seconds),
        ]
    )


def _line(seen: Seen, begin: str, end: str) -> str:
    found = seen.between(begin, end)
    if not found:
        return f"| {begin} | {end} | 0 | | | | | |"
    figures = [percentile(found, share) for share in (0.5, 0.9, 0.99, 0.999, 1.0)]
    shown = " | ".join(f"{1000 * figure:.0f}" for figure in figures)
    return f"| {begin} | {end} | {len(found):,} | {shown} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Latency of the chain.")
    parser.add_argument("--rate", type=int, action="append", help="Events a second; repeatable.")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--late", type=int, default=20, help="Late tickets a second.")
    arguments = parser.parse_args()
    rates = arguments.rate or [2000, 10_000]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    for measured in asyncio.run(run(rates, arguments.seconds, arguments.late)):
        print(f"\n{table(measured)}")


if __name__ == "__main__":
    main()
