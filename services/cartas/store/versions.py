"""Drafts of carta versions, and every step that a version took."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Final

from services.cartas.domain.life import Step
from shared.contracts.cartas import CartaData
from shared.database import Connection

# FOR UPDATE after the municipality's lock: the row is read by pages without that lock.
DRAFT = """
SELECT municipality, carta, version, state, content, data, drafted_at
FROM draft
WHERE municipality = $1 AND carta = $2 AND version = $3
"""
ON_ITS_WAY = """
SELECT municipality, carta, version, state, content, data, drafted_at
FROM draft
WHERE municipality = $1 AND carta = $2 AND state IN ('draft', 'approved')
"""
DRAFTS = """
SELECT municipality, carta, version, state, content, data, drafted_at
FROM draft
WHERE municipality = $1 AND ($2::text IS NULL OR carta = $2)
ORDER BY carta, version
"""
# A number once used is not used again, also where its draft was withdrawn.
LAST_VERSION = """
SELECT greatest(
    (SELECT max(version) FROM draft WHERE municipality = $1 AND carta = $2),
    (SELECT max(version) FROM state WHERE municipality = $1 AND kind = 'carta' AND id = $2),
    0)
"""
KEEP_DRAFT = """
INSERT INTO draft (municipality, carta, version, state, content, data, drafted_at)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)
ON CONFLICT (municipality, carta, version) DO UPDATE
SET state = excluded.state, content = excluded.content, data = excluded.data
"""
ADD_STEP = """
INSERT INTO step (municipality, carta, version, step, post, taken_at, body, record, dated, document,
                  valid_from, valid_to, valid_to_before, reason, warnings)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
# A version of which a post decided something: no file decides on it any more.
DECIDED = """
SELECT DISTINCT carta, version FROM step WHERE municipality = $1 AND post IS NOT NULL
"""
STEPS = """
SELECT municipality, carta, version, step, post, taken_at, body, record, dated, document,
       valid_from, valid_to, valid_to_before, reason, warnings
FROM step
WHERE municipality = $1 AND carta = $2 AND version = $3
ORDER BY step_id
"""

DRAFTED: Final = "draft"
APPROVED: Final = "approved"
PUBLISHED: Final = "published"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that was drafted here. `data` is what is published, from the approval on."""

    municipality: str
    carta: str
    version: int
    state: str
    content: str
    data: CartaData | None
    drafted_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """One step of one version, in the order of the table's columns."""

    municipality: str
    carta: str
    version: int
    step: Step
    post: str | None
    taken_at: datetime
    body: str | None = None
    record: str | None = None
    dated: date | None = None
    document: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    valid_to_before: date | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()


def _draft(row: object) -> Draft:
    found = dict(row)  # type: ignore[call-overload]
    data = found.pop("data")
    return Draft(**found, data=None if data is None else CartaData.model_validate_json(data))


async def draft(
    connection: Connection, municipality: str, carta: str, *, version: int
) -> Draft | None:
    """Return a version that was drafted here."""
    row = await connection.fetchrow(DRAFT, municipality, carta, version)
    return None if row is None else _draft(row)


async def on_its_way(connection: Connection, municipality: str, carta: str) -> Draft | None:
    """Return the carta's draft or approved version that is not published yet."""
    row = await connection.fetchrow(ON_ITS_WAY, municipality, carta)
    return None if row is None else _draft(row)


async def drafts(
    connection: Connection, municipality: str, carta: str | None = None
) -> list[Draft]:
    """Return every version that was drafted here, in order."""
    return [_draft(row) for row in await connection.fetch(DRAFTS, municipality, carta)]


async def last_version(connection: Connection, municipality: str, carta: str) -> int:
    """Return the highest version number that was ever used, 0 where there is none."""
    found: int = await connection.fetchval(LAST_VERSION, municipality, carta)
    return found


async def keep_draft(connection: Connection, draft: Draft) -> None:
    await connection.execute(
        KEEP_DRAFT,
        draft.municipality,
        draft.carta,
        draft.version,
        draft.state,
        draft.content,
        None if draft.data is None else draft.data.model_dump_json(),
        draft.drafted_at,
    )


async def add_steps(connection: Connection, steps: Sequence[Taken]) -> None:
    """Put steps on record, in this order."""
    rows = [[getattr(each, field.name) for field in fields(Taken)] for each in steps]
    await connection.executemany(ADD_STEP, rows)


async def decided(connection: Connection, municipality: str) -> frozenset[tuple[str, int]]:
    """Return the versions (carta, number) of which a post decided something."""
    rows = await connection.fetch(DECIDED, municipality)
    return frozenset((row["carta"], row["version"]) for row in rows)


async def steps_of(
    connection: Connection, municipality: str, carta: str, *, version: int
) -> list[Taken]:
    """Return what a version went through, oldest first."""
    rows = await connection.fetch(STEPS, municipality, carta, version)
    return [
        Taken(**{**dict(row), "step": Step(row["step"]), "warnings": tuple(row["warnings"])})
        for row in rows
    ]
