"""Breaches that were said, so that each is said once."""

from datetime import datetime

from services.evaluator.store.tallies import WindowKey
from shared.database import Connection

SAY = """
INSERT INTO breach (municipality, compromiso, unit, window_id, breach, said_at, historical)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING true
"""
STATE = """
SELECT breach, historical, recovered_at
FROM breach
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
FOR UPDATE
"""
SET_RECOVERED = """
UPDATE breach SET recovered_at = $5
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
"""
SAY_TRIGGER = """
INSERT INTO complaint_trigger (municipality, folio, compromiso) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING true
"""


async def say(
    connection: Connection, key: WindowKey, breach: str, *, now: datetime, historical: bool
) -> bool:
    """Return whether the breach had not been said, and remember it."""
    return bool(await connection.fetchval(SAY, *key, breach, now, historical))


async def is_standing(connection: Connection, key: WindowKey) -> bool | None:
    """Return whether a breach was said and stands; None where none was said."""
    row = await connection.fetchrow(STATE, *key)
    return None if row is None else row["recovered_at"] is None


async def set_recovered(connection: Connection, key: WindowKey, when: datetime | None) -> None:
    """Remember that the breach holds no more, or again (None)."""
    await connection.execute(SET_RECOVERED, *key, when)


async def say_trigger(
    connection: Connection, municipality: str, folio: str, compromiso: str
) -> bool:
    """Return whether the upheld complaint had not triggered yet, and remember it."""
    return bool(await connection.fetchval(SAY_TRIGGER, municipality, folio, compromiso))
