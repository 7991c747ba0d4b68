"""What must hold after every step, and what must hold when everything has come to rest."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg

from tests.model.facts import RESULTS, decode
from tests.model.kafka import Kafka

T = TypeVar("T")

STATE = """
SELECT
    (SELECT json_agg(json_build_array(partition, next_offset)) FROM kafka_offset) AS offsets,
    (SELECT json_agg(json_build_array(partition, kafka_offset)) FROM refusal) AS refused,
    (SELECT json_agg(json_build_array(partition, kafka_offset, writer, holder)) FROM applied)
        AS applied,
    (SELECT json_agg(json_build_array(key, revision)) FROM judged) AS judged,
    (SELECT json_agg(id) FROM noted) AS noted,
    (SELECT json_agg(convert_from(payload, 'UTF8')) FROM outbox WHERE topic = $1) AS waiting,
    (SELECT count(*) FROM outbox) AS outbox
"""


class BrokenRuleError(AssertionError):
    """A rule of delivery does not hold; the message says which."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds at one moment. `outbox` counts the rows of every topic."""

    offsets: dict[int, int]
    refused: list[tuple[int, int]]
    applied: list[tuple[int, int, str, str]]
    judged: list[tuple[str, int]]
    noted: list[str]
    waiting: list[tuple[str, str, int]]
    outbox: int


async def read(connection: "asyncpg.Connection[asyncpg.Record]") -> Stored:
    """Return what is committed now."""
    row = await connection.fetchrow(STATE, RESULTS.name)
    assert row is not None
    parts: dict[str, Any] = {name: json.loads(row[name] or "[]") for name in list(row.keys())[:-1]}
    return Stored(
        offsets={partition: offset or 0 for partition, offset in parts["offsets"]},
        refused=[tuple(each) for each in parts["refused"]],
        applied=[tuple(each) for each in parts["applied"]],
        judged=[tuple(each) for each in parts["judged"]],
        noted=parts["noted"],
        waiting=[tuple(json.loads(each)) for each in parts["waiting"]],
        outbox=row["outbox"],
    )


@dataclass(slots=True)
class Account:
    """What was seen before, which the rules compare with.

    `forgotten` partitions have lost messages that nobody had read: they must not go on.
    """

    offsets: dict[int, int] = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)
    restored: bool = False

    def put_back(self) -> None:
        """The database is an earlier one: its offsets are."""
        self.offsets = {}
        self.restored = True

    def check(self, stored: Stored, kafka: Kafka) -> None:
        """Raise BrokenRuleError unless every rule holds."""
        for partition, offset in stored.offsets.items():
            _hold(offset >= self.offsets.get(partition, 0), "a stored offset moved backwards")
            _check_effects(stored, partition, offset)
        self.offsets = stored.offsets
        _hold(all(by == of for _, _, by, of in stored.applied), "a former owner wrote")
        _check_judgements(stored, kafka)
        published = _published(kafka)
        _check_messages(stored, published, phantoms=self.restored)
        _check_order(published)

    def is_at_rest(self, stored: Stored, kafka: Kafka) -> bool:
        """Return whether all is applied and published that can be."""
        return stored.outbox == 0 and all(
            stored.offsets.get(partition, 0) == len(log)
            for partition, log in kafka.logs.items()
            if partition not in self.forgotten
        )

    def check_at_rest(self, kafka: Kafka) -> None:
        """A topic that is compacted keeps the last message of a key: it must be the newest."""
        newest: Counter[str] = Counter()
        last: dict[str, int] = {}
        for _, key, revision in _published(kafka):
            newest[key] = max(newest[key], revision)
            last[key] = revision
        _hold(last == dict(newest), "an older message came after the newest")


def _hold(rule: bool, otherwise: str) -> None:
    if not rule:
        raise BrokenRuleError(otherwise)


def _repeated(values: Iterable[T]) -> list[T]:
    return [value for value, times in Counter(values).items() if times > 1]


def _check_effects(stored: Stored, partition: int, offset: int) -> None:
    """Each record below the stored offset has had its effect or its refusal, once; none beyond."""
    places = [at for number, at, *_ in (*stored.applied, *stored.refused) if number == partition]
    _hold(not _repeated(places), "a record took effect twice")
    _hold(set(places) >= set(range(offset)), "a record was skipped")
    _hold(len(places) == offset, "an effect without its offset")


def _check_judgements(stored: Stored, kafka: Kafka) -> None:
    known = {
        (fact.key, fact.revision)
        for partition, offset in stored.offsets.items()
        for fact in (decode(value) for _, value in kafka.logs[partition][:offset])
        if not fact.faulty
    }
    _hold(not _repeated(stored.judged), "a fact was judged twice")
    _hold(set(stored.judged) == known, "a fact was not judged")


def _published(kafka: Kafka) -> list[tuple[str, str, int]]:
    return [
        tuple(json.loads(message.value))
        for message in kafka.published
        if message.topic.endswith(RESULTS.name)
    ]


def _check_messages(
    stored: Stored, published: Sequence[tuple[str, str, int]], *, phantoms: bool
) -> None:
    """What happened is published or waits for it; nothing else is, but for what a backup undid."""
    due = {*stored.judged, *((note, 1) for note in stored.noted)}
    told = {(key, revision) for _, key, revision in (*published, *stored.waiting)}
    _hold(due <= told, "a message was lost")
    _hold(phantoms or told <= due, "a message of what did not happen")


def _check_order(published: Sequence[tuple[str, str, int]]) -> None:
    """Who drops what he has seen, by its id, sees each revision once and in order per key."""
    seen: Counter[str] = Counter()
    for message_id, key, revision in dict.fromkeys(published):
        _hold(revision > seen[key], f"a repeat with another id ({message_id})")
        _hold(revision == seen[key] + 1, "out of order")
        seen[key] = revision
