"""More processes of a service beside the one that a system runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.processes import ServiceProcess, end, start_service
from tests.support.servers import free_port
from tests.support.systems import System
from tests.support.waiting import eventually

READY_SECONDS = 90.0


async def start_beside(system: System, service: str) -> ServiceProcess:
    """Start another process of the service, on the same database; the caller ends it."""
    port = free_port()
    environment = system.environment | {f"CARTAS_{service.upper()}_PORT": str(port)}
    log = system.log_dir / f"{service}-{port}.log"
    return await start_service(service, environment, log=log, port=port)


@asynccontextmanager
async def running_beside(system: System, service: str) -> AsyncIterator[ServiceProcess]:
    """Run another process of the service until the block ends."""
    another = await start_beside(system, service)
    try:
        await eventually(another.is_ready, READY_SECONDS, what=f"another {service} is ready")
        yield another
    finally:
        await end(another)
