"""Each rule of delivery, broken on purpose: what is changed, and how the model is to notice."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.contracts import ids
from shared.database import Connection
from shared.messaging import guard as guard_module
from shared.messaging import relay as relay_module
from shared.messaging.guard import PartitionGuard
from shared.messaging.subscription import Record
from shared.messaging.transaction import Transaction
from tests.model import facts
from tests.model.machine import Part

# Its name in the package is that of a function.
transaction_module = import_module("shared.messaging.transaction")

Break = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule and how it is broken. Stories about `part` find it, and tell one of `noticed`."""

    rule: str
    broken: Break
    part: Part
    noticed: tuple[str, ...]


def sql(module: Any, name: str, *changes: tuple[str, str]) -> Break:
    """Return what changes the text of a statement."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        text = getattr(module, name)
        for old, new in changes:
            assert old in text, f"{name} has no {old!r} any more"
            text = text.replace(old, new)
        patch.setattr(module, name, text)

    return apply


def method(owner: type, name: str, instead: Any) -> Break:
    """Return what puts another method in the place of one."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        assert hasattr(owner, name)
        patch.setattr(owner, name, instead)

    return apply


_advance, _claim, _flush = PartitionGuard.advance, PartitionGuard._claim, Transaction.flush


async def _advance_apart(self: PartitionGuard, _: Connection, after: dict[int, int]) -> None:
    async with self._pool.acquire() as another:
        await _advance(self, another, after)  # type: ignore[arg-type]


async def _flush_apart(self: Transaction) -> None:
    own = self.connection
    process = own.process  # type: ignore[attr-defined]
    another = await own.sessions.take(process)  # type: ignore[attr-defined]
    self.connection = another
    try:
        await _flush(self)
    finally:
        self.connection = own
        await another.close()


async def _no_reread(_: PartitionGuard) -> bool:
    return False


async def _no_reclaim(_: PartitionGuard, __: float) -> None: ...


async def _claim_at_committed(
    self: PartitionGuard, consumer: Any, assigned: Sequence[TopicPartition]
) -> None:
    await _claim(self, consumer, assigned)
    for tp in assigned:
        mine = self.owned.get(tp.partition)
        if mine is not None and mine.stored == consumer._kafka.starts[tp.partition]:
            mine.position = consumer._kafka.committed.get(tp.partition, mine.position)
            consumer.seek(tp, mine.position)


def _ours_at_any_offset(self: PartitionGuard, records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.partition in self.owned]


def _jump(self: PartitionGuard, partition: int, _: int) -> None:
    consumer = self.reading()
    mine = self.owned[partition]
    mine.position = consumer._kafka.starts[partition]
    consumer.seek(TopicPartition(self._topic, partition), mine.position)


def _new_ids(patch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    patch.setattr(ids, "derived_id", lambda *_, **__: f"id {next(numbers)}")


def _beyond_the_last(patch: pytest.MonkeyPatch) -> None:
    last = "(SELECT coalesce(max(last), 0) FROM relay_mark)"
    sql(relay_module, "NEXT", ("WHERE shard = $1", f"WHERE shard = $1 AND id > {last}"))(patch)
    mark = "INSERT INTO relay_mark (last) SELECT max(id) FROM unnest($1::bigint[]) AS id"
    patch.setattr(relay_module, "DELETE", f"WITH mark AS ({mark}) {relay_module.DELETE}")


def _add_without_runs(self: "relay_module._Landed", flight: Any) -> None:
    self.acknowledged += flight.acknowledged


def _taken_at_once(patch: pytest.MonkeyPatch) -> None:
    gone = f"DELETE FROM outbox WHERE id IN (SELECT id FROM ({relay_module.NEXT}) AS n)"
    columns = "id, topic, key, payload"
    taken = f"WITH gone AS ({gone} RETURNING {columns}) SELECT {columns} FROM gone ORDER BY id"
    patch.setattr(relay_module, "NEXT", taken)


OWN_OFFSET = " AND o.next_offset IS NOT DISTINCT FROM x.expected"
MUTANTS = {
    "epoch not compared": Mutant(
        "a former owner writes nothing",
        sql(guard_module, "ADVANCE", ("o.epoch = x.epoch AND", "")),
        Part.OWNERS,
        ("a former owner wrote",),
    ),
    "epoch not raised by a claim": Mutant(
        "a former owner writes nothing",
        sql(guard_module, "CLAIM", ("o.epoch + 1", "o.epoch")),
        Part.OWNERS,
        ("a former owner wrote",),
    ),
    "never claimed again": Mutant(
        "a partition that the group leaves to us is read again, whoever fenced us off",
        method(PartitionGuard, "reclaim", _no_reclaim),
        Part.OWNERS,
        ("does not come to rest",),
    ),
    "stored offset not compared": Mutant(
        "a COMMIT whose answer was lost is not applied again",
        sql(guard_module, "ADVANCE", (OWN_OFFSET, "")),
        Part.COMMITS,
        ("a record took effect twice",),
    ),
    "offset advanced in a transaction of its own": Mutant(
        "offset and effects are one transaction",
        method(PartitionGuard, "advance", _advance_apart),
        Part.COMMITS,
        ("a record was skipped",),
    ),
    "no re-read after a failure": Mutant(
        "after any failure the offsets are read again",
        method(PartitionGuard, "reread", _no_reread),
        Part.COMMITS,
        ("does not come to rest",),
    ),
    "claim at Kafka's committed offset": Mutant(
        "no stored offset means the beginning",
        method(PartitionGuard, "_claim", _claim_at_committed),
        Part.BACKUPS,
        ("a record was skipped", "does not come to rest", "out of order"),
    ),
    "records below the position are taken": Mutant(
        "what is applied is not applied again",
        method(PartitionGuard, "ours", _ours_at_any_offset),
        Part.REPEATS,
        ("a record took effect twice", "a stored offset moved backwards"),
    ),
    "an offset out of range jumps": Mutant(
        "an offset that Kafka does not hold halts its partition",
        method(PartitionGuard, "halt", _jump),
        Part.RETENTION,
        ("a record was skipped", "does not come to rest"),
    ),
    "effect without its natural key": Mutant(
        "a fact is judged once, however often it comes",
        sql(facts, "JUDGE", ("WHERE v.revision < excluded.revision", "")),
        Part.REPEATS,
        ("a fact was judged twice",),
    ),
    "message written in a transaction of its own": Mutant(
        "messages leave with their effects or not at all",
        method(Transaction, "flush", _flush_apart),
        Part.COMMITS,
        ("a message of what did not happen", "an effect without its offset"),
    ),
    "ids made anew each time": Mutant(
        "reprocessing mints the same ids",
        _new_ids,
        Part.BACKUPS,
        ("a repeat with another id",),
    ),
    "outbox filled in another order": Mutant(
        "messages leave in the order of their publication",
        sql(transaction_module, "ADD_TO_OUTBOX", ("ORDER BY place", "ORDER BY place DESC")),
        Part.RELAYS,
        ("out of order",),
    ),
    "relay without order": Mutant(
        "order per key is kept",
        sql(relay_module, "NEXT", ("ORDER BY id", "ORDER BY id DESC")),
        Part.RELAYS,
        ("out of order",),
    ),
    "relay beyond the last id": Mutant(
        "a lower id that commits later is not skipped",
        _beyond_the_last,
        Part.NOTES,
        ("does not come to rest",),
    ),
    "relay without the shard's lock": Mutant(
        "one relay a shard",
        lambda patch: patch.setattr(
            relay_module, "TAKE_SHARD", "SELECT $1::int IS NOT NULL /* pg_try_advisory_lock */"
        ),
        Part.RELAYS,
        ("an older message came after the newest",),
    ),
    "rows deleted before the acknowledgement": Mutant(
        "a row is deleted when Kafka has its message",
        _taken_at_once,
        Part.RELAYS,
        ("a message was lost",),
    ),
    "acknowledged rows are read again": Mutant(
        "what Kafka has is passed over until it is deleted",
        method(relay_module._Landed, "add", _add_without_runs),
        Part.RELAYS,
        ("an older message came after the newest",),
    ),
    "rows deleted by range": Mutant(
        "only what was published is deleted",
        lambda patch: patch.setattr(
            relay_module,
            "DELETE",
            "DELETE FROM outbox WHERE id <= (SELECT max(id) FROM unnest($1::bigint[]) AS id)",
        ),
        Part.NOTES,
        ("a message was lost",),
    ),
}
