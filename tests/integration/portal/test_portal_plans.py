"""What a page reads it finds by index, in a municipality among 360 with years of results."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.portal.store import catalogue, results
from tests.support.databases import Templates

FILL = """
INSERT INTO catalogue (municipality, kind, id, version, data)
SELECT 'm-' || town, kind, 'K-' || n, 1, '{}'
FROM generate_series(1, 360) AS town, generate_series(1, 20) AS n,
     unnest(ARRAY['unit', 'carta']) AS kind;
INSERT INTO result (municipality, compromiso, unit, window_id, edition, carta, sequence, status,
                    window_end, data)
SELECT 'm-' || town, 'C-' || n, 'u', 'w-' || w, 1, 'K-' || n % 20, 1, 'final',
       '2026-01-01'::timestamptz + w * interval '30 days', '{}'
FROM generate_series(1, 360) AS town, generate_series(1, 30) AS n, generate_series(1, 5) AS w;
INSERT INTO action (municipality, action, revision, carta, data)
SELECT 'm-' || town, 'A-' || n, 1, 'K-' || n, '{}'
FROM generate_series(1, 360) AS town, generate_series(1, 20) AS n;
ANALYZE;
"""
TOWN = "m-7"
READ: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "headings": (catalogue.CARTAS, (TOWN,), "catalogue_pkey"),
    "some cartas": (catalogue.SOME_CARTAS, (TOWN, ["K-1", "K-2"]), "catalogue_pkey"),
    "units": (catalogue.LATEST_OF_KIND, (TOWN, "unit"), "catalogue_pkey"),
    "last closed windows": (results.LATEST_CLOSED, (TOWN,), "result_latest"),
    "a carta": (results.OF_CARTA, (TOWN, "K-1", False), "result_by_carta"),
    "states of a window": (results.OF_WINDOW, (TOWN, "C-1", "u", "w-1"), "result_pkey"),
    "actions": (results.ACTIONS, (TOWN,), "action_"),
    "actions of a carta": (results.ACTIONS_OF_CARTA, (TOWN, "K-1"), "action_by_carta"),
}


@pytest_asyncio.fixture(scope="module")
async def filled(database_templates: Templates) -> AsyncIterator[asyncpg.Connection]:
    name = await database_templates.copy("portal")
    connection = await asyncpg.connect(database_templates.url(name))
    try:
        await connection.execute(FILL)
        yield connection
    finally:
        await connection.close()
        await database_templates.drop(name)


@pytest.mark.parametrize("name", READ)
async def test_a_page_reads_no_table_from_end_to_end(filled: asyncpg.Connection, name: str) -> None:
    query, arguments, index = READ[name]
    plan = json.loads(await filled.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments))
    nodes = _nodes(plan[0]["Plan"])
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}, plan
    used = {node["Index Name"] for node in nodes if "Index Name" in node}
    assert any(each.startswith(index) for each in used), plan


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]
