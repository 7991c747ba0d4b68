"""A Kafka and a PostgreSQL for tests and development, apart from any running system."""

from collections.abc import Awaitable
from pathlib import Path

from deploy.local import kafka, postgres
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.processes import Places, failed, running, start, stop


async def ensure_running(home: Path, *, kafka_port: int, postgres_port: int) -> dict[str, str]:
    """Start what is not running yet; the environment that leads tests to both servers."""
    places = Places.below(home)
    broker = KafkaServer(home / "kafka", kafka_port)
    database = PostgresServer(home / "postgres", postgres_port)
    for server in (database, broker):
        if not running(server.program().name, places):
            server.prepare()
            start(server.program(), places)
    await _wait("postgres", places, postgres.wait_until_ready(database.url))
    await _wait("kafka", places, kafka.wait_until_ready(broker.servers))
    return {
        "CARTAS_TEST_KAFKA_SERVERS": broker.servers,
        "CARTAS_TEST_DATABASE_URL": database.url,
    }


async def _wait(name: str, places: Places, ready: Awaitable[None]) -> None:
    try:
        await ready
    except TimeoutError as error:
        raise failed(name, places, "did not become ready") from error


def stop_all(home: Path, *, kafka_port: int, postgres_port: int) -> None:
    places = Places.below(home)
    stop(KafkaServer(home / "kafka", kafka_port).program(), places)
    stop(PostgresServer(home / "postgres", postgres_port).program(), places)
