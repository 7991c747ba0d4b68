"""A term counted day by day: for anybody's dates, and for a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, UnknownPageError, reading
from services.portal.domain.visitors import Visitor
from services.portal.peers import RefusedError
from services.portal.store import catalogue
from services.portal.web.forms import Answers
from shared.contracts.cartas import Role
from shared.contracts.events import Code, Identifier
from shared.worktime import (
    CalendarExhaustedError,
    CalendarHistory,
    Rule,
    StartRule,
    Unit,
    count_days,
)
from shared.worktime.words import listing

UNITS: Final = {
    Unit.WORKING_DAY.value: "días hábiles",
    Unit.CALENDAR_DAY.value: "días naturales",
    Unit.MONTH.value: "meses",
    Unit.OPEN_HOUR.value: "horas hábiles (sólo con la oficina abierta)",
    Unit.HOUR.value: "horas",
}
START_RULES: Final = {
    "": "Como diga el calendario",
    StartRule.NEXT_COUNTING_DAY.value: "El día hábil siguiente es el día 1",
    StartRule.START_DAY.value: "El mismo día es el día 1",
}
LONGEST: Final = 1000
MAX_LINE: Final = 40


def router(tools: Tools) -> APIRouter:
    """Return the public count and that of a case, for the roles that answer for it."""
    routes = APIRouter(include_in_schema=False)
    answering = tools.sessions.require(Role.UNIT, Role.COORDINATION)

    @routes.get("/{municipality}/plazo")
    async def term(request: Request, municipality: Code) -> Response:
        """The count of a term from a date that anybody may choose."""
        place = await tools.place(request, municipality)
        async with reading(request) as connection:
            known = await catalogue.calendars(connection, municipality)
        asked = {name: value[:MAX_LINE] for name, value in request.query_params.items()}
        answers = Answers(asked)
        count = _count(answers, known) if asked and known else None
        names = {name: _name(each) for name, each in known.items()}
        return tools.public_page(
            request,
            "plazo.html",
            place=place,
            answers=answers,
            calendars=names,
            usual=place.data.calendar,
            units=UNITS,
            start_rules=START_RULES,
            count=count,
        )

    @routes.get("/casos/cuenta")
    async def case(
        request: Request,
        visitor: Annotated[Visitor, Depends(answering)],
        compromiso: Code,
        caso: Identifier,
    ) -> Response:
        """How the term of one case was counted; a unit sees its own cases only."""
        place = await tools.place(request, visitor.municipality)
        query = {"municipality": visitor.municipality, "compromiso": compromiso, "case": caso}
        try:
            found = await tools.peers(request).get("evaluator", "/v1/counts", query=query)
        except RefusedError as error:
            raise UnknownPageError from error
        own = [each for each in found["counts"] if _may_see(visitor, each)]
        if found["counts"] and not own:
            raise UnknownPageError
        return tools.page(
            request, "cuenta.html", place=place, case=caso, compromiso=compromiso, counts=own
        )

    return routes


def _may_see(visitor: Visitor, count: Mapping[str, Any]) -> bool:
    return visitor.role is not Role.UNIT or visitor.answers_for(count["unit"])


def _name(history: CalendarHistory) -> str:
    latest = history.latest.calendar
    return f"{latest.id} (versión {latest.version})"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked, once it is known to be sound."""

    start: datetime
    rule: Rule
    known_at: datetime | None


def _count(answers: Answers, known: Mapping[str, CalendarHistory]) -> dict[str, Any] | None:
    """Return the count; None, and what is wrong noted, where it cannot be made."""
    names = dict.fromkeys(known, "")
    history = known.get(answers.choice("calendario", names, "Elige un calendario"))
    zone = next(iter(known.values())).latest.zone if history is None else history.latest.zone
    asked = _asked(answers, zone)
    if history is None or asked is None:
        return None
    calendar = history.latest if asked.known_at is None else history.known_at(asked.known_at)
    try:
        return listing(count_days(asked.start, asked.rule, calendar), calendar)
    except CalendarExhaustedError:
        answers.errors["desde"] = "Usa una fecha de entre 1900 y 2299"
        return None


def _asked(answers: Answers, zone: ZoneInfo) -> _Asked | None:
    start = _moment(answers, "desde", zone)
    if start is None:
        answers.errors.setdefault("desde", "Escribe la fecha y la hora del hecho")
    limit = _limit(answers)
    unit = answers.choice("unidad", UNITS, "Elige en qué se mide el plazo")
    start_rule = answers.choice("inicio", START_RULES, "Elige desde cuándo se cuenta")
    known_at = _moment(answers, "conocido", zone)
    if start is None or limit is None or answers.errors:
        return None
    rule = Rule(limit, Unit(unit), StartRule(start_rule) if start_rule else None)
    return _Asked(start, rule, known_at)


def _limit(answers: Answers) -> Decimal | None:
    try:
        limit = Decimal(answers.get("plazo"))
    except InvalidOperation:
        limit = Decimal(-1)
    if not limit.is_finite() or not 0 < limit <= LONGEST:
        answers.errors["plazo"] = f"Escribe un plazo mayor que 0 y de hasta {LONGEST:,}"
        return None
    return limit


def _moment(answers: Answers, name: str, zone: ZoneInfo) -> datetime | None:
    """Read a local time such as 2026-07-06T10:00; a date alone is its first moment."""
    text = answers.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        answers.errors[name] = "Usa una fecha y hora como 2026-07-06T10:00"
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
