"""A running system on servers of its own, watched; and the ways to break it and mend it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from deploy.local.environment import SERVICE_PORTS
from deploy.local.kafka import KafkaServer
from deploy.local.processes import Program, running, start
from deploy.local.test_servers import TestServers
from services.portal import assets
from simulator import CATALOGUE
from tests.alerts.disks import Disk, small_disk
from tests.alerts.watching import Watch, watching
from tests.chaos.world import own_servers
from tests.e2e.town import Town
from tests.integration.notifier.support import MailServer, mail_server
from tests.support import clocks
from tests.support.databases import Templates, own_databases
from tests.support.processes import end
from tests.support.servers import Servers
from tests.support.systems import running_system
from tests.support.topics import own_topics
from tests.support.waiting import eventually

MAILBOXES: Final = tuple(set(re.findall(r"correo: (\S+@[^\s}]+)", CATALOGUE.read_text("utf-8"))))
SETTINGS: Final = {
    "CARTAS_EVALUATOR_BALANCE_SECONDS": "2",
    "CARTAS_EVALUATOR_RECOMPUTE_HOUR": "0",
    "CARTAS_EVALUATOR_RECOMPUTE_SAMPLE": "10000",
    "CARTAS_NOTIFIER_SMTP_ATTEMPT_SECONDS": "5",
}


@dataclass(slots=True)
class Stage:
    """What faults are provoked on. `disk` is where PostgreSQL's folder is said to be."""

    servers: TestServers
    town: Town
    mail: MailServer
    watch: Watch
    folder: Path
    disk: Disk | None

    def address(self, service: str) -> str:
        return f"127.0.0.1:{self.town.system.ports[service]}"

    @asynccontextmanager
    async def connected(self, service: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.town.system.database_url(service))
        try:
            yield connection
        finally:
            await connection.close()

    async def execute(self, service: str, *statements: str) -> None:
        async with self.connected(service) as connection:
            for statement in statements:
                await connection.execute(statement)

    async def rows(self, service: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        async with self.connected(service) as connection:
            return list(await connection.fetch(statement, *arguments))

    async def stop(self, service: str) -> None:
        await end(self.town.system.processes[service])

    async def restart(
        self, service: str, own: Mapping[str, str] | None = None, *, is_well: bool = True
    ) -> None:
        """Start a service again, after what is to be done while it is down; wait unless unwell."""
        await self.stop(service)
        self.town.system.own[service] = dict(own or {})
        await self.town.system.start(service)
        if is_well:
            await self.town.system.wait_until_ready(service)

    def kill_server(self, name: str) -> None:
        """SIGKILL, as a power cut; `postgres` with all its processes."""
        process = running(name, self.servers.places)
        assert process is not None, f"{name} is not running"
        for victim in [process, *process.children(recursive=True)]:
            victim.kill()

    async def all_ready(self) -> None:
        for service in SERVICE_PORTS:
            await self.town.system.wait_until_ready(service)

    def answer_mail(self, answer: str | None, mailboxes: tuple[str, ...] = MAILBOXES) -> None:
        """Answer all mail to these with a refusal, or take it again."""
        for mailbox in mailboxes:
            self.mail.answers[mailbox] = [] if answer is None else [answer] * 10_000

    @asynccontextmanager
    async def second_broker(self) -> AsyncIterator[None]:
        """A broker beside the first, which keeps the controller; it is killed at the end."""
        first = self.servers.kafka
        port = self.servers.kafka_port + 2
        properties = (
            f"node.id=2\nprocess.roles=broker\nlisteners=BROKER://127.0.0.1:{port}\n"
            f"controller.quorum.voters=1@127.0.0.1:{first.port + 1}\n"
        )
        second = _Second(self.folder / "kafka-2", port, properties, cluster=_cluster_of(first))
        second.prepare()
        program = Program("kafka-2", second.program().command)
        child = start(program, self.servers.places)
        try:
            yield
        finally:
            child.kill()
            child.wait()


@dataclass(frozen=True, slots=True)
class _Second(KafkaServer):
    cluster: str = ""

    def _format(self) -> None:
        """Belong to the cluster that is there."""
        (self.data).mkdir(parents=True, exist_ok=True)
        meta = f"version=1\nnode.id=2\ncluster.id={self.cluster}\ndirectory.id={DIRECTORY}\n"
        (self.data / "meta.properties").write_text(meta)


DIRECTORY: Final = "c2Vjb25kLWJyb2tlci1kaQ"


def _cluster_of(server: KafkaServer) -> str:
    text = (server.data / "meta.properties").read_text()
    (found,) = re.findall(r"^cluster\.id=(\S+)$", text, re.MULTILINE)
    return str(found)


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """Everything is up, watched and well when this begins."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(own_servers(folder / "servers"))
        addresses = Servers(servers.kafka.servers, servers.postgres.url)
        prefix = await stack.enter_async_context(own_topics(addresses))
        database = await stack.enter_async_context(own_databases(Templates(servers.postgres.url)))
        mail = await stack.enter_async_context(mail_server())
        disk = await stack.enter_async_context(small_disk(folder / "disk"))
        extra = {**SETTINGS, "CARTAS_SMTP_PORT": str(mail.port)}
        extra["CARTAS_PORTAL_STATIC_DIR"] = str(folder / "static")
        if disk is not None:
            extra["CARTAS_POSTGRES_DIR"] = str(disk.path)
        assets.install(folder / "static")
        system = await stack.enter_async_context(
            running_system(addresses, database, prefix, log_dir=folder, extra=extra)
        )
        town = Town(system, servers.kafka.servers, prefix)
        await town.found()
        town_addresses = {name: f"127.0.0.1:{port}" for name, port in system.ports.items()}
        (folder / "watch").mkdir()
        watch = await stack.enter_async_context(watching(folder / "watch", town_addresses))
        yield Stage(servers, town, mail, watch, folder, disk)


@asynccontextmanager
async def wrong_clock(stage: Stage, service: str, ahead: timedelta) -> AsyncIterator[None]:
    """Let a service's machine have another time than all the others."""
    clock = clocks.Clock(stage.folder / "clock")
    clock.set(ahead)
    await stage.restart(service, clock.environment)
    try:
        yield
    finally:
        clock.set(timedelta())
        await stage.restart(service)


async def firing(stage: Stage, alert: str, seconds: float) -> None:
    """Wait until Prometheus says that it fires, whatever is told of it."""
    expr = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    await eventually(lambda: stage.watch.query(expr), seconds, what=f"{alert} fires")
