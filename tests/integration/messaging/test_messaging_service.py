"""What a whole service says of itself: ready, alive, and why not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from shared.contracts import topics
from shared.messaging import Received, Subscription, Transaction
from shared.messaging.consumer import UNEXPECTED_IN_A_ROW
from shared.service import build
from tests.integration.messaging.support import GROUP, TOPIC, Bench, note_effects
from tests.support.waiting import eventually


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as http,
    ):
        yield http


async def _reasons(http: httpx.AsyncClient) -> list[str]:
    response = await http.get("/health/ready")
    body: dict[str, Any] = response.json()
    assert response.status_code == (200 if body["ready"] else 503)
    reasons: list[str] = body["reasons"]
    return reasons


async def test_a_service_is_ready_once_its_reference_data_is_caught_up(bench: Bench) -> None:
    may_go_on = asyncio.Event()

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await may_go_on.wait()
        await note_effects(tx, batch)

    await bench.send_complaints("A")
    subscription = Subscription(topic=TOPIC, group=GROUP, handle=handle, reference=True)
    app = build(bench.settings, describe="", subscriptions=[subscription])
    async with serving(app) as http:
        await eventually(lambda: _says(http, "reference data not caught up"))
        may_go_on.set()
        await eventually(lambda: _is_ready(http))
        assert await bench.effects() == {"A": 1}
        assert (await http.get("/health/live")).status_code == 204
        metrics = (await http.get("/metrics")).text
    assert f'cartas_messages_handled_total{{topic="{TOPIC.name}"}} 1.0' in metrics


async def _says(http: httpx.AsyncClient, what: str) -> bool:
    return any(what in reason for reason in await _reasons(http))


async def _is_ready(http: httpx.AsyncClient) -> bool:
    return await _reasons(http) == []


async def test_a_consumer_that_stopped_makes_its_service_unready_and_is_not_started_again(
    bench: Bench,
) -> None:
    """A restart would turn twenty more messages into dead letters, and so on to the last one."""

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        raise ZeroDivisionError

    await bench.send_complaints(*map(str, range(UNEXPECTED_IN_A_ROW)))
    subscription = Subscription(topic=TOPIC, group=GROUP, handle=handle)
    app = build(bench.settings, describe="", subscriptions=[subscription])
    async with serving(app) as http:
        await eventually(lambda: _says(http, f"{TOPIC.name}: stopped"))
        assert (await http.get("/health/live")).status_code == 204
    assert len(await bench.refusals()) == UNEXPECTED_IN_A_ROW - 1


async def test_a_service_without_its_database_says_so(bench: Bench) -> None:
    app = build(bench.settings, describe="", publishes=[topics.COMPLAINTS])
    async with serving(app) as http:
        await eventually(lambda: _is_ready(http))
        await app.state.context.pool.close()
        assert await _says(http, "database: ")
