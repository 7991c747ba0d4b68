"""The HTTP edge: bodies have a limit whatever their headers say, services know each other."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, SecretStr

from shared.http import (
    BodyLimit,
    PlainAddress,
    Problem,
    derived_key,
    install_problems,
    require_service,
)
from shared.http.credentials import service_credential
from shared.messaging import KafkaUnavailableError
from tests.support.processes import SERVICE_SECRET

MAX_BYTES = 100
SECRET = SecretStr(SERVICE_SECRET)


class Body(BaseModel):
    text: str


def app() -> FastAPI:
    made = FastAPI()
    made.add_middleware(BodyLimit, max_bytes=MAX_BYTES)
    made.add_middleware(PlainAddress)
    install_problems(made)
    made.state.context = SimpleNamespace(settings=SimpleNamespace(service_secret=SECRET))

    @made.post("/model")
    async def model(body: Body) -> int:
        return len(body.text)

    @made.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @made.get("/inside", dependencies=[Depends(require_service)])
    async def inside() -> str:
        return "in"

    @made.get("/outage")
    async def outage() -> None:
        raise KafkaUnavailableError

    @made.get("/problem")
    async def problem() -> None:
        raise Problem(409, "closed", "the folio is closed", folio="F-1")

    return made


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app())
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 40):
        yield body[start : start + 40]


JSON = {"Content-Type": "application/json"}
SMALL = b'{"text":"' + b"x" * 80 + b'"}'
LARGE = b'{"text":"' + b"x" * 200 + b'"}'


@pytest.mark.parametrize("path", ["/model", "/raw"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("body", "status"), [(SMALL, 200), (LARGE, 413)])
async def test_a_body_over_the_limit_is_refused_with_and_without_a_declared_length(
    http: httpx.AsyncClient, path: str, chunked: bool, body: bytes, status: int
) -> None:
    content: Any = _chunks(body) if chunked else body
    response = await http.post(path, content=content, headers=JSON)
    assert response.request.headers.get("content-length") == (None if chunked else str(len(body)))
    assert response.status_code == status, response.text
    if status == 413:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"] == f"at most {MAX_BYTES} bytes"


async def test_a_declared_length_that_lies_does_not_help(http: httpx.AsyncClient) -> None:
    response = await http.post("/raw", content=_chunks(LARGE), headers={"Content-Length": "5"})
    assert response.status_code == 413


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        service_credential(SECRET),
        f"bearer {service_credential(SECRET)}",
        f"Bearer {service_credential(SECRET)[:-1]}",
        f"Bearer {service_credential(SECRET)}x",
        f"Bearer {SERVICE_SECRET}",
        f"Bearer {derived_key(SECRET, 'links').hex()}",
        "Bearer contraseña",
    ],
)
async def test_only_the_exact_credential_opens(http: httpx.AsyncClient, given: str | None) -> None:
    headers = {} if given is None else {b"Authorization": given.encode()}
    response = await http.get("/inside", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert service_credential(SECRET) not in response.text


async def test_a_service_of_ours_comes_in(http: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {service_credential(SECRET)}"}
    assert (await http.get("/inside", headers=headers)).status_code == 200


def test_a_derived_key_tells_nothing_of_another_and_changes_with_the_secret() -> None:
    keys = {
        derived_key(secret, purpose)
        for secret in (SECRET, SecretStr("another secret" * 3))
        for purpose in ("links", "contacts", "service credential")
    }
    assert len(keys) == 6
    assert all(len(key) == 32 for key in keys)


async def test_an_outage_is_answered_with_a_time_to_come_back(http: httpx.AsyncClient) -> None:
    response = await http.get("/outage")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_problem_says_what_and_an_invalid_request_never_repeats_values(
    http: httpx.AsyncClient,
) -> None:
    problem = (await http.get("/problem")).json()
    assert problem == {
        "type": "about:blank",
        "status": 409,
        "title": "closed",
        "detail": "the folio is closed",
        "folio": "F-1",
    }
    response = await http.post("/model", json={"text": ["a private word"]})
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"field": "body.text", "message": "Input should be a valid string"}
    ]


@pytest.mark.parametrize(
    ("address", "status"),
    [("/problem%00", 404), ("/%00", 404), ("/problem?case=%00", 400), ("/problem?%00=a", 400)],
)
async def test_an_address_with_a_nul_names_nothing(
    http: httpx.AsyncClient, address: str, status: int
) -> None:
    response = await http.get(address)
    assert response.status_code == status
    assert response.json()["title"] == "the address holds a NUL"
