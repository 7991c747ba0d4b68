"""Every answer is counted, also one that a fault of ours brought about."""

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.responses import StreamingResponse

from services.portal.metrics import Metrics
from services.portal.web.measuring import Measuring


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def pages(registry: CollectorRegistry) -> httpx.AsyncClient:
    """Pages that answer, that fail before they have answered, and that fail on the way."""
    app = FastAPI()
    app.add_middleware(Measuring, metrics=Metrics(registry))

    @app.get("/page/{token}")
    async def page(token: str) -> str:
        return token

    @app.get("/fault")
    async def fault() -> str:
        raise ZeroDivisionError

    @app.get("/halfway")
    async def halfway() -> StreamingResponse:
        async def parts() -> object:
            yield b"half"
            raise ZeroDivisionError

        return StreamingResponse(parts())  # type: ignore[arg-type]

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://portal")


@pytest.mark.parametrize(
    ("address", "page", "status"),
    [
        ("/page/secret", "/page/{token}", "2xx"),
        ("/nowhere", "none", "4xx"),
        ("/fault", "/fault", "5xx"),
        ("/halfway", "/halfway", "2xx"),
    ],
)
async def test_an_answer_is_counted_once_by_its_route(
    pages: httpx.AsyncClient, registry: CollectorRegistry, address: str, page: str, status: str
) -> None:
    async with pages:
        await pages.get(address)
    counted = [
        (sample.labels["page"], sample.labels["status"], sample.value)
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "portal_pages_total"
    ]
    assert counted == [(page, status, 1.0)]
    assert registry.get_sample_value("portal_page_seconds_count", {"page": page}) == 1.0
