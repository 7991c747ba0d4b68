"""A system whose every way, disk and clock can be made bad, and towns that move in one by one."""

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from deploy.local.test_servers import TestServers
from services.cartas.domain import read_catalogue
from services.cartas.use_cases.loading import load_catalogue
from services.measurements.domain.registration import Registration
from services.measurements.store import sources
from shared.clock import follow
from shared.database import open_pool
from shared.messaging import transaction
from shared.messaging.backoff import OUTAGES
from simulator.scenarios import Emitter
from tests.chaos.rounds.network import HOST, Network, network
from tests.chaos.rounds.volumes import Volume, volume
from tests.chaos.town import Town, catalogue, catalogue_file
from tests.chaos.world import CARTAS, GRACE_SECONDS, KAFKA, POSTGRES, SERVICES, World, supervised
from tests.support.clocks import Clock, library
from tests.support.processes import end
from tests.support.servers import QUICK_JAVA, free_port, free_port_pair
from tests.support.systems import System
from tests.support.waiting import eventually

OUTSIDE: Final = {"emitters": ("measurements",), "people": ("buzon", "notifier")}
MAIL: Final = "notifier>mail"
LOAD_SECONDS: Final = 120
# Retention is looked at often, and segments go at once. Each service has a listener of its own,
# whose advertised address is its door: so its way to Kafka can be made bad, and no other.
KAFKA_PROPERTIES: Final = """\
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller},{listeners}
advertised.listeners=BROKER://{host}:{port},{advertised}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,{protocols}
log.retention.check.interval.ms=300
log.segment.delete.delay.ms=100
num.network.threads=1
"""


def ways() -> tuple[str, ...]:
    """Return the names of all ways between two processes."""
    inside = [f"{service}>{server}" for service in SERVICES for server in (KAFKA, POSTGRES)]
    outside = [f"{whose}>{service}" for whose, asked in OUTSIDE.items() for service in asked]
    return (*inside, *outside, MAIL)


@dataclass(slots=True)
class Arena:
    """The running system and what can be done to it."""

    world: World
    network: Network
    volumes: dict[str, Volume | None]
    clock: timedelta
    """How far all its services are ahead of the machine."""
    towns: list[Town] = field(default_factory=list)

    async def move_in(self, town: Town) -> None:
        """Load a town's catalogue and register its emitters, as the commands do."""
        await self._load(catalogue_file(catalogue(town=town)))
        for emitter in town.emitters:
            await self._register(emitter, town.key)
        self.towns.append(town)

    async def _register(self, emitter: Emitter, municipality: str) -> None:
        """Register an emitter, also where PostgreSQL has just been ended."""
        token = secrets.token_urlsafe(32)
        new = Registration(
            uri=emitter.uri,
            municipality=municipality,
            services=frozenset(emitter.services),
            reports=frozenset(emitter.reports),
            attributes=frozenset(emitter.attributes),
            grace_seconds=GRACE_SECONDS,
        )

        async def registered() -> bool:
            try:
                connection = await self.world.connect("measurements")
                try:
                    async with connection.transaction():
                        await sources.add_token(
                            connection, await sources.add_source(connection, new), token
                        )
                finally:
                    await connection.close()
            except sources.DuplicateSourceError:
                return True  # The COMMIT whose answer was lost; the token is the same.
            except (*OUTAGES, asyncpg.PostgresError) as error:
                raise AssertionError(repr(error)) from error
            return True

        await eventually(registered, LOAD_SECONDS, what="an emitter is registered")
        self.world.tokens[emitter.uri] = token

    async def _load(self, content: bytes) -> None:
        found = read_catalogue(content).catalogue
        assert found is not None
        url = self.world.system.database_url(CARTAS)

        async def loaded() -> bool:
            try:
                async with (
                    await open_pool(url, name=f"{CARTAS} command", size=1) as pool,
                    transaction(pool, service=CARTAS) as tx,
                ):
                    await load_catalogue(tx, found, content)
            except (*OUTAGES, asyncpg.PostgresError) as error:
                raise AssertionError(repr(error)) from error
            return True

        await eventually(loaded, LOAD_SECONDS, what="a catalogue is loaded")

    def set_clock(self, service: str, ahead: timedelta) -> None:
        """Set a service's clock so far ahead of the others', while it runs."""
        _clock(self.world.folder, service).set(self.clock + ahead)

    async def start_again(self, service: str) -> None:
        """End a service in good order and start it."""
        async with self.world.starting:
            await end(self.world.system.processes[service])
            await self.world.system.start(service)
        await self.world.wait_until_ready(service)


@dataclass(frozen=True, slots=True)
class Ground:
    """Servers on disks of their own, and the ports of Kafka's listeners by service."""

    servers: TestServers
    network: Network
    volumes: dict[str, Volume | None]
    clock: timedelta


@asynccontextmanager
async def ground(home: Path, *, clock: timedelta = timedelta()) -> AsyncIterator[Ground]:
    """Start a Kafka and a PostgreSQL that nobody else uses, behind doors.

    PostgreSQL's clock, which all services and we follow, is so far ahead of the machine's.
    """
    home.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(network(home / "toxiproxy.log"))
        volumes = {
            name: await stack.enter_async_context(volume(home / "servers" / name))
            for name in (KAFKA, POSTGRES)
        }
        port = free_port_pair()
        listeners = {service: free_port() for service in SERVICES}
        doors = {
            service: await net.door(f"{service}>{KAFKA}", listeners[service])
            for service in SERVICES
        }
        servers = TestServers(
            home / "servers",
            port,
            free_port(),
            _properties(port, listeners, doors),
            QUICK_JAVA,
            _clock_of(home, POSTGRES, clock),
        )
        stack.callback(servers.stop)
        await servers.start()
        await _follow_clock(servers)
        for service in SERVICES:
            await net.door(f"{service}>{POSTGRES}", servers.postgres_port)
        yield Ground(servers, net, volumes, clock)


def _properties(port: int, listeners: dict[str, int], doors: dict[str, int]) -> str:
    def each(form: str) -> str:
        return ",".join(
            form.format(name=name.upper(), host=HOST, listen=listeners[name], door=doors[name])
            for name in SERVICES
        )

    return KAFKA_PROPERTIES.format(
        host=HOST,
        port=port,
        controller=port + 1,
        listeners=each("{name}://{host}:{listen}"),
        advertised=each("{name}://{host}:{door}"),
        protocols=each("{name}:PLAINTEXT"),
    )


@asynccontextmanager
async def arena(on: Ground, folder: Path, towns: Sequence[Town]) -> AsyncIterator[Arena]:
    """A new system on the ground, with these towns, all services ready."""
    net = on.network

    async def before(system: System) -> None:
        for service in SERVICES:
            system.own[service] = _clock_of(folder, service, on.clock) | {
                "CARTAS_KAFKA_SERVERS": f"{HOST}:{net.doors[f'{service}>{KAFKA}']}",
                f"CARTAS_{service.upper()}_DATABASE_URL": _through(
                    system.database_url(service), net.doors[f"{service}>{POSTGRES}"]
                ),
            }
        smtp = await net.door(MAIL, int(system.environment["CARTAS_SMTP_PORT"]))
        system.own["notifier"]["CARTAS_SMTP_PORT"] = str(smtp)
        for whose, asked in OUTSIDE.items():
            for service in asked:
                name = f"{whose}>{service}"
                door = await net.door(name, system.ports[service])
                system.doors[service] = f"http://{HOST}:{door}"

    async with supervised(on.servers, folder, before=before) as world:
        found = Arena(world, net, on.volumes, on.clock)
        for town in towns:
            await found.move_in(town)
        yield found


async def _follow_clock(servers: TestServers) -> None:
    """We write to the databases as commands do, at their time."""
    connection = await asyncpg.connect(servers.postgres.url)
    try:
        follow(await connection.fetchval("SELECT clock_timestamp()"), time.monotonic())
    finally:
        await connection.close()


def _clock(folder: Path, service: str) -> Clock:
    return Clock(folder / f"{service}.clock")


def _clock_of(folder: Path, service: str, ahead: timedelta) -> dict[str, str]:
    """Give a process a clock of its own, where that can be."""
    if library() is None:
        return {}
    clock = _clock(folder, service)
    clock.set(ahead)
    return clock.environment


def _through(url: str, door: int) -> str:
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{credentials}@{HOST}:{door}"))
