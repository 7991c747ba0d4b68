"""A measurements service of its own for each test that asks, on a real Kafka and PostgreSQL."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.database import Pool, open_pool
from tests.integration.measurements.support import System
from tests.support.databases import FreshDatabase
from tests.support.processes import environment_of, running_service
from tests.support.servers import Servers


@pytest_asyncio.fixture
async def database_url(database: FreshDatabase) -> str:
    return await database("measurements")


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with await open_pool(database_url, name="test", size=4) as opened:
        yield opened


@pytest_asyncio.fixture
async def stopped(
    servers: Servers, database_url: str, topic_prefix: str, pool: Pool, tmp_path: Path
) -> System:
    """The system with its service not started."""
    environment = environment_of(
        "measurements", database_url, kafka=servers.kafka, prefix=topic_prefix, port=1
    )
    return System(
        pool=pool,
        kafka=servers.kafka,
        prefix=topic_prefix,
        environment={**os.environ, **environment},
        python=sys.executable,
        folder=tmp_path,
        database_url=database_url,
    )


@pytest_asyncio.fixture
async def system(stopped: System, tmp_path: Path) -> AsyncIterator[System]:
    """The system with its service running."""
    extra = {
        "CARTAS_MEASUREMENTS_PROGRESS_SECONDS": "0.2",
        "CARTAS_MEASUREMENTS_IDLE_PROGRESS_SECONDS": "2",
        "CARTAS_MEASUREMENTS_SUSPEND_LEAST_EVENTS": "20",
    }
    async with running_service(
        "measurements",
        stopped.database_url,
        kafka=stopped.kafka,
        prefix=stopped.prefix,
        log_dir=tmp_path,
        extra=extra,
    ) as process:
        stopped.url = process.url
        yield stopped
