"""The catalogue as received: the latest version of each thing, and cartas by version."""

import json

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

# The same version again (a repeat, a retirement) replaces what is there.
KEEP = """
INSERT INTO catalogue (municipality, kind, id, version, data)
VALUES ($1, $2, $3, $4, $5::jsonb)
ON CONFLICT (municipality, kind, id, version) DO UPDATE SET data = excluded.data
"""
LATEST = """
SELECT data
FROM catalogue
WHERE municipality = $1 AND kind = $2 AND id = $3
ORDER BY version DESC
LIMIT 1
"""
LATEST_OF_KIND = """
SELECT DISTINCT ON (id) data
FROM catalogue
WHERE municipality = $1 AND kind = $2
ORDER BY id, version DESC
"""
# The version that was breached, or where it has not come yet, the nearest we know.
CARTA = """
SELECT data
FROM catalogue
WHERE municipality = $1 AND kind = 'carta' AND id = $2
ORDER BY (version = $3) DESC, version DESC
LIMIT 1
"""
MUNICIPALITIES = """
SELECT DISTINCT ON (municipality) data
FROM catalogue
WHERE kind = 'municipality'
ORDER BY municipality, version DESC
"""


async def keep(connection: Connection, event: CatalogueEvent) -> None:
    """Keep one state; the event's key names it."""
    municipality, kind, identity, version = event.key.split("/")
    data = json.dumps(event.data.model_dump(mode="json"))
    await connection.execute(KEEP, municipality, kind, identity, int(version), data)


async def municipality(connection: Connection, code: str) -> MunicipalityData | None:
    data = await connection.fetchval(LATEST, code, "municipality", code)
    return None if data is None else MunicipalityData.model_validate_json(data)


async def municipalities(connection: Connection) -> list[MunicipalityData]:
    rows = await connection.fetch(MUNICIPALITIES)
    return [MunicipalityData.model_validate_json(row["data"]) for row in rows]


async def calendar(connection: Connection, code: str, identity: str) -> CalendarData | None:
    data = await connection.fetchval(LATEST, code, "calendar", identity)
    return None if data is None else CalendarData.model_validate_json(data)


async def carta(connection: Connection, code: str, identity: str, version: int) -> CartaData | None:
    data = await connection.fetchval(CARTA, code, identity, version)
    return None if data is None else CartaData.model_validate_json(data)


async def units(connection: Connection, code: str) -> dict[str, UnitData]:
    rows = await connection.fetch(LATEST_OF_KIND, code, "unit")
    found = (UnitData.model_validate_json(row["data"]) for row in rows)
    return {unit.unit: unit for unit in found}


async def posts(connection: Connection, code: str) -> list[PostData]:
    """Return the posts that exist now."""
    rows = await connection.fetch(LATEST_OF_KIND, code, "post")
    found = (PostData.model_validate_json(row["data"]) for row in rows)
    return [post for post in found if post.status is Status.ACTIVE]


async def post(connection: Connection, code: str, identity: str) -> PostData | None:
    """Return the post, None where it does not exist (any more)."""
    data = await connection.fetchval(LATEST, code, "post", identity)
    found = None if data is None else PostData.model_validate_json(data)
    return found if found is not None and found.status is Status.ACTIVE else None
