"""The hot queries find their rows by index in a municipality with 200,000 cases."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.evaluator.store import (
    breaches,
    cases,
    catalogue,
    changed_windows,
    editions,
    evidence,
    sums,
)
from services.evaluator.store import windows as window_store
from tests.support.databases import Templates
from tests.unit.evaluator.builders import local

FILL = """
INSERT INTO measured_case (municipality, case_id, revision, service, began_at, data, verdicts)
SELECT 'nogal', 'A-' || n, 1, 'S-' || n % 20, '2026-09-01'::timestamptz + n * interval '1 minute',
       repeat('{}', 150),
       json_build_array(json_build_array('C-' || n % 20, 0, 0, 1, 'u', 'w', 'met', NULL, NULL, NULL,
           false, '', NULL, false, NULL, NULL))::text
FROM generate_series(1, 200000) AS n;
INSERT INTO case_in_window (window_no, status, case_id, part, slice, alarm_at)
SELECT 1 + n % 20,
       (CASE WHEN n % 10 = 0 THEN 'f' WHEN n % 100 = 1 THEN 'p' ELSE 'm' END)::"char", 'A-' || n,
       0, 0, CASE WHEN n % 100 = 1 THEN '2026-09-01'::timestamptz + n * interval '1 minute' END
FROM generate_series(1, 200000) AS n;
INSERT INTO alarm (municipality, case_id, historical, alarm_at)
SELECT 'nogal', 'A-' || n, false, '2026-09-01'::timestamptz + n * interval '1 minute'
FROM generate_series(1, 200000, 100) AS n;
INSERT INTO tally (municipality, compromiso, unit, window_id, carta_version, part, writer, met,
                   failed, pending, excluded, overdue_open, amount_sum, amount_count, historical)
SELECT 'nogal', 'C-' || n, 'u', 'w', 1, 0, w, 1, 0, 0, '{}', 0, 0, 0, 0
FROM generate_series(1, 20000) AS n, generate_series(1, 10) AS w;
INSERT INTO spread (municipality, compromiso, unit, window_id, carta_version, part, cell, span_from,
                    span_to, writer, count)
SELECT 'nogal', 'C-' || n, 'u', 'w', 1, 0, '', s, s, 1, 1
FROM generate_series(1, 2000) AS n, generate_series(1, 20) AS s;
INSERT INTO judged_window (municipality, compromiso, unit, window_id, carta, carta_version,
                           starts_at, ends_at, closes_at, try_closing_at, opened_at, edition,
                           stale)
SELECT 'nogal', 'C-' || n, 'u', 'w', 'K', 1, '2026-09-01', '2026-10-01', '2026-10-15',
       '2026-10-15', '2026-09-01', (n > 9)::int, n < 9
FROM generate_series(1, 20000) AS n;
INSERT INTO changed_window SELECT 1 + n % 20000 FROM generate_series(1, 40000) AS n;
INSERT INTO edition (municipality, compromiso, unit, window_id, edition, result)
SELECT 'nogal', 'C-' || n, 'u', 'w-' || w, 1, '{"parts": []}'
FROM generate_series(1, 2000) AS n, generate_series(1, 20) AS w;
ANALYZE;
"""
FILL_YOUNG = f"{FILL.partition(';')[0].replace('200000', '10000')}; ANALYZE measured_case"
WINDOW = ("nogal", "C-1", "u", "w")
WINDOWS = tuple([part] for part in WINDOW)
SOME = [f"A-{n * 311}" for n in range(1, 500)]
LINES = ("\n".join(["nogal"] * len(SOME)), "\n".join(SOME), len(SOME))
HOT: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "alarm scan": (
        cases.ALARMED,
        ("nogal", False, local("2026-09-02 00:00"), "", 1000),
        "alarm_due",
    ),
    "alarm at the cut-off": (
        cases.ALARM_IS_DUE,
        (*WINDOW, False, local("2026-10-01 00:00")),
        "case_in_window_pkey",
    ),
    "changed counts": (changed_windows.NEXT, (0, 500), "changed_window_no"),
    "counts of windows": (sums.PARTIAL, WINDOWS, "tally_pkey"),
    "amounts of windows": (sums.SPREAD, WINDOWS, "spread_pkey"),
    "windows to publish": (window_store.STALE, (500,), "window_stale"),
    "windows to close": (
        window_store.TO_CLOSE,
        (local("2026-11-01 00:00"), 500),
        "window_to_close",
    ),
    "failing cases": (cases.FAILING, (*WINDOWS, 20), "case_in_window_pkey"),
    "a page of cases": (evidence.CASES, (*WINDOW, "m", "", -1, 100), "case_in_window_pkey"),
    "an explanation": (evidence.EXPLANATION, ("nogal", "C-1", "A-1"), "measured_case_pkey"),
    "cases of a batch": (cases.LOCK, LINES, "measured_case_pkey"),
    "judging again": (
        cases.OF_SERVICE,
        ("nogal", "S-3", local("2026-09-02 00:00"), "A-5", 1000),
        "case_of_service",
    ),
    "rejudging": (catalogue.REJUDGING_OF, ("nogal", ["S-3"]), ""),
    "volumes of closed windows": (
        editions.LATEST_PARTS,
        (*([part, part] for part in WINDOW[:3]), ["w-1", "w-2"]),
        "edition_pkey",
    ),
    "standing breaches": (breaches.STANDING, WINDOWS, ""),
}
BIG = (
    "measured_case",
    "case_in_window",
    "alarm",
    "tally",
    "spread",
    "changed_window",
    "judged_window",
    "edition",
)


@pytest_asyncio.fixture(scope="module")
async def filled(database_templates: Templates) -> AsyncIterator[asyncpg.Connection]:
    name = await database_templates.copy("evaluator")
    connection = await asyncpg.connect(database_templates.url(name))
    try:
        await connection.execute(FILL)
        yield connection
    finally:
        await connection.close()
        await database_templates.drop(name)


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_query_reads_no_table_from_end_to_end(
    filled: asyncpg.Connection, name: str
) -> None:
    query, arguments, index = HOT[name]
    plan = json.loads(await filled.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments))
    nodes = list(_nodes(plan[0]["Plan"]))
    read_whole = {n["Relation Name"] for n in nodes if n["Node Type"] == "Seq Scan"}
    assert not read_whole & set(BIG), plan
    used = " ".join(n.get("Index Name", "") for n in nodes)
    assert index in used, plan


async def test_a_few_cases_of_a_young_town_are_found_by_index(
    database_templates: Templates,
) -> None:
    """Its cases could be read from end to end in 10 ms, again with each batch of twenty."""
    few = SOME[:20]
    lines = ("\n".join(["nogal"] * len(few)), "\n".join(few), len(few))
    name = await database_templates.copy("evaluator")
    connection = await asyncpg.connect(database_templates.url(name))
    try:
        await connection.execute(FILL_YOUNG)
        plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {cases.LOCK}", *lines))
    finally:
        await connection.close()
        await database_templates.drop(name)
    assert "measured_case_pkey" in {n.get("Index Name") for n in _nodes(plan[0]["Plan"])}, plan


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]
