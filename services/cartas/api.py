"""HTTP in: the cartas as they are published. Public, like the cartas themselves."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import StringConstraints

from services.cartas import store
from services.cartas.store import Place
from shared.contracts.cartas import Status
from shared.contracts.events import Code
from shared.http import Problem
from shared.messaging import Transaction, transaction

MAX_LISTED = 200
MAX_VERSION = 1_000_000
After = Annotated[str, StringConstraints(pattern=r"^[^/\x00]{1,64}/[^/\x00]{1,64}/[0-9]{1,6}$")]

router = APIRouter(prefix="/v1", tags=["cartas"])


@router.get("/cartas")
async def list_cartas(
    request: Request,
    *,
    municipality: Annotated[Code | None, Query()] = None,
    carta: Annotated[Code | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 50,
    after: Annotated[After | None, Query(description="`next` of the page before")] = None,
) -> Response:
    """Versions of cartas in order of municipality, code and version, a page at a time."""
    async with _reading(request) as tx:
        found, following = await store.cartas(
            tx.connection,
            municipality=municipality,
            carta=carta,
            status=None if status is None else status.value,
            after=_place(after),
            limit=limit,
        )
    goes_on = (
        "null"
        if following is None
        else f'"{following.municipality}/{following.carta}/{following.version}"'
    )
    return _json(f'{{"cartas":[{",".join(found)}],"next":{goes_on}}}')


@router.get("/cartas/{municipality}/{carta}/{version}")
async def show_carta(
    request: Request,
    municipality: Code,
    carta: Code,
    version: Annotated[int, Path(ge=1, le=MAX_VERSION)],
) -> Response:
    """One version of a carta; a retired one stays readable."""
    async with _reading(request) as tx:
        found = await store.carta_version(tx.connection, municipality, carta, version=version)
    if found is None:
        raise Problem(404, "there is no such version of this carta")
    return _json(found)


@router.get("/municipalities")
async def list_municipalities(request: Request) -> Response:
    """The municipalities with a catalogue."""
    async with _reading(request) as tx:
        found = await store.municipalities(tx.connection)
    return _json(f'{{"municipalities":[{",".join(found)}]}}')


def _reading(request: Request) -> AbstractAsyncContextManager[Transaction]:
    return transaction(request.app.state.context.pool, service="cartas")


def _place(after: str | None) -> Place:
    if after is None:
        return Place()
    municipality, carta, version = after.split("/")
    return Place(municipality, carta, int(version))


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
