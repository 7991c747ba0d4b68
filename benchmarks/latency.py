"""Latency of the chain under an open-loop schedule, from the instant an event was due to be sent.

    python -m benchmarks.latency [--rate 1000] [--seconds 210] [--late-share 0.05]

Two events a ticket at `rate` events a second; late ones break an every-case promise, each in a unit
of its own, so that each gives a late case and a breach, and each breach a mail. Timed: the late
ticket's second event scheduled to be sent -> its late case read from breaches.v1, and -> its mail
accepted by the SMTP server. The schedule does not wait for the system: what is sent late counts.
"""

import argparse
import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from benchmarks.environment import PREFIX, Bench, bench, machine
from benchmarks.load import MUNICIPALITY, SERVICE, SOURCE, key_of, ticket
from shared.contracts import hot, topics
from shared.contracts.breaches import BreachEvent, BreachKind
from shared.messaging.kafka import client_options, producer_options
from tests.support.servers import free_port

SERVICES = ("cartas", "measurements", "evaluator", "notifier")
CASE = re.compile(rb"T\d{8}")
STARTS_AFTER_SECONDS = 2.0
QUIET_WITHIN_SECONDS = 60.0


@dataclass(slots=True)
class Samples:
    """When each late ticket's event was due, and when its effects were seen (monotonic seconds)."""

    due: dict[str, float] = field(default_factory=dict)
    late_case: dict[str, float] = field(default_factory=dict)
    mail: dict[str, float] = field(default_factory=dict)

    def latencies(self, seen: dict[str, float]) -> list[float]:
        """Return sorted latencies in seconds."""
        return sorted(seen[case] - self.due[case] for case in seen if case in self.due)


class Mailbox:
    """An SMTP server that accepts everything and notes when, by the case that the mail names."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Note the mail; the answer is the acceptance."""
        found = CASE.search(envelope.original_content or b"")
        if found is not None:
            self._samples.mail.setdefault(found.group().decode(), time.monotonic())
        return "250 OK"


async def emit(made: Bench, samples: Samples, rate: int, seconds: int, late_share: float) -> None:
    """Send by the schedule: event number n is due n / rate seconds after the start."""
    producer = AIOKafkaProducer(**producer_options(made.settings()))
    await producer.start()
    count = rate * seconds // 2
    late_every = max(1, round(1 / (2 * late_share)))
    topic = f"{PREFIX}{topics.SERVICE_EVENTS.name}"
    start = time.monotonic() + STARTS_AFTER_SECONDS
    try:
        for number in range(count):
            is_late = number % late_every == 0
            unit = f"U{number}" if is_late else f"N{number % 20}"
            events = ticket(number, called_at=datetime.now(UTC), late=is_late, unit=unit)
            for place, event in enumerate(events):
                due = start + (2 * number + place) / rate
                if (early := due - time.monotonic()) > 0.001:
                    await asyncio.sleep(early)
                await producer.send(topic, hot.encode(event), key=key_of(event))
            if is_late:
                samples.due[events[1].data.case] = start + (2 * number + 1) / rate
        await producer.flush()
    finally:
        await producer.stop()


@asynccontextmanager
async def watching(made: Bench, samples: Samples) -> AsyncIterator[None]:
    """Note each late case when it can be read from breaches.v1."""
    consumer = AIOKafkaConsumer(
        f"{PREFIX}{topics.BREACHES.name}", **client_options(made.settings()), fetch_max_wait_ms=20
    )
    await consumer.start()

    async def watch() -> None:
        async for record in consumer:
            now = time.monotonic()
            event = BreachEvent.model_validate_json(record.value)
            if event.data.kind is BreachKind.LATE_CASE and event.data.case is not None:
                samples.late_case.setdefault(event.data.case, now)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


async def run(rate: int, seconds: int, late_share: float) -> Samples:
    """Run the chain under load; return what was seen."""
    samples = Samples()
    port = free_port()
    mailbox = Controller(Mailbox(samples), hostname="127.0.0.1", port=port)
    mailbox.start()
    smtp = {"CARTAS_SMTP_HOST": "127.0.0.1", "CARTAS_SMTP_PORT": str(port)}
    try:
        async with bench() as made, made.system(SERVICES, extra=smtp) as system:
            await system.run("services.cartas", "load", "benchmarks/promises.yaml")
            await system.run(
                *("services.measurements", "source", "add", "--municipality", MUNICIPALITY),
                *("--source", SOURCE, "--services", SERVICE, "--reports", "*"),
            )
            async with watching(made, samples):
                await emit(made, samples, rate, seconds, late_share)
                await _until_quiet(samples)
    finally:
        mailbox.stop(no_assert=True)
    return samples


async def _until_quiet(samples: Samples) -> None:
    give_up = time.monotonic() + QUIET_WITHIN_SECONDS
    while len(samples.mail) < len(samples.due) and time.monotonic() < give_up:
        await asyncio.sleep(0.2)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of the ordered values do not exceed (nearest rank)."""
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def table(samples: Samples) -> str:
    """Return the table in Markdown; milliseconds from the scheduled send time."""
    rows = [
        "| event due to be sent until | samples | missing | p50 ms | p90 | p99 | p99.9 | max |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, seen in (
        ("late case on breaches.v1", samples.late_case),
        ("mail accepted", samples.mail),
    ):
        found = samples.latencies(seen)
        if not found:
            rows.append(f"| {name} | 0 | {len(samples.due)} | | | | | |")
            continue
        figures = [percentile(found, share) for share in (0.5, 0.9, 0.99, 0.999, 1.0)]
        shown = " | ".join(f"{1000 * figure:.0f}" for figure in figures)
        rows.append(f"| {name} | {len(found):,} | {len(samples.due) - len(found)} | {shown} |")
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Latency of the chain.")
    parser.add_argument("--rate", type=int, default=1000, help="Events a second.")
    parser.add_argument("--seconds", type=int, default=210)
    parser.add_argument("--late-share", type=float, default=0.05, help="Late tickets per event.")
    arguments = parser.parse_args()
    samples = asyncio.run(run(arguments.rate, arguments.seconds, arguments.late_share))
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {arguments.rate} events/s for {arguments.seconds} s,")
    print(f"{machine()}, load average {load:.1f}\n")
    print(table(samples))


if __name__ == "__main__":
    main()
