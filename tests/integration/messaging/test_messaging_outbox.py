"""The outbox and its relay: in order per key, at least once, nothing skipped."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from shared import clock, condition
from shared.messaging import DurableProducer, MessagingMetrics, Relay, bell, transaction
from shared.messaging import relay as relay_module
from shared.messaging.loads import runs
from shared.messaging.partitions import partitions_of
from tests.integration.messaging.support import (
    SERVICE,
    TOPIC,
    Bench,
    complaint,
    killed,
    running,
)
from tests.support.waiting import eventually

WRITERS = 8
MESSAGES_OF_A_WRITER = 30
KEYS = ("a", "b", "c", "d", "e")


def relay_of(bench: Bench) -> Relay:
    return Relay(bench.settings, shard=0, metrics=bench.metrics)


async def _write(bench: Bench, writer: int) -> None:
    """Number messages per key; the key's row is locked first, as a service locks its state."""
    for turn in range(MESSAGES_OF_A_WRITER):
        key = KEYS[(writer + turn) % len(KEYS)]
        async with transaction(bench.pool, service=SERVICE) as tx:
            number = await tx.connection.fetchval(
                "UPDATE numbering SET last = last + 1 WHERE key = $1 RETURNING last", key
            )
            tx.publish_raw(TOPIC, key, complaint(str(number)))


async def test_messages_of_one_key_keep_their_order_under_many_writers(bench: Bench) -> None:
    await bench.pool.execute("CREATE TABLE numbering (key text PRIMARY KEY, last int NOT NULL)")
    await bench.pool.execute("INSERT INTO numbering SELECT unnest($1::text[]), 0", list(KEYS))
    async with running(relay_of(bench)), bench.reading() as reader:
        await asyncio.gather(*(_write(bench, writer) for writer in range(WRITERS)))

        async def all_there() -> bool:
            return len(await reader.read()) >= WRITERS * MESSAGES_OF_A_WRITER

        await eventually(all_there)
        numbers: dict[str, list[int]] = defaultdict(list)
        for key, document in reader.documents:
            numbers[key].append(int(document["data"]["folio"]))
        await eventually(lambda: _is_empty(bench))
    per_key = WRITERS * MESSAGES_OF_A_WRITER // len(KEYS)
    assert numbers == {key: list(range(1, per_key + 1)) for key in KEYS}


async def test_records_are_stamped_by_the_clock_that_is_followed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a machine whose clock is ahead Kafka would keep them longer than it is told to."""
    day_before = clock.machine_now() - timedelta(days=1)
    monkeypatch.setattr(clock, "_followed", None)
    clock.follow(day_before, time.monotonic())
    producer = DurableProducer(bench.settings)
    await producer.send(TOPIC, [("a", complaint("sent"))])
    await producer.stop()
    async with running(relay_of(bench)), bench.reading() as reader:
        async with transaction(bench.pool, service=SERVICE) as tx:
            tx.publish_raw(TOPIC, "a", complaint("relayed"))
        await reader.wait_for("sent", "relayed")
    for stamp in reader.stamps:
        assert abs(datetime.fromtimestamp(stamp / 1000, UTC) - day_before) < timedelta(hours=1)


async def _is_empty(bench: Bench) -> bool:
    return bool(await bench.pool.fetchval("SELECT count(*) = 0 FROM outbox"))


@contextmanager
def nobody(_: object) -> Iterator[None]:
    """In place of `hearing`: the relay runs in another process."""
    yield


@pytest.mark.parametrize("is_here", [True, False])
async def test_a_relay_is_told_of_a_commit_in_its_process_or_in_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, is_here: bool
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 3600.0)
    if is_here:
        monkeypatch.setattr(bell, "NOTIFY", "SELECT 'not told'")
    else:
        monkeypatch.setattr(relay_module, "hearing", nobody)
    async with running(relay_of(bench)), bench.reading() as reader:
        await bench.publish("A")
        await reader.wait_for("A")
        await eventually(lambda: _is_empty(bench))
        await bench.publish("B")
        await reader.wait_for("A", "B")


async def test_a_lower_id_that_commits_later_is_not_skipped(bench: Bench) -> None:
    async with running(relay_of(bench)), bench.reading() as reader:
        async with transaction(bench.pool, service=SERVICE) as tx:
            tx.publish_raw(TOPIC, "slow", complaint("first"))
            await tx.flush()
            await bench.publish("second")
            await reader.wait_for("second")
            assert await reader.folios() == ["second"]
        await reader.wait_for("first")
        assert await reader.folios() == ["second", "first"]


class Gate:
    """Holds back what is sent to Kafka, or lets it fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sending, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.sent: list[int] = []
        self.fail_once: set[int] = set()
        self._send_batch = AIOKafkaProducer.send_batch
        gate = self

        async def send_batch(
            producer: AIOKafkaProducer, batch: Any, topic: str, *, partition: int
        ) -> Any:
            gate.sending.set()
            await gate.may_go_on.wait()
            if partition in gate.fail_once:
                gate.fail_once.remove(partition)
                raise KafkaError
            gate.sent.append(partition)
            return await gate._send_batch(producer, batch, topic, partition=partition)

        monkeypatch.setattr(AIOKafkaProducer, "send_batch", send_batch)


async def test_what_commits_while_a_batch_is_on_its_way_is_not_deleted_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    async with running(relay_of(bench)), bench.reading() as reader:
        async with transaction(bench.pool, service=SERVICE) as tx:
            tx.publish_raw(TOPIC, "slow", complaint("first"))
            await tx.flush()
            await bench.publish("second")
            await gate.sending.wait()
        gate.may_go_on.set()
        await reader.wait_for("first", "second")


def _reads_ahead(bench: Bench) -> Any:
    """Whether the relay, with one load on its way, has read and now waits for Kafka."""
    return bench.pool.fetchval(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()"
        " AND state = 'idle' AND application_name = $1 AND query LIKE '%outbox%ORDER BY id LIMIT%'",
        f"{SERVICE} relay",
    )


async def test_loads_read_ahead_leave_once_and_in_their_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "BATCH", 3)
    folios = [str(number) for number in range(20)]
    async with transaction(bench.pool, service=SERVICE) as tx:
        for folio in folios:
            tx.publish_raw(TOPIC, "one", complaint(folio))
    async with running(relay_of(bench)), bench.reading() as reader:
        await reader.wait_for(*folios)
        await eventually(lambda: _is_empty(bench))
        assert await reader.folios() == folios


async def test_what_was_read_ahead_does_not_overtake_what_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "BATCH", 1)
    gate = Gate(monkeypatch)
    gate.fail_once = set(partitions_of([b"one"], TOPIC.partitions))
    async with transaction(bench.pool, service=SERVICE) as tx:
        for folio in ("1", "2", "3"):
            tx.publish_raw(TOPIC, "one", complaint(folio))
    async with running(relay_of(bench)), bench.reading() as reader:
        await gate.sending.wait()
        await eventually(lambda: _reads_ahead(bench))
        gate.may_go_on.set()
        await reader.wait_for("1", "2", "3")
        assert await reader.folios() == ["1", "2", "3"]


async def test_what_kafka_has_taken_is_deleted_though_another_partition_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = partitions_of([key.encode() for key in KEYS], TOPIC.partitions)
    keys = dict(zip(places, KEYS, strict=True))
    gate = Gate(monkeypatch)
    gate.fail_once = {0}
    gate.may_go_on.set()
    async with transaction(bench.pool, service=SERVICE) as tx:
        for partition, key in keys.items():
            tx.publish_raw(TOPIC, key, complaint(str(partition)))
    async with running(relay_of(bench)), bench.reading() as reader:
        await reader.wait_for("0", "1")
        await eventually(lambda: _is_empty(bench))
        assert await reader.folios() == ["1", "0"]
    assert gate.sent == [1, 0]


async def test_a_relay_that_is_stopped_waits_for_what_is_on_its_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    await bench.publish("A")
    async with bench.reading() as reader:
        async with running(relay := relay_of(bench)):
            await gate.sending.wait()
            relay.stop()
            gate.may_go_on.set()
        assert await reader.folios() == ["A"]
    assert await _is_empty(bench)


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        (relay_module.NEXT, (0, 5000, runs([1, 2, 7]))),
        (relay_module.DELETE, (list(range(5000)),)),
    ],
)
async def test_a_long_outbox_that_the_planner_believes_empty_is_read_by_its_index(
    bench: Bench, statement: str, arguments: tuple[object, ...]
) -> None:
    await bench.pool.execute("VACUUM (ANALYZE) outbox")
    await bench.publish(*(str(number) for number in range(2000)))
    connection = await asyncpg.connect(
        bench.settings.database_url.get_secret_value(), server_settings=relay_module.SESSION
    )
    try:
        plan = "\n".join(
            row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *arguments)
        )
    finally:
        await connection.close()
    assert "Index Scan" in plan or "Index Only Scan" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


async def test_a_long_outbox_is_counted_by_its_index_too(bench: Bench) -> None:
    await bench.pool.execute("VACUUM (ANALYZE) outbox")
    await bench.publish(*(str(number) for number in range(2000)))
    async with bench.pool.acquire() as connection, connection.transaction():
        await connection.execute(condition.BY_INDEX)
        rows = await connection.fetch(f"EXPLAIN {condition.WAITING}")
    plan = "\n".join(row[0] for row in rows)
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


async def test_a_relay_killed_before_it_could_delete_sends_the_same_again(bench: Bench) -> None:
    await bench.publish("A", "B")
    async with bench.reading() as reader:
        async with bench.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT id FROM outbox FOR UPDATE")
            async with killed(relay_of(bench)):
                await reader.wait_for("A", "B")
                await eventually(lambda: _is_waiting_to_delete(bench))
        assert await bench.pool.fetchval("SELECT count(*) FROM outbox") == 2
        async with running(relay_of(bench)):
            await eventually(lambda: _is_empty(bench))
        await eventually(lambda: _count(reader.read(), 4))
    ids = [document["id"] for _, document in reader.documents]
    assert sorted(ids) == sorted(2 * ["id of A", "id of B"])


async def _count(reading: object, number: int) -> bool:
    return len(await reading) == number  # type: ignore[misc]


async def _is_waiting_to_delete(bench: Bench) -> bool:
    return bool(
        await bench.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM outbox%'"
        )
    )


async def test_a_standby_takes_nothing_until_the_leader_is_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "STANDBY_SECONDS", 0.1)
    registry = CollectorRegistry()
    metrics = MessagingMetrics(registry)
    standby = Relay(bench.settings, shard=0, metrics=metrics)

    def standby_sent() -> float:
        return registry.get_sample_value("cartas_outbox_published_total") or 0.0

    async with bench.reading() as reader:
        async with killed(relay_of(bench)):
            await bench.publish("A")
            await reader.wait_for("A")
            async with running(standby):
                await eventually(lambda: _has_tried(bench))
                await bench.publish("B")
                await reader.wait_for("A", "B")
                await eventually(lambda: _is_empty(bench))
                assert standby_sent() == 0
        async with running(Relay(bench.settings, shard=0, metrics=metrics)):
            await bench.publish("C")
            await reader.wait_for("A", "B", "C")
            await eventually(lambda: standby_sent() == 1)


async def _has_tried(bench: Bench) -> bool:
    """Two sessions of relays, one of which has the lock."""
    return bool(
        await bench.pool.fetchval(
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = $1 AND query <> ''",
            f"{SERVICE} relay",
        )
    )


async def test_nothing_leaves_of_a_transaction_that_fails(bench: Bench) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await _publish_and_fail(bench)
    async with running(relay_of(bench)), bench.reading() as reader:
        await bench.publish("sent")
        await reader.wait_for("sent")
        assert await reader.folios() == ["sent"]


async def _publish_and_fail(bench: Bench) -> None:
    async with transaction(bench.pool, service=SERVICE) as tx:
        tx.publish_raw(TOPIC, "key", complaint("never"))
        await tx.flush()
        row = (str(uuid4()), "twice")
        await tx.connection.executemany(
            "INSERT INTO inbox (source, event_id) VALUES ($1, $2)", [row, row]
        )
