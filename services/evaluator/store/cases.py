"""Cases and the verdicts on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.domain.judging import Judgement, VerdictKey
from shared.contracts import hot
from shared.criteria import CaseStatus
from shared.database import Connection

CaseKey = tuple[str, str]
"""Municipality and case."""

# In sorted order, so that two transactions with the same cases cannot lock each other.
LOCK = """
SELECT c.municipality, c.case_id, c.revision
FROM measured_case c
JOIN unnest($1::text[], $2::text[]) AS wanted (municipality, case_id)
    USING (municipality, case_id)
ORDER BY c.municipality, c.case_id
FOR UPDATE OF c
"""
SAVE = """
INSERT INTO measured_case AS c (municipality, case_id, revision, service, data, traceparent, unit,
                                began_kind, began_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bytea[], $6::text[],
                     $7::text[], $8::text[], $9::timestamptz[])
ON CONFLICT (municipality, case_id) DO UPDATE
SET revision = excluded.revision, service = excluded.service, data = excluded.data,
    traceparent = excluded.traceparent, unit = excluded.unit, began_kind = excluded.began_kind,
    began_at = excluded.began_at
WHERE c.revision < excluded.revision
"""
VERDICTS = """
SELECT v.municipality, v.case_id, v.compromiso, v.part, v.carta_version, v.unit, v.window_id,
       v.status, v.reason, v.due_at, v.amount, v.overdue_open, v.historical, v.alarm_at,
       v.calendar_version, v.slice, v.cell, v.span_from, v.span_to
FROM verdict v
JOIN unnest($1::text[], $2::text[]) AS wanted (municipality, case_id)
    USING (municipality, case_id)
"""
SAVE_VERDICTS = """
INSERT INTO verdict AS v (municipality, case_id, compromiso, part, carta_version, unit, window_id,
                          status, reason, due_at, amount, overdue_open, historical, alarm_at,
                          calendar_version, slice, cell, span_from, span_to)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::int[], $6::text[],
                     $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::bigint[],
                     $12::bool[], $13::bool[], $14::timestamptz[], $15::int[], $16::smallint[],
                     $17::text[], $18::bigint[], $19::bigint[])
ON CONFLICT (municipality, case_id, compromiso, part, slice) DO UPDATE
SET carta_version = excluded.carta_version, unit = excluded.unit, window_id = excluded.window_id,
    status = excluded.status, reason = excluded.reason, due_at = excluded.due_at,
    amount = excluded.amount, overdue_open = excluded.overdue_open,
    historical = excluded.historical, alarm_at = excluded.alarm_at,
    calendar_version = excluded.calendar_version, cell = excluded.cell,
    span_from = excluded.span_from, span_to = excluded.span_to
"""
DROP_VERDICTS = """
DELETE FROM verdict v
USING unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::smallint[])
    AS gone (municipality, case_id, compromiso, part, slice)
WHERE v.municipality = gone.municipality AND v.case_id = gone.case_id
    AND v.compromiso = gone.compromiso AND v.part = gone.part AND v.slice = gone.slice
"""
# Open cases of a municipality whose alarm lies within what is known; the caller judges them again.
ALARMED = """
SELECT DISTINCT case_id
FROM verdict
WHERE municipality = $1 AND historical = $2 AND alarm_at <= $3 AND case_id > $4
ORDER BY case_id
LIMIT $5
"""
# Whether one of a window's open cases has an alarm within what is known and was not judged since.
ALARM_IS_DUE = """
SELECT EXISTS (
    SELECT FROM verdict
    WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
        AND status = 'pending' AND historical = $5 AND alarm_at <= $6
)
"""
DATA = """
SELECT c.municipality, c.case_id, c.data, c.traceparent
FROM measured_case c
JOIN unnest($1::text[], $2::text[]) AS wanted (municipality, case_id)
    USING (municipality, case_id)
ORDER BY c.municipality, c.case_id
FOR UPDATE OF c
"""
OF_SERVICE = """
SELECT municipality, case_id
FROM measured_case
WHERE municipality = $1 AND service = $2 AND case_id > $3
ORDER BY case_id
LIMIT $4
"""
FAILING = """
SELECT DISTINCT case_id
FROM verdict
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND status = 'failed'
ORDER BY case_id
LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class StoredCase:
    """What is known of a case, and the trace of the event that made it so."""

    data: hot.CaseData
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict and the case it is on."""

    case: CaseKey
    judgement: Judgement


def _columns(keys: Iterable[CaseKey]) -> tuple[list[str], list[str]]:
    ordered = sorted(keys)
    return [key[0] for key in ordered], [key[1] for key in ordered]


async def lock_cases(connection: Connection, keys: Iterable[CaseKey]) -> dict[CaseKey, int]:
    """Lock the cases that exist; return their revisions."""
    rows = await connection.fetch(LOCK, *_columns(keys))
    return {(row["municipality"], row["case_id"]): row["revision"] for row in rows}


async def load_cases(connection: Connection, keys: Iterable[CaseKey]) -> dict[CaseKey, StoredCase]:
    """Lock and return the cases."""
    return {
        (row["municipality"], row["case_id"]): StoredCase(
            hot.decode_case(row["data"]), row["traceparent"]
        )
        for row in await connection.fetch(DATA, *_columns(keys))
    }


async def save_cases(connection: Connection, stored: Sequence[StoredCase]) -> None:
    """Store the cases at their revisions."""
    cases = [each.data for each in stored]
    begun = [began(case) for case in cases]
    await connection.execute(
        SAVE,
        [case.municipality for case in cases],
        [case.case for case in cases],
        [case.revision for case in cases],
        [case.service for case in cases],
        [hot.encode(case) for case in cases],
        [each.traceparent for each in stored],
        [case.unit for case in cases],
        [kind for kind, _ in begun],
        [at for _, at in begun],
    )


def began(case: hot.CaseData) -> tuple[str | None, datetime | None]:
    """Return with which event a case began, and when; (None, None) where it has none any more."""
    if not case.instants:
        return None, None
    at, kind = min((at, kind) for kind, at in case.instants.items())
    return kind, at


async def load_verdicts(
    connection: Connection, keys: Iterable[CaseKey]
) -> dict[CaseKey, dict[VerdictKey, Judgement]]:
    """Return the stored verdicts of the cases."""
    stored: dict[CaseKey, dict[VerdictKey, Judgement]] = {}
    for row in await connection.fetch(VERDICTS, *_columns(keys)):
        judgement = Judgement(
            compromiso=row["compromiso"],
            part=row["part"],
            carta_version=row["carta_version"],
            unit=row["unit"],
            window_id=row["window_id"],
            status=CaseStatus(row["status"]),
            reason=row["reason"],
            due_at=row["due_at"],
            amount=row["amount"],
            overdue_open=row["overdue_open"],
            slice=row["slice"],
            cell=row["cell"],
            span=None if row["span_from"] is None else (row["span_from"], row["span_to"]),
            historical=row["historical"],
            alarm_at=row["alarm_at"],
            calendar_version=row["calendar_version"],
        )
        stored.setdefault((row["municipality"], row["case_id"]), {})[judgement.key] = judgement
    return stored


async def save_verdicts(connection: Connection, verdicts: Sequence[StoredVerdict]) -> None:
    """Store verdicts in sorted order."""
    ordered = sorted(verdicts, key=lambda v: (*v.case, *v.judgement.key))
    judgements = [verdict.judgement for verdict in ordered]
    await connection.execute(
        SAVE_VERDICTS,
        [verdict.case[0] for verdict in ordered],
        [verdict.case[1] for verdict in ordered],
        [judgement.compromiso for judgement in judgements],
        [judgement.part for judgement in judgements],
        [judgement.carta_version for judgement in judgements],
        [judgement.unit for judgement in judgements],
        [judgement.window_id for judgement in judgements],
        [judgement.status.value for judgement in judgements],
        [judgement.reason for judgement in judgements],
        [judgement.due_at for judgement in judgements],
        [judgement.amount for judgement in judgements],
        [judgement.overdue_open for judgement in judgements],
        [judgement.historical for judgement in judgements],
        [judgement.alarm_at for judgement in judgements],
        [judgement.calendar_version for judgement in judgements],
        [judgement.slice for judgement in judgements],
        [judgement.cell for judgement in judgements],
        [judgement.span[0] if judgement.span else None for judgement in judgements],
        [judgement.span[1] if judgement.span else None for judgement in judgements],
    )


async def drop_verdicts(connection: Connection, gone: Sequence[tuple[CaseKey, VerdictKey]]) -> None:
    """Remove verdicts on cases that are in the population no more."""
    ordered = sorted(gone)
    await connection.execute(
        DROP_VERDICTS,
        [case[0] for case, _ in ordered],
        [case[1] for case, _ in ordered],
        [key[0] for _, key in ordered],
        [key[1] for _, key in ordered],
        [key[2] for _, key in ordered],
    )


async def alarmed(
    connection: Connection, horizon: tuple[str, bool, datetime], *, after: str, limit: int
) -> list[CaseKey]:
    """Return cases, in order after `after`, with an alarm up to (municipality, historical, at)."""
    rows = await connection.fetch(ALARMED, *horizon, after, limit)
    return [(horizon[0], row["case_id"]) for row in rows]


async def is_alarm_due(
    connection: Connection,
    window: tuple[str, str, str, str],
    *,
    historical: bool,
    known: datetime | None,
) -> bool:
    """Return whether what is known has not been applied to all open cases of a window yet."""
    if known is None:
        return False
    return bool(await connection.fetchval(ALARM_IS_DUE, *window, historical, known))


async def of_service(
    connection: Connection, municipality: str, service: str, *, after: str, limit: int
) -> list[CaseKey]:
    """Return the next cases of a service in order of their ids."""
    rows = await connection.fetch(OF_SERVICE, municipality, service, after, limit)
    return [(row["municipality"], row["case_id"]) for row in rows]


async def failing_cases(
    connection: Connection, window: tuple[str, str, str, str], *, limit: int
) -> list[str]:
    """Return the ids of failed cases behind (municipality, compromiso, unit, window)."""
    rows = await connection.fetch(FAILING, *window, limit)
    return [row["case_id"] for row in rows]
