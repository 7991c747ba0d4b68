from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.buzon.support import Buzon, buzon, learn
from tests.support.databases import FreshDatabase


@pytest_asyncio.fixture
async def box(database: FreshDatabase) -> AsyncIterator[Buzon]:
    """A buzon that knows the small municipality."""
    async with buzon(await database("buzon")) as ready:
        await learn(ready.pool)
        yield ready
