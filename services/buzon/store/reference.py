"""What `cartas.v1` said, read back as the contract's own models."""

from collections.abc import Iterable
from functools import lru_cache

from services.buzon.domain.access import Post, units_under
from shared.contracts.cartas import (
    CalendarData,
    CartaData,
    CatalogueEvent,
    MunicipalityData,
    PostData,
    Status,
    UnitData,
)
from shared.database import Connection
from shared.worktime import PreparedCalendar

UPSERT = """
INSERT INTO reference (municipality, kind, id, version, data) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kind, municipality, id, version) DO UPDATE SET data = excluded.data
"""
LATEST = """
SELECT data FROM reference WHERE kind = $1 AND municipality = $2 AND id = $3
ORDER BY version DESC LIMIT 1
"""
LATEST_OF_ALL = """
SELECT DISTINCT ON (municipality, id) data FROM reference
WHERE kind = $1 AND ($2::text IS NULL OR municipality = $2)
ORDER BY municipality, id, version DESC
"""
# A calendar that was corrected has its earlier version retired.
CALENDAR_IN_USE = """
SELECT data FROM reference
WHERE kind = 'calendar' AND municipality = $1 AND id = $2 AND data->>'status' = 'active'
ORDER BY version DESC LIMIT 1
"""
CARTA_VERSIONS = """
SELECT data FROM reference WHERE kind = 'carta' AND municipality = $1 AND id = $2
"""


async def upsert(connection: Connection, events: Iterable[CatalogueEvent]) -> None:
    """Keep each state; of two states of one version the later message counts."""
    await connection.executemany(UPSERT, [_row(event) for event in events])


def _row(event: CatalogueEvent) -> tuple[str, str, str, int, str]:
    municipality, kind, rest = event.key.split("/", 2)
    identity, version = rest.rsplit("/", 1)
    return municipality, kind, identity, int(version), event.data.model_dump_json()


async def municipality(connection: Connection, code: str) -> MunicipalityData | None:
    """Return the municipality, unless it is unknown or retired."""
    text = await connection.fetchval(LATEST, "municipality", code, code)
    found = MunicipalityData.model_validate_json(text) if text is not None else None
    return found if found is not None and found.status is Status.ACTIVE else None


async def municipalities(connection: Connection) -> list[str]:
    """Return the codes of all active municipalities, sorted."""
    rows = await connection.fetch(LATEST_OF_ALL, "municipality", None)
    found = [MunicipalityData.model_validate_json(row["data"]) for row in rows]
    return [data.municipality for data in found if data.status is Status.ACTIVE]


async def cartas(connection: Connection, municipality_code: str, code: str) -> list[CartaData]:
    """Return every version of the carta."""
    rows = await connection.fetch(CARTA_VERSIONS, municipality_code, code)
    return [CartaData.model_validate_json(row["data"]) for row in rows]


async def all_cartas(connection: Connection, municipality_code: str) -> list[CartaData]:
    """Return the latest version of each carta of the municipality."""
    rows = await connection.fetch(LATEST_OF_ALL, "carta", municipality_code)
    return [CartaData.model_validate_json(row["data"]) for row in rows]


async def calendar(
    connection: Connection, municipality_code: str, code: str | None
) -> PreparedCalendar | None:
    """Return the latest active version; None while it is not known."""
    if code is None:
        return None
    text = await connection.fetchval(CALENDAR_IN_USE, municipality_code, code)
    return _prepared(text) if text is not None else None


@lru_cache(maxsize=64)
def _prepared(text: str) -> PreparedCalendar:
    return PreparedCalendar(CalendarData.model_validate_json(text).calendar)


async def unit(connection: Connection, municipality_code: str, code: str) -> UnitData | None:
    """Return the unit, unless it is unknown or retired."""
    text = await connection.fetchval(LATEST, "unit", municipality_code, code)
    found = UnitData.model_validate_json(text) if text is not None else None
    return found if found is not None and found.status is Status.ACTIVE else None


async def post(connection: Connection, municipality_code: str, code: str) -> Post | None:
    """Return the post with the units it answers for, unless it is unknown or retired."""
    text = await connection.fetchval(LATEST, "post", municipality_code, code)
    found = PostData.model_validate_json(text) if text is not None else None
    if found is None or found.status is not Status.ACTIVE:
        return None
    rows = await connection.fetch(LATEST_OF_ALL, "unit", municipality_code)
    known = [UnitData.model_validate_json(row["data"]) for row in rows]
    units = units_under(found.unit, {data.unit: data.parent for data in known})
    return Post(found.municipality, found.post, found.role, units)
