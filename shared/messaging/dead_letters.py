"""What was refused: list it, show one, send it again."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.topics import ALL, Topic
from shared.database import Pool
from shared.messaging.transaction import transaction

LIST = """
SELECT id, refused_at, topic, partition, kafka_offset, reason, field, detail, event_source,
       event_id, traceparent, replayed_at
FROM refusal
WHERE $1::text IS NULL OR reason = $1
ORDER BY refused_at DESC
LIMIT $2
"""
SHOW = """
SELECT id, refused_at, topic, partition, kafka_offset, reason, field, detail, event_source,
       event_id, traceparent, replayed_at, key, payload
FROM refusal WHERE id = $1
"""
TAKE = """
UPDATE refusal SET replayed_at = now() WHERE id = $1 RETURNING topic, key, payload
"""


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """One refused message; `payload` only where it was asked for."""

    id: str
    refused_at: datetime
    topic: str
    partition: int | None
    kafka_offset: int | None
    reason: str
    field: str | None
    detail: str
    event_source: str | None
    event_id: str | None
    traceparent: str | None
    replayed_at: datetime | None
    key: bytes | None = None
    payload: bytes | None = None


async def list_refusals(pool: Pool, *, reason: str | None, limit: int) -> list[RefusalRow]:
    """Return the newest refusals, without payloads."""
    return [RefusalRow(**row) for row in await pool.fetch(LIST, reason, limit)]


async def show_refusal(pool: Pool, refusal_id: str) -> RefusalRow | None:
    """Return one refusal with its payload, which may hold anything: keep it among operators."""
    row = await pool.fetchrow(SHOW, refusal_id)
    return None if row is None else RefusalRow(**row)


async def replay(pool: Pool, refusal_id: str, *, service: str) -> bool:
    """Publish the refused message again on its topic; return whether it exists.

    Safe to repeat: whoever takes it drops it by its identity if it was applied meanwhile.
    """
    by_name: dict[str, Topic] = {topic.name: topic for topic in ALL}
    async with transaction(pool, service=service) as tx:
        row = await tx.connection.fetchrow(TAKE, refusal_id)
        if row is None or row["payload"] is None:
            return False
        key = (row["key"] or b"").decode("utf-8", "replace")
        tx.publish_raw(by_name[row["topic"]], key, row["payload"])
    return True
