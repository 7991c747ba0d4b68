"""Every error is a page in Spanish for people, whichever layer made it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.routing import Route

from services.portal.app import MAX_BODY_BYTES, build_app
from services.portal.settings import PEERS, Settings
from shared.http import Problem
from tests.support.processes import SERVICE_SECRET

ACCEPT = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


async def fail(request: Request) -> None:
    raise HTTPException(int(request.path_params["status"]))


async def complain(request: Request) -> None:
    raise Problem(int(request.path_params["status"]), "a problem")


async def break_down(request: Request) -> None:
    raise RuntimeError("a private detail")


def app(tmp_path: Path) -> FastAPI:
    for name in ("govuk-frontend.css", "govuk-frontend.js", "htmx.js"):
        (tmp_path / name).write_text("")
    values: dict[str, Any] = {
        "kafka_servers": "127.0.0.1:1",
        "service_secret": SERVICE_SECRET,
        "public_url": "http://127.0.0.1:8000",
        "database_url": "postgresql://127.0.0.1:1/none",
        "static_dir": tmp_path,
        **{f"{peer}_url": "http://127.0.0.1:1" for peer in PEERS},
    }
    made = build_app(Settings(**values))
    made.router.routes[:0] = [
        Route("/fails/{status}", fail),
        Route("/complains/{status}", complain),
        Route("/breaks", break_down),
    ]
    return made


@pytest_asyncio.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(tmp_path), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8000", headers=ACCEPT
    ) as client:
        yield client


def assert_is_page(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert '<html lang="es-MX"' in answer.text
    assert re.search(r'<h1 class="govuk-heading-xl">[A-ZÁÉÍÓÚ][^<]+</h1>', answer.text)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503])
@pytest.mark.parametrize("way", ["fails", "complains"])
async def test_a_refusal_is_a_page(http: httpx.AsyncClient, way: str, status: int) -> None:
    assert_is_page(await http.get(f"/{way}/{status}"), status)


async def test_a_fault_of_ours_is_a_page_that_tells_no_detail(http: httpx.AsyncClient) -> None:
    answer = await http.get("/breaks")
    assert_is_page(answer, 500)
    assert "a private detail" not in answer.text


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 40_000):
        yield body[start : start + 40_000]


@pytest.mark.parametrize("chunked", [False, True])
async def test_too_large_a_form_is_told_so(http: httpx.AsyncClient, chunked: bool) -> None:
    body = b"texto=" + b"x" * MAX_BODY_BYTES
    answer = await http.post(
        "/entrar",
        content=_chunks(body) if chunked else body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert_is_page(answer, 413)
    assert "Es demasiado grande" in answer.text


async def test_a_form_that_cannot_be_read_is_told_so(http: httpx.AsyncClient) -> None:
    answer = await http.post("/entrar", content=b"no form at all", headers=FORM)
    assert_is_page(answer, 400)
    assert "No pudimos leer lo que enviaste" in answer.text


async def test_the_reference_pages_hold_to_the_strict_policy(http: httpx.AsyncClient) -> None:
    for address in ("/docs", "/asyncapi"):
        page = await http.get(address)
        assert page.status_code == 200
        assert not re.search(r"<script|<style| style=|https?://", page.text)
        assert "style-src 'self'" in page.headers["content-security-policy"]
    assert (await http.get("/docs.css")).headers["content-type"].startswith("text/css")
