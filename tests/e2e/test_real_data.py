"""The real data sets through the real system; every figure computed again with plain Python."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.real_data.data_sets import DATA_SETS, NYC_DAY, WARSAW_TICKETS
from benchmarks.real_data.public_file import missing_from_public_file
from benchmarks.real_data.replay import final_results, replay
from benchmarks.real_data.table import Row, rows_of
from tests.support.databases import FreshDatabase
from tests.support.servers import Servers
from tests.support.systems import running_system

SERVICES = ("cartas", "measurements", "evaluator", "portal")
NYC_FORMAT = "%m/%d/%Y %I:%M:%S %p"
NYC_NOW = datetime(2014, 4, 24, 17, 54, 27)  # noqa: DTZ001 - the file's local times as they stand

Key = tuple[str, str, str]


def warsaw_figures(file: Path) -> dict[Key, tuple[int, int]]:
    """Met and all tickets, by office and month of the due instant, and all together.

    The columns carry Warsaw's offset, which is +01:00 throughout: the date as written is local.
    """
    met: Counter[Key] = Counter()
    tickets: Counter[Key] = Counter()
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            issued = datetime.fromisoformat(row["issued_by"])
            due = issued + timedelta(minutes=15)
            called = datetime.fromisoformat(row["called_by"]) if row["called_by"] else None
            in_time = called is not None and called <= due
            for key in (
                ("WAW-01-MES", row["office"], f"{due:%Y-%m}"),
                ("WAW-01-PERIODO", "todas-las-oficinas", "periodo"),
            ):
                tickets[key] += 1
                met[key] += in_time
    return {key: (met[key], tickets[key]) for key in tickets}


def nyc_cases(file: Path) -> Iterator[tuple[str, datetime, datetime | None, datetime | None]]:
    """Agency, created, closed, the city's due date."""
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield (
                row["Agency"],
                datetime.strptime(row["Created Date"], NYC_FORMAT),  # noqa: DTZ007
                _nyc_time(row["Closed Date"]),
                _nyc_time(row["Due Date"]),
            )


def _nyc_time(text: str) -> datetime | None:
    return datetime.strptime(text, NYC_FORMAT) if text else None  # noqa: DTZ007


def nyc_figures(file: Path) -> dict[Key, Counter[str]]:
    """Counts by agency and all together, under five days and under the city's own due dates."""
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for agency, created, closed, own_due in nyc_cases(file):
        for suffix, unit in (("", "todas-las-agencias"), ("-AGENCIA", agency)):
            five_days = _outcome(created, closed, created + timedelta(hours=120))
            counts[f"NYC-01-5D{suffix}", unit, "2013-12-25"][five_days] += 1
            own = _outcome(created, closed, own_due)
            counts[f"NYC-01-PLAZO{suffix}", unit, "2013-12-25"][own] += 1
    return counts


def _outcome(created: datetime, closed: datetime | None, due: datetime | None) -> str:
    if closed is not None and closed < created:
        return "fin_anterior_al_inicio"
    if due is None:
        return "limite_desconocido"
    if closed is None:
        return "failed" if due <= NYC_NOW else "pending"
    return "met" if closed <= due else "failed"


def _share(met: int, decided: int) -> str:
    if not decided:
        return ""
    exact = Fraction(100 * met, decided)
    return str(round(Decimal(exact.numerator) / Decimal(exact.denominator), 4))


# The whole of both files: minutes on a busy machine.
@pytest.mark.timeout(900)
async def test_every_figure_equals_plain_python(
    servers: Servers,
    database: FreshDatabase,
    topic_prefix: str,
    tmp_path: Path,
    shared_data: Path,
) -> None:
    data = shared_data / "data"
    async with running_system(
        servers, database, topic_prefix, log_dir=tmp_path, services=SERVICES
    ) as system:
        rows: dict[Key, Row] = {}
        async with system.client("evaluator") as evaluator, system.client("portal") as portal:
            for data_set in DATA_SETS:
                await replay(data_set, data, system.run)
                results = await final_results(data_set, evaluator)
                listed = rows_of(data_set.name, results)
                rows |= {(row.compromiso, row.unit, row.window): row for row in listed}
                assert not await missing_from_public_file(portal, data_set.municipality, results)
        for data_set in DATA_SETS:
            compared = await system.run("services.evaluator", "recompute", data_set.municipality)
            assert " 0 different" in compared

    warsaw = warsaw_figures(data / WARSAW_TICKETS.file)
    nyc = nyc_figures(data / NYC_DAY.file)
    assert rows.keys() == warsaw.keys() | nyc.keys()
    for key, (met, tickets) in warsaw.items():
        row = rows[key]
        assert (row.numerator, row.denominator, row.pending, row.excluded) == (met, tickets, 0, "")
        assert row.share == _share(met, tickets)
        assert row.verdict == ("met" if 100 * met >= 80 * tickets else "not_met"), key
    for key, counts in nyc.items():
        row = rows[key]
        decided = counts["met"] + counts["failed"]
        excluded = {
            name: count
            for name, count in counts.items()
            if name not in ("met", "failed", "pending") and count
        }
        written = " ".join(f"{name}={count}" for name, count in sorted(excluded.items()))
        assert (row.numerator, row.denominator) == (counts["met"], decided), key
        assert (row.pending, row.excluded) == (counts["pending"], written), key
        assert row.share == _share(counts["met"], decided), key
