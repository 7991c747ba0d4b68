"""What is known of cases that may never have come: counts of sources, the minutes they spoke of."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.evaluator.domain.silence import MINUTES_OF_DAY, Silence
from shared.contracts import hot
from shared.database import Connection

KEEP_COUNT = """
INSERT INTO known_count AS k (municipality, case_id, revision, service, unit, counted, cases, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (municipality, case_id) DO UPDATE
SET revision = excluded.revision, service = excluded.service, unit = excluded.unit,
    counted = excluded.counted, cases = excluded.cases, at = excluded.at
WHERE k.revision < excluded.revision
RETURNING true
"""
# Of one unit, or of all ($7 null). Days are those of the zone $6.
COUNTS = """
SELECT counted AS kind, (at AT TIME ZONE $6)::date AS day, sum(cases)::bigint AS cases
FROM known_count
WHERE municipality = $1 AND service = ANY($2) AND counted = ANY($3) AND at >= $4 AND at < $5
    AND cases IS NOT NULL AND ($7::text IS NULL OR unit = $7)
GROUP BY 1, 2
"""
MEASURED = """
SELECT began_kind AS kind, (began_at AT TIME ZONE $6)::date AS day, count(*) AS cases
FROM measured_case
WHERE municipality = $1 AND service = ANY($2) AND began_kind = ANY($3) AND began_at >= $4
    AND began_at < $5 AND ($7::text IS NULL OR unit = $7)
GROUP BY 1, 2
"""
HEAR = """
INSERT INTO heard AS h (municipality, source, day, minutes) VALUES ($1, $2, $3, $4)
ON CONFLICT (municipality, source, day) DO UPDATE
SET minutes = h.minutes | excluded.minutes, fresh = true
WHERE h.minutes | excluded.minutes <> h.minutes
"""
# The first day with news, or the last day of all; one look at a time takes the news.
FIRST_NEWS = """
SELECT coalesce(min(day) FILTER (WHERE fresh), max(day)) FROM heard
WHERE municipality = $1 AND source = $2
"""
NO_NEWS = "UPDATE heard SET fresh = false WHERE municipality = $1 AND source = $2 AND fresh"
# From the last day before it on: the last word of that day is where the look begins.
HEARD_SINCE = """
SELECT day, minutes FROM heard
WHERE municipality = $1 AND source = $2 AND day >= coalesce(
    (SELECT max(day) FROM heard WHERE municipality = $1 AND source = $2 AND day < $3), $3)
ORDER BY day
"""
SILENCES_SINCE = """
SELECT starts_at, ends_at FROM silence
WHERE municipality = $1 AND source = $2 AND starts_at >= $3 ORDER BY starts_at
"""
FORGET_SILENCES = "DELETE FROM silence WHERE municipality = $1 AND source = $2 AND starts_at >= $3"
ADD_SILENCE = """
INSERT INTO silence (municipality, source, starts_at, ends_at) VALUES ($1, $2, $3, $4)
"""
# Those that touch [$3, $4), oldest first.
SILENCES = """
SELECT source, starts_at, ends_at FROM silence
WHERE municipality = $1 AND source = ANY($2) AND starts_at < $4 AND coalesce(ends_at, $4) > $3
ORDER BY starts_at, source
"""
SILENT_NOW = "SELECT municipality, source, starts_at FROM silence WHERE ends_at IS NULL"
OF_SOURCE = """
SELECT starts_at, ends_at FROM silence
WHERE source = $1 AND ($2::text IS NULL OR municipality = $2)
ORDER BY starts_at DESC LIMIT $3
"""
LOOK_AGAIN = """
UPDATE judged_window SET stale = true
WHERE municipality = $1 AND compromiso = ANY($2) AND starts_at < $4 AND ends_at >= $3 AND NOT stale
"""
# Which windows a late case changes the measured number of: those with a count of its day.
COUNTED_DAYS = """
SELECT DISTINCT k.municipality, k.service, k.counted, new.at
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
    AS new (municipality, service, kind, at)
JOIN known_count k ON k.municipality = new.municipality AND k.service = new.service
    AND k.counted = new.kind
    AND k.at > new.at - interval '1 day' AND k.at < new.at + interval '1 day'
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases are meant: of some services and first events, of one unit or of all."""

    municipality: str
    services: Sequence[str]
    kinds: Sequence[str]
    start: datetime
    end: datetime
    zone: str
    unit: str | None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the statements take them."""
        span = (self.start, self.end, self.zone, self.unit)
        return (self.municipality, list(self.services), list(self.kinds), *span)


DayCounts = dict[tuple[str, date], int]
"""Cases by the kind of event that they began with, and the local day."""


async def keep_count(connection: Connection, data: hot.CountData) -> bool:
    """Keep a count unless a later revision is here; return whether it was news."""
    kept = await connection.fetchval(
        KEEP_COUNT,
        *(data.municipality, data.case, data.revision, data.service, data.unit),
        *(data.counted, data.cases, data.at),
    )
    return bool(kept)


async def counts(connection: Connection, scope: Scope) -> DayCounts:
    """Return how many cases sources say there were."""
    return _by_day(await connection.fetch(COUNTS, *scope.arguments))


async def measured(connection: Connection, scope: Scope) -> DayCounts:
    """Return how many cases came in."""
    return _by_day(await connection.fetch(MEASURED, *scope.arguments))


def _by_day(rows: Iterable[asyncpg.Record]) -> DayCounts:
    return {(row["kind"], row["day"]): row["cases"] for row in rows}


async def hear(connection: Connection, data: hot.HeardData) -> None:
    """Add the minutes that a source spoke of."""
    minutes = asyncpg.BitString.from_int(int(data.minutes, 16), MINUTES_OF_DAY)
    await connection.execute(HEAR, data.municipality, data.source, data.day, minutes)


async def heard_since_news(
    connection: Connection, municipality: str, source: str
) -> list[tuple[date, int]]:
    """Return the minutes of each day since the last one before any news, and take the news."""
    news = await connection.fetchval(FIRST_NEWS, municipality, source)
    if news is None:
        return []
    await connection.execute(NO_NEWS, municipality, source)
    rows = await connection.fetch(HEARD_SINCE, municipality, source, news)
    return [(row["day"], row["minutes"].to_int()) for row in rows]


async def silences_since(
    connection: Connection, municipality: str, source: str, *, since: datetime
) -> list[Silence]:
    """Return what was found before, from an instant on."""
    rows = await connection.fetch(SILENCES_SINCE, municipality, source, since)
    return [Silence(row["starts_at"], row["ends_at"]) for row in rows]


async def replace_silences(
    connection: Connection,
    municipality: str,
    source: str,
    *,
    since: datetime,
    found: Iterable[Silence],
) -> None:
    """Keep what was found from an instant on, instead of what was found before."""
    await connection.execute(FORGET_SILENCES, municipality, source, since)
    for silence in found:
        await connection.execute(ADD_SILENCE, municipality, source, silence.start, silence.end)


async def silences(
    connection: Connection,
    municipality: str,
    sources: Collection[str],
    *,
    start: datetime,
    end: datetime,
) -> list[tuple[str, Silence]]:
    """Return the silences of some sources that touch [start, end), oldest first."""
    rows = await connection.fetch(SILENCES, municipality, list(sources), start, end)
    return [(row["source"], Silence(row["starts_at"], row["ends_at"])) for row in rows]


async def silent_now(connection: Connection) -> list[tuple[str, str, datetime]]:
    """Return (municipality, source, since) of every source that is silent now."""
    return [tuple(row.values()) for row in await connection.fetch(SILENT_NOW)]


async def of_source(
    connection: Connection, source: str, municipality: str | None, *, limit: int
) -> list[Silence]:
    """Return the latest silences of one source, newest first."""
    rows = await connection.fetch(OF_SOURCE, source, municipality, limit)
    return [Silence(row["starts_at"], row["ends_at"]) for row in rows]


async def look_again(
    connection: Connection,
    municipality: str,
    compromisos: Sequence[str],
    *,
    start: datetime,
    end: datetime,
) -> None:
    """Have the windows of some compromisos that touch [start, end] published again."""
    await connection.execute(LOOK_AGAIN, municipality, list(compromisos), start, end)


async def counted_days(
    connection: Connection, begun: Sequence[tuple[str, str, str, datetime]]
) -> list[tuple[str, str, str, datetime]]:
    """Return which of (municipality, service, kind, instant) lie beside a count of theirs."""
    columns = [list(column) for column in zip(*begun, strict=True)]
    return [tuple(row.values()) for row in await connection.fetch(COUNTED_DAYS, *columns)]
