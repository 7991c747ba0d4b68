"""The frozen editions of each window, as they were published."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from services.evaluator.domain.records import Record
from services.evaluator.store.windows import WindowKey
from shared.contracts.results import ResultData
from shared.database import Connection

KEEP = """
INSERT INTO edition (municipality, compromiso, unit, window_id, edition, result, digest,
                     result_schema)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)
"""
OF_WINDOW = """
SELECT result
FROM edition
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
ORDER BY edition
"""
# By the primary key. What a silent source left out is not to be expected.
LATEST_PARTS = """
SELECT DISTINCT ON (municipality, compromiso, unit, window_id)
       municipality, compromiso, unit, window_id, e.result -> 'parts' AS parts
FROM edition e
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (municipality, compromiso, unit, window_id)
    USING (municipality, compromiso, unit, window_id)
WHERE e.result ->> 'reason' IS DISTINCT FROM 'fuente_sin_datos'
ORDER BY municipality, compromiso, unit, window_id, e.edition DESC
"""
OF_TOWN = """
SELECT compromiso, unit, window_id, result, digest, result_schema AS schema
FROM edition
WHERE municipality = $1 AND ($2::text[] IS NULL OR compromiso = ANY ($2))
ORDER BY compromiso, unit, window_id, edition
"""
RUNNING = """
SELECT result
FROM judged_window
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND edition = 0
    AND result IS NOT NULL
"""


async def keep(connection: Connection, key: WindowKey, *, edition: int, record: Record) -> None:
    """Keep a frozen edition for ever. Raises where it is kept already: it does not change."""
    await connection.execute(KEEP, *key, edition, record.json, record.digest, record.schema)


async def of_window(connection: Connection, key: WindowKey) -> list[ResultData]:
    """Return the editions of a window, oldest first; while it runs, its provisional result."""
    rows = await connection.fetch(OF_WINDOW, *key) or await connection.fetch(RUNNING, *key)
    return [ResultData.model_validate_json(row["result"]) for row in rows]


async def latest_parts(
    connection: Connection, keys: Collection[WindowKey]
) -> dict[WindowKey, list[dict[str, Any]]]:
    """Return the parts of the latest editions of those windows that have one."""
    rows = await connection.fetch(LATEST_PARTS, *zip(*keys, strict=True)) if keys else ()
    return {tuple(row.values())[:4]: json.loads(row["parts"]) for row in rows}


async def of_town(
    connection: Connection, municipality: str, compromisos: Sequence[str] | None
) -> dict[WindowKey, Sequence[Record]]:
    """Return the editions of some promises (None: all), those of a window oldest first."""
    found: dict[WindowKey, list[Record]] = {}
    for row in await connection.fetch(OF_TOWN, municipality, compromisos):
        key = (municipality, row["compromiso"], row["unit"], row["window_id"])
        record = Record(row["result"], row["digest"] or b"", row["schema"] or "")
        found.setdefault(key, []).append(record)
    return dict[WindowKey, Sequence[Record]](found)
