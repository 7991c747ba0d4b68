"""One Kafka and one PostgreSQL for the whole session, or those that the environment names."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import psutil
import pytest
import pytest_asyncio

from deploy.local.postgres import PostgresServer
from deploy.local.processes import running
from deploy.local.test_servers import TestServers
from tests.support.waiting import eventually

ARCHIVED = "SELECT last_archived_wal >= $1 FROM pg_stat_archiver"

QUICK_JAVA = ("-XX:TieredStopAtLevel=1",)
"""What lives for minutes is not worth Java's second compiler: two fifths of a start's time."""
FIRST_PORT = 10_000
PORTS = 22_000


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
    home = tmp_path_factory.mktemp("servers")
    own = TestServers(home, free_port_pair(), free_port(), java_options=QUICK_JAVA)
    try:
        await own.start()
        yield Servers(own.kafka.servers, own.postgres.url)
    finally:
        own.stop()


async def kill_server(servers: TestServers, name: str) -> None:
    """SIGKILL, as a power cut; `postgres` with all its processes.

    None of them is left when this returns, not as a zombie either: a new PostgreSQL takes the pid
    of a dead one that nobody waited for as one that runs.
    """
    process = running(name, servers.places)
    assert process is not None, f"{name} is not running"
    victims = [process, *process.children(recursive=True)]
    for victim in victims:
        victim.kill()
    _, left = await asyncio.to_thread(psutil.wait_procs, victims, timeout=10)
    assert not left, left


async def archive(server: PostgresServer) -> None:
    """Wait until all that was committed is in the archive, as it is a minute later at most."""
    connection = await asyncpg.connect(server.url)
    try:
        segment = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")

        async def is_archived() -> bool:
            return bool(await connection.fetchval(ARCHIVED, segment))

        await eventually(is_archived, 30, what=segment)
    finally:
        await connection.close()


def free_port() -> int:
    """A free port below those that outgoing connections take: one could take it before its server.

    A system of six services is busy opening connections while its last one starts.
    """
    while True:
        port = FIRST_PORT + secrets.randbelow(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def free_port_pair() -> int:
    """A free port whose successor is free as well: Kafka's broker and controller."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 1)):
                return port
