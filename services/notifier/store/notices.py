"""What the evaluator says that asks for no action: kept, and gathered into digests where wished."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from pydantic import TypeAdapter

from shared.contracts.breaches import BreachData, BreachEvent, BreachKind
from shared.contracts.results import PartResult
from shared.database import Connection

PARTS: Final = TypeAdapter(tuple[PartResult, ...])

ADD_NOTICES = """
INSERT INTO notice (event_id, municipality, kind, responsible_unit, carta, carta_version,
                    compromiso, unit, window_id, case_id, due_at, parts, noted_at)
SELECT event_id, municipality, kind, responsible_unit, carta, carta_version, compromiso, unit,
       window_id, case_id, due_at, parts::jsonb, $13
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[],
            $12::text[])
    AS row (event_id, municipality, kind, responsible_unit, carta, carta_version, compromiso,
            unit, window_id, case_id, due_at, parts)
ON CONFLICT DO NOTHING
"""
BEGIN_DIGEST = """
INSERT INTO digest_run (municipality, day) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true
"""
UNDIGESTED = """
UPDATE notice SET digest = $2
WHERE municipality = $1 AND digest IS NULL AND kind IN ('late_case', 'at_risk')
  AND noted_at >= $3
RETURNING responsible_unit, carta, carta_version, compromiso, kind, parts
"""


@dataclass(frozen=True, slots=True)
class Noted:
    """One statement for a digest. `parts` are a risk's, as published; None of a late case."""

    responsible_unit: str
    carta: str
    carta_version: int
    compromiso: str
    kind: str
    parts: tuple[PartResult, ...] | None


async def add_notices(
    connection: Connection, events: Sequence[BreachEvent], *, now: datetime
) -> None:
    facts = [event.data for event in events]
    await connection.execute(
        ADD_NOTICES,
        [event.id for event in events],
        [data.municipality for data in facts],
        [data.kind for data in facts],
        [data.responsible_unit for data in facts],
        [data.carta for data in facts],
        [data.carta_version for data in facts],
        [data.compromiso for data in facts],
        [data.unit for data in facts],
        [data.window.id for data in facts],
        [data.case for data in facts],
        [data.due_at for data in facts],
        [_parts(data) for data in facts],
        now,
    )


async def begin_digest(connection: Connection, municipality: str, day: date) -> bool:
    """Say whether the day's digest is still to be made, and that it is being made now."""
    return bool(await connection.fetchval(BEGIN_DIGEST, municipality, day))


async def take_undigested(
    connection: Connection, municipality: str, *, digest: str, since: datetime
) -> list[Noted]:
    """Return what was noted from `since` on and stands in no digest, and put it into this one."""
    rows = await connection.fetch(UNDIGESTED, municipality, digest, since)
    return [
        Noted(**dict(row) | {"parts": row["parts"] and PARTS.validate_json(row["parts"])})
        for row in rows
    ]


def _parts(data: BreachData) -> str | None:
    is_risk = data.kind is BreachKind.AT_RISK
    return PARTS.dump_json(data.parts).decode() if is_risk else None
