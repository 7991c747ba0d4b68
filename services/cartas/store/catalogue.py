"""The catalogue in PostgreSQL: one row for each version of each thing, as it is published."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from services.cartas.domain.versions import State, Stored, id_of, kind_of
from shared.contracts.cartas import (
    CalendarData,
    CartaData,
    MunicipalityData,
    PostData,
    UnitData,
)
from shared.database import Connection
from shared.worktime import Calendar, CalendarHistory

# Loads of one municipality wait for each other: each compares with all that is stored.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('load/' || $1, 0))"
STORED = """
SELECT kind, data, declared
FROM state
WHERE municipality = $1
ORDER BY kind, id, version
"""
# A row changes only when a version is retired or a carta's last day moves.
KEEP = """
INSERT INTO state (municipality, kind, id, version, status, data, declared, valid_from, valid_to,
                   published_at)
SELECT municipality, kind, id, version, status, data, declared, valid_from, valid_to, $10
FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::jsonb[],
            $7::json[], $8::date[], $9::date[])
    AS row (municipality, kind, id, version, status, data, declared, valid_from, valid_to)
ON CONFLICT (municipality, kind, id, version) DO UPDATE
SET status = excluded.status, data = excluded.data, declared = excluded.declared,
    valid_to = excluded.valid_to, published_at = excluded.published_at
"""
NOTE_LOAD = """
INSERT INTO load (municipality, sha256, published, unchanged, loaded_at)
VALUES ($1, $2, $3, $4, $5)
"""
# Keyset pages over the primary key.
CARTAS = """
SELECT data, municipality, id, version
FROM state
WHERE kind = 'carta' AND ($1::text IS NULL OR municipality = $1) AND ($2::text IS NULL OR id = $2)
  AND ($3::text IS NULL OR status = $3) AND (municipality, id, version) > ($4, $5, $6)
ORDER BY municipality, id, version
LIMIT $7
"""
CARTA = """
SELECT data FROM state
WHERE kind = 'carta' AND municipality = $1 AND id = $2 AND version = $3
"""
MUNICIPALITIES = """
SELECT DISTINCT ON (municipality) data
FROM state
WHERE kind = 'municipality'
ORDER BY municipality, version DESC
"""
# Retired versions too: what they said explains what was decided while they were known.
CALENDAR_VERSIONS = """
SELECT data FROM state
WHERE kind = 'calendar' AND municipality = $1 AND id = $2
ORDER BY version
"""
CERTIFIED = """
SELECT data FROM state
WHERE kind = 'carta' AND status = 'active' AND data ->> 'certified_until' IS NOT NULL
"""
CALENDARS_IN_USE = "SELECT data FROM state WHERE kind = 'calendar' AND status = 'active'"
ONLY_MUNICIPALITY = """
SELECT max(municipality) FROM state WHERE kind = 'municipality' HAVING count(DISTINCT id) = 1
"""
COUNTS = "SELECT kind, status, count(*) AS states FROM state GROUP BY kind, status"

_MODELS: Final[dict[str, type[BaseModel]]] = {
    "municipality": MunicipalityData,
    "unit": UnitData,
    "post": PostData,
    "calendar": CalendarData,
    "carta": CartaData,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of cartas goes on: after this version."""

    municipality: str = ""
    carta: str = ""
    version: int = 0


async def stored(connection: Connection, municipality: str) -> list[Stored]:
    """Lock the municipality until the end of the transaction and return all its versions."""
    await connection.execute(LOCK, municipality)
    return await published(connection, municipality)


async def published(connection: Connection, municipality: str) -> list[Stored]:
    """Return all versions of everything of a municipality, as one statement sees them."""
    return [
        Stored(_state(row["kind"], row["data"]), json.loads(row["declared"] or "null"))
        for row in await connection.fetch(STORED, municipality)
    ]


def _state(kind: str, data: str) -> State:
    state = _MODELS[kind].model_validate_json(data)
    assert isinstance(state, MunicipalityData | UnitData | PostData | CalendarData | CartaData)
    return state


async def keep(connection: Connection, states: Sequence[Stored], at: datetime) -> None:
    """Write versions as published at `at`; a version that is there already is replaced."""
    rows = [_row(each) for each in states]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(KEEP, *columns, at)


def _row(stored_state: Stored) -> tuple[object, ...]:
    data, declared = stored_state.data, stored_state.declared
    carta = data if isinstance(data, CartaData) else None
    return (
        data.municipality,
        kind_of(data),
        id_of(data),
        data.version,
        data.status.value,
        data.model_dump_json(),
        None if declared is None else json.dumps(declared),
        carta.valid_from if carta else None,
        carta.valid_to if carta else None,
    )


async def note_load(
    connection: Connection,
    municipality: str,
    *,
    sha256: bytes,
    published: int,
    unchanged: int,
    at: datetime,
) -> None:
    """Keep on record that a file was loaded."""
    await connection.execute(NOTE_LOAD, municipality, sha256, published, unchanged, at)


async def cartas(
    connection: Connection,
    *,
    municipality: str | None,
    carta: str | None,
    status: str | None,
    after: Place,
    limit: int,
) -> tuple[list[str], Place | None]:
    """Return up to `limit` carta versions as JSON, and where the next page goes on."""
    place = (after.municipality, after.carta, after.version)
    rows = await connection.fetch(CARTAS, municipality, carta, status, *place, limit + 1)
    page = rows[:limit]
    if len(rows) <= limit:
        return [row["data"] for row in page], None
    last = page[-1]
    return [row["data"] for row in page], Place(last["municipality"], last["id"], last["version"])


async def carta_version(
    connection: Connection, municipality: str, carta: str, *, version: int
) -> str | None:
    """Return one version of a carta as JSON."""
    found: str | None = await connection.fetchval(CARTA, municipality, carta, version)
    return found


async def calendar_history(
    connection: Connection, municipality: str, calendar: str
) -> CalendarHistory | None:
    """Return every version of a calendar, None where none is published."""
    rows = await connection.fetch(CALENDAR_VERSIONS, municipality, calendar)
    found = [CalendarData.model_validate_json(row["data"]) for row in rows]
    return CalendarHistory((each.calendar, each.known_since) for each in found) if found else None


async def calendars_in_use(connection: Connection) -> list[Calendar]:
    """Return the latest version of every calendar."""
    rows = await connection.fetch(CALENDARS_IN_USE)
    return [CalendarData.model_validate_json(row["data"]).calendar for row in rows]


async def certified_cartas(connection: Connection) -> list[CartaData]:
    """Return the versions that are not retired and have a certificate, in force or not."""
    rows = await connection.fetch(CERTIFIED)
    return [CartaData.model_validate_json(row["data"]) for row in rows]


async def only_municipality(connection: Connection) -> str | None:
    """Return the municipality's code where there is exactly one."""
    code: str | None = await connection.fetchval(ONLY_MUNICIPALITY)
    return code


async def municipalities(connection: Connection) -> list[str]:
    """Return the latest state of each municipality as JSON."""
    return [row["data"] for row in await connection.fetch(MUNICIPALITIES)]


async def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many states there are by kind and status."""
    return {(row["kind"], row["status"]): row["states"] for row in await connection.fetch(COUNTS)}
