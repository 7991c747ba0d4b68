"""A fresh, migrated database for each test: copied from a template that is migrated once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest_asyncio

from shared.database import migrate
from tests.support.servers import Servers

FreshDatabase = Callable[[str], Awaitable[str]]


class Templates:
    """Migrated databases of this session, one a service, made at the first wish."""

    def __init__(self, maintenance_url: str) -> None:
        self.maintenance_url = maintenance_url
        self.run = uuid4().hex[:8]
        self.of_service: dict[str, str] = {}

    def url(self, database: str) -> str:
        return urlunsplit(urlsplit(self.maintenance_url)._replace(path=f"/{database}"))

    async def get(self, service: str) -> str:
        if service not in self.of_service:
            name = f"test_{self.run}_template_{service}"
            await self.run_sql(f'CREATE DATABASE "{name}"')
            self.of_service[service] = name
            await migrate(self.url(name), service)
        return self.of_service[service]

    async def copy(self, service: str) -> str:
        template = await self.get(service)
        name = f"test_{self.run}_{service}_{uuid4().hex[:8]}"
        await self.run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    async def drop(self, name: str) -> None:
        await self.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def run_sql(self, statement: str) -> None:
        con = await asyncpg.connect(self.maintenance_url)
        try:
            await con.execute(statement)
        finally:
            await con.close()


@pytest_asyncio.fixture(scope="session")
async def database_templates(servers: Servers) -> AsyncIterator[Templates]:
    templates = Templates(servers.database_url)
    yield templates
    for name in templates.of_service.values():
        await templates.drop(name)


@pytest_asyncio.fixture
async def database(database_templates: Templates) -> AsyncIterator[FreshDatabase]:
    """`await database("buzon")`: address of a database with that service's schema, empty."""
    async with own_databases(database_templates) as fresh:
        yield fresh


@asynccontextmanager
async def own_databases(templates: Templates) -> AsyncIterator[FreshDatabase]:
    """Give what makes databases; all that it made are dropped afterwards."""
    made: list[str] = []

    async def fresh(service: str) -> str:
        made.append(await templates.copy(service))
        return templates.url(made[-1])

    yield fresh
    for name in made:
        await templates.drop(name)
