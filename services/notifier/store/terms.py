"""The terms of corrective actions, which are scanned by the wall clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.notifier.domain.schedule import Awaited, Deadline
from shared.database import Connection

ADD_DEADLINE = """
INSERT INTO deadline (action, round, level, awaited, due_at)
VALUES ($1, $2, $3, $4, $5)
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
UNSCHEDULED = "SELECT action FROM action WHERE NOT scheduled ORDER BY requested_at LIMIT $1"
OVERDUE = """
SELECT count(*) FILTER (WHERE acknowledged_at IS NULL AND acknowledge_by <= $1)
           AS acknowledgement,
       count(*) FILTER (WHERE state IN ('requested', 'acknowledged', 'returned')
                          AND plan_by <= $1) AS plan
FROM action
WHERE recovered_at IS NULL AND state <> 'closed'
"""


@dataclass(frozen=True, slots=True)
class StoredDeadline:
    """One deadline with what became of it."""

    round: int
    level: int
    awaited: str
    due_at: datetime
    outcome: str
    settled_at: datetime | None


async def add_deadlines(
    connection: Connection, action: str, round_: int, found: Iterable[Deadline]
) -> None:
    rows = [(action, round_, each.level, each.awaited, each.due_at) for each in found]
    await connection.executemany(ADD_DEADLINE, rows)


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
