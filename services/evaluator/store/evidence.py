"""What stands behind a figure, for those who may see it."""

from typing import Any

from services.evaluator.store.tallies import WindowKey
from shared.database import Pool

CASES = """
SELECT case_id, part, status, reason, due_at, amount, overdue_open, carta_version
FROM verdict
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND status = $5
    AND (case_id, part) > ($6, $7)
ORDER BY case_id, part
LIMIT $8
"""
EXPLANATION = """
SELECT v.part, v.carta_version, v.unit, v.window_id, v.status, v.reason, v.due_at, v.amount,
       v.overdue_open, v.historical, v.calendar_version,
       convert_from(c.data, 'UTF8')::jsonb AS facts, c.traceparent
FROM verdict v
JOIN measured_case c USING (municipality, case_id)
WHERE v.municipality = $1 AND v.compromiso = $2 AND v.case_id = $3
ORDER BY v.part
"""
STANDING = """
SELECT v.compromiso, v.part, v.unit, v.window_id, v.status, v.reason, v.historical, w.closes_at
FROM verdict v
LEFT JOIN judged_window w USING (municipality, compromiso, unit, window_id)
WHERE v.municipality = $1 AND v.case_id = $2
ORDER BY v.compromiso, v.part
"""
RESULTS = """
SELECT result FROM judged_window
WHERE municipality = $1 AND result IS NOT NULL
ORDER BY compromiso, unit, starts_at
"""


async def cases(
    pool: Pool, window: WindowKey, status: str, *, after: tuple[str, int], limit: int
) -> list[dict[str, Any]]:
    """Return a page of verdicts in order of case and part."""
    return [dict(row) for row in await pool.fetch(CASES, *window, status, *after, limit)]


async def explanation(
    pool: Pool, municipality: str, compromiso: str, case: str
) -> list[dict[str, Any]]:
    """Return the verdicts on a case under a compromiso with the facts they rest on."""
    return [dict(row) for row in await pool.fetch(EXPLANATION, municipality, compromiso, case)]


async def standing(pool: Pool, municipality: str, case: str) -> list[dict[str, Any]]:
    """Return where a case counts, under every compromiso, with the cut-offs of its windows."""
    return [dict(row) for row in await pool.fetch(STANDING, municipality, case)]


async def results(pool: Pool, municipality: str) -> list[str]:
    """Return the latest results of a municipality as JSON."""
    return [row["result"] for row in await pool.fetch(RESULTS, municipality)]
