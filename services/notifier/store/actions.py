"""Corrective actions: their state, what asked for them, the steps taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter

from asyncpg import Record

from shared.contracts.breaches import BreachData, BreachEvent
from shared.contracts.corrective_actions import ActionState
from shared.database import Connection

COLUMNS = """
action, municipality, carta, carta_version, compromiso, unit, responsible_unit, window_id,
window_start, window_end, revision, state, level, told_rank, requested_at, scheduled,
acknowledge_by, plan_by, acknowledged_at, acknowledged_by, filed_at, filed_by, cause_category,
cause, containment, plan, planned_for, propose_change, rounds, return_reason, approved_at,
public_text, recovered_at, link_version, thread
"""

# The row is locked until the commit: numbers have no gaps.
NEXT_NUMBERS = """
INSERT INTO action_number (year, last) VALUES ($1, $2)
ON CONFLICT (year) DO UPDATE SET last = action_number.last + $2
RETURNING last
"""
HAS_TRIGGER = "SELECT action FROM action_trigger WHERE breach = $1 AND folio = $2"
# The action of this very window, or an open one whose windows touch it (before or after).
JOINABLE = f"""
SELECT {COLUMNS}
FROM action
WHERE municipality = $1 AND compromiso = $2 AND unit = $3
  AND (window_id = $4 OR (state <> 'closed' AND window_start <= $6 AND window_end >= $5))
ORDER BY (window_id = $4) DESC, requested_at DESC
LIMIT 1
FOR UPDATE
"""
# Breaches that are known, or that an action covers which they may join: as HAS_TRIGGER, JOINABLE.
COVERED = """
SELECT event_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[], $9::timestamptz[])
    AS row (event_id, breach, folio, municipality, compromiso, unit, window_id, window_start,
            window_end)
WHERE EXISTS (
    SELECT FROM action_trigger AS known
    WHERE known.breach = row.breach AND known.folio = row.folio)
OR EXISTS (
    SELECT FROM action
    WHERE action.municipality = row.municipality AND action.compromiso = row.compromiso
      AND action.unit = row.unit
      AND (action.window_id = row.window_id
           OR (state <> 'closed' AND action.window_start <= row.window_end
               AND action.window_end >= row.window_start)))
"""
ADDED = """
action, municipality, carta, carta_version, compromiso, unit, responsible_unit, window_id,
window_start, window_end, revision, state, requested_at, scheduled, acknowledge_by, plan_by
"""
ADD_ACTION = f"""
INSERT INTO action ({ADDED})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
added = attrgetter(*ADDED.replace(",", "").split())
ADD_TRIGGER = """
INSERT INTO action_trigger (breach, folio, action, event_id, joined_at, data, traceparent)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)
"""
LOCK = f"SELECT {COLUMNS} FROM action WHERE action = $1 FOR UPDATE"
READ = f"SELECT {COLUMNS} FROM action WHERE action = $1"
LIST_ACTIONS = f"""
SELECT {COLUMNS}
FROM action
WHERE municipality = $1
  AND ($2::text[] IS NULL OR responsible_unit = ANY($2) OR unit = ANY($2))
  AND ($3::text IS NULL OR state = $3)
ORDER BY requested_at DESC, action DESC
LIMIT $4
"""
WIDEN = """
UPDATE action
SET window_start = least(window_start, $2), window_end = greatest(window_end, $3),
    level = $4, recovered_at = NULL
WHERE action = $1
"""
TRIGGERS_OF = """
SELECT breach, folio, joined_at, recovered_at, data, traceparent
FROM action_trigger
WHERE action = $1
ORDER BY joined_at, breach, folio
"""
RECOVER_TRIGGER = """
UPDATE action_trigger SET recovered_at = $2
WHERE breach = $1 AND folio = '' AND recovered_at IS NULL
RETURNING action
"""
BREAK_TRIGGER_AGAIN = """
UPDATE action_trigger SET recovered_at = NULL
WHERE breach = $1 AND folio = '' AND recovered_at IS NOT NULL
RETURNING action
"""
BREAK_ACTION_AGAIN = "UPDATE action SET recovered_at = NULL WHERE action = $1"
# A folio that was upheld stays upheld; only windows recover.
RECOVER_ACTION = """
UPDATE action SET recovered_at = $2
WHERE action = $1 AND NOT EXISTS (
    SELECT FROM action_trigger WHERE action = $1 AND recovered_at IS NULL)
RETURNING true
"""
ADD_STEP = """
INSERT INTO action_step (action, revision, step, post, at, content)
VALUES ($1, $2, $3, $4, $5, $6::jsonb)
"""
STEPS_OF = """
SELECT revision, step, post, at, content FROM action_step WHERE action = $1 ORDER BY revision
"""
LAST_STEP = """
SELECT step, content FROM action_step
WHERE action = $1 AND post IS NOT NULL
ORDER BY revision DESC
LIMIT 1
"""
REVOKE_LINKS = """
UPDATE action SET link_version = link_version + 1 WHERE action = $1 RETURNING link_version
"""
SET_TERMS = f"""
UPDATE action SET scheduled = true, acknowledge_by = $2, plan_by = $3
WHERE action = $1
RETURNING {COLUMNS}
"""
BEGIN_ROUND = f"""
UPDATE action SET rounds = rounds + 1 WHERE action = $1 RETURNING {COLUMNS}
"""
# Not a change that anybody else must know of: no new revision.
TOLD = """
UPDATE action SET told_rank = greatest(told_rank, $2), thread = coalesce(thread, $3)
WHERE action = $1
"""


@dataclass(frozen=True, slots=True)
class Action:
    """One corrective action as stored; times are UTC."""

    action: str
    municipality: str
    carta: str
    carta_version: int
    compromiso: str
    unit: str
    responsible_unit: str
    window_id: str
    window_start: datetime
    window_end: datetime
    revision: int
    state: ActionState
    level: int
    told_rank: int
    requested_at: datetime
    scheduled: bool = False
    acknowledge_by: datetime | None = None
    plan_by: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    filed_at: datetime | None = None
    filed_by: str | None = None
    cause_category: str | None = None
    cause: str | None = None
    containment: str | None = None
    plan: str | None = None
    planned_for: date | None = None
    propose_change: bool = False
    rounds: int = 0
    return_reason: str | None = None
    approved_at: datetime | None = None
    public_text: str | None = None
    recovered_at: datetime | None = None
    link_version: int = 1
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """What asked for an action."""

    breach: str
    folio: str | None
    joined_at: datetime
    recovered_at: datetime | None
    data: BreachData
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class TakenStep:
    """One line of the audit; `post` is None where the system acted."""

    revision: int
    step: str
    post: str | None
    at: datetime
    content: str


def _action(row: Record) -> Action:
    return Action(**{**row, "state": ActionState(row["state"])})


async def next_numbers(connection: Connection, year: int, count: int) -> range:
    last = int(await connection.fetchval(NEXT_NUMBERS, year, count))
    return range(last - count + 1, last + 1)


async def action_of_trigger(connection: Connection, breach: str, folio: str) -> str | None:
    action: str | None = await connection.fetchval(HAS_TRIGGER, breach, folio)
    return action


async def lock_joinable(connection: Connection, breach: BreachData) -> Action | None:
    """Return the locked action that the breach joins, None where it opens one."""
    window = breach.window
    row = await connection.fetchrow(
        JOINABLE,
        breach.municipality,
        breach.compromiso,
        breach.unit,
        window.id,
        window.start,
        window.end,
    )
    return None if row is None else _action(row)


async def covered(connection: Connection, events: Sequence[BreachEvent]) -> frozenset[str]:
    """Return the ids of the events that open no action: known ones, and those that may join."""
    facts = [event.data for event in events]
    rows = await connection.fetch(
        COVERED,
        [event.id for event in events],
        [data.breach for data in facts],
        [data.folio or "" for data in facts],
        [data.municipality for data in facts],
        [data.compromiso for data in facts],
        [data.unit for data in facts],
        [data.window.id for data in facts],
        [data.window.start for data in facts],
        [data.window.end for data in facts],
    )
    return frozenset(row["event_id"] for row in rows)


async def add_actions(connection: Connection, opened: Iterable[Action]) -> None:
    """Store actions that have just been requested."""
    await connection.executemany(ADD_ACTION, [added(action) for action in opened])


async def add_triggers(
    connection: Connection, asking: Iterable[tuple[str, BreachEvent]], *, now: datetime
) -> None:
    """Store what asks for each action."""
    rows = [
        (
            event.data.breach,
            event.data.folio or "",
            action,
            event.id,
            now,
            event.data.model_dump_json(),
            event.traceparent,
        )
        for action, event in asking
    ]
    await connection.executemany(ADD_TRIGGER, rows)


async def widen(connection: Connection, action: str, breach: BreachData, *, level: int) -> None:
    await connection.execute(WIDEN, action, breach.window.start, breach.window.end, level)


async def recover_trigger(connection: Connection, breach: str, *, now: datetime) -> str | None:
    """Mark the breach as recovered; return its action the first time, None otherwise."""
    action: str | None = await connection.fetchval(RECOVER_TRIGGER, breach, now)
    return action


async def break_trigger_again(connection: Connection, breach: str) -> str | None:
    """Take the recovery back; return the breach's action, None where it had not recovered."""
    action: str | None = await connection.fetchval(BREAK_TRIGGER_AGAIN, breach)
    return action


async def break_action_again(connection: Connection, action: str) -> None:
    await connection.execute(BREAK_ACTION_AGAIN, action)


async def recover_action(connection: Connection, action: str, *, now: datetime) -> bool:
    """Mark the action as recovered if nothing asks for it any more; say whether it was."""
    return bool(await connection.fetchval(RECOVER_ACTION, action, now))


async def lock(connection: Connection, action: str) -> Action | None:
    row = await connection.fetchrow(LOCK, action)
    return None if row is None else _action(row)


async def read(connection: Connection, action: str) -> Action | None:
    row = await connection.fetchrow(READ, action)
    return None if row is None else _action(row)


async def list_actions(
    connection: Connection,
    municipality: str,
    *,
    units: list[str] | None,
    state: ActionState | None,
    limit: int,
) -> list[Action]:
    rows = await connection.fetch(LIST_ACTIONS, municipality, units, state, limit)
    return [_action(row) for row in rows]


async def change(connection: Connection, action: str, columns: Mapping[str, object]) -> Action:
    """Set `columns` (names from our own code) and the next revision; return the action after."""
    names = list(columns)
    settings = "".join(f", {name} = ${place}" for place, name in enumerate(names, start=2))
    row = await connection.fetchrow(
        f"UPDATE action SET revision = revision + 1{settings} WHERE action = $1"
        f" RETURNING {COLUMNS}",
        action,
        *columns.values(),
    )
    return _changed(row, action)


async def triggers_of(connection: Connection, action: str) -> list[Trigger]:
    rows = await connection.fetch(TRIGGERS_OF, action)
    return [
        Trigger(
            breach=row["breach"],
            folio=row["folio"] or None,
            joined_at=row["joined_at"],
            recovered_at=row["recovered_at"],
            data=BreachData.model_validate_json(row["data"]),
            traceparent=row["traceparent"],
        )
        for row in rows
    ]


async def add_steps(connection: Connection, taken: Iterable[tuple[str, TakenStep]]) -> None:
    """Write down the steps taken, each with its action."""
    rows = [
        (action, step.revision, step.step, step.post, step.at, step.content)
        for action, step in taken
    ]
    await connection.executemany(ADD_STEP, rows)


async def steps_of(connection: Connection, action: str) -> list[TakenStep]:
    return [TakenStep(**row) for row in await connection.fetch(STEPS_OF, action)]


async def last_step(connection: Connection, action: str) -> tuple[str, str] | None:
    """Return the last step that a person took, with its content as JSON."""
    row = await connection.fetchrow(LAST_STEP, action)
    return None if row is None else (row["step"], row["content"])


async def revoke_links(connection: Connection, action: str) -> int | None:
    """Return the version that links must have from now on, None for an unknown action."""
    version: int | None = await connection.fetchval(REVOKE_LINKS, action)
    return version


async def set_terms(
    connection: Connection,
    action: str,
    *,
    acknowledge_by: datetime | None,
    plan_by: datetime | None,
) -> Action:
    row = await connection.fetchrow(SET_TERMS, action, acknowledge_by, plan_by)
    return _changed(row, action)


async def begin_round(connection: Connection, action: str) -> Action:
    """Let the terms begin anew; the old ones must be settled."""
    return _changed(await connection.fetchrow(BEGIN_ROUND, action), action)


def _changed(row: Record | None, action: str) -> Action:
    if row is None:
        raise AssertionError(f"{action} was locked before it was changed")
    return _action(row)


async def told(connection: Connection, ranks: Iterable[tuple[str, int, str]]) -> None:
    """Remember of each action how high the ladder was climbed, and the mail that began its thread.

    `ranks` are action, rank and Message-ID.
    """
    await connection.executemany(TOLD, list(ranks))
