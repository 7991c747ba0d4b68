"""Contests and their history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.measurements.domain.contests import Claim, ContestState, Step, decider
from shared.criteria import ContestReason
from shared.database import Connection

COLUMNS = """c.contest_id, c.municipality, c.case_id, c.service, c.compromiso, c.unit, c.window_id,
       c.cutoff, c.reason, c.explanation, c.evidence, c.state, c.event_id"""

ADD = """
INSERT INTO contest (municipality, case_id, service, compromiso, unit, window_id, cutoff, reason,
                     explanation, evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (municipality, case_id) WHERE state <> 'withdrawn' DO NOTHING
RETURNING contest_id
"""
ADD_STEP = """
INSERT INTO contest_step (contest_id, step, at, post, said) VALUES ($1, $2, $3, $4, $5)
"""
# An event of a decision is kept for good: the second beside the first.
END = """
UPDATE contest
SET state = $2, cutoff = $3,
    event_id = coalesce(event_id, $4),
    undo_event_id = CASE WHEN event_id IS NOT NULL THEN $4 END
WHERE contest_id = $1
"""
ONE = f"SELECT {COLUMNS} FROM contest c WHERE contest_id = $1 AND municipality = $2"
LOCKED = f"{ONE} FOR UPDATE"
STANDING_OF_CASE = f"""
SELECT {COLUMNS} FROM contest c
WHERE municipality = $1 AND case_id = $2 AND state <> 'withdrawn'
"""
# The waiting ones come first, the earliest cut-off first; then the newest.
LISTED = f"""
SELECT {COLUMNS} FROM contest c
WHERE municipality = $1 AND ($2::text[] IS NULL OR unit = ANY($2))
  AND ($3::text IS NULL OR state = $3)
ORDER BY state <> 'waiting', CASE WHEN state = 'waiting' THEN cutoff END, contest_id DESC
LIMIT $4
"""
STEPS = """
SELECT contest_id, step, at, post, said FROM contest_step
WHERE contest_id = ANY($1::bigint[]) ORDER BY at, step
"""
SHARE_CASE = "SELECT FROM case_head WHERE municipality = $1 AND case_id = $2 FOR KEY SHARE"
OPEN_DECIDER = """
INSERT INTO source (uri, municipality, historical, services, grace_seconds, decides)
VALUES ($1, $2, false, '{*}', 0, true)
ON CONFLICT (uri) DO NOTHING
"""
# By the unique indexes of both events.
DECIDED = """
SELECT municipality, case_id, reason, event_id AS said, NULL AS supersedes
FROM contest WHERE event_id = ANY($1::text[])
UNION ALL
SELECT municipality, case_id, reason, undo_event_id, event_id
FROM contest WHERE undo_event_id = ANY($1::text[])
"""


@dataclass(frozen=True, slots=True)
class TakenStep:
    """One line of a contest's history."""

    step: Step
    at: datetime
    post: str
    said: str


@dataclass(frozen=True, slots=True)
class Contest:
    """A contest as it stands, with its history."""

    contest_id: int
    claim: Claim
    service: str
    cutoff: datetime
    state: ContestState
    event_id: str | None
    steps: tuple[TakenStep, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision lets its event say; one that takes another back `supersedes` its event."""

    municipality: str
    case: str
    reason: str
    supersedes: str | None


async def has_case(con: Connection, municipality: str, case: str) -> bool:
    """Return whether anything was measured of the case, which then stays."""
    return await con.fetchrow(SHARE_CASE, municipality, case) is not None


async def add(
    con: Connection, claim: Claim, *, service: str, cutoff: datetime, post: str, now: datetime
) -> int | None:
    """Keep a new contest; None where one of the case stands already."""
    contest_id: int | None = await con.fetchval(
        ADD,
        claim.municipality,
        claim.case,
        service,
        claim.compromiso,
        claim.unit,
        claim.window,
        cutoff,
        claim.reason.value,
        claim.explanation,
        claim.evidence,
    )
    if contest_id is not None:
        await con.execute(ADD_STEP, contest_id, Step.FILE.value, now, post, "")
    return contest_id


async def end(
    con: Connection,
    contest_id: int,
    state: ContestState,
    step: TakenStep,
    *,
    cutoff: datetime,
    event_id: str | None,
) -> None:
    """Take the step that ends a contest."""
    await con.execute(END, contest_id, state.value, cutoff, event_id)
    await con.execute(ADD_STEP, contest_id, step.step.value, step.at, step.post, step.said)


async def one(
    con: Connection, municipality: str, contest_id: int, *, lock: bool = False
) -> Contest | None:
    """Return a contest of a municipality; `lock` it for a step."""
    rows = await con.fetch(LOCKED if lock else ONE, contest_id, municipality)
    found = await _with_steps(con, rows)
    return found[0] if found else None


async def standing_of(con: Connection, municipality: str, case: str) -> Contest | None:
    """Return the contest of a case that waits or was decided."""
    found = await _with_steps(con, await con.fetch(STANDING_OF_CASE, municipality, case))
    return found[0] if found else None


async def listed(
    con: Connection,
    municipality: str,
    *,
    units: Sequence[str] | None,
    state: ContestState | None,
    limit: int,
) -> list[Contest]:
    """Return contests of all units, or of some."""
    rows = await con.fetch(LISTED, municipality, units, state and state.value, limit)
    return await _with_steps(con, rows)


async def open_decider(con: Connection, municipality: str) -> None:
    """Register the source that speaks for the coordination, where it is not there yet."""
    await con.execute(OPEN_DECIDER, decider(municipality), municipality)


async def decided(con: Connection, event_ids: Collection[str]) -> dict[str, Decided]:
    """Return what those events may say, of the ones that decisions made."""
    if not event_ids:
        return {}
    return {
        row["said"]: Decided(row["municipality"], row["case_id"], row["reason"], row["supersedes"])
        for row in await con.fetch(DECIDED, list(event_ids))
    }


async def _with_steps(con: Connection, rows: Sequence["asyncpg.Record"]) -> list[Contest]:
    steps: dict[int, list[TakenStep]] = {row["contest_id"]: [] for row in rows}
    for row in await con.fetch(STEPS, list(steps)) if steps else ():
        taken = TakenStep(Step(row["step"]), row["at"], row["post"], row["said"])
        steps[row["contest_id"]].append(taken)
    return [_contest(row, steps[row["contest_id"]]) for row in rows]


def _contest(row: "asyncpg.Record", steps: Sequence[TakenStep]) -> Contest:
    claim = Claim(
        municipality=row["municipality"],
        case=row["case_id"],
        compromiso=row["compromiso"],
        unit=row["unit"],
        window=row["window_id"],
        reason=ContestReason(row["reason"]),
        explanation=row["explanation"],
        evidence=row["evidence"],
    )
    return Contest(
        contest_id=row["contest_id"],
        claim=claim,
        service=row["service"],
        cutoff=row["cutoff"],
        state=ContestState(row["state"]),
        event_id=row["event_id"],
        steps=tuple(steps),
    )
