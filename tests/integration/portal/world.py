"""The portal with the services it asks; a municipality published on Kafka; browsers of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from shared.contracts import topics
from shared.contracts.events import Event
from shared.contracts.topics import Topic
from tests.support.databases import Templates
from tests.support.servers import Servers
from tests.support.systems import System, running_system
from tests.support.topics import own_topics
from tests.support.waiting import eventually
from tests.unit.portal import builders as b

SERVICES = ("buzon", "measurements", "notifier", "portal")
SETTINGS = {
    "CARTAS_NOTIFIER_SENDER": "avisos@fresnos.example",
    "CARTAS_SMTP_SECURITY": "none",
    "CARTAS_BUZON_MINIMUM_FILL_SECONDS": "0",
    "CARTAS_BUZON_FILINGS_PER_CLIENT": "1000",
    "CARTAS_BUZON_LOOKUPS_PER_CLIENT": "1000",
}
FORM_FIELD = re.compile(r'name="_formulario" value="([0-9a-f]{64})"')


@dataclass(slots=True)
class World:
    """A running system whose catalogue and results are those of the builders."""

    system: System
    servers: Servers
    prefix: str

    @property
    def url(self) -> str:
        return self.system.url("portal")

    async def publish(self, topic: Topic, *events: Event) -> None:
        """Put events on a topic, as their service would."""
        producer = AIOKafkaProducer(bootstrap_servers=self.servers.kafka, acks="all")
        await producer.start()
        try:
            for event in events:
                key = event.key.encode()
                await producer.send_and_wait(self.prefix + topic.name, event.to_bytes(), key=key)
        finally:
            await producer.stop()

    @asynccontextmanager
    async def browser(self) -> AsyncIterator["Browser"]:
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as http:
            yield Browser(http)

    async def mails_to(self, mailbox: str) -> list[str]:
        """Texts of the mails that reached the mailbox, newest first."""
        async with httpx.AsyncClient(base_url=self.system.mailbox_url, timeout=10) as http:
            found = (await http.get("/api/v1/messages")).json()["messages"]
            own = [m for m in found if mailbox in str(m)]
            bodies = [(await http.get(f"/api/v1/message/{m['ID']}")).json() for m in own]
        return [body["Text"] for body in bodies]

    async def link_in_mail(self, mailbox: str, path: str) -> str:
        """Wait for a mail with an address under `path`; return the address's path."""

        async def link() -> str | None:
            for text in await self.mails_to(mailbox):
                found = re.search(rf"{re.escape(self.url)}({path}/[\w.~-]+)", text)
                if found:
                    return found.group(1)
            return None

        found = await eventually(link, 30, what=f"a mail to {mailbox}")
        assert found is not None
        return found

    async def sign_in(self, browser: "Browser", mailbox: str) -> None:
        """As a person does: ask, read the mail, press the button."""
        before = len(await self.mails_to(mailbox))
        answer = await browser.send("/entrar", {"correo": mailbox})
        assert answer.status_code == 200

        async def arrived() -> bool:
            return len(await self.mails_to(mailbox)) > before

        await eventually(arrived, 30, what=f"the link for {mailbox}")
        link = await self.link_in_mail(mailbox, "/entrar")
        answer = await browser.send(link, {})
        assert answer.status_code == 303, answer.text


@dataclass(slots=True)
class Browser:
    """Opens pages and sends their forms, with cookies and tokens as a browser does."""

    http: httpx.AsyncClient

    async def open(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def send(
        self, path: str, fields: dict[str, str], *, page: str | None = None
    ) -> httpx.Response:
        """Open the form's page, fill it in, send it to `path`."""
        form = await self.http.get(page or path)
        token = FORM_FIELD.search(form.text)
        assert token is not None, f"no form on {page or path}: {form.status_code}"
        return await self.http.post(path, data={"_formulario": token.group(1), **fields})


@asynccontextmanager
async def running_world(
    servers: Servers, templates: Templates, log_dir: Path
) -> AsyncIterator[World]:
    """Start the services and wait until the portal shows what was published."""
    made: list[str] = []

    async def database(service: str) -> str:
        made.append(await templates.copy(service))
        return templates.url(made[-1])

    async with own_topics(servers) as prefix:
        try:
            async with running_system(
                servers, database, prefix, log_dir=log_dir, services=SERVICES, extra=SETTINGS
            ) as system:
                world = World(system, servers, prefix)
                await _publish_all(world)
                yield world
        finally:
            for name in made:
                await templates.drop(name)


async def _publish_all(world: World) -> None:
    await world.publish(topics.CARTAS, *b.catalogue())
    await world.publish(topics.RESULTS, *b.published(*b.results()))
    await asyncio.gather(_catalogue_known(world, "buzon"), _catalogue_known(world, "notifier"))
    await world.publish(topics.BREACHES, *b.published(b.breach()))
    async with world.browser() as browser:

        async def shown() -> bool:
            page = await browser.open(f"/{b.M}/c/{b.IGUALDAD.carta}")
            return "no publicamos la cifra" in page.text

        await eventually(shown, 30, what="the portal shows the last result")


async def _catalogue_known(world: World, service: str) -> None:
    """Wait until the service has the last carta, which came after all other things."""
    url = world.system.database_url(service)
    table = {"buzon": "reference", "notifier": "catalogue"}[service]

    connection = await asyncpg.connect(url)
    try:
        wanted = len(b.catalogue())
        query = f"SELECT count(*) >= {wanted} FROM {table}"
        await eventually(
            lambda: connection.fetchval(query), 30, what=f"{service} has the catalogue"
        )
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="session")
async def world(
    servers: Servers, database_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """One for all tests of a package: each works on its own folios and posts."""
    async with running_world(
        servers, database_templates, tmp_path_factory.mktemp("portal")
    ) as running:
        yield running


def path_of(address: str) -> str:
    return urlsplit(address).path
