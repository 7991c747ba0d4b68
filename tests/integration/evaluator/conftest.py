from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.evaluator.support import Evaluator, running
from tests.support.databases import FreshDatabase


@pytest_asyncio.fixture
async def database_url(database: FreshDatabase) -> str:
    return await database("evaluator")


@pytest_asyncio.fixture
async def evaluator(database_url: str) -> AsyncIterator[Evaluator]:
    """An evaluator that knows nothing yet."""
    async with running(database_url) as ready:
        yield ready


@pytest_asyncio.fixture
async def other(database_url: str) -> AsyncIterator[Evaluator]:
    """A second process on the same database."""
    async with running(database_url) as ready:
        yield ready
