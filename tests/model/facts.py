"""What is judged: a tiny service whose effects are keyed by fact and revision, and show repeats."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from shared.contracts import ids, topics
from shared.messaging import Received, Transaction
from shared.messaging.subscription import Handler
from tests.model.kafka import PARTITIONS

SOURCE = replace(topics.COMPLAINTS, partitions=PARTITIONS)
RESULTS = replace(topics.RESULTS, partitions=PARTITIONS)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

# `verdict` is the effect as services have it: by natural key, the highest revision counts. `judged`
# and `applied` have no key: what takes effect twice shows. `holder` owned the partition then.
# `relay_mark` is of a relay that is broken on purpose.
CREATE = """
CREATE TABLE verdict (key text PRIMARY KEY, revision int NOT NULL);
CREATE TABLE judged (key text NOT NULL, revision int NOT NULL);
CREATE TABLE applied (
    partition int NOT NULL,
    kafka_offset bigint NOT NULL,
    writer text NOT NULL,
    holder text NOT NULL
);
CREATE TABLE noted (id text NOT NULL);
CREATE TABLE relay_mark (last bigint NOT NULL);
"""
JUDGE = """
WITH took AS (
    INSERT INTO verdict AS v (key, revision) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET revision = excluded.revision
        WHERE v.revision < excluded.revision
    RETURNING key, revision
), told AS (
    INSERT INTO judged (key, revision) SELECT key, revision FROM took
)
INSERT INTO applied (partition, kafka_offset, writer, holder)
SELECT $3, $4, $5, o.owner FROM kafka_offset o WHERE o.partition = $3
RETURNING EXISTS (SELECT FROM took)
"""
NOTE = "INSERT INTO noted (id) VALUES ($1)"


@dataclass(frozen=True, slots=True)
class Fact:
    """A revision of what is known of `key`. A faulty one is what our own code trips over."""

    key: str
    revision: int
    faulty: bool = False

    @property
    def partition(self) -> int:
        return int(self.key[1:]) % PARTITIONS

    def to_bytes(self) -> bytes:
        return json.dumps([self.key, self.revision, self.faulty]).encode()


def decode(payload: bytes) -> Fact:
    return Fact(*json.loads(payload))


def verdict_on(key: str, revision: int) -> bytes:
    """Return the message: its id is made from its cause."""
    cause = ids.cause_of(key, str(revision))
    return json.dumps([ids.derived_id(cause, "verdict", EPOCH), key, revision]).encode()


def note(note_id: str) -> bytes:
    """Return the message of a request over HTTP."""
    return json.dumps([note_id, note_id, 1]).encode()


def handler(writer: str) -> Handler:
    """Return the handler of the process `writer`."""

    async def judge(tx: Transaction, batch: Sequence[Received]) -> None:
        for received in batch:
            fact: Any = received.event
            if fact.faulty:
                raise ValueError(fact.key)
            place = (received.partition, received.offset)
            if await tx.connection.fetchval(JUDGE, fact.key, fact.revision, *place, writer):
                tx.publish_raw(RESULTS, fact.key, verdict_on(fact.key, fact.revision))

    return judge
