"""Results, statements, folios and actions as they arrived; the newest state of each."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from asyncpg import Record

from services.portal.domain.figures import OpenWindow
from shared.contracts.breaches import BreachEvent
from shared.contracts.complaints import ComplaintData
from shared.contracts.corrective_actions import ActionData
from shared.contracts.results import Prospect, ResultData, Verdict
from shared.database import Connection

KEEP_RESULT = """
INSERT INTO result (municipality, compromiso, unit, window_id, edition, carta, sequence, status,
                    window_end, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json)
ON CONFLICT (municipality, compromiso, unit, window_id, edition) DO UPDATE
SET carta = excluded.carta, sequence = excluded.sequence, status = excluded.status,
    window_end = excluded.window_end, data = excluded.data
WHERE result.sequence < excluded.sequence
"""
# Of each compromiso and unit the last closed window in its last edition. The index is entered anew
# for each, so that a page costs the same after years of windows.
LATEST_CLOSED = """
WITH RECURSIVE subject AS (
    (
        SELECT compromiso, unit FROM result
        WHERE municipality = $1 AND status = 'final'
        ORDER BY compromiso, unit
        LIMIT 1
    )
    UNION ALL
    SELECT following.compromiso, following.unit
    FROM subject CROSS JOIN LATERAL (
        SELECT compromiso, unit FROM result
        WHERE municipality = $1 AND status = 'final'
            AND (compromiso, unit) > (subject.compromiso, subject.unit)
        ORDER BY compromiso, unit
        LIMIT 1
    ) AS following
)
SELECT latest.data
FROM subject CROSS JOIN LATERAL (
    SELECT data FROM result
    WHERE municipality = $1 AND compromiso = subject.compromiso AND unit = subject.unit
        AND status = 'final'
    ORDER BY window_end DESC, edition DESC
    LIMIT 1
) AS latest
"""
OF_CARTA = """
SELECT data FROM result
WHERE municipality = $1 AND carta = $2 AND (status = 'final' OR $3)
"""
OF_MUNICIPALITY = "SELECT data FROM result WHERE municipality = $1 AND (status = 'final' OR $2)"
# By the primary key: the windows without an edition that is frozen, of some cartas or units.
RUNNING = """
SELECT data
FROM result
WHERE municipality = $1 AND (carta = ANY ($2) OR unit = ANY ($3)) AND edition = 0 AND NOT EXISTS (
    SELECT FROM result later
    WHERE (later.municipality, later.compromiso, later.unit, later.window_id)
        = (result.municipality, result.compromiso, result.unit, result.window_id)
        AND later.edition > 0
)
"""
# As RUNNING, of a whole municipality and without the evidence.
OPEN_WINDOWS = """
SELECT compromiso, data ->> 'verdict' AS verdict, data ->> 'prospect' AS prospect,
       (data ->> 'at_risk')::boolean AS at_risk
FROM result
WHERE municipality = $1 AND edition = 0 AND NOT EXISTS (
    SELECT FROM result later
    WHERE (later.municipality, later.compromiso, later.unit, later.window_id)
        = (result.municipality, result.compromiso, result.unit, result.window_id)
        AND later.edition > 0
)
"""
# By the primary key without its edition.
OF_WINDOW = """
SELECT data FROM result
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
"""

KEEP_STATEMENT = """
INSERT INTO breach (event_id, municipality, responsible_unit, carta, compromiso, unit, window_id,
                    kind, case_id, due_at, stated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (event_id) DO NOTHING
"""
RECENT_STATEMENTS = """
SELECT carta, compromiso, unit, window_id, kind, count(*) AS times, max(stated_at) AS last_at,
       (array_agg(case_id ORDER BY stated_at DESC) FILTER (WHERE case_id IS NOT NULL))[1:5] AS cases
FROM breach
WHERE municipality = $1 AND responsible_unit = ANY ($2) AND stated_at >= $3
  AND kind IN ('late_case', 'at_risk')
GROUP BY carta, compromiso, unit, window_id, kind
ORDER BY last_at DESC
LIMIT 50
"""
KEEP_ACTION = """
INSERT INTO action (municipality, action, revision, carta, data)
VALUES ($1, $2, $3, $4, $5::json)
ON CONFLICT (municipality, action) DO UPDATE
SET revision = excluded.revision, carta = excluded.carta, data = excluded.data
WHERE action.revision < excluded.revision
"""
ACTIONS = "SELECT data FROM action WHERE municipality = $1"
ACTIONS_OF_CARTA = "SELECT data FROM action WHERE municipality = $1 AND carta = $2"


async def keep_results(connection: Connection, results: Iterable[ResultData]) -> None:
    """Keep each unless a later state of it is already here."""
    rows = [
        (
            *(each.municipality, each.compromiso, each.unit, each.window.id, each.edition),
            *(each.carta, each.sequence, each.status.value, each.window.end),
            each.model_dump_json(),
        )
        for each in results
    ]
    await connection.executemany(KEEP_RESULT, rows)


async def latest_closed(connection: Connection, municipality: str) -> list[ResultData]:
    return _results(await connection.fetch(LATEST_CLOSED, municipality))


async def of_carta(
    connection: Connection, municipality: str, carta: str, *, running: bool
) -> list[ResultData]:
    """Return the results of a carta; those of windows that still run only if `running`."""
    return _results(await connection.fetch(OF_CARTA, municipality, carta, running))


async def of_municipality(
    connection: Connection, municipality: str, *, running: bool
) -> list[ResultData]:
    """As `of_carta`, of all cartas."""
    return _results(await connection.fetch(OF_MUNICIPALITY, municipality, running))


async def running(
    connection: Connection, municipality: str, *, cartas: Iterable[str], units: Iterable[str]
) -> list[ResultData]:
    """Return the provisional results of windows that are not closed, of the cartas or units."""
    rows = await connection.fetch(RUNNING, municipality, list(cartas), list(units))
    return _results(rows)


async def open_windows(connection: Connection, municipality: str) -> list[OpenWindow]:
    """Return how every window that is not closed stands, at each unit."""
    return [
        OpenWindow(
            row["compromiso"],
            Verdict(row["verdict"]),
            row["prospect"] and Prospect(row["prospect"]),
            row["at_risk"],
        )
        for row in await connection.fetch(OPEN_WINDOWS, municipality)
    ]


async def of_window(
    connection: Connection, municipality: str, window: tuple[str, str, str]
) -> list[ResultData]:
    """Return every state that is kept of (compromiso, unit, window)."""
    return _results(await connection.fetch(OF_WINDOW, municipality, *window))


async def keep_statements(connection: Connection, events: Iterable[BreachEvent]) -> None:
    """Keep each once; its id is its identity."""
    rows = [
        (
            *(event.id, event.data.municipality, event.data.responsible_unit, event.data.carta),
            *(event.data.compromiso, event.data.unit, event.data.window.id, event.data.kind.value),
            *(event.data.case, event.data.due_at, event.time),
        )
        for event in events
    ]
    await connection.executemany(KEEP_STATEMENT, rows)


async def recent_statements(
    connection: Connection, municipality: str, units: Iterable[str], *, since: datetime
) -> list[dict[str, Any]]:
    """Return late cases and risks of the units, gathered by compromiso and window, newest first."""
    rows = await connection.fetch(RECENT_STATEMENTS, municipality, list(units), since)
    return [dict(row) for row in rows]


async def keep_actions(connection: Connection, actions: Iterable[ActionData]) -> None:
    """Keep each unless a later revision is already here."""
    rows = [
        (each.municipality, each.action, each.revision, each.carta, each.model_dump_json())
        for each in actions
    ]
    await connection.executemany(KEEP_ACTION, rows)


async def actions(
    connection: Connection, municipality: str, carta: str | None = None
) -> list[ActionData]:
    """Return the actions of a municipality, or of one carta."""
    if carta is None:
        rows = await connection.fetch(ACTIONS, municipality)
    else:
        rows = await connection.fetch(ACTIONS_OF_CARTA, municipality, carta)
    return [ActionData.model_validate_json(row["data"]) for row in rows]


def _results(rows: Iterable[Record]) -> list[ResultData]:
    return [ResultData.model_validate_json(row["data"]) for row in rows]


KEEP_COMPLAINT = """
INSERT INTO complaint (municipality, folio, revision, kind, unit, filed_at, answer_by, answered_at,
                       excluded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (municipality, folio) DO UPDATE
SET revision = excluded.revision, kind = excluded.kind, unit = excluded.unit,
    filed_at = excluded.filed_at, answer_by = excluded.answer_by,
    answered_at = excluded.answered_at, excluded = excluded.excluded
WHERE complaint.revision < excluded.revision
"""
# Days are the municipality's: a citizen was promised a local date, its last minute included.
COMPLAINTS_BY_UNIT = """
SELECT unit, count(*) AS received, count(answered_at) AS answered,
       count(*) FILTER (WHERE (answered_at AT TIME ZONE $4)::date <= answer_by) AS on_time,
       count(*) FILTER (
           WHERE coalesce((answered_at AT TIME ZONE $4)::date, $3) > answer_by
       ) AS late
FROM complaint
WHERE municipality = $1 AND NOT excluded AND unit IS NOT NULL AND filed_at >= $2
GROUP BY unit
"""


async def keep_complaints(connection: Connection, changes: Iterable[ComplaintData]) -> None:
    """Keep each unless a later revision is already here."""
    rows = [
        (
            *(each.municipality, each.folio, each.revision, each.kind.value, each.unit),
            *(each.filed_at, each.answer_by, each.answered_at, bool(each.exclusions)),
        )
        for each in changes
    ]
    await connection.executemany(KEEP_COMPLAINT, rows)


async def complaints_by_unit(
    connection: Connection, municipality: str, *, since: datetime, today: date, zone: str
) -> list[dict[str, Any]]:
    """Return counts of what reached the buzon since an instant, by the unit that answers.

    `late` was answered after its day, or is not answered and its day is before `today` (local).
    """
    rows = await connection.fetch(COMPLAINTS_BY_UNIT, municipality, since, today, zone)
    return [dict(row) for row in rows]
