"""HTTP in: the cartas as they are published. Public, like the cartas themselves."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import StringConstraints

from services.cartas.store import catalogue as store
from services.cartas.store.catalogue import Place
from shared.contracts.cartas import Status
from shared.contracts.events import Code
from shared.http import Problem
from shared.messaging import Transaction, transaction
from shared.worktime import CalendarHistory, Pause, StartRule, count_days, parse_rule
from shared.worktime.words import listing

MAX_LISTED = 200
MAX_VERSION = 1_000_000
After = Annotated[str, StringConstraints(pattern=r"^[^/\x00]{1,64}/[^/\x00]{1,64}/[0-9]{1,6}$")]
Span = Annotated[str, StringConstraints(pattern=r"^[^/]{10,40}/[^/]{0,40}$")]
Spans = Annotated[tuple[Span, ...], Query(max_length=20, description="FROM/TO; TO may be empty.")]
JSON = dict[str, Any]

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


@router.get("/calendars/{municipality}/{calendar}")
async def show_calendar(request: Request, municipality: Code, calendar: Code) -> JSON:
    """Every version of a calendar: what it said, and since when that was known."""
    history = await _history(request, municipality, calendar)
    return {
        "versions": [
            {
                "known_since": each.known_since.isoformat(),
                "calendar": each.prepared.calendar.model_dump(mode="json"),
            }
            for each in history.versions
        ]
    }


@router.get("/calendars/{municipality}/{calendar}/count")
async def count_term(
    request: Request,
    municipality: Code,
    calendar: Code,
    *,
    start: Annotated[datetime, Query(description="Local to the calendar without an offset.")],
    term: Annotated[str, Query(max_length=40, description="Such as `10 dia_habil`.")],
    start_rule: StartRule | None = None,
    pause: Annotated[
        list[Span], Query(max_length=20, description="FROM/TO; TO may be empty.")
    ] = (),  # type: ignore[assignment]
    as_of: Annotated[datetime | None, Query(description="As it was known then.")] = None,
) -> JSON:
    """A term counted day by day on a calendar, as `worktime explain` prints it."""
    history = await _history(request, municipality, calendar)
    zone = history.latest.zone
    known = history.latest if as_of is None else history.known_at(_local(as_of, zone))
    try:
        pauses = tuple(_pause(each, known.zone) for each in pause)
        rule = parse_rule(term, start_rule)
        return listing(count_days(_local(start, known.zone), rule, known, pauses), known)
    except (ValueError, OverflowError) as error:
        raise Problem(422, str(error)) from error


async def _history(request: Request, municipality: str, calendar: str) -> CalendarHistory:
    async with _reading(request) as tx:
        found = await store.calendar_history(tx.connection, municipality, calendar)
    if found is None:
        raise Problem(404, "there is no such calendar")
    return found


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _pause(text: str, zone: ZoneInfo) -> Pause:
    first, _, last = text.partition("/")
    end = _local(datetime.fromisoformat(last), zone) if last else None
    return Pause(_local(datetime.fromisoformat(first), zone), end)


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
