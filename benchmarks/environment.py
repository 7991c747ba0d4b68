"""A system of its own for a benchmark: embedded servers, fresh databases, chosen services."""

import platform
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
from pydantic import SecretStr

from deploy.local.processes import Places, running
from deploy.local.test_servers import TestServers
from shared.database import migrate
from shared.messaging.topics import create_topics
from shared.settings import ServiceSettings
from tests.support.processes import SERVICE_SECRET
from tests.support.servers import Servers, free_port
from tests.support.systems import READY_SECONDS, System, running_system

PREFIX = "bench."


class TopicSettings(ServiceSettings, service="benchmark"):
    """Settings that only reach Kafka."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where everything is: the servers' addresses and their main processes."""

    servers: Servers
    kafka: psutil.Process
    postgres: psutil.Process
    folder: Path

    def database_url(self, service: str) -> str:
        """Return the address of a service's database."""
        return self.servers.database_url.rsplit("/", 1)[0] + f"/bench_{service}"

    def settings(self) -> TopicSettings:
        """Return settings that reach the same Kafka under the same prefix."""
        return TopicSettings(
            kafka_servers=self.servers.kafka,
            topic_prefix=PREFIX,
            service_secret=SecretStr(SERVICE_SECRET),
            public_url="http://127.0.0.1",
            database_url=SecretStr(self.servers.database_url),
            port=1,
        )

    async def database(self, service: str) -> str:
        """Make the service's database unless it exists, and bring it up to date."""
        connection = await asyncpg.connect(self.servers.database_url)
        try:
            await connection.execute(f'CREATE DATABASE "bench_{service}"')
        except asyncpg.DuplicateDatabaseError:
            pass
        finally:
            await connection.close()
        await migrate(self.database_url(service), service)
        return self.database_url(service)

    async def forget(self, service: str) -> None:
        """Drop the service's database: the next process begins at the beginning of its topics."""
        connection = await asyncpg.connect(self.servers.database_url)
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "bench_{service}"')
        finally:
            await connection.close()

    @asynccontextmanager
    async def system(
        self,
        services: Iterable[str],
        extra: Mapping[str, str] | None = None,
        *,
        ready_within: float = READY_SECONDS,
    ) -> AsyncIterator[System]:
        """Run some services, with settings of their own, until the block ends."""
        async with running_system(
            self.servers,
            self.database,
            PREFIX,
            log_dir=self.folder,
            services=services,
            extra=extra,
            ready_within=ready_within,
        ) as system:
            yield system


@asynccontextmanager
async def bench(kept: Path | None = None) -> AsyncIterator[Bench]:
    """Start Kafka and PostgreSQL in a temporary folder, durable as in production; stop them.

    With `kept`, in that folder, which stays with all that they hold.
    """
    with tempfile.TemporaryDirectory(prefix="cartas-bench-") as folder:
        home = kept or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)  # PostgreSQL runs as another user where the benchmark runs as root
        servers = TestServers(home / "servers", kafka_port=free_port(), postgres_port=free_port())
        await servers.start()
        try:
            made = Bench(
                Servers(kafka=servers.kafka.servers, database_url=servers.postgres.url),
                _process("kafka", servers.places),
                _process("postgres", servers.places),
                home,
            )
            await create_topics(made.settings())
            yield made
        finally:
            servers.stop()


def _process(name: str, places: Places) -> psutil.Process:
    process = running(name, places)
    if process is None:
        raise RuntimeError(f"{name} is not running")
    return process


def cpu_seconds(process: psutil.Process) -> float:
    """Return user and system time of a process, its children and those it has reaped."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if each == process:
            total += times.children_user + times.children_system
    return total


def pss(process: psutil.Process) -> int:
    """Return the proportional set size of a process and its children, in bytes."""
    total = 0
    try:
        for each in (process, *process.children(recursive=True)):
            total += each.memory_full_info().pss
    except psutil.NoSuchProcess:
        return total
    return total


def machine() -> str:
    """Return the machine in one line, as every table states it."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; services, Kafka, PostgreSQL and load share the cores"
    )
