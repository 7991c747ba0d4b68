"""The chain for an hour at half of what it can: what must stay flat, minute by minute.

    python -m benchmarks.soak [--rate 2000] [--minutes 60] [--late 2]

One open-loop schedule without a pause. Each minute: memory of each service and of PostgreSQL
(proportional set size), what waits in the outboxes, latency of the late tickets that were due in
it. Every table is looked at each minute as well: what keeps facts may grow by the same bytes for
each event, what does not must stay small; dead rows must not pile up, and vacuum must have come by.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import asyncpg
import psutil

from benchmarks.emitter import Schedule, emit
from benchmarks.environment import Bench, machine, pss
from benchmarks.latency import CHAIN, Chain, percentile, running_chain, until_quiet
from benchmarks.watching import BREACHES, CASES, Seen, watching

MINUTE_SECONDS: Final = 60.0
MIB: Final = 2**20
DUE, SEEN, MAILED = "due to be sent", "late case readable on breaches.v1", "mail accepted"
TABLES: Final = """
SELECT relname AS name, pg_table_size(relid) AS bytes, pg_indexes_size(relid) AS index_bytes,
       n_dead_tup AS dead, n_live_tup AS live, autovacuum_count + vacuum_count AS vacuums
FROM pg_stat_user_tables
"""
OUTBOX: Final = "SELECT count(*) FROM outbox"


@dataclass(frozen=True, slots=True)
class Table:
    """A table at one moment. Sizes in bytes, `index_bytes` of all its indexes."""

    bytes: int
    index_bytes: int
    dead: int
    live: int
    vacuums: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at the end of a minute: PSS in bytes, rows that wait, tables by name."""

    memory: dict[str, int]
    waiting: int
    tables: dict[str, Table]


@dataclass(slots=True)
class Soaked:
    """The samples of a run, one a minute, and what was seen of each late ticket."""

    schedule: Schedule
    seen: Seen
    samples: list[Sample] = field(default_factory=list)
    missing: int = 0

    def latencies(self, minute: int, end: str) -> list[float]:
        """Return the seconds from due to `end` of the tickets that were due in a minute."""
        due, then = self.seen.at.get(DUE, {}), self.seen.at.get(end, {})
        begin = min(due.values(), default=0.0) + minute * MINUTE_SECONDS
        return sorted(
            then[case] - at
            for case, at in due.items()
            if begin <= at < begin + MINUTE_SECONDS and case in then
        )


async def soak(chain: Chain, schedule: Schedule) -> Soaked:
    """Send by the schedule, look once a minute, and wait until all has come through."""
    chain.mailbox.seen = Seen()
    soaked = Soaked(schedule, chain.mailbox.seen)
    async with watching(chain.made, soaked.seen, schedule, (CASES, BREACHES)):
        looking = asyncio.create_task(_look_each_minute(chain, soaked))
        sent = await emit(chain.made.settings(), schedule)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        soaked.seen.at[DUE] = sent.due
        soaked.missing = await until_quiet(soaked.seen, sent)
    return soaked


async def _look_each_minute(chain: Chain, soaked: Soaked) -> None:
    processes = {
        name: psutil.Process(chain.system.processes[name].process.pid) for name in CHAIN
    } | {"PostgreSQL": chain.made.postgres, "Kafka": chain.made.kafka}
    while True:
        await asyncio.sleep(MINUTE_SECONDS)
        tables: dict[str, Table] = {}
        waiting = 0
        for service in CHAIN:
            found, rows = await _look(chain.made, service)
            tables |= found
            waiting += rows
        memory = {name: pss(process) for name, process in processes.items()}
        soaked.samples.append(Sample(memory, waiting, tables))
        sys.stderr.write(f"minute {len(soaked.samples)}: {waiting} rows wait\n")


async def _look(made: Bench, service: str) -> tuple[dict[str, Table], int]:
    connection = await asyncpg.connect(made.database_url(service))
    try:
        rows = await connection.fetch(TABLES)
        waiting: int = await connection.fetchval(OUTBOX)
    finally:
        await connection.close()
    return {f"{service}.{row['name']}": Table(*tuple(row)[1:]) for row in rows}, waiting


def minutes_table(soaked: Soaked, *, most: int = 12) -> str:
    """Return memory and latency in Markdown, at most so many minutes, evenly apart."""
    names = list(soaked.samples[0].memory)
    head = ["minute", *(f"{name} MiB" for name in names), "rows waiting"]
    head += ["late case p50 ms", "p99", "mail p99"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for number in _evenly(len(soaked.samples), most):
        sample = soaked.samples[number]
        late, mails = soaked.latencies(number, SEEN), soaked.latencies(number, MAILED)
        cells = [str(number + 1), *(f"{sample.memory[name] / MIB:.0f}" for name in names)]
        cells += [f"{sample.waiting:,}", _ms(late, 0.5), _ms(late, 0.99), _ms(mails, 0.99)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def tables_table(soaked: Soaked) -> str:
    """Return how the tables grew: in the first and the last third, in bytes for each event."""
    samples = soaked.samples
    third = min(len(samples), max(2, len(samples) // 3))
    events = soaked.schedule.rate * MINUTE_SECONDS
    lines = [
        "| table | MiB | indexes MiB | bytes an event, first third | last third | most dead rows"
        " | vacuums |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, last in sorted(samples[-1].tables.items(), key=lambda each: -_size(each[1])):
        history = [sample.tables[name] for sample in samples if name in sample.tables]
        if _size(last) < MIB and not last.vacuums:
            continue
        spans = events * max(1, third - 1)
        first = (_size(history[min(third, len(history)) - 1]) - _size(history[0])) / spans
        after = (_size(history[-1]) - _size(history[-min(third, len(history))])) / spans
        lines.append(
            f"| {name} | {last.bytes / MIB:.1f} | {last.index_bytes / MIB:.1f} | {first:.0f} "
            f"| {after:.0f} | {max(each.dead for each in history):,} | {last.vacuums} |"
        )
    return "\n".join(lines)


def _size(table: Table) -> int:
    return table.bytes + table.index_bytes


def _evenly(count: int, most: int) -> list[int]:
    """Return at most so many of the numbers up to `count`, the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round((count - 1) * place / (most - 1)) for place in range(most)})


def _ms(ordered: Sequence[float], share: float) -> str:
    return f"{1000 * percentile(ordered, share):.0f}" if ordered else "–"


async def run(schedule: Schedule) -> Soaked:
    """Run the chain, warmed up, under the schedule."""
    async with running_chain() as chain:
        return await soak(chain, schedule)


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(description="An hour of the chain at half its capacity.")
    parser.add_argument("--rate", type=int, default=2000, help="Events a second.")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--late", type=int, default=2, help="Late tickets a second.")
    arguments = parser.parse_args()
    schedule = Schedule(arguments.rate, arguments.minutes * 60, arguments.late, first=1_000_000)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    soaked = asyncio.run(run(schedule))
    print(
        f"\n{schedule.rate:,} events/s for {arguments.minutes} minutes, {schedule.late} late a "
        f"second, {soaked.missing} without a mail\n\n{minutes_table(soaked)}\n\n"
        f"{tables_table(soaked)}"
    )


if __name__ == "__main__":
    main()
