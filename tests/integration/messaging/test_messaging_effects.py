"""Effects exactly once, whatever fails between Kafka and PostgreSQL."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer

from shared.database import open_pool
from shared.messaging import Received, Transaction
from shared.messaging import consumer as consumer_module
from shared.messaging.kafka import consumer_options
from tests.integration.messaging.support import (
    ADD_EFFECTS,
    GROUP,
    TOPIC,
    Bench,
    LossyProxy,
    note_effects,
    running,
)
from tests.support.waiting import eventually


@pytest.mark.parametrize("error", [ConnectionResetError, ValueError])
async def test_a_batch_that_fails_once_after_its_effects_is_applied_once(
    bench: Bench, error: type[Exception]
) -> None:
    failures = [error("once")]

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await note_effects(tx, batch)
        if failures:
            raise failures.pop()

    await bench.send_complaints("A", "B", "C")
    await bench.send_complaints("D", partition=1)
    async with running(bench.consumer(handle)):
        await bench.wait_for("A", "B", "C", "D")
    assert not failures
    assert await bench.stored() == {0: 3, 1: 1}
    assert await bench.refusals() == []


async def test_a_record_that_comes_alone_and_fails_once_is_not_refused(bench: Bench) -> None:
    failures = [ValueError("once")]

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        if failures:
            raise failures.pop()
        await note_effects(tx, batch)

    await bench.send_complaints("A")
    async with running(bench.consumer(handle)):
        await bench.wait_for("A")
    assert await bench.refusals() == []


async def test_a_commit_whose_answer_was_lost_is_not_applied_again(bench: Bench) -> None:
    proxy = LossyProxy(bench.settings.database_url.get_secret_value())
    async with (
        proxy.open(),
        await open_pool(proxy.url, name="through the proxy", size=3) as pool,
        running(bench.consumer(pool=pool)),
    ):
        await bench.send_complaints("before")
        await bench.wait_for("before")
        proxy.armed = True
        await bench.send_complaints("during")
        await bench.wait_for("before", "during")
        await bench.send_complaints("after")
        await bench.wait_for("before", "during", "after")
    assert proxy.lost == 1
    assert await bench.refusals() == []


async def test_a_former_owner_writes_nothing_and_does_not_spin(bench: Bench) -> None:
    calls: list[int] = []

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        calls.append(len(batch))
        await note_effects(tx, batch)

    consumer = bench.consumer(handle)
    async with running(consumer):
        await bench.send_complaints("A")
        await bench.wait_for("A")
        await bench.pool.execute("UPDATE kafka_offset SET epoch = epoch + 1 WHERE partition = 0")
        await bench.send_complaints("not mine")
        await eventually(lambda: _fenced(bench))
        reason = consumer.not_ready()
        await bench.send_complaints("B", partition=1)
        await bench.wait_for("A", "B")
        assert _fenced(bench) == 1
    assert reason is not None
    assert "another process" in reason
    assert calls == [1, 1]
    assert (await bench.stored())[0] == 1


def _fenced(bench: Bench) -> float:
    return bench.value("cartas_partitions_fenced_total", topic=TOPIC.name)


async def test_a_partition_that_the_group_still_gives_us_is_claimed_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim of an earlier assignment may arrive late, after its sender has lost the partition."""
    monkeypatch.setattr(consumer_module, "RECLAIM_SECONDS", 0.5)
    consumer = bench.consumer()
    async with running(consumer):
        await bench.send_complaints("A")
        await bench.wait_for("A")
        await bench.pool.execute("UPDATE kafka_offset SET epoch = epoch + 1")
        await bench.send_complaints("B")
        await bench.wait_for("A", "B")
        assert consumer.not_ready() is None


async def test_a_partition_without_stored_offset_starts_at_its_beginning(bench: Bench) -> None:
    await bench.send_complaints("A", "B", "C")
    options = consumer_options(bench.settings, group=GROUP, topic=TOPIC.name)
    stranger = AIOKafkaConsumer(**options)
    stranger.assign([bench.partition(0)])
    await stranger.start()
    await stranger.commit({bench.partition(0): 2})
    await stranger.stop()
    async with running(bench.consumer()):
        await bench.wait_for("A", "B", "C")


async def test_what_a_handler_publishes_leaves_with_its_effects_or_not_at_all(
    bench: Bench,
) -> None:
    failures = [TimeoutError()]

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        for received in batch:
            tx.publish(TOPIC, received.event)
        await tx.flush()
        if failures:
            raise failures.pop()
        await note_effects(tx, batch)

    await bench.send_complaints("A")
    async with running(bench.consumer(handle)):
        await bench.wait_for("A")
    rows = await bench.pool.fetch("SELECT topic FROM outbox")
    assert [row["topic"] for row in rows] == [TOPIC.name]


async def test_the_last_batch_is_finished_before_the_loop_ends(bench: Bench) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        begun.set()
        await may_end.wait()
        await tx.connection.execute(ADD_EFFECTS, [r.event.data.folio for r in batch], "me")

    await bench.send_complaints("A")
    consumer = bench.consumer(handle)
    async with running(consumer):
        await begun.wait()
        consumer.stop()
        may_end.set()
    await bench.wait_for("A")
    assert (await bench.stored())[0] == 1


async def test_the_few_that_lay_ready_take_what_came_after_them_along(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "FETCH_MORE_MS", 10_000)
    batches: list[list[str]] = []
    may_go_on = asyncio.Event()

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        batches.append([received.event.data.folio for received in batch])
        await note_effects(tx, batch)
        await may_go_on.wait()

    consumer = bench.consumer(handle)
    async with running(consumer):
        await bench.send_complaints("A")
        await eventually(lambda: batches == [["A"]])
        await bench.send_complaints("B")
        await eventually(lambda: consumer._guard.reading()._fetcher._records, what="B lies ready")
        await bench.send_complaints("C")  # two might come by two fetches
        may_go_on.set()
        await bench.wait_for("A", "B", "C")
    assert batches == [["A"], ["B", "C"]]


async def test_each_claim_raises_the_epoch(bench: Bench) -> None:
    for epoch in (1, 2):
        async with running(bench.consumer()):
            await bench.send_complaints(f"in epoch {epoch}")
            await eventually(partial(_claimed, bench, epoch))


async def _claimed(bench: Bench, epoch: int) -> bool:
    rows = await bench.pool.fetch("SELECT epoch FROM kafka_offset")
    return [row["epoch"] for row in rows] == [epoch] * TOPIC.partitions
