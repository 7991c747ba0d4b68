"""The demo's seed and live traffic against running services."""

import json
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest_asyncio

from simulator.complaints import FIRST
from simulator.scenarios import EMITTERS
from tests.support.databases import FreshDatabase
from tests.support.processes import environment_of, running_service
from tests.support.programs import run, start
from tests.support.servers import Servers
from tests.support.waiting import eventually

FACTS = "SELECT count(*) FROM fact WHERE NOT historical"
PAST_FACTS = "SELECT count(*) FROM fact WHERE historical"
OPENING = """
SELECT count(*) FROM fact
WHERE NOT historical AND kind = 'call.queued' AND happened_at < received_at - interval '45 s'
"""
# Filed, linked, answered, upheld: each once.
UPHELD = """
SELECT count(*) FROM folio
WHERE finding = 'upheld' AND compromiso = 'RC-01-02' AND unit = 'REGISTRO-CIVIL' AND revision = 4
"""


@dataclass(frozen=True, slots=True)
class Town:
    """Running services, the environment that a command needs, and their databases."""

    environment: Mapping[str, str]
    databases: Mapping[str, str]

    async def seed(self) -> str:
        ran = await run("simulator", "seed", environment=self.environment)
        assert ran.code == 0, ran.output
        return ran.output

    async def number(self, service: str, query: str) -> int:
        connection = await asyncpg.connect(self.databases[service])
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def town(
    database: FreshDatabase, servers: Servers, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Town]:
    names = ("cartas", "measurements", "buzon")
    databases = {name: await database(name) for name in names}
    environment: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for name, url in databases.items():
            running = await stack.enter_async_context(
                running_service(
                    name, url, kafka=servers.kafka, prefix=topic_prefix, log_dir=tmp_path
                )
            )
            port = int(running.url.rpartition(":")[2])
            environment |= environment_of(
                name, url, kafka=servers.kafka, prefix=topic_prefix, port=port
            )
        environment["CARTAS_ENV_FILE"] = str(tmp_path / "env")
        yield Town(environment, databases)


async def test_a_seeded_town_has_its_past_once_and_then_lives(town: Town, tmp_path: Path) -> None:
    first = await town.seed()
    assert f"{len(FIRST)} complaints filed" in first
    assert "found justified" in first
    again = await town.seed()
    assert "Nada nuevo" in again
    assert "nothing to publish" in again
    assert await town.number("buzon", "SELECT count(*) FROM folio") == len(FIRST)
    assert await town.number("buzon", UPHELD) == 1

    tokens = tmp_path / "simulator-tokens.json"
    assert set(json.loads(tokens.read_text())) == {emitter.uri for emitter in EMITTERS}
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600

    async def past_is_there() -> bool:
        return await town.number("measurements", PAST_FACTS) > 10_000

    async def lives() -> bool:
        return (
            await town.number("measurements", FACTS) > 100
            and await town.number("measurements", OPENING) == 1
        )

    await eventually(past_is_there, 60, what="the past quarter's facts")
    said = tmp_path / "live.log"
    live = await start(
        *("simulator", "live", "--rate", "60", "--seed", "3"),
        environment=town.environment,
        output=said,
    )
    try:
        await eventually(lives, 60, what="live facts")
    finally:
        live.terminate()
        await live.wait()
    assert live.returncode == 0, said.read_text()
    refused = await town.number("measurements", "SELECT coalesce(sum(refused), 0) FROM balance")
    assert refused == 0
