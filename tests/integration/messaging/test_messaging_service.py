"""What a whole service says of itself: ready, alive, and why not."""

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from ops.looking import ANSWERS_WITHIN_SECONDS, Samples
from shared.condition import CONDITION_TASK
from shared.contracts import topics
from shared.database import schema_version
from shared.messaging import Received, Subscription, Transaction
from shared.messaging.applying import UNEXPECTED_IN_A_ROW
from shared.messaging.kafka import brokers_alive
from shared.messaging.log_dirs import fullest_disks
from shared.service import Context, Periodic, build
from tests.integration.messaging.support import GROUP, SERVICE, TOPIC, Bench, note_effects
from tests.support.forwarding import Forwarder
from tests.support.servers import free_port
from tests.support.waiting import eventually

# One refused now, one two hours ago, one that was sent again.
REFUSED = """
INSERT INTO refusal (id, topic, reason, refused_at, replayed_at) VALUES
    ('a', 'complaints.v1', 'schema', now(), NULL),
    ('b', 'complaints.v1', 'schema', now() - interval '2 hours', NULL),
    ('c', 'complaints.v1', 'schema', now() - interval '2 hours', now())
"""


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as http,
    ):
        yield http


async def _reasons(http: httpx.AsyncClient) -> list[str]:
    response = await http.get("/health/ready")
    body: dict[str, Any] = response.json()
    assert response.status_code == (200 if body["ready"] else 503)
    reasons: list[str] = body["reasons"]
    return reasons


async def test_a_service_is_ready_once_its_reference_data_is_caught_up(bench: Bench) -> None:
    may_go_on = asyncio.Event()

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await may_go_on.wait()
        await note_effects(tx, batch)

    await bench.send_complaints("A")
    subscription = Subscription(topic=TOPIC, group=GROUP, handle=handle, reference=True)
    app = build(bench.settings, describe="", subscriptions=[subscription])
    async with serving(app) as http:
        await eventually(lambda: _says(http, "reference data not caught up"))
        may_go_on.set()
        await eventually(lambda: _is_ready(http))
        assert await bench.effects() == {"A": 1}
        assert (await http.get("/health/live")).status_code == 204
        metrics = (await http.get("/metrics")).text
    assert f'cartas_messages_handled_total{{topic="{TOPIC.name}"}} 1.0' in metrics


async def _says(http: httpx.AsyncClient, what: str) -> bool:
    return any(what in reason for reason in await _reasons(http))


async def _is_ready(http: httpx.AsyncClient) -> bool:
    return await _reasons(http) == []


async def test_a_consumer_that_stopped_makes_its_service_unready_and_is_not_started_again(
    bench: Bench,
) -> None:
    """A restart would turn twenty more messages into dead letters, and so on to the last one."""

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        raise ZeroDivisionError

    await bench.send_complaints(*map(str, range(UNEXPECTED_IN_A_ROW)))
    subscription = Subscription(topic=TOPIC, group=GROUP, handle=handle)
    app = build(bench.settings, describe="", subscriptions=[subscription])
    async with serving(app) as http:
        await eventually(lambda: _says(http, f"{TOPIC.name}: stopped"))
        assert (await http.get("/health/live")).status_code == 204
    assert len(await bench.refusals()) == UNEXPECTED_IN_A_ROW - 1


async def test_a_loop_that_hangs_is_named_and_ends_its_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("shared.messaging.pulse.TURNS_WITHIN_SECONDS", 0.5)
    monkeypatch.setattr("shared.service.HANGS_AFTER_SECONDS", 2.0)
    monkeypatch.setattr("shared.service.WATCH_SECONDS", 0.05)
    may_go_on, told_to_end = asyncio.Event(), asyncio.Event()

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await may_go_on.wait()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
    try:
        await bench.send_complaints("A")
        subscription = Subscription(topic=TOPIC, group=GROUP, handle=handle)
        async with serving(
            build(bench.settings, describe="", subscriptions=[subscription])
        ) as http:
            await eventually(lambda: _says(http, f"{TOPIC.name}: not turned for"))
            await asyncio.wait_for(told_to_end.wait(), 30)
            may_go_on.set()
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    hanging = next(record for record in caplog.records if record.message == "loop_hangs")
    assert hanging.__dict__["task"] == f"consumer {TOPIC.name}"
    assert "Consumer._handle" in hanging.__dict__["stands_at"]
    assert "handle:" in hanging.__dict__["stands_at"]


async def test_a_loop_that_ended_ends_its_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("shared.service.WATCH_SECONDS", 0.05)
    told_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
    try:
        subscription = Subscription(topic=TOPIC, group=GROUP, handle=note_effects)
        async with serving(
            build(bench.settings, describe="", subscriptions=[subscription])
        ) as http:
            await eventually(lambda: _is_ready(http))
            loops = {task.get_name(): task for task in asyncio.all_tasks()}
            loops[f"consumer {TOPIC.name}"].cancel()
            await asyncio.wait_for(told_to_end.wait(), 30)
            assert (await http.get("/health/live")).status_code == 500
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    ended = next(record for record in caplog.records if record.message == "loops_ended")
    assert ended.__dict__["tasks"] == [f"consumer {TOPIC.name}"]


async def test_a_service_without_its_database_says_so(bench: Bench) -> None:
    app = build(bench.settings, describe="", publishes=[topics.COMPLAINTS])
    async with serving(app) as http:
        await eventually(lambda: _is_ready(http))
        await app.state.context.pool.close()
        assert await _says(http, "database: ")


async def _told(http: httpx.AsyncClient, name: str, **labels: str) -> float | None:
    samples = Samples((await http.get("/metrics")).text)
    return samples.total(name, **labels)


async def test_an_outbox_that_ages_is_told_while_kafka_is_away(bench: Bench) -> None:
    nowhere = bench.settings.model_copy(update={"kafka_servers": f"127.0.0.1:{free_port()}"})
    await bench.publish("waits")
    await bench.pool.execute("UPDATE outbox SET created_at = created_at - interval '2 hours'")
    async with serving(build(nowhere, describe="", publishes=[TOPIC])) as http:

        async def told() -> bool:
            return await _told(http, "cartas_outbox_rows") == 1

        await eventually(told)
        age = await _told(http, "cartas_outbox_oldest_seconds")
    assert age is not None
    assert age > 7000


async def test_a_service_tells_its_schema_clock_size_and_dead_letters(bench: Bench) -> None:
    await bench.pool.execute(REFUSED)
    async with serving(build(bench.settings, describe="")) as http:

        async def told() -> bool:
            return await _told(http, "cartas_dead_letters", which="waiting") == 2

        await eventually(told)
        assert await _told(http, "cartas_dead_letters", which="last_hour") == 1
        assert await _told(http, "cartas_schema_info", version=schema_version(SERVICE)) == 1
        size = await _told(http, "cartas_database_bytes")
        ahead = await _told(http, "cartas_clock_ahead_seconds")
        assert await _told(http, "process_resident_memory_bytes")
    assert size is not None
    assert size > 1_000_000
    assert ahead is not None
    assert 0 < abs(ahead) < 1, "it was measured, and both clocks are this machine's"


async def test_a_service_tells_its_time_and_the_brokers_that_are_alive(bench: Bench) -> None:
    async with serving(build(bench.settings, describe="")) as http:

        async def asked() -> bool:
            return await _told(http, "cartas_kafka_brokers") == 1

        await eventually(asked)
        now = await _told(http, "cartas_clock_timestamp_seconds")
        assert await _told(http, "cartas_database_disk_bytes") is None, "its folder is not known"
    assert now is not None
    assert abs(now - time.time()) < 60


async def test_without_kafka_there_are_no_brokers(bench: Bench) -> None:
    nowhere = bench.settings.model_copy(update={"kafka_servers": f"127.0.0.1:{free_port()}"})
    assert await brokers_alive(nowhere) == 0


async def test_a_broker_that_swallows_what_it_is_sent_is_none(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.kafka.BROKER_ANSWERS_WITHIN_MS", 200)
    way = Forwarder(f"//{bench.settings.kafka_servers}")
    async with way.serving():
        settings = bench.settings.model_copy(update={"kafka_servers": f"127.0.0.1:{way.port}"})
        assert await brokers_alive(settings) == 1
        way.hangs = True
        assert await brokers_alive(settings) == 0
        way.hangs = False


async def test_the_disk_of_a_database_on_this_machine_is_told(bench: Bench, tmp_path: Path) -> None:
    settings = bench.settings.model_copy(update={"postgres_dir": tmp_path})
    async with serving(build(settings, describe="")) as http:

        async def told() -> bool:
            return await _told(http, "cartas_database_disk_bytes", what="total") is not None

        await eventually(told)
        total = await _told(http, "cartas_database_disk_bytes", what="total")
        free = await _told(http, "cartas_database_disk_bytes", what="free")
    assert total == shutil.disk_usage(tmp_path).total
    assert free is not None
    assert 0 < free <= total


async def test_a_task_that_fails_is_late_and_one_that_ends_well_is_not(bench: Bench) -> None:
    may_end_well = asyncio.Event()

    async def fail(_: Context) -> None:
        if not may_end_well.is_set():
            raise ZeroDivisionError

    async def endless(_: Context) -> None:
        await asyncio.Event().wait()

    periodics = [
        Periodic("fails", 0.01, fail),
        Periodic("hangs", 0.01, endless),
        Periodic("goes on", 0.01, endless, is_open_ended=True),
    ]
    async with serving(build(bench.settings, describe="", periodics=periodics)) as http:

        async def late(task: str) -> float:
            return await _told(http, "cartas_task_late_seconds", task=task) or 0.0

        async def both_are_late() -> bool:
            return min(await late("fails"), await late("hangs")) > 0.5

        await eventually(both_are_late)
        assert await _told(http, "cartas_task_late_seconds", task="goes on") is None
        may_end_well.set()

        async def is_in_time() -> bool:
            return await late("fails") < 0.5

        await eventually(is_in_time)
        assert await late("hangs") > 0.5


async def test_a_database_that_hangs_makes_the_beat_that_reads_it_late(bench: Bench) -> None:
    way = Forwarder(bench.settings.database_url.get_secret_value())
    async with way.serving():
        settings = bench.settings.model_copy(update={"database_url": SecretStr(way.url)})
        async with serving(build(settings, describe="")) as http:

            async def late() -> bool:
                return (await _told(http, "cartas_task_late_seconds", task=CONDITION_TASK) or 0) > 1

            way.hangs = True
            await eventually(late)
            way.hangs = False

            async def is_in_time() -> bool:
                return await _told(http, "cartas_task_late_seconds", task=CONDITION_TASK) == 0

            await eventually(is_in_time)


async def test_a_consumer_that_gave_up_is_a_metric(bench: Bench) -> None:
    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        raise ZeroDivisionError

    subscription = Subscription(topic=TOPIC, group=GROUP, handle=handle)
    async with serving(build(bench.settings, describe="", subscriptions=[subscription])) as http:
        assert await _told(http, "cartas_consumer_stopped", topic=TOPIC.name) == 0
        await bench.send_complaints(*map(str, range(UNEXPECTED_IN_A_ROW)))

        async def stopped() -> bool:
            return await _told(http, "cartas_consumer_stopped", topic=TOPIC.name) == 1

        await eventually(stopped)


async def test_kafka_tells_how_full_its_disks_are(bench: Bench) -> None:
    [disk] = await fullest_disks(bench.settings)
    assert 0 < disk.free_bytes < disk.total_bytes


async def test_a_database_that_hangs_is_named_before_whoever_asks_gives_up(bench: Bench) -> None:
    async with Forwarder(bench.settings.database_url.get_secret_value()).serving() as between:
        url = SecretStr(between.url)
        settings = bench.settings.model_copy(update={"database_url": url})
        async with serving(build(settings, describe="")) as http:
            await eventually(lambda: _is_ready(http))
            between.hangs = True
            async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                assert await _says(http, "database: no answer within")
            between.hangs = False
            await eventually(lambda: _is_ready(http))
