"""Two members of one group, one frozen, one killed: every message has its effect, once."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.errors import GroupAuthorizationFailedError

from shared.errors import ClientStalledError
from tests.integration.messaging.support import TOPIC, Bench, running
from tests.support.programs import PROJECT
from tests.support.waiting import eventually

TAKEOVER_SECONDS = 60.0


@asynccontextmanager
async def worker(bench: Bench, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = bench.settings
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.integration.messaging.worker"),
            settings.kafka_servers,
            settings.topic_prefix,
            settings.database_url.get_secret_value(),
            cwd=PROJECT,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Traffic:
    """Numbered messages, in turn to each partition."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.sent: list[str] = []

    async def send(self, count: int) -> None:
        for _ in range(count):
            number = len(self.sent)
            self.sent.append(f"F-{number}")
            await self._bench.send_complaints(f"F-{number}", partition=number % TOPIC.partitions)


async def _owners(bench: Bench) -> set[str]:
    return {row["owner"] for row in await bench.pool.fetch("SELECT owner FROM kafka_offset")}


async def test_nothing_is_lost_or_twice_when_a_member_freezes_and_another_is_killed(
    bench: Bench, tmp_path: Path
) -> None:
    traffic = Traffic(bench)
    async with AsyncExitStack() as stack:
        frozen, killed = [
            await stack.enter_async_context(worker(bench, tmp_path / f"{name}.log"))
            for name in ("frozen", "killed")
        ]
        both, alone = {str(frozen.pid), str(killed.pid)}, {str(killed.pid)}
        await eventually(lambda: _own(bench, both), TAKEOVER_SECONDS, what="one partition each")
        await traffic.send(20)
        await bench.wait_for(*traffic.sent)

        frozen.send_signal(signal.SIGSTOP)
        await traffic.send(20)
        await eventually(lambda: _own(bench, alone), TAKEOVER_SECONDS, what="the other takes over")
        await traffic.send(20)
        await bench.wait_for(*traffic.sent, timeout=TAKEOVER_SECONDS)

        # It wakes up with records in hand that the other has applied meanwhile.
        frozen.send_signal(signal.SIGCONT)
        await eventually(lambda: _own(bench, both), TAKEOVER_SECONDS, what="it is back")
        sending = asyncio.create_task(traffic.send(60))
        await eventually(lambda: len(traffic.sent) > 80)
        killed.kill()
        await sending
        await bench.wait_for(*traffic.sent, timeout=TAKEOVER_SECONDS)
        assert await _owners(bench) == {str(frozen.pid)}
    assert await bench.refusals() == []


async def _own(bench: Bench, owners: set[str]) -> bool:
    return await _owners(bench) == owners


async def test_each_member_tells_the_lag_of_its_own_partitions_only(bench: Bench) -> None:
    other = Bench(bench.settings, bench.pool, bench.producer)
    async with running(bench.consumer()):
        await eventually(lambda: len(_lags(bench)) == TOPIC.partitions)
        async with running(other.consumer()):
            await eventually(lambda: len(_lags(bench)) == len(_lags(other)) == 1)
            assert not _lags(bench) & _lags(other)


async def test_a_member_that_cannot_read_any_more_tells_no_lag(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it last knew would stand there for ever, mostly a 0."""
    async with running(bench.consumer()):
        await eventually(lambda: len(_lags(bench)) == TOPIC.partitions)

        async def refused(*_: object) -> None:
            raise GroupAuthorizationFailedError

        monkeypatch.setattr("shared.messaging.guard.PartitionGuard.reclaim", refused)
        await eventually(lambda: not _lags(bench))
    monkeypatch.undo()
    async with running(bench.consumer()):
        await eventually(lambda: len(_lags(bench)) == TOPIC.partitions)


def _lags(bench: Bench) -> set[str]:
    return {
        sample.labels["partition"]
        for metric in bench.registry.collect()
        for sample in metric.samples
        if sample.name == "cartas_consumer_lag_records"
    }


async def test_a_client_that_does_not_bring_what_kafka_holds_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("shared.messaging.consumer.IDLE_CHECK_SECONDS", 0.3)
    consumer = bench.consumer()
    async with running(consumer):
        await bench.send_complaints("A")
        await bench.wait_for("A")
        client = consumer._guard.reading()
        client.pause(*client.assignment())  # its fetching dies, and nothing says so
        await bench.send_complaints("B")
        await bench.wait_for("A", "B")
    assert _stalls(caplog) == ["1 partitions do not come"]


async def test_a_client_that_is_replaced_while_its_fetch_pauses_does_not_take_the_loop_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.consumer.IDLE_CHECK_SECONDS", 0.3)
    consumer = bench.consumer()
    async with running(consumer):
        await bench.send_complaints("A")
        await bench.wait_for("A")
        client = consumer._guard.reading()
        pausing = asyncio.create_task(asyncio.sleep(300))  # as after a fetch that Kafka refused
        client._fetcher._pending_tasks.add(pausing)
        client.pause(*client.assignment())
        await bench.send_complaints("B")
        await bench.wait_for("A", "B")
        assert pausing.cancelled()
        assert not any(conn.connected() for conn in client._client._conns.values())


async def test_a_client_whose_group_does_not_answer_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("shared.messaging.consumer.IDLE_CHECK_SECONDS", 0.3)
    consumer = bench.consumer()
    async with running(consumer):
        await bench.send_complaints("A")
        await bench.wait_for("A")
        await consumer._guard.on_partitions_revoked(())  # and no assignment follows
        monkeypatch.setattr("shared.messaging.consumer.JOINS_WITHIN_SECONDS", 1.0)
        await bench.send_complaints("B")
        await eventually(lambda: _stalls(caplog))
        monkeypatch.undo()
        await bench.wait_for("A", "B")
    assert set(_stalls(caplog)) == {"the group does not answer"}


def _stalls(caplog: pytest.LogCaptureFixture) -> list[str]:
    errors = [record.exc_info[1] for record in caplog.records if record.exc_info]
    return [error.args[1] for error in errors if isinstance(error, ClientStalledError)]
