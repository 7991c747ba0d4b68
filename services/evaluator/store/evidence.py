"""What stands behind a figure, for those who may see it."""

from typing import Any

from services.evaluator.store.cases import STATUS_CODES
from services.evaluator.store.windows import WindowKey
from shared.criteria import CaseStatus
from shared.database import Pool

Place = tuple[str, str, str]
"""Compromiso, unit, window id."""

CASES = """
SELECT v.case_id, v.part, v.status, v.reason, v.due_at, v.amount, v.overdue_open, v.carta_version
FROM (
    SELECT w.municipality, w.compromiso, p.case_id, p.part, p.slice
    FROM judged_window w
    JOIN case_in_window p ON p.window_no = w.window_no AND p.status = $5::text::"char"
    WHERE w.municipality = $1 AND w.compromiso = $2 AND w.unit = $3 AND w.window_id = $4
        AND (p.case_id, p.part) > ($6, $7)
    ORDER BY p.case_id, p.part
    LIMIT $8
) AS page
JOIN verdict v USING (municipality, case_id, compromiso, part, slice)
ORDER BY v.case_id, v.part
"""
EXPLANATION = """
SELECT v.part, v.carta_version, v.unit, v.window_id, v.status, v.reason, v.due_at, v.amount,
       v.overdue_open, v.historical, v.calendar_version,
       c.data::jsonb AS facts, c.traceparent
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
# In the order of the primary key, so that a page begins where the last one ended.
RESULTS = """
SELECT compromiso, unit, window_id, result FROM judged_window
WHERE municipality = $1 AND result IS NOT NULL
    AND ($2::text IS NULL OR compromiso = $2) AND ($3::text IS NULL OR unit = $3)
    AND (compromiso, unit, window_id) > ($4, $5, $6)
ORDER BY compromiso, unit, window_id
LIMIT $7
"""
OPEN = """
SELECT count(*) FROM judged_window
WHERE municipality = $1 AND edition = 0
    AND ($2::text IS NULL OR compromiso = $2) AND ($3::text IS NULL OR unit = $3)
"""


async def cases(
    pool: Pool, window: WindowKey, status: str, *, after: tuple[str, int], limit: int
) -> list[dict[str, Any]]:
    """Return a page of verdicts in order of case and part."""
    code = STATUS_CODES[CaseStatus(status)]
    return [dict(row) for row in await pool.fetch(CASES, *window, code, *after, limit)]


async def explanation(
    pool: Pool, municipality: str, compromiso: str, case: str
) -> list[dict[str, Any]]:
    """Return the verdicts on a case under a compromiso with the facts they rest on."""
    return [dict(row) for row in await pool.fetch(EXPLANATION, municipality, compromiso, case)]


async def standing(pool: Pool, municipality: str, case: str) -> list[dict[str, Any]]:
    """Return where a case counts, under every compromiso, with the cut-offs of its windows."""
    return [dict(row) for row in await pool.fetch(STANDING, municipality, case)]


async def results(
    pool: Pool,
    municipality: str,
    *,
    compromiso: str | None,
    unit: str | None,
    after: Place,
    limit: int,
) -> list[tuple[Place, str]]:
    """Return a page of latest results as JSON, each with its place in the order."""
    page = await pool.fetch(RESULTS, municipality, compromiso, unit, *after, limit)
    return [((row["compromiso"], row["unit"], row["window_id"]), row["result"]) for row in page]


async def open_windows(
    pool: Pool, municipality: str, *, compromiso: str | None, unit: str | None
) -> int:
    """Return how many windows have no final result yet."""
    return int(await pool.fetchval(OPEN, municipality, compromiso, unit))
