"""The published catalogue, and which services are to be judged again because of it."""

from collections.abc import Iterable

from services.evaluator.domain.catalogue import Catalogue, build_catalogue
from shared.contracts.cartas import CalendarData, CartaData, MunicipalityData
from shared.database import Connection

CatalogueState = MunicipalityData | CalendarData | CartaData

# Shared with every batch; a change waits for the batches that judge by the version before.
HOLD_VERSION = "SELECT version FROM catalogue FOR SHARE"
RAISE_VERSION = "UPDATE catalogue SET version = version + 1"
SAVE = """
INSERT INTO catalogue_entry AS e (municipality, kind, id, version, data)
VALUES ($1, $2, $3, $4, $5::jsonb)
ON CONFLICT (municipality, kind, id, version) DO UPDATE SET data = excluded.data
WHERE e.data IS DISTINCT FROM excluded.data
RETURNING true
"""
ENTRIES = "SELECT kind, data FROM catalogue_entry ORDER BY municipality, kind, id, version"
REFERENCES = """
SELECT kind, data FROM catalogue_entry
WHERE municipality = $1 AND kind IN ('municipality', 'calendar')
"""
CARTAS = "SELECT data FROM catalogue_entry WHERE municipality = $1 AND kind = 'carta'"
# Asked for again while under way: from the start.
ASK_REJUDGING = """
INSERT INTO rejudging (municipality, service)
SELECT $1, service FROM unnest($2::text[]) AS service ORDER BY service
ON CONFLICT (municipality, service) DO UPDATE SET after_began = '-infinity', after_case = ''
"""
NEXT_REJUDGING = """
SELECT municipality, service, after_began, after_case
FROM rejudging ORDER BY municipality, service LIMIT 1 FOR UPDATE SKIP LOCKED
"""
MOVE_REJUDGING = """
UPDATE rejudging SET after_began = $3, after_case = $4 WHERE municipality = $1 AND service = $2
"""
END_REJUDGING = "DELETE FROM rejudging WHERE municipality = $1 AND service = $2"
REJUDGING_OF = "SELECT EXISTS (SELECT FROM rejudging WHERE municipality = $1 AND service = ANY($2))"
REJUDGING_LEFT = "SELECT count(*) FROM rejudging"


async def hold_version(connection: Connection) -> int:
    """Return the catalogue's version; it cannot change until the transaction ends."""
    version: int = await connection.fetchval(HOLD_VERSION)
    return version


async def save(connection: Connection, kind: str, name: str, data: CatalogueState) -> bool:
    """Store one state; return whether it differs from what was known."""
    changed = await connection.fetchval(
        SAVE, data.municipality, kind, name, data.version, data.model_dump_json()
    )
    return bool(changed)


async def changed(connection: Connection, affected: Iterable[tuple[str, set[str]]]) -> None:
    """Raise the version and ask for the affected (municipality, services) to be judged again."""
    await connection.execute(RAISE_VERSION)
    for municipality, services in sorted(affected):
        await connection.execute(ASK_REJUDGING, municipality, sorted(services))


async def is_rejudging(connection: Connection, municipality: str, services: Iterable[str]) -> bool:
    """Return whether cases of one of the services wait to be judged by changed promises."""
    return bool(await connection.fetchval(REJUDGING_OF, municipality, sorted(services)))


async def load(connection: Connection, version: int) -> Catalogue:
    """Return the prepared catalogue."""
    rows: dict[str, list[str]] = {"municipality": [], "calendar": [], "carta": []}
    for row in await connection.fetch(ENTRIES):
        rows[row["kind"]].append(row["data"])
    return build_catalogue(
        version,
        map(MunicipalityData.model_validate_json, rows["municipality"]),
        map(CalendarData.model_validate_json, rows["calendar"]),
        map(CartaData.model_validate_json, rows["carta"]),
    )


async def cartas_of(connection: Connection, municipality: str) -> list[CartaData]:
    """Return every carta version of a municipality."""
    rows = await connection.fetch(CARTAS, municipality)
    return [CartaData.model_validate_json(row["data"]) for row in rows]


async def references(
    connection: Connection, municipality: str
) -> tuple[list[MunicipalityData], list[CalendarData]]:
    """Return what is known of a municipality and every version of its calendars."""
    rows = await connection.fetch(REFERENCES, municipality)
    towns = [row["data"] for row in rows if row["kind"] == "municipality"]
    calendars = [row["data"] for row in rows if row["kind"] == "calendar"]
    return (
        [MunicipalityData.model_validate_json(data) for data in towns],
        [CalendarData.model_validate_json(data) for data in calendars],
    )
