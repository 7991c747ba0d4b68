"""What calendars that were decreed or corrected later moved, and with which each window closed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.evaluator.domain.judging import Closed
from shared.database import Connection, Pool

# The primary key of `judged_window` leads to a municipality's windows.
CLOSED = """
SELECT compromiso, unit, window_id, result -> 'calendar_versions' AS versions
FROM judged_window
WHERE municipality = $1 AND compromiso = ANY($2) AND edition > 0 AND result IS NOT NULL
"""
KEEP = """
INSERT INTO redating (municipality, case_id, compromiso, part, window_id, calendar, from_version,
                      to_version, due_before, due_after, is_open, redated_at)
SELECT *, $12
FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[],
            $7::integer[], $8::integer[], $9::timestamptz[], $10::timestamptz[], $11::boolean[])
"""
LISTED = """
SELECT redating, case_id, compromiso, part, window_id, calendar, from_version, to_version,
       due_before, due_after, is_open, redated_at
FROM redating
WHERE municipality = $1 AND redating > $2
ORDER BY redating
LIMIT $3
"""
SUMMED = """
SELECT calendar, from_version, to_version, count(*) AS verdicts,
       count(*) FILTER (WHERE is_open) AS open_verdicts, min(due_after - due_before) AS least,
       max(due_after - due_before) AS most
FROM redating
WHERE municipality = $1
GROUP BY calendar, from_version, to_version
ORDER BY calendar, to_version, from_version
"""


@dataclass(frozen=True, slots=True)
class Redating:
    """One verdict whose due instant moved with its calendar, the facts being the same."""

    municipality: str
    case: str
    compromiso: str
    part: int
    window_id: str | None
    calendar: str
    from_version: int
    to_version: int
    due_before: datetime
    due_after: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """What one change of a calendar moved: how many verdicts, and the least and greatest shift."""

    calendar: str
    from_version: int
    to_version: int
    verdicts: int
    open_verdicts: int
    least: timedelta
    most: timedelta


async def closed_windows(
    connection: Connection, municipality: str, compromisos: Sequence[str]
) -> Closed:
    """Return the versions of calendars that each closed window was closed with."""
    rows = await connection.fetch(CLOSED, municipality, list(compromisos))
    return {
        (row["compromiso"], row["unit"], row["window_id"]): json.loads(row["versions"] or "{}")
        for row in rows
    }


async def keep(connection: Connection, found: Iterable[Redating], at: datetime) -> None:
    """Append to the record."""
    rows = [
        (
            *(each.municipality, each.case, each.compromiso, each.part, each.window_id),
            *(each.calendar, each.from_version, each.to_version),
            *(each.due_before, each.due_after, each.is_open),
        )
        for each in found
    ]
    if rows:
        await connection.execute(KEEP, *map(list, zip(*rows, strict=True)), at)


async def listed(
    pool: Pool, municipality: str, *, after: int, limit: int
) -> list[dict[str, object]]:
    """Return a page of the record, oldest first."""
    return [dict(row) for row in await pool.fetch(LISTED, municipality, after, limit)]


async def summed(pool: Pool, municipality: str) -> list[Moved]:
    """Return what each change of a calendar moved."""
    return [Moved(**row) for row in await pool.fetch(SUMMED, municipality)]
