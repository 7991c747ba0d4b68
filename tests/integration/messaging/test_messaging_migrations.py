"""Migrations: once, under a lock, never edited, never behind the program."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from shared.database import check_schema, migrate
from shared.database.migrations import migrations_of
from shared.errors import ConfigurationError
from tests.integration.messaging.support import SERVICE
from tests.support.servers import Servers


@pytest_asyncio.fixture
async def empty(servers: Servers) -> AsyncIterator[str]:
    """Address of a database without any table."""
    name = f"test_empty_{uuid4().hex[:8]}"
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


async def _run(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(statement)
    await connection.close()


async def _check(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await check_schema(connection, SERVICE)
    finally:
        await connection.close()


async def test_each_migration_is_applied_once_however_many_begin_together(empty: str) -> None:
    applied = await asyncio.gather(*(migrate(empty, SERVICE) for _ in range(6)))
    wanted = [migration.name for migration in migrations_of(SERVICE)]
    assert sorted(applied, reverse=True) == [wanted, [], [], [], [], []]
    assert wanted[0].startswith("messaging/")
    await _check(empty)


async def test_a_service_does_not_start_before_its_schema_is_current(empty: str) -> None:
    with pytest.raises(ConfigurationError, match="migrate"):
        await _check(empty)
    await migrate(empty, SERVICE)
    await _run(empty, "DELETE FROM schema_migration WHERE name LIKE 'cartas/%'")
    with pytest.raises(ConfigurationError, match="migrate"):
        await _check(empty)


async def test_an_applied_file_that_was_edited_is_refused(empty: str) -> None:
    await migrate(empty, SERVICE)
    await _run(empty, "UPDATE schema_migration SET checksum = 'x' WHERE name LIKE 'messaging/%'")
    with pytest.raises(ConfigurationError, match="was changed after it was applied"):
        await migrate(empty, SERVICE)
    with pytest.raises(ConfigurationError, match="was changed after it was applied"):
        await _check(empty)


async def test_a_database_newer_than_the_program_is_refused(empty: str) -> None:
    await migrate(empty, SERVICE)
    await _run(empty, "INSERT INTO schema_migration VALUES ('cartas/9999_future.sql', 'x')")
    with pytest.raises(ConfigurationError, match="newer than this program"):
        await migrate(empty, SERVICE)
    with pytest.raises(ConfigurationError, match="newer than this program"):
        await _check(empty)
