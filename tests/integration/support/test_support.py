"""The ground the other tests stand on."""

from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.contracts import topics
from tests.support.databases import FreshDatabase
from tests.support.servers import Servers
from tests.support.systems import running_system
from tests.support.waiting import eventually


async def test_databases_of_one_test_do_not_see_each_other(database: FreshDatabase) -> None:
    first, second = await database("cartas"), await database("cartas")
    con = await asyncpg.connect(first)
    await con.execute("CREATE TABLE only_here (id int)")
    await con.close()
    con = await asyncpg.connect(second)
    assert await con.fetchval("SELECT to_regclass('only_here')") is None
    await con.close()


async def test_topics_carry_what_is_sent(servers: Servers, topic_prefix: str) -> None:
    topic = topic_prefix + topics.BREACHES.name
    producer = AIOKafkaProducer(bootstrap_servers=servers.kafka, acks="all")
    await producer.start()
    await producer.send_and_wait(topic, b"value", key=b"key")
    await producer.stop()
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=servers.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()
    assert (record.key, record.value) == (b"key", b"value")


async def test_waiting_fails_with_the_reason() -> None:
    with pytest.raises(AssertionError, match=r"the moon falls.*last value: 0"):
        await eventually(lambda: 0, 0.1, what="the moon falls")


def test_shared_data_is_there(shared_data: Path) -> None:
    assert (shared_data / "data" / "sample-cartas.yaml").is_file()


async def test_a_service_runs_is_killed_and_comes_back(
    servers: Servers, database: FreshDatabase, topic_prefix: str, tmp_path: Path
) -> None:
    async with running_system(
        servers, database, topic_prefix, log_dir=tmp_path, services=("cartas", "notifier")
    ) as system:
        await system.kill("cartas")
        await system.start("cartas")
        await system.wait_until_ready("cartas")
        async with system.client("cartas") as http:
            assert (await http.get("/v1/cartas", params={"municipality": "none"})).is_success
        assert "serve" in await system.run("services.cartas", "--help")
