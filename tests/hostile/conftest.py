"""One running system for all of them: what one input leaves behind must not trouble the next."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.portal import assets
from tests.e2e.town import Town
from tests.support.databases import Templates, own_databases
from tests.support.servers import Servers
from tests.support.systems import running_system
from tests.support.topics import own_topics

# What is held back is not looked at; the limits on requests and sources have their own tests.
UNLIMITED = {
    "CARTAS_MEASUREMENTS_SUSPEND_LEAST_EVENTS": "1000000",
    "CARTAS_BUZON_FILINGS_PER_CLIENT": "1000000",
    "CARTAS_BUZON_FILINGS_IN_ALL": "1000000",
    "CARTAS_BUZON_LOOKUPS_PER_CLIENT": "1000000",
    "CARTAS_BUZON_LOOKUPS_IN_ALL": "1000000",
}


@pytest_asyncio.fixture(scope="session")
async def town(
    servers: Servers, database_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """All six services, the simulator's catalogue and two sources."""
    folder = tmp_path_factory.mktemp("hostile-town")
    assets.install(folder / "static")
    extra = UNLIMITED | {"CARTAS_PORTAL_STATIC_DIR": str(folder / "static")}
    async with (
        own_topics(servers) as prefix,
        own_databases(database_templates) as database,
        running_system(servers, database, prefix, log_dir=folder, extra=extra) as system,
    ):
        town = Town(system, servers.kafka, prefix)
        await town.found()
        yield town
