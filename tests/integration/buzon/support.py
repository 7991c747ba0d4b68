"""The buzon's real application on a real database, spoken to over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.buzon.app import build_app
from services.buzon.settings import Settings
from services.buzon.use_cases.catalogue import take_catalogue
from shared.database import Pool, open_pool
from shared.http import service_client
from shared.messaging import DurableProducer, transaction
from shared.service import Context
from tests.support.processes import SERVICE_SECRET
from tests.support.servers import free_port
from tests.unit.buzon import builders as b

TEXT = "La ventanilla tres cerró a las once. Atentamente, Xochiquétzal Ñandú."
MAIL = "vecina.xochiquetzal@correo.example"
PLACE = "Calle de los Ahuehuetes 12"
ANSWER = "Le ofrecemos una disculpa: la ventanilla abrirá toda la mañana."
REGISTRO, AGUA, GOBIERNO = "enlace-registro", "enlace-agua", "titular-gobierno"
COORDINATION, CONTRALORIA, ADMIN = "coordinacion", "contraloria", "administrador"


@dataclass(frozen=True, slots=True)
class Buzon:
    """The service: `public` without credential, `portal` with it."""

    pool: Pool
    public: httpx.AsyncClient
    portal: httpx.AsyncClient

    async def file(
        self, *, key: str | None = None, visitor: str | None = None, **fields: Any
    ) -> httpx.Response:
        form = {"municipality": b.TOWN, "kind": "queja", "text": TEXT, "carta": "CC-RC-01"}
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key or uuid4().hex,
            "X-Client-Key": visitor or uuid4().hex,
        }
        body = json.dumps(form | fields)
        return await self.portal.post("/v1/folios", content=body, headers=headers)

    async def filed(self, **fields: Any) -> dict[str, Any]:
        answer = await self.file(**fields)
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    async def step(
        self, folio: str, name: str, post: str = REGISTRO, **fields: Any
    ) -> httpx.Response:
        return await self.portal.post(f"/v1/folios/{folio}/{name}", json={"post": post} | fields)

    async def read(self, folio: str, post: str = REGISTRO) -> httpx.Response:
        return await self.portal.get(f"/v1/folios/{folio}", params={"post": post})

    async def listed(self, post: str = REGISTRO, **query: Any) -> httpx.Response:
        params = {"municipality": b.TOWN, "post": post} | query
        return await self.portal.get("/v1/folios", params=params)

    async def status(self, folio: str, secret: str) -> httpx.Response:
        """A lookup by a visitor who has asked nothing before."""
        headers = {"X-Client-Key": uuid4().hex}
        body = {"folio": folio, "secret": secret}
        return await self.portal.post("/v1/folios/status", json=body, headers=headers)

    async def published(self) -> list[dict[str, Any]]:
        """What waits in the outbox, in order."""
        rows = await self.pool.fetch("SELECT payload FROM outbox ORDER BY id")
        return [json.loads(row["payload"]) for row in rows]

    async def outbox_bytes(self) -> bytes:
        rows = await self.pool.fetch("SELECT key || payload AS message FROM outbox ORDER BY id")
        return b"\n".join(row["message"] for row in rows)


def settings_of(database_url: str, **fields: Any) -> Settings:
    return Settings(
        **{
            "kafka_servers": "127.0.0.1:1",
            "service_secret": SecretStr(SERVICE_SECRET),
            "public_url": "http://127.0.0.1:8000",
            "database_url": SecretStr(database_url),
            "port": free_port(),
            **fields,
        }
    )


@asynccontextmanager
async def buzon(database_url: str, **fields: Any) -> AsyncIterator[Buzon]:
    """The application without its consumers: what it publishes stays in the outbox."""
    settings = settings_of(database_url, **fields)
    app = build_app(settings)
    async with (
        await open_pool(database_url, name="test", size=6) as pool,
        service_client(settings) as client,
    ):
        registry = CollectorRegistry()
        app.state.context = Context(settings, pool, DurableProducer(settings), client, registry)
        credential = {"Authorization": client.headers["authorization"]}
        async with _speaking_to(app) as public, _speaking_to(app, credential) as portal:
            yield Buzon(pool, public, portal)


def _speaking_to(app: FastAPI, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://buzon", headers=headers)


async def learn(pool: Pool) -> None:
    async with transaction(pool, service="buzon") as tx:
        await take_catalogue(tx, b.catalogue())
