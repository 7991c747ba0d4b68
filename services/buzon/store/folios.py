"""Folios with their pauses, steps, texts and contacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import asyncpg

from services.buzon.domain.cases import Folio
from services.buzon.domain.terms import Term
from shared.contracts.complaints import ComplaintChange, ComplaintKind, Finding
from shared.contracts.measurements import PauseInterval
from shared.database import Connection
from shared.worktime import StartRule, Unit

NEXT_NUMBER = """
INSERT INTO folio_sequence (year, last) VALUES ($1, 1)
ON CONFLICT (year) DO UPDATE SET last = folio_sequence.last + 1
RETURNING last
"""
INSERT = """
INSERT INTO folio (folio, municipality, revision, kind, filed_at, secret_hash, carta, unit,
                   term_limit, term_unit, term_calendar, term_start_rule, term_pauses,
                   answer_by, referred_at, occurred_on, calendar_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
_SELECT = """
SELECT folio, municipality, revision, kind, filed_at, carta, compromiso, unit, term_limit,
       term_unit, term_calendar, term_start_rule, term_pauses, answer_by, calendar_version,
       answered_at, finding, found_at, duplicate_of, not_competent_at, referred_at,
       ARRAY(SELECT (reason, started_at, ended_at) FROM pause
             WHERE pause.folio = folio.folio ORDER BY started_at) AS pauses
FROM folio
"""
GET = _SELECT + "WHERE folio = $1"
LOCK = "SELECT 1 FROM folio WHERE folio = $1 FOR UPDATE"
# $2 null: all units. $4: only what still waits. After ($5, $6), the last of the page before.
LIST = (
    _SELECT
    + """
WHERE municipality = $1 AND (referred_at IS NOT NULL) = $3
  AND ($2::text[] IS NULL OR unit = ANY ($2))
  AND (NOT $4 OR (answered_at IS NULL AND duplicate_of IS NULL))
  AND (filed_at, folio) > ($5, $6)
ORDER BY filed_at, folio LIMIT $7
"""
)
UPDATE = """
UPDATE folio SET revision = $2, carta = $3, compromiso = $4, unit = $5, answer_by = $6,
       answered_at = $7, finding = $8, found_at = $9, duplicate_of = $10, not_competent_at = $11,
       referred_at = $12, calendar_version = $13
WHERE folio = $1
"""
UPSERT_PAUSE = """
INSERT INTO pause (folio, started_at, reason, ended_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (folio, started_at) DO UPDATE SET ended_at = excluded.ended_at
"""
SECRET_HASH = "SELECT secret_hash FROM folio WHERE folio = $1"  # noqa: S105 - a column's name
OCCURRED_ON = "SELECT occurred_on FROM folio WHERE folio = $1"
ADD_STEP = """
INSERT INTO step (folio, revision, change, post, at, request) VALUES ($1, $2, $3, $4, $5, $6)
"""
STEPS = "SELECT revision, change, post, at, request FROM step WHERE folio = $1 ORDER BY revision"
ADD_WRITING = "INSERT INTO writing (folio, revision, part, body) VALUES ($1, $2, $3, $4)"
WRITINGS = "SELECT part, body FROM writing WHERE folio = $1 ORDER BY revision, part"
ADD_CONTACT = "INSERT INTO contact (folio, sealed) VALUES ($1, $2)"
CONTACT = "SELECT sealed FROM contact WHERE folio = $1"
NOTE_READING = "INSERT INTO contact_reading (folio, post, at) VALUES ($1, $2, $3)"

Position = tuple[datetime, str]
"""Place in the order of filing: instant and folio."""
FIRST: Position = (datetime.fromisoformat("2000-01-01T00:00:00Z"), "")


@dataclass(frozen=True, slots=True)
class StepRow:
    """One line of the record. `request` is the keyed hash of what was asked."""

    revision: int
    change: ComplaintChange
    post: str | None
    at: datetime
    request: bytes | None


@dataclass(frozen=True, slots=True)
class Writing:
    """One text: what part it is of the conversation, and its words."""

    part: str
    body: str


async def next_number(connection: Connection, year: int) -> int:
    """Return the next number of the local year."""
    number: int = await connection.fetchval(NEXT_NUMBER, year)
    return number


async def insert(
    connection: Connection, folio: Folio, *, secret_hash: bytes, occurred_on: date | None
) -> None:
    """Store a new folio."""
    term = folio.term
    await connection.execute(
        INSERT,
        *(folio.folio, folio.municipality, folio.revision, folio.kind, folio.filed_at),
        *(secret_hash, folio.carta, folio.unit),
        *(term.limit, term.unit, term.calendar, term.start_rule, list(term.pauses)),
        *(folio.answer_by, folio.referred_at, occurred_on, folio.calendar_version),
    )


async def get(connection: Connection, folio: str) -> Folio | None:
    """Return the folio as it stands."""
    row = await connection.fetchrow(GET, folio)
    return _folio(row) if row is not None else None


async def lock(connection: Connection, folio: str) -> Folio | None:
    """Return the folio, locked: its steps are taken one after the other.

    The state is read by a statement of its own, which sees what the lock waited for.
    """
    await connection.execute(LOCK, folio)
    return await get(connection, folio)


async def listed(
    connection: Connection,
    municipality: str,
    *,
    units: frozenset[str] | None,
    referred: bool,
    waiting: bool,
    after: Position,
    limit: int,
) -> list[Folio]:
    """Return a page in order of filing, the first folio being the one behind `after`.

    `units` None for all of the municipality.
    """
    wanted = sorted(units) if units is not None else None
    rows = await connection.fetch(LIST, municipality, wanted, referred, waiting, *after, limit)
    return [_folio(row) for row in rows]


async def update(connection: Connection, folio: Folio) -> None:
    """Store the next state of a folio that is locked."""
    await connection.execute(
        UPDATE,
        *(folio.folio, folio.revision, folio.carta, folio.compromiso, folio.unit),
        *(folio.answer_by, folio.answered_at, folio.finding, folio.found_at),
        *(folio.duplicate_of, folio.not_competent_at, folio.referred_at),
        folio.calendar_version,
    )
    pauses = [(folio.folio, pause.start, pause.reason, pause.end) for pause in folio.pauses]
    await connection.executemany(UPSERT_PAUSE, pauses)


async def secret_hash(connection: Connection, folio: str) -> bytes | None:
    """Return what is kept of the citizen's secret."""
    found: bytes | None = await connection.fetchval(SECRET_HASH, folio)
    return found


async def occurred_on(connection: Connection, folio: str) -> date | None:
    """Return the date on which it happened, as the citizen said."""
    found: date | None = await connection.fetchval(OCCURRED_ON, folio)
    return found


async def add_step(
    connection: Connection,
    folio: Folio,
    change: ComplaintChange,
    *,
    post: str | None,
    at: datetime,
    request: bytes | None,
) -> None:
    """Append what was done to the record."""
    await connection.execute(ADD_STEP, folio.folio, folio.revision, change, post, at, request)


async def steps(connection: Connection, folio: str) -> list[StepRow]:
    """Return the record in order."""
    rows = await connection.fetch(STEPS, folio)
    return [
        StepRow(
            row["revision"],
            ComplaintChange(row["change"]),
            row["post"],
            row["at"],
            row["request"],
        )
        for row in rows
    ]


async def add_writings(connection: Connection, folio: Folio, writings: Sequence[Writing]) -> None:
    """Keep texts with the revision that brought them."""
    rows = [(folio.folio, folio.revision, writing.part, writing.body) for writing in writings]
    await connection.executemany(ADD_WRITING, rows)


async def writings(connection: Connection, folio: str) -> list[Writing]:
    """Return all texts in order."""
    rows = await connection.fetch(WRITINGS, folio)
    return [Writing(row["part"], row["body"]) for row in rows]


async def add_contact(connection: Connection, folio: str, sealed: bytes) -> None:
    """Keep the sealed contact."""
    await connection.execute(ADD_CONTACT, folio, sealed)


async def contact(connection: Connection, folio: str) -> bytes | None:
    """Return the sealed contact."""
    found: bytes | None = await connection.fetchval(CONTACT, folio)
    return found


async def note_reading(connection: Connection, folio: str, post: str, *, at: datetime) -> None:
    """Record who read a contact."""
    await connection.execute(NOTE_READING, folio, post, at)


def _folio(row: asyncpg.Record) -> Folio:
    return Folio(
        folio=row["folio"],
        municipality=row["municipality"],
        revision=row["revision"],
        kind=ComplaintKind(row["kind"]),
        filed_at=row["filed_at"],
        term=_term(row),
        carta=row["carta"],
        compromiso=row["compromiso"],
        unit=row["unit"],
        answer_by=row["answer_by"],
        calendar_version=row["calendar_version"],
        answered_at=row["answered_at"],
        finding=Finding(row["finding"]) if row["finding"] else None,
        found_at=row["found_at"],
        duplicate_of=row["duplicate_of"],
        not_competent_at=row["not_competent_at"],
        referred_at=row["referred_at"],
        pauses=tuple(
            PauseInterval(reason=reason, start=start, end=end)
            for reason, start, end in row["pauses"]
        ),
    )


def _term(row: asyncpg.Record) -> Term:
    rule = row["term_start_rule"]
    return Term(
        limit=Decimal(row["term_limit"]),
        unit=Unit(row["term_unit"]),
        calendar=row["term_calendar"],
        start_rule=StartRule(rule) if rule else None,
        pauses=tuple(row["term_pauses"]),
    )
