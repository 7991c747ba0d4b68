"""What is known of cases that may never have come: counts of sources, the minutes they spoke of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Final

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
# Of one unit, or of all (null). Days are those of each one's zone.
_SCOPES: Final = """
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
            $7::text[], $8::text[])
    AS s (place, municipality, service, kind, starts_at, ends_at, zone, unit)
"""
COUNTS = f"""
SELECT s.place, k.counted AS kind, (k.at AT TIME ZONE s.zone)::date AS day,
       sum(k.cases)::bigint AS cases
{_SCOPES}
JOIN known_count k ON k.municipality = s.municipality AND k.service = s.service
    AND k.counted = s.kind AND k.at >= s.starts_at AND k.at < s.ends_at
WHERE k.cases IS NOT NULL AND (s.unit IS NULL OR k.unit = s.unit)
GROUP BY 1, 2, 3
"""
MEASURED = f"""
SELECT s.place, c.began_kind AS kind, (c.began_at AT TIME ZONE s.zone)::date AS day,
       count(*) AS cases
{_SCOPES}
JOIN measured_case c ON c.municipality = s.municipality AND c.service = s.service
    AND c.began_kind = s.kind AND c.began_at >= s.starts_at AND c.began_at < s.ends_at
WHERE s.unit IS NULL OR c.unit = s.unit
GROUP BY 1, 2, 3
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
# Those that touch the time of each, oldest first.
SILENCES = """
SELECT w.place, s.source, s.starts_at, s.ends_at
FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
    AS w (place, municipality, source, starts_at, ends_at)
JOIN silence s ON s.municipality = w.municipality AND s.source = w.source
    AND s.starts_at < w.ends_at AND coalesce(s.ends_at, w.ends_at) > w.starts_at
ORDER BY s.starts_at, s.source
"""
# Of a source that is not to speak any more, what was silent at its end stays open and is no news.
SILENT_NOW = """
SELECT i.municipality, i.source, i.starts_at
FROM silence i
JOIN source s ON s.municipality = i.municipality AND s.source = i.source
WHERE i.ends_at IS NULL AND s.every_minutes IS NOT NULL
"""
OF_SOURCE = """
SELECT starts_at, ends_at FROM silence
WHERE source = $1 AND ($2::text IS NULL OR municipality = $2)
ORDER BY starts_at DESC LIMIT $3
"""
LOOK_AGAIN = """
INSERT INTO changed_window (window_no)
SELECT window_no FROM judged_window
WHERE municipality = $1 AND compromiso = ANY($2) AND starts_at < $4 AND ends_at >= $3
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

    def lines(self, place: int) -> Iterator[tuple[object, ...]]:
        """Yield it as the statements take it, one line for each service and kind."""
        for service, kind in product(self.services, self.kinds):
            span = (self.start, self.end, self.zone, self.unit)
            yield (place, self.municipality, service, kind, *span)


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


async def counts(connection: Connection, scopes: Mapping[int, Scope]) -> dict[int, DayCounts]:
    """Return how many cases sources say there were; without the scopes where they say nothing."""
    return await _by_day(connection, COUNTS, scopes)


async def measured(connection: Connection, scopes: Mapping[int, Scope]) -> dict[int, DayCounts]:
    """Return how many cases came in."""
    return await _by_day(connection, MEASURED, scopes)


async def _by_day(
    connection: Connection, statement: str, scopes: Mapping[int, Scope]
) -> dict[int, DayCounts]:
    lines = [line for place, scope in scopes.items() for line in scope.lines(place)]
    found: dict[int, DayCounts] = {}
    for row in await connection.fetch(statement, *zip(*lines, strict=True)) if lines else ():
        found.setdefault(row["place"], {})[row["kind"], row["day"]] = row["cases"]
    return found


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
    connection: Connection, wanted: Sequence[tuple[int, str, str, datetime, datetime]]
) -> dict[tuple[int, str], list[Silence]]:
    """Return the silences by (place, source), oldest first.

    `wanted`: (place, municipality, source, start, end), those that touch [start, end).
    """
    found: dict[tuple[int, str], list[Silence]] = {}
    for row in await connection.fetch(SILENCES, *zip(*wanted, strict=True)) if wanted else ():
        silence = Silence(row["starts_at"], row["ends_at"])
        found.setdefault((row["place"], row["source"]), []).append(silence)
    return found


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
