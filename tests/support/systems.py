"""The six services and a mailbox as processes, on databases and topics of one test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import SecretStr

from deploy.local.environment import SERVICE_PORTS
from shared.http.credentials import service_credential
from tests.support.databases import FreshDatabase
from tests.support.processes import (
    SERVICE_SECRET,
    ServiceProcess,
    end,
    environment_of,
    start_service,
)
from tests.support.programs import run, start
from tests.support.servers import Servers, free_port
from tests.support.waiting import eventually

READY_SECONDS = 90.0


@dataclass(slots=True)
class System:
    """A running system: where each service answers, and its processes to kill and start again.

    `own` are settings of single services, before those of all; `doors` stand before the services
    named, for whoever asks them from outside.
    """

    environment: dict[str, str]
    log_dir: Path
    mailbox_url: str
    ports: dict[str, int]
    processes: dict[str, ServiceProcess] = field(default_factory=dict)
    own: dict[str, dict[str, str]] = field(default_factory=dict)
    doors: dict[str, str] = field(default_factory=dict)

    def url(self, service: str) -> str:
        return self.doors.get(service, f"http://127.0.0.1:{self.ports[service]}")

    def database_url(self, service: str) -> str:
        return self.environment[f"CARTAS_{service.upper()}_DATABASE_URL"]

    def client(self, service: str) -> httpx.AsyncClient:
        """A client with the services' own credential; the caller closes it."""
        credential = service_credential(SecretStr(SERVICE_SECRET))
        headers = {"Authorization": f"Bearer {credential}"}
        return httpx.AsyncClient(base_url=self.url(service), headers=headers, timeout=10)

    async def start(self, service: str) -> None:
        log = self.log_dir / f"{service}.log"
        port = self.ports[service]
        environment = {**self.environment, **self.own.get(service, {})}
        self.processes[service] = await start_service(service, environment, log=log, port=port)

    async def kill(self, service: str) -> None:
        await self.processes[service].kill()

    async def wait_until_ready(self, service: str, within: float = READY_SECONDS) -> None:
        is_ready = self.processes[service].is_ready
        await eventually(is_ready, within, what=f"{service} is ready")

    async def run(self, *arguments: str) -> str:
        """Run `python -m ARGUMENTS...` with the system's settings; return what it printed."""
        ran = await run(*arguments, environment=self.environment)
        assert ran.code == 0, f"{arguments}: {ran.output[-3000:]}"
        return ran.output


@asynccontextmanager
async def running_system(
    servers: Servers,
    database: FreshDatabase,
    prefix: str,
    *,
    log_dir: Path,
    services: Iterable[str] = tuple(SERVICE_PORTS),
    extra: Mapping[str, str] | None = None,
    before: Callable[[System], Awaitable[None]] | None = None,
    ready_within: float = READY_SECONDS,
) -> AsyncIterator[System]:
    """Start the services named, all ready; every one is ended with SIGTERM afterwards.

    `extra` are settings beside or instead of those that every system has; `before` is called when
    all addresses are known and nothing is started.
    """
    smtp_port, http_port = free_port(), free_port()
    system = System({}, log_dir, f"http://127.0.0.1:{http_port}", {})
    for name in SERVICE_PORTS:  # addresses of all: a peer that is not started is simply away
        system.ports[name] = free_port()
    for name in services:
        url = await database(name)
        kafka, port = servers.kafka, system.ports[name]
        system.environment |= environment_of(name, url, kafka=kafka, prefix=prefix, port=port)
    system.environment |= _addresses(system.ports, smtp_port) | dict(extra or {})
    if before is not None:
        await before(system)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_mailbox(log_dir, smtp_port, http_port))
        for name in services:
            await system.start(name)
            stack.push_async_callback(_end_current, system, name)
        for name in services:
            await system.wait_until_ready(name, ready_within)
        yield system


def _addresses(ports: dict[str, int], smtp_port: int) -> dict[str, str]:
    urls = {
        f"CARTAS_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()
    }
    return urls | {
        "CARTAS_PUBLIC_URL": urls["CARTAS_PORTAL_URL"],
        "CARTAS_SMTP_HOST": "127.0.0.1",
        "CARTAS_SMTP_PORT": str(smtp_port),
    }


async def _end_current(system: System, name: str) -> None:
    """End whichever process serves under that name by now."""
    await end(system.processes[name])


@asynccontextmanager
async def _mailbox(log_dir: Path, smtp_port: int, http_port: int) -> AsyncIterator[None]:
    ports = ("--smtp-port", str(smtp_port), "--http-port", str(http_port))
    process = await start(
        *("deploy.local.mailbox", *ports, "--folder", str(log_dir / "mails")),
        environment={},
        output=log_dir / "mailbox.log",
    )
    try:
        await eventually(lambda: _answers(f"http://127.0.0.1:{http_port}/readyz"), 30)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(timeout=2) as http:
        try:
            return (await http.get(url)).is_success
        except httpx.HTTPError:
            return False
