from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.notifier.support import MailServer, Notifier, mail_server, notifier
from tests.support.databases import FreshDatabase
from tests.unit.notifier import builders as b


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest_asyncio.fixture
async def desk(database: FreshDatabase, server: MailServer) -> AsyncIterator[Notifier]:
    """A notifier that knows the small municipality."""
    async with notifier(await database("notifier"), server) as ready:
        await ready.learn(b.catalogue())
        yield ready
