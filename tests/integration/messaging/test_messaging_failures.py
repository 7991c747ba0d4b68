"""Bad input is refused by name, what must not be skipped halts, an outage is waited out."""

import json
import struct
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka.admin import NewTopic, RecordsToDelete
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import fetcher
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c

from deploy.local.postgres import PostgresServer, wait_until_ready
from deploy.local.processes import Places, start, stop
from shared.contracts import hot
from shared.database import migrate, open_pool
from shared.messaging import Received, Transaction
from shared.messaging.applying import UNEXPECTED_IN_A_ROW
from shared.messaging.offsets import State, places, rewind
from shared.messaging.topics import admin_client
from tests.integration.messaging.support import (
    CREATE_EFFECT,
    SERVICE,
    TOPIC,
    Bench,
    complaint,
    note_effects,
    running,
)
from tests.support.servers import free_port
from tests.support.waiting import eventually
from tests.unit.contracts.documents import changed, example

GOOD = example("complaint.v1")


def _with(path: str, value: Any) -> bytes:
    return json.dumps(changed(GOOD, path, value)).encode()


# What is sent, its headers, and the reason and field of its refusal.
POISON: list[tuple[bytes | None, list[tuple[str, bytes]], str, str | None]] = [
    (b"{", [], "not_json", None),
    (b"\xff\xfe", [], "not_json", None),
    (None, [], "not_json", None),
    (_with("type", "stranger.v1"), [], "schema", "type"),
    (_with("data.revision", "7"), [], "schema", "complaint.v1.data.revision"),
    (_with("data.kind", "x" * 900_000), [], "schema", "complaint.v1.data.kind"),
    (complaint("header"), [("ce_id", b"\xff")], "not_json", None),
    (_with("data.pauses", [[]] * 100_000), [], "schema", "complaint.v1.data.pauses.0"),
]


async def test_poison_is_refused_by_name_and_its_neighbours_flow(bench: Bench) -> None:
    await bench.send_complaints("first")
    for value, headers, _, _ in POISON:
        await bench.send(value, headers=headers)
    await bench.send_complaints("last")
    async with running(bench.consumer()):
        await bench.wait_for("first", "last")
    rows = await bench.refusals()
    assert [(row["reason"], row["field"]) for row in rows] == [poison[2:] for poison in POISON]
    assert [row["payload"] for row in rows] == [value or b"" for value, *_ in POISON]
    letters = await bench.pool.fetch(
        "SELECT payload FROM outbox WHERE topic = $1", f"{TOPIC.name}.dlt"
    )
    pointers = [json.loads(row["payload"])["data"] for row in letters]
    assert [pointer["refusal"] for pointer in pointers] == [row["id"] for row in rows]
    assert max(len(row["payload"]) for row in letters) < 1000, "a dead letter never holds a payload"
    refused = [
        bench.value("cartas_messages_refused_total", topic=TOPIC.name, reason=reason)
        for reason in ("not_json", "schema", "unexpected_error")
    ]
    assert refused == [4, 4, 0]


async def test_a_name_that_postgresql_cannot_store_is_refused_as_any_other(bench: Bench) -> None:
    """Fast decoders name the unknown member; it may hold a NUL, and must not stop the consumer."""

    def decode(value: bytes) -> hot.ServiceEvent:
        return hot.decode_service_event(value)

    event = changed(example("service-event.v1"), "data.nombre\x00de la persona", "x")
    consumer = bench.consumer()
    object.__setattr__(consumer.subscription, "decode", decode)
    await bench.send(json.dumps(event).encode())
    async with running(consumer):
        rows = await eventually(bench.refusals)
    assert rows[0]["reason"] == "schema"
    assert "\x00" not in rows[0]["detail"]


async def test_a_connection_that_breaks_off_between_two_statements_refuses_nothing(
    bench: Bench,
) -> None:
    """What asyncpg calls an internal error is what a killed server leaves of a connection."""
    broken = iter([asyncpg.InternalClientError("cannot switch to state 12")])

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        for error in broken:
            raise error
        await note_effects(tx, batch)

    await bench.send_complaints("A")
    async with running(bench.consumer(handle)):
        await bench.wait_for("A")
    assert await bench.refusals() == []


async def test_a_lane_goes_on_while_another_waits_and_keeps_what_it_did_when_that_fails(
    bench: Bench,
) -> None:
    failures = iter([asyncpg.InternalClientError("cannot switch to state 12")])

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await note_effects(tx, batch)
        if batch[0].partition == 0:
            await eventually(lambda: bench.effects(), what="the other lane's commit")
            for error in failures:
                raise error

    await bench.send_complaints("A", "B", partition=0)
    await bench.send_complaints("C", "D", partition=1)
    async with running(bench.consumer(handle)):
        await bench.wait_for("A", "B", "C", "D")
    assert await bench.refusals() == []


async def test_what_waits_behind_a_batch_that_is_tried_again_is_told(bench: Bench) -> None:
    is_locked = True

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        if is_locked:
            raise asyncpg.exceptions.LockNotAvailableError
        await note_effects(tx, batch)

    def told() -> list[float]:
        name = "cartas_consumer_lag_records"
        return [bench.value(name, topic=TOPIC.name, partition=each) for each in ("0", "1")]

    async with running(bench.consumer(handle)):
        await bench.send_complaints("A")
        await eventually(lambda: told() == [1.0, 0.0])
        await bench.send_complaints("B", "C", "D")
        await bench.send_complaints("E", partition=1)
        await eventually(lambda: told() == [4.0, 1.0])
        is_locked = False
        await bench.wait_for(*"ABCDE")
        await eventually(lambda: told() == [0.0, 0.0])


async def test_a_loop_that_fails_itself_says_so_and_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter([ZeroDivisionError()])

    async def reclaim(*_: object) -> None:
        for fault in faults:
            raise fault

    monkeypatch.setattr("shared.messaging.guard.PartitionGuard.reclaim", reclaim)
    async with running(bench.consumer()):
        await eventually(lambda: "consumer_failed" in caplog.messages)
        await bench.send_complaints("A")
        await bench.wait_for("A")


async def test_twenty_unexpected_errors_in_a_row_stop_the_consumer_and_keep_the_rest(
    bench: Bench,
) -> None:
    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        raise ZeroDivisionError

    await bench.send_complaints(*map(str, range(UNEXPECTED_IN_A_ROW + 5)))
    consumer = bench.consumer(handle)
    await consumer.run()
    reason = consumer.not_ready()
    assert reason is not None
    assert "stopped" in reason
    rows = await bench.refusals()
    assert [row["reason"] for row in rows] == ["unexpected_error"] * (UNEXPECTED_IN_A_ROW - 1)
    assert (await bench.stored())[0] == UNEXPECTED_IN_A_ROW - 1
    async with running(bench.consumer()):
        kept = map(str, range(UNEXPECTED_IN_A_ROW - 1, UNEXPECTED_IN_A_ROW + 5))
        await bench.wait_for(*kept)


async def test_one_message_that_breaks_our_code_is_set_apart_from_its_batch(bench: Bench) -> None:
    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await note_effects(tx, batch)
        if any(received.event.data.folio == "5" for received in batch):
            raise ZeroDivisionError

    await bench.send_complaints(*map(str, range(10)))
    async with running(bench.consumer(handle)):
        await bench.wait_for(*(str(number) for number in range(10) if number != 5))
    assert [row["kafka_offset"] for row in await bench.refusals()] == [5]


async def test_an_offset_that_kafka_has_lost_halts_its_partition_only(bench: Bench) -> None:
    await bench.send_complaints("A")
    async with running(bench.consumer()):
        await bench.wait_for("A")
    await bench.send_complaints("lost", "lost too", "later")
    await bench.send_complaints("B", partition=1)
    async with admin_client(bench.settings) as admin:
        await admin.delete_records({bench.partition(0): RecordsToDelete(3)})
    consumer = bench.consumer()
    async with running(consumer):
        await bench.wait_for("A", "B")
        await eventually(lambda: _halted(bench) == 1)
        reason = consumer.not_ready()
        await bench.send_complaints("C", partition=1)
        await bench.wait_for("A", "B", "C")
    assert reason is not None
    assert "halted" in reason
    assert _halted(bench) == 0, "the next owner says so for itself"
    assert await bench.stored() == {0: 1, 1: 2}


async def test_what_kafka_lost_of_a_partition_before_its_first_record_halts_it(
    bench: Bench,
) -> None:
    consumer = bench.consumer()
    async with running(consumer):
        await eventually(lambda: consumer.not_ready() is None)
    await bench.send_complaints("lost", "later")
    async with admin_client(bench.settings) as admin:
        await admin.delete_records({bench.partition(0): RecordsToDelete(1)})
    async with running(bench.consumer()):
        await eventually(lambda: _halted(bench) == 1)
    assert await bench.effects() == {}


def _halted(bench: Bench) -> float:
    return bench.value("cartas_partition_halted", topic=TOPIC.name, partition="0")


async def test_a_topic_made_anew_is_another_topic(bench: Bench) -> None:
    await bench.send_complaints("A", "B")
    async with running(bench.consumer()):
        await bench.wait_for("A", "B")
    await _make_anew(bench, "C", "D", "E")
    consumer = bench.consumer()
    async with running(consumer):
        reason = await eventually(lambda: _stopped(consumer.not_ready()))
        assert reason is not None
        assert "made anew" in reason
        assert await bench.effects() == {"A": 1, "B": 1}
    assert (await bench.stored())[0] == 2


async def test_a_topic_made_anew_under_its_reader_is_another_topic(bench: Bench) -> None:
    """The new one soon holds records at the offsets that come next: they alone show nothing."""
    await bench.send_complaints("A", "B")
    consumer = bench.consumer()
    async with running(consumer):
        await bench.wait_for("A", "B")
        await _make_anew(bench, "C", "D", "E", "F")
        reason = await eventually(lambda: _stopped(consumer.not_ready()))
        await eventually(lambda: bench.value("cartas_consumer_stopped", topic=TOPIC.name) == 1)
    assert "made anew" in reason
    assert (await bench.effects()).keys().isdisjoint({"C", "D"}), "they lie before its offset"


async def test_who_is_halted_leaves_kafka_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition without a position is looked up in Kafka's own offsets, time and again."""
    await bench.send_complaints("A")
    async with running(bench.consumer()):
        await bench.wait_for("A")
    await _make_anew(bench, "B")
    asked: Counter[str] = Counter()
    send = AIOKafkaClient.send

    async def counted(self: AIOKafkaClient, node: int, request: Any, **more: Any) -> Any:
        asked[type(request).__name__] += 1
        return await send(self, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", counted)
    consumer = bench.consumer()
    async with running(consumer):
        await eventually(lambda: _stopped(consumer.not_ready()))
        asked.clear()
        turns = _turns(bench)
        await eventually(lambda: _turns(bench) >= turns + 10, what="ten turns")
    assert asked["OffsetFetchRequest"] == 0


def _turns(bench: Bench) -> float:
    return bench.value("cartas_part_seconds_count", loop=TOPIC.name, part="turn")


async def test_a_topic_that_is_gone_is_named(bench: Bench) -> None:
    await bench.send_complaints("A")
    consumer = bench.consumer()
    async with running(consumer):
        await bench.wait_for("A")
        async with admin_client(bench.settings) as admin:
            await admin.delete_topics([bench.topic])
        reason = await eventually(lambda: _stopped(consumer.not_ready()))
    assert "does not exist" in reason


async def test_a_topic_made_anew_is_read_whole_once_a_person_says_so(bench: Bench) -> None:
    await bench.send_complaints("A", "B")
    await bench.send(b"no complaint")
    consumer = bench.consumer()
    async with running(consumer):
        await bench.wait_for("A", "B")
        await eventually(lambda: _has_refused(bench, 1))
        await _make_anew(bench, "C", "D")
        await bench.send(b"no complaint either")
        await eventually(lambda: _stopped(consumer.not_ready()))
        assert [place.state for place in await places(bench.pool, bench.settings)] == [
            State.MADE_ANEW
        ] * TOPIC.partitions
        async with bench.pool.acquire() as connection, connection.transaction():
            await rewind(connection, bench.settings, TOPIC.name)  # type: ignore[arg-type]
        await bench.wait_for("A", "B", "C", "D")
        await eventually(lambda: _has_refused(bench, 2))
        await eventually(lambda: consumer.not_ready() is None)
    assert (await bench.stored())[0] == 3


async def test_a_service_that_reads_nothing_has_no_places(bench: Bench) -> None:
    assert await places(bench.pool, bench.settings) == []


async def test_what_kafka_lost_is_passed_once_a_person_says_so(bench: Bench) -> None:
    await bench.send_complaints("A")
    async with running(bench.consumer()):
        await bench.wait_for("A")
    await bench.send_complaints("lost", "later")
    async with admin_client(bench.settings) as admin:
        await admin.delete_records({bench.partition(0): RecordsToDelete(2)})
    consumer = bench.consumer()
    async with running(consumer):
        await eventually(lambda: _halted(bench) == 1)
        [lost, other] = await places(bench.pool, bench.settings)
        assert (lost.state, lost.stored, lost.first, lost.end) == (State.LOST, 1, 2, 3)
        assert other.state is State.GOES_ON
        async with bench.pool.acquire() as connection, connection.transaction():
            done = await rewind(connection, bench.settings, TOPIC.name, partitions=[0])  # type: ignore[arg-type]
        assert done == [0]
        await bench.wait_for("A", "later")
        await eventually(lambda: consumer.not_ready() is None)
    assert await bench.stored() == {0: 3, 1: 0}


async def _has_refused(bench: Bench, number: int) -> bool:
    return len(await bench.refusals()) == number


async def _make_anew(bench: Bench, *folios: str) -> None:
    async with admin_client(bench.settings) as admin:
        await admin.delete_topics([bench.topic])
        await eventually(lambda: _made(admin, bench.topic), what="the topic anew")
    await bench.send_complaints(*folios)


def _stopped(reason: str | None) -> str | None:
    return reason if reason is not None and "stopped" in reason else None


async def _made(admin: Any, name: str) -> bool:
    response = await admin.create_topics([NewTopic(name, TOPIC.partitions, 1)])
    ((_, code, *_),) = response.topic_errors
    if code and for_code(code) is not TopicAlreadyExistsError:
        raise for_code(code)(name)
    return bool(code == 0)


@pytest_asyncio.fixture
async def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["OwnPostgres"]:
    home = tmp_path_factory.mktemp("postgres")
    server = OwnPostgres(PostgresServer(home, free_port()), Places.below(home))
    server.server.prepare()
    await server.start()
    try:
        yield server
    finally:
        server.stop()


class OwnPostgres:
    """A server that may be stopped."""

    def __init__(self, server: PostgresServer, places: Places) -> None:
        self.server = server
        self._places = places

    async def start(self) -> None:
        self._child = start(self.server.program(), self._places)
        await wait_until_ready(self.server.url)

    def stop(self) -> None:
        stop(self.server.program(), self._places)
        self._child.wait()


async def test_an_outage_of_postgresql_is_waited_out_and_dead_letters_nothing(
    bench: Bench, own_postgres: OwnPostgres
) -> None:
    await migrate(own_postgres.server.url, SERVICE)
    async with await open_pool(own_postgres.server.url, name="outage", size=3) as pool:
        await pool.execute(CREATE_EFFECT)
        bench.pool = pool
        consumer = bench.consumer()
        async with running(consumer):
            await bench.send_complaints("before")
            await bench.wait_for("before")
            own_postgres.stop()
            await bench.send_complaints("during", "and after")
            retries = "cartas_batch_retries_total"
            await eventually(lambda: bench.value(retries, topic=TOPIC.name) >= 2)
            await own_postgres.start()
            await bench.wait_for("before", "during", "and after", timeout=30)
        assert await bench.refusals() == []
        assert (await bench.stored())[0] == 3


@pytest.mark.parametrize("timestamp", [-1, -62_135_596_800_001, -(2**53)])
async def test_a_record_from_before_all_calendars_stops_nothing(
    bench: Bench, timestamp: int
) -> None:
    """The producer sets a record's time; no such time may stop a partition."""
    async with running(bench.consumer()):
        await bench.send(complaint("JAC-1"), b"not JSON", timestamp_ms=timestamp)
        await bench.send_complaints("JAC-2")
        await bench.wait_for("JAC-1", "JAC-2")
    (refusal,) = await bench.refusals()
    assert (refusal["reason"], refusal["payload"]) == ("not_json", b"not JSON")


async def test_a_record_with_a_header_name_that_is_no_text_stops_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No client of ours can send it, but others can: its bytes are put into the finished batch."""
    build = BatchBuilder._build

    def with_bytes(builder: BatchBuilder) -> bytes:
        batch = bytearray(build(builder)).replace(
            b"ce_subjects", b"ce_\xff\xfe\xfd\x00\x80jects"[:11]
        )
        struct.pack_into(">I", batch, 17, calc_crc32c(bytes(batch[21:])))
        builder._buffer = written = bytes(batch)
        return written

    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)
    with monkeypatch.context() as patched:
        patched.setattr(BatchBuilder, "_build", with_bytes)
        await bench.send_complaints("JAC-1")
        await bench.send(b"not JSON", headers=[("ce_subjects", b"x"), ("ce_type", b"x")])
        await bench.send(complaint("JAC-2"), headers=[("x-subjects", b"y")])
    async with running(bench.consumer()):
        await bench.wait_for("JAC-1", "JAC-2")
        await bench.send_complaints("JAC-3")
        await bench.wait_for("JAC-1", "JAC-2", "JAC-3")
    (refusal,) = await bench.refusals()
    assert refusal["reason"] in {"not_json", "schema"}
    assert b"not JSON" in (refusal["payload"] or b"")
