"""How long it takes to recompute a whole municipality's quarter from its facts, in how much memory.

    python -m benchmarks.recompute [--events 2000000] [--processes 2] [--folder DIR]

The simulator tells a quarter of a municipality with 54 cartas and 300 compromisos of every form.
The services take it in as in production: measurements makes facts of events, the evaluator stores
and judges them and publishes the results, closed windows among them. Then all services are ended,
and `evaluator recompute` makes every result again from the stored facts. That alone is timed; it
fails where one byte differs. Memory is the greatest proportional set size (PSS) of its processes.

With --folder what was taken in stays there, and the next run only recomputes it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer

from benchmarks.environment import PREFIX, Bench, bench, machine, pss
from benchmarks.load import key_of
from services.cartas.domain import read_catalogue
from shared.contracts import hot, topics
from shared.contracts.complaints import ComplaintChanged
from shared.messaging.kafka import producer_options
from shared.worktime import PreparedCalendar
from simulator.whole_quarter import SOURCE, TOWN, Carta, WholeQuarter
from simulator.whole_town import CARTAS, COMPROMISOS, PROCEDURES, whole_catalogue
from tests.support.processes import environment_of

QUARTER: Final = (date(2026, 7, 1), date(2026, 10, 1))
ATTRIBUTES: Final = "encuesta,global,recomendaria,instrumento,aplicables,cumplidos,horas"
SAMPLE_SECONDS: Final = 0.2
POLL_SECONDS: Final = 1.0
# Nothing waits any more: neither for measurements nor for the evaluator, and what is due is closed.
TAKEN_IN: Final = """
SELECT coalesce(sum(next_offset), 0)::bigint AS reached,
       (SELECT count(*) FROM outbox) AS waiting
FROM kafka_offset WHERE topic = $1
"""
PUBLISHED: Final = """
SELECT NOT EXISTS (SELECT FROM changed_window)
   AND NOT EXISTS (SELECT FROM outbox)
   AND EXISTS (SELECT FROM judged_window WHERE edition > 0)
   AND NOT EXISTS (
       SELECT FROM judged_window w
       WHERE w.stale OR (w.edition = 0 AND w.closes_at <= now() AND EXISTS (
           SELECT FROM tally t
           WHERE (t.municipality, t.compromiso, t.unit, t.window_id)
               = (w.municipality, w.compromiso, w.unit, w.window_id)
       ))
   )
"""
HOLDS: Final = """
SELECT (SELECT count(*) FROM measured_case) AS cases,
       (SELECT count(*) FROM verdict) AS verdicts,
       (SELECT count(*) FROM judged_window) AS windows,
       (SELECT count(*) FROM edition) AS editions
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the evaluator's database holds, and how many events it was made of."""

    events: int
    cases: int
    verdicts: int
    windows: int
    editions: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One recomputation. `summary` is the command's own last line."""

    seconds: float
    mebibytes: float
    postgres_mebibytes: float
    summary: str


def quarter(events: int) -> WholeQuarter:
    """Return the quarter of the whole municipality, with about so many events."""
    text = whole_catalogue(CARTAS, PROCEDURES, COMPROMISOS)
    catalogue = read_catalogue(text.encode()).catalogue
    assert catalogue is not None, "the simulator's own catalogue is valid"
    working = next(each for each in catalogue.calendars if each.id == "HABIL")
    cartas = [Carta(c.data.carta, c.data.unit, c.data.services) for c in catalogue.cartas]
    return WholeQuarter(cartas, PreparedCalendar(working), *QUARTER, events)


async def found(made: Bench) -> None:
    """Load the catalogue and register the one source of everything."""
    file = made.folder / "municipio.yaml"
    file.write_text(whole_catalogue(CARTAS, PROCEDURES, COMPROMISOS), encoding="utf-8")
    async with made.system(["cartas", "measurements"]) as system:
        await system.run("services.cartas", "load", str(file))
        await system.run(
            *("services.measurements", "source", "add", "--municipality", TOWN),
            *("--source", SOURCE, "--services", "*", "--reports", "*"),
            *("--attributes", ATTRIBUTES),
        )


async def fill(made: Bench, told: WholeQuarter) -> int:
    """Put the quarter on the topics before anybody reads them; return the number of events."""
    producer = AIOKafkaProducer(**producer_options(made.settings()), linger_ms=20)
    await producer.start()
    sent = 0
    try:
        for events in told.cases():
            for event in events:
                name = f"{PREFIX}{topics.SERVICE_EVENTS.name}"
                await producer.send(name, hot.encode(event), key=key_of(event))
            sent += len(events)
        for folio in told.folios():
            changed = ComplaintChanged(
                id=f"{folio.folio}-1", source="/buzon", time=folio.filed_at, data=folio
            )
            name = f"{PREFIX}{topics.COMPLAINTS.name}"
            await producer.send(name, changed.to_bytes(), key=changed.key.encode())
        await producer.flush()
    finally:
        await producer.stop()
    return sent


async def take_in(made: Bench, events: int) -> Holding:
    """Run the services until every fact is stored and every result is published."""
    began = time.monotonic()
    async with made.system(["cartas", "buzon", "measurements", "evaluator"]):
        measurements = await asyncpg.connect(made.database_url("measurements"))
        evaluator = await asyncpg.connect(made.database_url("evaluator"))
        try:
            topic = f"{PREFIX}{topics.SERVICE_EVENTS.name}"
            while not _is_through(await measurements.fetchrow(TAKEN_IN, topic), events):
                await asyncio.sleep(POLL_SECONDS)
            while not await evaluator.fetchval(PUBLISHED):
                await asyncio.sleep(POLL_SECONDS)
            holds = await evaluator.fetchrow(HOLDS)
            await evaluator.execute("VACUUM (ANALYZE)")
        finally:
            await measurements.close()
            await evaluator.close()
    assert holds is not None
    return Holding(events=events, **holds, minutes=(time.monotonic() - began) / 60)


def _is_through(row: asyncpg.Record | None, events: int) -> bool:
    return row is not None and row["reached"] >= events and row["waiting"] == 0


def recompute(made: Bench, processes: int) -> Measured:
    """Time the command; fail where a result differs."""
    url = made.database_url("evaluator")
    environment = environment_of("evaluator", url, kafka=made.servers.kafka, prefix=PREFIX, port=1)
    command = [sys.executable, "-m", "services.evaluator", "recompute", TOWN]
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, "--processes", str(processes)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        most = most_postgres = 0
        while process.poll() is None:
            most = max(most, pss(psutil.Process(process.pid)))
            most_postgres = max(most_postgres, pss(made.postgres))
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - began
        output = process.stdout.read() if process.stdout else ""
    if process.returncode != 0:
        raise SystemExit(output[-3000:])
    return Measured(seconds, most / 2**20, most_postgres / 2**20, output.splitlines()[-1])


async def run(events: int, processes: int, folder: Path | None) -> tuple[Holding, Measured]:
    """Take the quarter in, unless the folder has it; then recompute it."""
    async with bench(folder) as made:
        kept = made.folder / "holding.json"
        if kept.exists():
            holding = Holding(**json.loads(kept.read_text()))
            await made.database("evaluator")
        else:
            await found(made)
            holding = await take_in(made, await fill(made, quarter(events)))
            kept.write_text(json.dumps(asdict(holding)))
        return holding, await asyncio.to_thread(recompute, made, processes)


def table(holding: Holding, measured: Measured) -> str:
    """Return what was measured in Markdown."""
    rows = [
        ("events", f"{holding.events:,}"),
        ("stored cases", f"{holding.cases:,}"),
        ("verdicts", f"{holding.verdicts:,}"),
        ("windows, frozen editions", f"{holding.windows:,}, {holding.editions:,}"),
        ("taken in, judged and published, minutes", f"{holding.minutes:.1f}"),
        ("recomputed, seconds", f"{measured.seconds:.1f}"),
        ("greatest PSS of the command, MiB", f"{measured.mebibytes:.0f}"),
        ("greatest PSS of PostgreSQL meanwhile, MiB", f"{measured.postgres_mebibytes:.0f}"),
        ("outcome", measured.summary),
    ]
    return "\n".join(
        ["| what | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A whole quarter recomputed.")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="Where what was taken in is kept.")
    arguments = parser.parse_args()
    folder = None if arguments.folder is None else arguments.folder.resolve()
    holding, measured = asyncio.run(run(arguments.events, arguments.processes, folder))
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, load average {load:.1f}\n")
    print(table(holding, measured))


if __name__ == "__main__":
    main()
