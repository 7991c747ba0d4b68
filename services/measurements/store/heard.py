"""The minutes that sources spoke of, until the evaluator has been told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import asyncpg

from services.measurements.domain.presence import MINUTES_OF_DAY
from services.measurements.store.facts import columns
from shared.database import Connection

HeardKey = tuple[int, date, int]
"""Source, UTC day, partition."""

# A minute that was heard before changes nothing: most batches of a busy source write no row.
ADD_HEARD = """
INSERT INTO heard (source_id, day, partition, minutes)
SELECT source_id, day, partition, minutes
FROM unnest($1::int[], $2::date[], $3::int[], $4::bit(1440)[])
    AS new (source_id, day, partition, minutes)
ORDER BY source_id, day, partition
ON CONFLICT (source_id, day, partition) DO UPDATE
SET minutes = heard.minutes | excluded.minutes, told = false
WHERE heard.minutes | excluded.minutes <> heard.minutes
"""
TAKE_UNTOLD = """
WITH taken AS (
    UPDATE heard SET told = true WHERE NOT told RETURNING source_id, day, partition, minutes
)
SELECT source.municipality, source.uri, taken.day, bit_or(taken.minutes) AS minutes
FROM taken JOIN source USING (source_id)
GROUP BY source.municipality, source.uri, taken.day
ORDER BY source.uri, taken.day
"""
PURGE = "DELETE FROM heard WHERE told AND day < current_date - 60"


@dataclass(frozen=True, slots=True)
class Heard:
    """Minutes of a UTC day that a source spoke of, a bit each, the first minute the lowest."""

    municipality: str
    uri: str
    day: date
    minutes: int


async def add_heard(con: Connection, heard: Mapping[HeardKey, int]) -> None:
    """Add the minutes that a batch spoke of."""
    if heard:
        rows = [
            (*key, asyncpg.BitString.from_int(minutes, MINUTES_OF_DAY))
            for key, minutes in heard.items()
        ]
        await con.execute(ADD_HEARD, *columns(rows))


async def take_untold(con: Connection) -> list[Heard]:
    """Return what was heard and has not been told; it counts as told from now on."""
    rows = await con.fetch(TAKE_UNTOLD)
    return [
        Heard(row["municipality"], row["uri"], row["day"], row["minutes"].to_int()) for row in rows
    ]


async def purge(con: Connection) -> None:
    """Forget what was told long ago."""
    await con.execute(PURGE)
