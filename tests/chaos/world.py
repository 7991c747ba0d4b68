"""Servers of our own and a system on them, every part of which can be killed and started again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import Final
from uuid import uuid4

import asyncpg

from deploy.local.environment import SERVICE_PORTS
from deploy.local.test_servers import TestServers
from simulator import MUNICIPALITY
from simulator.scenarios import EMITTERS, Emitter
from tests.chaos import town
from tests.chaos.people import People
from tests.support.databases import Templates, own_databases
from tests.support.programs import Program, run, start
from tests.support.servers import QUICK_JAVA, Servers, free_port, free_port_pair, kill_server
from tests.support.systems import System, running_system
from tests.support.topics import own_topics
from tests.support.waiting import eventually

SERVICES: Final = tuple(SERVICE_PORTS)
CARTAS: Final = "cartas"
KAFKA: Final = "kafka"
POSTGRES: Final = "postgres"
TARGETS: Final = (*SERVICES, KAFKA, POSTGRES)
GRACE_SECONDS: Final = 30 * 86_400
"""The longest: silence proves nothing yet, only events and heartbeats say how far it is known."""
SUPERVISION_SECONDS: Final = 0.5
READY_SECONDS: Final = 120
SETTINGS: Final = {
    "CARTAS_MEASUREMENTS_IDLE_PROGRESS_SECONDS": "2",
    "CARTAS_BUZON_IDLE_PROGRESS_SECONDS": "2",
    "CARTAS_BUZON_FILINGS_PER_CLIENT": "100000",
    "CARTAS_NOTIFIER_SMTP_ATTEMPT_SECONDS": "3",
}
"""A mail that a killed notifier had in hand is tried again soon."""


@dataclass(slots=True)
class World:
    """A running system, its servers, and what the run was given for them."""

    servers: TestServers
    system: System
    prefix: str
    people: People
    tokens: dict[str, str]
    folder: Path
    changes: int = 0
    loading: Program | None = None
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: list[str] = field(default_factory=list)
    """Services that ended by themselves and were started again."""

    async def kill(self, target: str) -> None:
        """SIGKILL, as a power cut: PostgreSQL with all its processes."""
        if target == CARTAS and self.loading is not None and self.loading.returncode is None:
            self.loading.kill()
        if target in SERVICES:
            await self.system.kill(target)
            return
        await kill_server(self.servers, target)

    async def start(self, target: str) -> None:
        """Start it again; a server answers when this returns, a service may still get ready."""
        if target in SERVICES:
            await self._start_if_ended(target)
        else:
            await self.servers.start()

    async def supervise(self) -> None:
        """Start again what ended by itself: a service that starts while PostgreSQL is away does."""
        while True:
            for service in SERVICES:
                if await self._start_if_ended(service):
                    self.ended.append(service)
            await asyncio.sleep(SUPERVISION_SECONDS)

    async def _start_if_ended(self, service: str) -> bool:
        async with self.starting:
            has_ended = self.system.processes[service].process.returncode is not None
            if has_ended:
                await self.system.start(service)
            return has_ended

    async def wait_until_ready(self, *services: str) -> None:
        for service in services or SERVICES:

            async def ready(service: str = service) -> bool:
                running = self.system.processes[service]
                return running.process.returncode is None and await running.is_ready()

            try:
                await eventually(ready, READY_SECONDS, what=f"{service} is ready")
            except AssertionError:
                self.system.processes[service].tell_where_tasks_stand()
                raise

    async def connect(self, service: str) -> asyncpg.Connection:
        return await asyncpg.connect(self.system.database_url(service))

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run `python -m ARGUMENTS...`; return its exit status and all that it printed."""
        ran = await run(*arguments, environment=self.system.environment)
        return ran.code, ran.output

    async def begin_load(self) -> None:
        """Begin to load the catalogue with its next change."""
        self.changes += 1
        self.loading = await self._load()

    async def end_load(self) -> None:
        """Return when the load under way is done; one that was killed is run again."""
        while self.loading is not None:
            code = await self.loading.wait()
            if code == 0:
                self.loading = None
                return
            assert code == -SIGKILL, self._log_of_loads.read_text()
            self.loading = await self._load()

    async def _load(self) -> Program:
        path = town.write_catalogue(self.folder, self.changes)
        return await start(
            *("services.cartas", "load", str(path)),
            environment=self.system.environment,
            output=self._log_of_loads,
        )

    @property
    def _log_of_loads(self) -> Path:
        return self.folder / "loads.log"


@asynccontextmanager
async def own_servers(home: Path) -> AsyncIterator[TestServers]:
    """A Kafka and a PostgreSQL that nobody else uses."""
    servers = TestServers(home, free_port_pair(), free_port(), java_options=QUICK_JAVA)
    try:
        await servers.start()
        yield servers
    finally:
        await asyncio.to_thread(servers.stop)


@asynccontextmanager
async def founded(servers: TestServers, folder: Path) -> AsyncIterator[World]:
    """A new system on the servers: all services ready, catalogue loaded, sources registered."""
    async with supervised(servers, folder) as world:
        await world.begin_load()
        await world.end_load()
        for emitter in EMITTERS:
            world.tokens[emitter.uri] = await _register(world.system, emitter)
        yield world


@asynccontextmanager
async def supervised(
    servers: TestServers,
    folder: Path,
    *,
    before: Callable[[System], Awaitable[None]] | None = None,
) -> AsyncIterator[World]:
    """A new system on the servers, empty; what ends by itself is started again."""
    folder.mkdir(parents=True, exist_ok=True)
    addresses = Servers(servers.kafka.servers, servers.postgres.url)
    templates = Templates(servers.postgres.url)
    async with (
        own_topics(addresses) as prefix,
        own_databases(templates) as database,
        running_system(
            addresses, database, prefix, log_dir=folder, extra=SETTINGS, before=before
        ) as system,
    ):
        people = People(system, uuid4().hex)
        world = World(servers, system, prefix, people, {}, folder)
        supervision = asyncio.create_task(world.supervise())
        try:
            yield world
        finally:
            supervision.cancel()
            await asyncio.gather(supervision, return_exceptions=True)


async def _register(system: System, emitter: Emitter) -> str:
    printed = await system.run(
        *("services.measurements", "source", "add", "--municipality", MUNICIPALITY),
        *("--source", emitter.uri, "--services", ",".join(emitter.services)),
        *("--reports", ",".join(emitter.reports)),
        *("--attributes", ",".join(emitter.attributes), "--grace-seconds", str(GRACE_SECONDS)),
    )
    return printed.strip().splitlines()[-1]
