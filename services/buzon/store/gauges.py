"""Figures for operators."""

from dataclasses import dataclass
from datetime import datetime

from shared.database import Connection

# Without unit and municipality: metrics are read by more people than folios.
# The date is compared in UTC: close enough for an alert, never used for a verdict.
WAITING = """
SELECT count(*) AS waiting,
       count(*) FILTER (WHERE answer_by < ($1 AT TIME ZONE 'UTC')::date) AS overdue,
       count(*) FILTER (WHERE unit IS NULL AND referred_at IS NULL) AS without_unit,
       count(*) FILTER (WHERE referred_at IS NOT NULL) AS referred,
       count(*) FILTER (WHERE answer_by IS NULL AND NOT EXISTS (
           SELECT FROM pause WHERE pause.folio = folio.folio AND ended_at IS NULL
       )) AS without_date
FROM folio WHERE answered_at IS NULL AND duplicate_of IS NULL
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Folios that await an answer, and which of them need somebody's attention."""

    waiting: int
    overdue: int
    without_unit: int
    referred: int
    without_date: int


async def waiting(connection: Connection, now: datetime) -> Waiting:
    """Return the counts."""
    row = await connection.fetchrow(WAITING, now)
    assert row is not None
    return Waiting(*row.values())
