"""The catalogue as received: the latest version of each thing, cartas by version."""

from collections.abc import Iterable, Sequence

from services.portal.domain.headings import CartaHeading, heading
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
from shared.worktime import CalendarHistory

# The same version again (a repeat, a retirement) replaces what is there.
KEEP = """
INSERT INTO catalogue (municipality, kind, id, version, data)
VALUES ($1, $2, $3, $4, $5::json)
ON CONFLICT (municipality, kind, id, version) DO UPDATE SET data = excluded.data
"""
MUNICIPALITIES = """
SELECT DISTINCT ON (municipality) data
FROM catalogue
WHERE kind = 'municipality'
ORDER BY municipality, version DESC
"""
MUNICIPALITY = """
SELECT data
FROM catalogue
WHERE municipality = $1 AND kind = 'municipality' AND id = $1
ORDER BY version DESC
LIMIT 1
"""
LATEST_OF_KIND = """
SELECT DISTINCT ON (id) data
FROM catalogue
WHERE municipality = $1 AND kind = $2
ORDER BY id, version DESC
"""
CALENDARS = """
SELECT data FROM catalogue WHERE municipality = $1 AND kind = 'calendar' ORDER BY id, version
"""
CARTAS = """
SELECT data FROM catalogue WHERE municipality = $1 AND kind = 'carta' ORDER BY id, version
"""
SOME_CARTAS = """
SELECT data FROM catalogue
WHERE municipality = $1 AND kind = 'carta' AND id = ANY ($2)
ORDER BY id, version
"""
# A newer version of the post may have another mailbox or be retired: only the latest counts.
POSTS_OF_MAILBOX = """
SELECT data
FROM catalogue AS held
WHERE kind = 'post' AND lower(data ->> 'mailbox') = $1 AND data ->> 'status' = 'active'
  AND NOT EXISTS (
    SELECT 1
    FROM catalogue AS newer
    WHERE newer.municipality = held.municipality AND newer.kind = 'post'
      AND newer.id = held.id AND newer.version > held.version
  )
ORDER BY municipality, id
"""


async def keep(connection: Connection, events: Sequence[CatalogueEvent]) -> None:
    """Keep each state; the event's key names it."""
    rows = []
    for event in events:
        municipality, kind, identity, version = event.key.split("/")
        rows.append((municipality, kind, identity, int(version), event.data.model_dump_json()))
    await connection.executemany(KEEP, rows)


async def municipalities(connection: Connection) -> list[MunicipalityData]:
    """Return those that are active, by name."""
    rows = await connection.fetch(MUNICIPALITIES)
    found = (MunicipalityData.model_validate_json(row["data"]) for row in rows)
    return sorted((m for m in found if m.status is Status.ACTIVE), key=lambda m: m.name)


async def municipality(connection: Connection, code: str) -> MunicipalityData | None:
    data = await connection.fetchval(MUNICIPALITY, code)
    return None if data is None else MunicipalityData.model_validate_json(data)


async def units(connection: Connection, code: str) -> dict[str, UnitData]:
    rows = await connection.fetch(LATEST_OF_KIND, code, "unit")
    found = (UnitData.model_validate_json(row["data"]) for row in rows)
    return {unit.unit: unit for unit in found}


async def posts(connection: Connection, code: str) -> list[PostData]:
    """Return the posts that exist now."""
    rows = await connection.fetch(LATEST_OF_KIND, code, "post")
    found = (PostData.model_validate_json(row["data"]) for row in rows)
    return [post for post in found if post.status is Status.ACTIVE]


async def posts_of_mailbox(connection: Connection, mailbox: str) -> list[PostData]:
    """Return the posts that `mailbox` (lower case) holds now."""
    rows = await connection.fetch(POSTS_OF_MAILBOX, mailbox)
    return [PostData.model_validate_json(row["data"]) for row in rows]


async def calendars(connection: Connection, code: str) -> dict[str, CalendarHistory]:
    """Return every version of the calendars that are in use, by name."""
    versions: dict[str, list[CalendarData]] = {}
    for row in await connection.fetch(CALENDARS, code):
        data = CalendarData.model_validate_json(row["data"])
        versions.setdefault(data.calendar.id, []).append(data)
    return {
        name: CalendarHistory((each.calendar, each.known_since) for each in found)
        for name, found in versions.items()
        if any(each.status is Status.ACTIVE for each in found)
    }


async def headings(connection: Connection, code: str) -> list[CartaHeading]:
    """Return every version of every carta that is not retired, in order of code and version."""
    found = [heading(row["data"]) for row in await connection.fetch(CARTAS, code)]
    return [carta for carta in found if carta.status is Status.ACTIVE]


async def cartas(connection: Connection, code: str, wanted: Iterable[str]) -> list[CartaData]:
    """Return every version of some cartas that is not retired, in order of code and version."""
    rows = await connection.fetch(SOME_CARTAS, code, list(wanted))
    found = [CartaData.model_validate_json(row["data"]) for row in rows]
    return [carta for carta in found if carta.status is Status.ACTIVE]
