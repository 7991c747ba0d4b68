"""One open transaction with what leaves it: messages to the outbox, refusals to dead letters."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zlib import crc32

from shared.clock import utc_now
from shared.contracts.dead_letters import DeadLetter, DeadLetterData
from shared.contracts.events import Event
from shared.contracts.ids import derived_id
from shared.contracts.topics import Topic
from shared.database import Connection, Pool
from shared.logs import bound_field
from shared.messaging import bell
from shared.messaging.stopwatch import Stopwatch
from shared.messaging.traces import Outcomes, trace_in

if TYPE_CHECKING:
    from shared.messaging.subscription import Received

# WITH ORDINALITY: ids are given in the order of publication, which is the order per key.
ADD_TO_OUTBOX = """
INSERT INTO outbox (shard, topic, key, payload)
SELECT shard, topic, key, payload
FROM unnest($1::smallint[], $2::text[], $3::bytea[], $4::bytea[])
    WITH ORDINALITY AS row (shard, topic, key, payload, place)
ORDER BY place
"""
ADD_REFUSAL = """
INSERT INTO refusal (id, topic, partition, kafka_offset, key, payload, reason, field, detail,
                     event_source, event_id, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING
"""
CLAIM = """
INSERT INTO inbox (source, event_id) VALUES ($1, $2)
ON CONFLICT DO NOTHING RETURNING true
"""
MAX_DETAIL = 500


@dataclass(slots=True)
class Refusal:
    """A record that was not taken, and why. `reason` is a code of a closed list."""

    received: "Received"
    reason: str
    field: str | None
    detail: str
    event_source: str | None
    event_id: str | None


@dataclass(slots=True)
class Transaction:
    """What a handler or use case works with; nothing of it exists before the commit.

    `traceparent` is the trace of the request that opened it; messages of a batch have their own.
    `watch` times the parts of a consumer's turn.
    """

    connection: Connection
    service: str
    now: datetime
    traceparent: str | None = None
    watch: Stopwatch | None = None
    _messages: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    on_commit: list[Callable[[], None]] = field(default_factory=list)
    """Called in order once the commit is certain: for metrics and caches, never for effects."""
    _outcomes: Outcomes = field(default_factory=Outcomes)
    _publishes: bool = False

    def lap(self, part: str) -> None:
        """End a part of the turn here, where a consumer has opened it."""
        if self.watch is not None:
            self.watch.lap(part)

    async def committed(self) -> None:
        """Tell the relay, those who wait for the commit, and the log. Never fails for the first."""
        if self._publishes:
            await bell.tell_relay(self.connection)
        for callback in self.on_commit:
            callback()
        self._outcomes.log()

    def tell(self, outcome: str, *, traceparent: str | None, **ids: str | None) -> None:
        """Let the log of this transaction name an outcome that a trace is followed to.

        `outcome` is from a closed list; `ids` are our own, never a value of a message.
        """
        self._outcomes.add(outcome, traceparent, ids)

    def publish(self, topic: Topic, event: Event) -> None:
        """Publish `event` when this transaction commits; in order per key."""
        self._messages.append((topic.name, event.key.encode(), event.to_bytes()))

    def publish_raw(self, topic: Topic, key: str, payload: bytes) -> None:
        """Publish bytes that are already encoded, on hot paths."""
        self._messages.append((topic.name, key.encode(), payload))

    def refuse(
        self,
        received: "Received",
        reason: str,
        *,
        field: str | None = None,  # noqa: A002, RUF100 - the fault's own word
        detail: str = "",
        event_source: str | None = None,
        event_id: str | None = None,
    ) -> None:
        """Keep the record in the table of refusals and point to it from the dead-letter topic."""
        self.refusals.append(
            Refusal(
                received,
                reason,
                _storable(field),
                _storable(detail[:MAX_DETAIL]) or "",
                _storable(event_source),
                _storable(event_id),
            )
        )

    async def flush(self) -> None:
        """Write what is to leave; called once, just before the commit."""
        for refusal in self.refusals:
            await self._write_refusal(refusal)
        if not self._messages:
            return
        topics, keys, payloads = zip(*self._messages, strict=True)
        shards = [crc32(key) % bell.SHARDS for key in keys]
        await self.connection.execute(
            ADD_TO_OUTBOX, shards, list(topics), list(keys), list(payloads)
        )
        self._messages.clear()
        self._publishes = True

    async def _write_refusal(self, refusal: Refusal) -> None:
        letter = self._dead_letter(refusal)
        received = refusal.received
        await self.connection.execute(
            ADD_REFUSAL,
            letter.data.refusal,
            received.topic,
            received.partition,
            received.offset,
            received.key,
            received.value,
            refusal.reason,
            refusal.field,
            refusal.detail,
            refusal.event_source,
            refusal.event_id,
            letter.traceparent,
        )
        self.tell(
            "refused",
            traceparent=letter.traceparent,
            refusal=letter.id,
            topic=received.topic,
            reason=refusal.reason,
        )
        dead_letters = f"{received.topic}.dlt"
        self._messages.append((dead_letters, letter.key.encode(), letter.to_bytes()))

    def _dead_letter(self, refusal: Refusal) -> DeadLetter:
        received = refusal.received
        place = f"{self.service}\x00{received.topic}\x00{received.partition}\x00{received.offset}"
        refusal_id = derived_id(place, "dead-letter.v1", received.timestamp)
        return DeadLetter(
            id=refusal_id,
            source=f"/{self.service}",
            type="dead-letter.v1",
            time=received.timestamp,
            traceparent=trace_in(received.value),
            data=DeadLetterData(
                service=self.service,
                refusal=refusal_id,
                topic=received.topic,
                partition=received.partition,
                offset=received.offset,
                reason=refusal.reason,
                field=refusal.field,
                event_source=refusal.event_source,
                event_id=refusal.event_id,
            ),
        )


def _storable(text: str | None) -> str | None:
    """JSON may hold a NUL, PostgreSQL's text may not: a refusal must never fail for it."""
    return None if text is None else text.replace("\x00", "\ufffd")


@asynccontextmanager
async def transaction(pool: Pool, *, service: str = "") -> AsyncIterator[Transaction]:
    """Open a transaction for an HTTP use case or a deadline task; commit and flush on success.

    What it publishes belongs to the request's trace, where there is one.
    """
    async with pool.acquire() as connection:
        async with connection.transaction():
            trace = bound_field("traceparent")
            tx = Transaction(connection, service, utc_now(), trace)  # type: ignore[arg-type]
            yield tx
            await tx.flush()
        await tx.committed()


async def claim(tx: Transaction, source: str, event_id: str) -> bool:
    """Return whether the event is handled for the first time, and remember it."""
    return bool(await tx.connection.fetchval(CLAIM, source, event_id))
