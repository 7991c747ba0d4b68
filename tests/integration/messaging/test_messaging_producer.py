"""Sending for an HTTP answer: durable when it returns, and usable again after an error."""

import asyncio
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.messaging import DurableProducer, KafkaUnavailableError
from shared.retention import purge, refused
from tests.integration.messaging.support import TOPIC, Bench, complaint, running
from tests.support.servers import free_port
from tests.support.waiting import eventually


async def test_messages_are_durable_when_sending_returns(bench: Bench) -> None:
    producer = DurableProducer(bench.settings)
    folios = [f"F-{number}" for number in range(50)]
    await producer.send(TOPIC, [(folio, complaint(folio)) for folio in folios])
    async with bench.reading() as reader:
        await reader.wait_for(*folios)
        assert sorted(await reader.folios()) == sorted(folios)
        assert {key for key, _ in reader.documents} == set(folios)
    await producer.stop()


async def test_what_many_send_at_once_stays_in_order_and_apart(bench: Bench) -> None:
    """Rounds join what comes together; one that cannot be sent costs only its own sender."""
    producer = DurableProducer(bench.settings)
    folios = [f"F-{number:03}" for number in range(300)]
    sends = [producer.send(TOPIC, [("one key", complaint(folio))]) for folio in folios]
    too_large = producer.send(TOPIC, [("one key", b"x" * 2_000_000)])
    refused, *sent = await asyncio.gather(too_large, *sends, return_exceptions=True)
    assert isinstance(refused, KafkaUnavailableError)
    assert sent == [None] * len(folios)
    async with bench.reading() as reader:
        await reader.wait_for(*folios)
        assert await reader.folios() == folios
    await producer.stop()


async def test_more_than_fits_into_one_batch_is_sent_in_several(bench: Bench) -> None:
    producer = DurableProducer(bench.settings)
    folios = [f"F-{number}" for number in range(6)]
    padded = [("one key", complaint(folio) + b" " * 400_000) for folio in folios]
    await producer.send(TOPIC, padded)
    async with bench.reading() as reader:
        await reader.wait_for(*folios)
        assert await reader.folios() == folios
    await producer.stop()


async def test_an_error_is_told_and_does_not_stick(bench: Bench) -> None:
    """The client never gives back the sequence numbers of what it could not send."""
    producer = DurableProducer(bench.settings)
    await producer.send(TOPIC, [("a", complaint("A"))])
    with pytest.raises(KafkaUnavailableError):
        await producer.send(TOPIC, [("a", complaint("B")), ("a", b"x" * 2_000_000)])
    await producer.send(TOPIC, [("a", complaint("C"))])
    async with bench.reading() as reader:
        await reader.wait_for("A", "C")
    await producer.stop()


async def test_a_kafka_that_is_away_is_told_as_such(bench: Bench) -> None:
    away = bench.settings.model_copy(update={"kafka_servers": f"127.0.0.1:{free_port()}"})
    producer = DurableProducer(away)
    with pytest.raises(KafkaUnavailableError):
        await producer.send(TOPIC, [("a", complaint("A"))])
    await producer.stop()


async def test_refused_payloads_are_purged_when_their_term_is_over(bench: Bench) -> None:
    await bench.send(b"{", b"{")
    async with running(bench.consumer()):
        await eventually(lambda: _has_two(bench))
    await bench.pool.execute("UPDATE refusal SET keep_until = now() WHERE kafka_offset = 0")
    await purge(bench.pool, [refused(timedelta(days=90))], utc_now())
    assert [row["kafka_offset"] for row in await bench.refusals()] == [1]


async def _has_two(bench: Bench) -> bool:
    return len(await bench.refusals()) == 2
