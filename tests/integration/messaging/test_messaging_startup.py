"""A service that starts before its database does, or without the right one."""

import asyncio
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.messaging.support import LossyProxy
from tests.support.databases import FreshDatabase
from tests.support.processes import ServiceProcess, end, environment_of, start_service
from tests.support.servers import Servers, free_port
from tests.support.waiting import eventually


async def started(
    database_url: str, servers: Servers, prefix: str, *, log: Path, wait_seconds: float
) -> ServiceProcess:
    port = free_port()
    environment = environment_of(
        "cartas", database_url, kafka=servers.kafka, prefix=prefix, port=port
    )
    environment["CARTAS_STARTUP_WAIT_SECONDS"] = str(wait_seconds)
    return await start_service("cartas", environment, log=log, port=port)


async def test_a_service_waits_for_its_database_and_then_starts(
    database: FreshDatabase, servers: Servers, topic_prefix: str, tmp_path: Path
) -> None:
    proxy = LossyProxy(await database("cartas"))
    log, port = tmp_path / "log", free_port()
    service = await started(proxy.url_at(port), servers, topic_prefix, log=log, wait_seconds=60)
    try:
        await eventually(lambda: _tries(log) >= 3, 30, what="three tries")
        assert service.process.returncode is None
        async with proxy.open(port):
            await eventually(service.is_ready, 60, what="the service is ready")
            await end(service)
    finally:
        await end(service)
    assert "Traceback" not in log.read_text()


async def _ended(service: ServiceProcess) -> int:
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            return await service.process.wait()
    await end(service)
    raise AssertionError("it is still running")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"netloc": "nobody@127.0.0.1:1"}, "no database after 1 s"),
        ({"path": "/no-such-database"}, "the database refuses"),
        ({"path": "/postgres"}, "the schema of cartas is not current"),
        ({"scheme": "http"}, "CARTAS_CARTAS_DATABASE_URL is no address"),
        ({"netloc": "user:pass@host:w0rd/"}, "CARTAS_CARTAS_DATABASE_URL is no address"),
    ],
)
async def test_a_service_without_its_database_ends_with_one_line_that_says_why(
    servers: Servers, topic_prefix: str, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    url = urlsplit(servers.database_url)._replace(**change).geturl()
    log = tmp_path / "log"
    service = await started(url, servers, topic_prefix, log=log, wait_seconds=1)
    assert await _ended(service) == 1
    *before, last = log.read_text().splitlines()
    assert "not_started" in last
    assert reason in last
    assert all("database_away" in line for line in before)


def _tries(log: Path) -> int:
    return log.read_text().count("database_away")
