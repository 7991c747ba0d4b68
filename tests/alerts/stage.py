"""A running system on servers of its own, watched; and the ways to break it and mend it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Any, Final

import asyncpg

from deploy.local.environment import SERVICE_PORTS
from deploy.local.test_servers import TestServers
from services.portal import assets
from simulator import CATALOGUE
from tests.alerts.brokers import SecondBroker, second_broker
from tests.alerts.disks import OF_KAFKA, Disk, own_disk
from tests.alerts.watching import Watch, watching
from tests.chaos.world import own_servers
from tests.e2e.town import Town
from tests.integration.notifier.support import MailServer, mail_server
from tests.support import clocks
from tests.support.databases import Templates, own_databases
from tests.support.processes import end
from tests.support.servers import Servers, free_port
from tests.support.systems import running_system
from tests.support.topics import own_topics
from tests.support.waiting import eventually

MAILBOXES: Final = tuple(set(re.findall(r"correo: (\S+@[^\s}]+)", CATALOGUE.read_text("utf-8"))))
WELL_SECONDS: Final = 150.0
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
    second: SecondBroker | None = None
    backup_port: int = field(default_factory=free_port)
    """Of the job that copies: what it last said is remembered under this address."""
    struck_at: float = 0.0
    """When the fault under way began, in seconds of the epoch."""

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

    async def change(self, service: str, statement: str) -> None:
        """Change rows by hand; there must be some."""
        async with self.connected(service) as connection:
            done = await connection.execute(statement)
        assert not done.endswith(" 0"), f"{done}: {statement}"

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

    def strike(self) -> None:
        """Note that the fault itself begins now: what it needed before is there."""
        self.struck_at = time()

    async def all_ready(self) -> None:
        for service in SERVICE_PORTS:
            await self.town.system.wait_until_ready(service)

    async def well(self) -> None:
        """Wait until all is as at the beginning: services ready, targets up, no alert firing."""
        await self.all_ready()

        async def nothing_fires() -> bool:
            left = await self.watch.firing()
            assert not left, f"{sorted(left)} fire"
            return await self.watch.all_up()

        await eventually(nothing_fires, WELL_SECONDS, what="nothing fires")

    def answer_mail(self, answer: str | None, mailboxes: tuple[str, ...] = MAILBOXES) -> None:
        """Answer all mail to these with a refusal, or take it again."""
        for mailbox in mailboxes:
            self.mail.answers[mailbox] = [] if answer is None else [answer] * 10_000


@asynccontextmanager
async def staged(folder: Path, *, brokers: int = 1) -> AsyncIterator[Stage]:
    """Everything is up, watched and well when this begins; of brokers there are one or two."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(own_disk(folder / "servers/kafka", size=OF_KAFKA))
        servers = await stack.enter_async_context(own_servers(folder / "servers"))
        second = None
        if brokers == 2:
            second = await stack.enter_async_context(
                second_broker(servers, folder / "servers/kafka/second")
            )
        addresses = Servers(servers.kafka.servers, servers.postgres.url)
        prefix = await stack.enter_async_context(own_topics(addresses))
        database = await stack.enter_async_context(own_databases(Templates(servers.postgres.url)))
        mail = await stack.enter_async_context(mail_server())
        disk = await stack.enter_async_context(own_disk(folder / "disk"))
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
        stage = Stage(servers, town, mail, watch, folder, disk, second)
        await stage.well()
        try:
            yield stage
        finally:
            await _put_down(stage)


async def _put_down(stage: Stage) -> None:
    """Whatever a fault left: no service is waited for, and both servers take what is dropped."""
    for process in stage.town.system.processes.values():
        if process.process.returncode is None:
            await process.kill()
    await stage.servers.start()


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
