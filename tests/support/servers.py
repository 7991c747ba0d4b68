"""One Kafka and one PostgreSQL for the whole session, or those that the environment names."""

import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from deploy.local.test_servers import TestServers


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses: `kafka` as host:port, `database_url` of a maintenance database as superuser."""

    kafka: str
    database_url: str


@pytest_asyncio.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    kafka = os.environ.get("CARTAS_TEST_KAFKA_SERVERS")
    database = os.environ.get("CARTAS_TEST_DATABASE_URL")
    if kafka and database:
        yield Servers(kafka, database)
        return
    own = TestServers(tmp_path_factory.mktemp("servers"), free_port_pair(), free_port())
    try:
        await own.start()
        yield Servers(own.kafka.servers, own.postgres.url)
    finally:
        own.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_port_pair() -> int:
    """A free port whose successor is free as well: Kafka's broker and controller."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 1)):
                return port
