"""The terms of corrective actions, which are scanned by the wall clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notifier.domain.schedule import Awaited, Deadline
from shared.database import Connection
from shared.worktime import Calendar

ADD_DEADLINE = """
INSERT INTO deadline (action, round, level, awaited, due_at, working_days, started_at, calendar,
                      calendar_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
"""
DEADLINES_OF = """
SELECT round, level, awaited, due_at, outcome, settled_at
FROM deadline WHERE action = $1 ORDER BY round, due_at, level
"""
# Locked through their action, so that a step and an escalation never wait for each other.
DUE_ACTIONS = """
SELECT DISTINCT action FROM deadline
WHERE outcome = 'pending' AND due_at <= $1
ORDER BY action LIMIT $2
"""
DUE_DEADLINES = """
SELECT round, level, awaited FROM deadline
WHERE action = $1 AND outcome = 'pending' AND due_at <= $2
ORDER BY due_at, level
"""
SETTLE = """
UPDATE deadline SET outcome = $4, settled_at = $5
WHERE action = $1 AND round = $2 AND level = $3
"""
SETTLE_ALL = """
UPDATE deadline SET outcome = $3, settled_at = $4
WHERE action = $1 AND outcome = 'pending' AND ($2::text IS NULL OR awaited = $2)
"""
# Terms that run and were counted by a version of their calendar that has been replaced.
OUTDATED = """
SELECT DISTINCT d.action
FROM deadline d
JOIN action a USING (action)
JOIN (
    SELECT municipality, id, max(version) AS version
    FROM catalogue WHERE kind = 'calendar' GROUP BY municipality, id
) newest ON newest.municipality = a.municipality AND newest.id = d.calendar
WHERE d.outcome = 'pending' AND d.calendar_version < newest.version
ORDER BY d.action LIMIT $1
"""
RUNNING = """
SELECT round, level, awaited, due_at, started_at, working_days, calendar, calendar_version
FROM deadline
WHERE action = $1 AND outcome = 'pending' AND calendar_version IS NOT NULL
ORDER BY round, due_at, level
"""
MOVE = """
UPDATE deadline SET due_at = $4, calendar_version = $5
WHERE action = $1 AND round = $2 AND level = $3
"""
KEEP_MOVE = """
INSERT INTO term_redating (action, round, level, awaited, calendar, from_version, to_version,
                           due_before, due_after, redated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
MOVES_OF = """
SELECT round, level, awaited, calendar, from_version, to_version, due_before, due_after, redated_at
FROM term_redating WHERE action = $1 ORDER BY term_redating
"""
UNSCHEDULED = "SELECT action FROM action WHERE NOT scheduled ORDER BY requested_at LIMIT $1"
OVERDUE = """
SELECT count(*) FILTER (WHERE acknowledged_at IS NULL AND acknowledge_by <= $1)
           AS acknowledgement,
       count(*) FILTER (WHERE state IN ('requested', 'acknowledged', 'returned')
                          AND plan_by <= $1) AS plan
FROM action
WHERE recovered_at IS NULL AND state <> 'closed'
"""
# A whole scan every few seconds: actions are some hundreds a year.
OPEN_ACTIONS = """
SELECT municipality, responsible_unit AS unit, state, count(*) AS actions,
       count(*) FILTER (WHERE recovered_at IS NULL
                          AND (acknowledged_at IS NULL AND acknowledge_by <= $1
                               OR state IN ('requested', 'acknowledged', 'returned')
                                  AND plan_by <= $1)) AS overdue,
       min(requested_at) AS oldest
FROM action
WHERE state <> 'closed'
GROUP BY municipality, responsible_unit, state
"""


@dataclass(frozen=True, slots=True)
class OpenActions:
    """The open actions of a unit in one state; `overdue` of them are past a term."""

    municipality: str
    unit: str
    state: str
    actions: int
    overdue: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class StoredDeadline:
    """One deadline with what became of it."""

    round: int
    level: int
    awaited: str
    due_at: datetime
    outcome: str
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunningTerm:
    """A term that has not been settled, with what it was counted from and by."""

    round: int
    level: int
    awaited: Awaited
    due_at: datetime
    started_at: datetime
    working_days: int
    calendar: str
    calendar_version: int


@dataclass(frozen=True, slots=True)
class NewTerms:
    """The terms of one round of an action, counted from `started_at` by `calendar`."""

    action: str
    round: int
    deadlines: Sequence[Deadline]
    started_at: datetime
    calendar: Calendar


async def add_terms(connection: Connection, new: Iterable[NewTerms]) -> None:
    rows = [
        (
            *(terms.action, terms.round, each.level, each.awaited, each.due_at, each.working_days),
            *(terms.started_at, terms.calendar.id, terms.calendar.version),
        )
        for terms in new
        for each in terms.deadlines
    ]
    await connection.executemany(ADD_DEADLINE, rows)


async def outdated(connection: Connection, *, limit: int) -> list[str]:
    """Return actions with a term that a calendar decreed or corrected later may move."""
    return [row["action"] for row in await connection.fetch(OUTDATED, limit)]


async def running(connection: Connection, action: str) -> list[RunningTerm]:
    rows = await connection.fetch(RUNNING, action)
    return [RunningTerm(**{**row, "awaited": Awaited(row["awaited"])}) for row in rows]


async def move(
    connection: Connection, action: str, term: RunningTerm, *, due_at: datetime, version: int
) -> None:
    place = (action, term.round, term.level)
    await connection.execute(MOVE, *place, due_at, version)


async def keep_move(
    connection: Connection,
    action: str,
    term: RunningTerm,
    *,
    due_at: datetime,
    version: int,
    now: datetime,
) -> None:
    """Put on record that a calendar moved a term."""
    await connection.execute(
        KEEP_MOVE,
        *(action, term.round, term.level, term.awaited, term.calendar, term.calendar_version),
        *(version, term.due_at, due_at, now),
    )


async def moves_of(connection: Connection, action: str) -> list[dict[str, object]]:
    """Return how calendars moved an action's terms, oldest first."""
    return [dict(row) for row in await connection.fetch(MOVES_OF, action)]


async def deadlines_of(connection: Connection, action: str) -> list[StoredDeadline]:
    return [StoredDeadline(**row) for row in await connection.fetch(DEADLINES_OF, action)]


async def due_actions(connection: Connection, now: datetime, *, limit: int) -> list[str]:
    return [row["action"] for row in await connection.fetch(DUE_ACTIONS, now, limit)]


async def due_deadlines(
    connection: Connection, action: str, now: datetime
) -> list[tuple[int, int, Awaited]]:
    """Return (round, level, what is awaited) of the deadlines that passed, earliest first."""
    rows = await connection.fetch(DUE_DEADLINES, action, now)
    return [(row["round"], row["level"], Awaited(row["awaited"])) for row in rows]


async def settle(
    connection: Connection, action: str, *, round_: int, level: int, outcome: str, now: datetime
) -> None:
    await connection.execute(SETTLE, action, round_, level, outcome, now)


async def settle_all(
    connection: Connection, action: str, *, awaited: Awaited | None, outcome: str, now: datetime
) -> None:
    await connection.execute(SETTLE_ALL, action, awaited, outcome, now)


async def unscheduled(connection: Connection, *, limit: int) -> list[str]:
    return [row["action"] for row in await connection.fetch(UNSCHEDULED, limit)]


async def overdue(connection: Connection, now: datetime) -> dict[str, int]:
    """Count actions past their term, by what is awaited."""
    row = await connection.fetchrow(OVERDUE, now)
    return {} if row is None else dict(row)


async def open_actions(connection: Connection, now: datetime) -> list[OpenActions]:
    """Count open actions by the unit that must answer and their state."""
    return [OpenActions(**row) for row in await connection.fetch(OPEN_ACTIONS, now)]
