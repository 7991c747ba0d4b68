"""One running system for all tests of a module: starting it takes longer than most of them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.portal import assets
from tests.e2e.town import Town
from tests.support.databases import Templates, own_databases
from tests.support.servers import Servers
from tests.support.systems import running_system
from tests.support.topics import own_topics

JUDGING = ("cartas", "measurements", "evaluator", "buzon", "notifier")


@pytest_asyncio.fixture(scope="module")
async def judging_town(
    servers: Servers, database_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """Every service but the portal, with the simulator's catalogue and two sources."""
    logs = tmp_path_factory.mktemp("judging-town")
    async with (
        own_topics(servers) as prefix,
        own_databases(database_templates) as database,
        running_system(servers, database, prefix, log_dir=logs, services=JUDGING) as system,
    ):
        town = Town(system, servers.kafka, prefix)
        await town.found()
        yield town


@pytest_asyncio.fixture(scope="module")
async def whole_town(
    servers: Servers, database_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """All six services and the portal's own files."""
    folder = tmp_path_factory.mktemp("whole-town")
    assets.install(folder / "static")
    extra = {
        "CARTAS_PORTAL_STATIC_DIR": str(folder / "static"),
        "CARTAS_EVALUATOR_BALANCE_SECONDS": "2",
    }
    async with (
        own_topics(servers) as prefix,
        own_databases(database_templates) as database,
        running_system(servers, database, prefix, log_dir=folder, extra=extra) as system,
    ):
        town = Town(system, servers.kafka, prefix)
        await town.found()
        yield town
