"""The published catalogue, and which services are to be judged again because of it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from services.evaluator.domain.catalogue import Catalogue, Town
from services.evaluator.domain.coverage import BUZON_SERVICE
from services.evaluator.domain.preparing import build_town
from services.evaluator.store.rules import read_carta
from shared.contracts.cartas import CalendarData, CartaData, MunicipalityData
from shared.database import Connection

CatalogueState = MunicipalityData | CalendarData | CartaData
_NEVER = datetime.max.replace(tzinfo=UTC)

# Shared with every batch; a change waits for the batches that judge by the version before.
HOLD_VERSION = "SELECT version FROM catalogue FOR SHARE"
# Batches that overlap would share the row for ever, one after the other: for this they queue.
KEEP_OUT_BATCHES = "LOCK TABLE catalogue IN EXCLUSIVE MODE"
RAISE_VERSION = "UPDATE catalogue SET version = version + 1 RETURNING version"
# A changed promise may have other windows than before: all are looked at again.
CHANGE_TOWNS = """
INSERT INTO catalogue_town (municipality, version)
SELECT town, $2 FROM unnest($1::text[]) AS town ORDER BY town
ON CONFLICT (municipality) DO UPDATE
SET version = excluded.version, next_window_at = '-infinity', moving = '{}'
"""
CHANGED_SINCE = "SELECT municipality FROM catalogue_town WHERE version > $1"
NEXT_TO_OPEN = """
SELECT municipality FROM catalogue_town WHERE next_window_at <= $1
ORDER BY next_window_at, municipality LIMIT 1 FOR UPDATE SKIP LOCKED
"""
OPENED = "UPDATE catalogue_town SET next_window_at = $2, moving = $3 WHERE municipality = $1"
MOVING = "SELECT municipality, moving FROM catalogue_town WHERE moving <> '{}'"
SAVE = """
INSERT INTO catalogue_entry AS e (municipality, kind, id, version, data)
VALUES ($1, $2, $3, $4, $5::jsonb)
ON CONFLICT (municipality, kind, id, version) DO UPDATE SET data = excluded.data
WHERE e.data IS DISTINCT FROM excluded.data
RETURNING true
"""
ENTRIES = "SELECT kind, data FROM catalogue_entry WHERE municipality = $1"
REFERENCES = """
SELECT kind, data FROM catalogue_entry
WHERE municipality = $1 AND kind IN ('municipality', 'calendar')
"""
CARTAS = "SELECT data FROM catalogue_entry WHERE municipality = $1 AND kind = 'carta'"
SERVICES = """
SELECT DISTINCT service
FROM catalogue_entry, jsonb_array_elements_text(data -> 'services') AS service
WHERE municipality = $1 AND kind = 'carta'
"""
# Asked for again while under way: from the start. Without a case there is nothing to judge; but
# folios wait to be told of (the service in $3).
ASK_REJUDGING = """
INSERT INTO rejudging (municipality, service)
SELECT $1, service FROM unnest($2::text[]) AS service
WHERE service = $3 OR EXISTS (
    SELECT FROM measured_case c WHERE c.municipality = $1 AND c.service = service.service
)
ORDER BY service
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
    ordered = sorted(affected)
    await connection.execute(KEEP_OUT_BATCHES)
    version = await connection.fetchval(RAISE_VERSION)
    await connection.execute(CHANGE_TOWNS, [town for town, _ in ordered], version)
    for municipality, services in ordered:
        await connection.execute(ASK_REJUDGING, municipality, sorted(services), BUZON_SERVICE)


async def changed_since(connection: Connection, version: int) -> list[str]:
    """Return the municipalities whose promises changed after a version."""
    return [row["municipality"] for row in await connection.fetch(CHANGED_SINCE, version)]


async def next_to_open(connection: Connection, now: datetime) -> str | None:
    """Lock and return a municipality that may have windows to open, None where none has."""
    town: str | None = await connection.fetchval(NEXT_TO_OPEN, now)
    return town


async def opened(
    connection: Connection, municipality: str, *, next_at: datetime | None, moving: Sequence[str]
) -> None:
    """Note when its next window begins (None: never), and whose figures move with time alone."""
    await connection.execute(OPENED, municipality, next_at or _NEVER, moving)


async def moving(connection: Connection) -> list[tuple[str, str]]:
    """Return each (municipality, compromiso) whose figures change though no case does."""
    rows = await connection.fetch(MOVING)
    return [(row["municipality"], compromiso) for row in rows for compromiso in row["moving"]]


async def is_rejudging(connection: Connection, municipality: str, services: Iterable[str]) -> bool:
    """Return whether cases of one of the services wait to be judged by changed promises."""
    return bool(await connection.fetchval(REJUDGING_OF, municipality, sorted(services)))


async def load(connection: Connection, municipality: str) -> Town:
    """Return the prepared promises of one municipality."""
    rows: dict[str, list[str]] = {"municipality": [], "calendar": [], "carta": []}
    for row in await connection.fetch(ENTRIES, municipality):
        rows[row["kind"]].append(row["data"])
    return build_town(
        municipality,
        map(MunicipalityData.model_validate_json, rows["municipality"]),
        map(CalendarData.model_validate_json, rows["calendar"]),
        map(read_carta, rows["carta"]),
    )


async def only(connection: Connection, municipality: str) -> Catalogue:
    """Return the catalogue of one municipality, as the transaction sees it; nothing is held."""
    return Catalogue({municipality: await load(connection, municipality)})


async def services(connection: Connection, municipality: str) -> set[str]:
    """Return every service that a version of a carta of the municipality is about."""
    return {row["service"] for row in await connection.fetch(SERVICES, municipality)}


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
