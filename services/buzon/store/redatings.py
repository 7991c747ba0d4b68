"""Dates told to citizens that a calendar moved, and those that one may still move."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.database import Connection

# Folios that wait and were not counted by the newest version of their calendar.
OUTDATED = """
SELECT f.folio
FROM folio f
JOIN (
    SELECT municipality, id, max(version) AS version
    FROM reference WHERE kind = 'calendar' AND data->>'status' = 'active'
    GROUP BY municipality, id
) newest ON newest.municipality = f.municipality AND newest.id = f.term_calendar
WHERE f.answered_at IS NULL AND f.duplicate_of IS NULL
    AND (f.calendar_version IS NULL OR f.calendar_version < newest.version)
    AND f.folio > $1
ORDER BY f.folio LIMIT $2
"""
KEEP = """
INSERT INTO folio_redating (folio, revision, calendar, from_version, to_version, before, after,
                            redated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
OF_FOLIO = "SELECT revision, before, after FROM folio_redating WHERE folio = $1 ORDER BY revision"


@dataclass(frozen=True, slots=True)
class Redating:
    """One move of a folio's date; None where there was, or is, no date."""

    before: date | None
    after: date | None


async def outdated(connection: Connection, *, after: str, limit: int) -> list[str]:
    """Return folios, in order behind `after`, whose date their newest calendar may move."""
    return [row["folio"] for row in await connection.fetch(OUTDATED, after, limit)]


async def keep(
    connection: Connection,
    place: tuple[str, int],
    moved: Redating,
    *,
    calendar: str,
    versions: tuple[int | None, int],
    at: datetime,
) -> None:
    """Put on record what (folio, revision) says: which versions moved the date, and how far."""
    await connection.execute(KEEP, *place, calendar, *versions, moved.before, moved.after, at)


async def of_folio(connection: Connection, folio: str) -> dict[int, Redating]:
    """Return how calendars moved a folio's date, by the revision that says so."""
    rows = await connection.fetch(OF_FOLIO, folio)
    return {row["revision"]: Redating(row["before"], row["after"]) for row in rows}
