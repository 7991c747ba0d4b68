"""How far the buzon is known complete."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.database import Connection

SHARE = "SELECT through FROM progress FOR SHARE"
GET = "SELECT through, outbox_id, published_through FROM progress"
# Waits for every writer: what they stamped at or before `through` is committed afterwards.
ADVANCE = "UPDATE progress SET through = $1 WHERE through < $1 RETURNING true"
AWAIT_OUTBOX = """
UPDATE progress SET outbox_id = (SELECT coalesce(max(id), 0) FROM outbox)
"""
DRAINED = "SELECT NOT EXISTS (SELECT FROM outbox WHERE id <= $1)"
CHANGED = "SELECT EXISTS (SELECT FROM step WHERE at > $1)"
PUBLISHED = """
UPDATE progress SET published_through = $1 WHERE published_through < $1 AND through >= $1
"""
_NEXT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """`through` awaits that the outbox is empty up to `outbox_id`, then it is published."""

    through: datetime
    outbox_id: int
    published_through: datetime


async def stamp(connection: Connection, now: datetime) -> datetime:
    """Return the instant of this transaction's changes; every writer asks first.

    It is `now`, or just after `through` where that was declared complete meanwhile.
    """
    through: datetime = await connection.fetchval(SHARE)
    return max(now, through + _NEXT)


async def get(connection: Connection) -> Progress:
    """Return how far it is."""
    row = await connection.fetchrow(GET)
    assert row is not None
    return Progress(row["through"], row["outbox_id"], row["published_through"])


async def advance(connection: Connection, now: datetime) -> None:
    """Declare everything through `now` written; its messages may still be in the outbox."""
    if await connection.fetchval(ADVANCE, now):
        # A statement of its own: the one before was planned before it waited for the writers.
        await connection.execute(AWAIT_OUTBOX)


async def is_drained(connection: Connection, outbox_id: int) -> bool:
    """Return whether every message up to `outbox_id` is on Kafka."""
    drained: bool = await connection.fetchval(DRAINED, outbox_id)
    return drained


async def has_changed(connection: Connection, since: datetime) -> bool:
    """Return whether a folio changed after `since`."""
    changed: bool = await connection.fetchval(CHANGED, since)
    return changed


async def published(connection: Connection, through: datetime) -> None:
    """Remember that `through` was published."""
    await connection.execute(PUBLISHED, through)
