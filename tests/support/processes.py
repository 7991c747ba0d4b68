"""The services as processes of their own, as they run in production."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.programs import Program, start
from tests.support.servers import free_port
from tests.support.waiting import eventually

SERVICE_SECRET = "only-for-tests-" + "s" * 32


@dataclass(slots=True)
class ServiceProcess:
    """A running service: its address, its process, its log."""

    name: str
    url: str
    process: Program
    log: Path

    async def kill(self) -> None:
        """As a power cut would: SIGKILL, no farewell."""
        self.process.kill()
        await self.process.wait()

    async def is_ready(self) -> bool:
        if self.process.returncode is not None:
            raise RuntimeError(f"{self.name} ended: {self.log.read_text()[-3000:]}")
        async with httpx.AsyncClient(timeout=2) as http:
            try:
                response = await http.get(f"{self.url}/health/ready")
            except httpx.HTTPError:
                return False
        assert response.is_success, response.text
        return True

    def tell_where_tasks_stand(self) -> None:
        """Have the process write it to its log."""
        self.process.send_signal(signal.SIGUSR1)


def environment_of(
    service: str, database_url: str, *, kafka: str, prefix: str, port: int
) -> dict[str, str]:
    """The settings a service needs, apart from those that only it has."""
    own = f"CARTAS_{service.upper()}_"
    return {
        "CARTAS_KAFKA_SERVERS": kafka,
        "CARTAS_TOPIC_PREFIX": prefix,
        "CARTAS_LOG_FORMAT": "console",
        "CARTAS_SERVICE_SECRET": SERVICE_SECRET,
        "CARTAS_PUBLIC_URL": "http://127.0.0.1:8000",
        "CARTAS_ENV_FILE": os.devnull,
        f"{own}DATABASE_URL": database_url,
        f"{own}PORT": str(port),
        f"{own}URL": f"http://127.0.0.1:{port}",
    }


async def start_service(
    service: str, environment: Mapping[str, str], *, log: Path, port: int
) -> ServiceProcess:
    """Start `python -m services.<service> serve`; the caller ends it."""
    process = await start(f"services.{service}", "serve", environment=environment, output=log)
    return ServiceProcess(service, f"http://127.0.0.1:{port}", process, log)


@asynccontextmanager
async def running_service(
    service: str,
    database_url: str,
    *,
    kafka: str,
    prefix: str,
    log_dir: Path,
    extra: Mapping[str, str] | None = None,
) -> AsyncIterator[ServiceProcess]:
    """A service that is ready; ended with SIGTERM, which must take effect within 30 s."""
    port = free_port()
    environment = environment_of(service, database_url, kafka=kafka, prefix=prefix, port=port)
    log = log_dir / f"{service}.log"
    running = await start_service(service, {**environment, **(extra or {})}, log=log, port=port)
    try:
        await eventually(running.is_ready, 60, what=f"{service} is ready")
        yield running
    finally:
        await end(running)


async def end(running: ServiceProcess) -> None:
    if running.process.returncode is None:
        running.process.terminate()
        async with asyncio.timeout(30):
            await running.process.wait()
