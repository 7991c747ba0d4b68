"""The outbox and its relay: in order per key, at least once, nothing skipped."""

import asyncio
from collections import defaultdict
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from shared.messaging import MessagingMetrics, Relay, transaction
from shared.messaging import relay as relay_module
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


async def _is_empty(bench: Bench) -> bool:
    return bool(await bench.pool.fetchval("SELECT count(*) = 0 FROM outbox"))


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


async def test_what_commits_while_a_batch_is_on_its_way_is_not_deleted_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending, may_go_on = asyncio.Event(), asyncio.Event()
    send_batch = AIOKafkaProducer.send_batch

    async def held_up(*arguments: Any, **options: Any) -> Any:
        sending.set()
        await may_go_on.wait()
        return await send_batch(*arguments, **options)

    monkeypatch.setattr(AIOKafkaProducer, "send_batch", held_up)
    async with running(relay_of(bench)), bench.reading() as reader:
        async with transaction(bench.pool, service=SERVICE) as tx:
            tx.publish_raw(TOPIC, "slow", complaint("first"))
            await tx.flush()
            await bench.publish("second")
            await sending.wait()
        may_go_on.set()
        await reader.wait_for("first", "second")


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
