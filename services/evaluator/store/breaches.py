"""Breaches that were said, so that each is said once, and upheld complaints that trigger."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.store.windows import WindowKey
from shared.database import Connection

# Sorted by key: two that say the same breaches wait for each other in one order.
SAY = """
INSERT INTO breach (municipality, compromiso, unit, window_id, breach, said_at, historical)
SELECT m, c, u, w, breach, $6, historical
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $7::bool[])
    AS x (m, c, u, w, breach, historical)
ON CONFLICT DO NOTHING
RETURNING municipality, compromiso, unit, window_id
"""
# Sorted by key, as they are said.
LOCK = """
SELECT b.municipality, b.compromiso, b.unit, b.window_id, b.recovered_at IS NULL AS stands
FROM breach b
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (municipality, compromiso, unit, window_id)
    USING (municipality, compromiso, unit, window_id)
ORDER BY b.municipality, b.compromiso, b.unit, b.window_id
FOR UPDATE OF b
"""
# Without a lock: batches must not queue for a breach that everybody knows of.
STANDING = """
SELECT b.municipality, b.compromiso, b.unit, b.window_id
FROM breach b
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (municipality, compromiso, unit, window_id)
    USING (municipality, compromiso, unit, window_id)
WHERE b.recovered_at IS NULL
"""
SET_RECOVERED = """
UPDATE breach SET recovered_at = $5
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
"""
SAY_TRIGGER = """
INSERT INTO complaint_trigger (municipality, folio, compromiso) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING true
"""
LET_TRIGGER_WAIT = """
INSERT INTO trigger_waiting (municipality, folio, compromiso, unit, filed_at, found_at,
                             traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING
"""
WAITING_TRIGGERS = """
SELECT municipality, folio, compromiso, unit, filed_at, found_at, traceparent
FROM trigger_waiting WHERE municipality = $1 ORDER BY folio, compromiso FOR UPDATE
"""
END_TRIGGER_WAIT = """
DELETE FROM trigger_waiting WHERE municipality = $1 AND folio = $2 AND compromiso = $3
"""


@dataclass(frozen=True, slots=True)
class Trigger:
    """An upheld complaint linked to a promise; unit and trace are the folio's."""

    municipality: str
    folio: str
    compromiso: str
    unit: str | None
    filed_at: datetime
    found_at: datetime
    traceparent: str | None

    @property
    def key(self) -> tuple[str, str, str]:
        """A folio triggers once for each promise that it is linked to."""
        return (self.municipality, self.folio, self.compromiso)


async def say(
    connection: Connection, said: Mapping[WindowKey, tuple[str, bool]], *, now: datetime
) -> set[WindowKey]:
    """Remember breaches (id, whether historical); return those that had not been said."""
    keys = sorted(said)
    rows = await connection.fetch(
        SAY,
        *([key[place] for key in keys] for place in range(4)),
        [said[key][0] for key in keys],
        now,
        [said[key][1] for key in keys],
    )
    return {tuple(row.values()) for row in rows}


async def lock(connection: Connection, keys: Collection[WindowKey]) -> dict[WindowKey, bool]:
    """Lock the breaches that were said, and return whether each stands."""
    rows = await connection.fetch(LOCK, *_columns(keys))
    return {tuple(row.values())[:4]: row["stands"] for row in rows}


async def standing(connection: Connection, keys: Collection[WindowKey]) -> set[WindowKey]:
    """Return those whose breach was said and stands."""
    return {tuple(row.values()) for row in await connection.fetch(STANDING, *_columns(keys))}


def _columns(keys: Collection[WindowKey]) -> Iterator[list[str]]:
    return ([key[place] for key in keys] for place in range(4))


async def set_recovered(connection: Connection, key: WindowKey, when: datetime | None) -> None:
    """Remember that the breach holds no more, or again (None)."""
    await connection.execute(SET_RECOVERED, *key, when)


async def say_trigger(connection: Connection, trigger: Trigger) -> bool:
    """Return whether the upheld complaint had not triggered yet, and remember it."""
    await connection.execute(END_TRIGGER_WAIT, *trigger.key)
    return bool(await connection.fetchval(SAY_TRIGGER, *trigger.key))


async def let_trigger_wait(connection: Connection, trigger: Trigger) -> None:
    """Keep an upheld complaint until the promise that it names has arrived."""
    await connection.execute(
        LET_TRIGGER_WAIT,
        *trigger.key,
        trigger.unit,
        trigger.filed_at,
        trigger.found_at,
        trigger.traceparent,
    )


async def waiting_triggers(connection: Connection, municipality: str) -> list[Trigger]:
    """Lock and return the upheld complaints that wait for a promise."""
    return [Trigger(**row) for row in await connection.fetch(WAITING_TRIGGERS, municipality)]
