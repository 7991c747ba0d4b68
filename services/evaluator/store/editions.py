"""The frozen editions of each window, as they were published."""

from services.evaluator.store.tallies import WindowKey
from shared.contracts.results import ResultData
from shared.database import Connection

KEEP = """
INSERT INTO edition (municipality, compromiso, unit, window_id, edition, result)
VALUES ($1, $2, $3, $4, $5, $6::jsonb)
"""
OF_WINDOW = """
SELECT result
FROM edition
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
ORDER BY edition
"""
RUNNING = """
SELECT result
FROM judged_window
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND edition = 0
    AND result IS NOT NULL
"""


async def keep(connection: Connection, key: WindowKey, *, edition: int, result: str) -> None:
    """Keep a frozen edition for ever. Raises where it is kept already: it does not change."""
    await connection.execute(KEEP, *key, edition, result)


async def of_window(connection: Connection, key: WindowKey) -> list[ResultData]:
    """Return the editions of a window, oldest first; while it runs, its provisional result."""
    rows = await connection.fetch(OF_WINDOW, *key) or await connection.fetch(RUNNING, *key)
    return [ResultData.model_validate_json(row["result"]) for row in rows]
