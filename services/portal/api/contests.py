"""Contested cases: a unit says that one must not count, the coordination decides."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, UnknownPageError, or_away
from services.portal.api.words import (
    CASE_STATUSES,
    CONTEST_HINDRANCES,
    CONTEST_REASONS,
    CONTEST_STATES,
    CONTEST_STEPS,
)
from services.portal.domain.visitors import Visitor
from services.portal.peers import JSON, PeerAwayError, RefusedError
from services.portal.spanish import deadline
from services.portal.use_cases.showing import Place
from services.portal.web.forms import Answers
from services.portal.web.pages import see_other
from shared.clock import utc_now
from shared.contracts.cartas import Role
from shared.contracts.events import Code, Identifier

NOT_TAKEN: Final = "No se pudo registrar. Revisa los datos."
AWAY: Final = "Ahora no responde {}. Inténtalo en unos minutos; no se registró nada."
MAX_TEXT: Final = 2000
MAX_EVIDENCE: Final = 300
EXCLUDED: Final = "excluded"
CONFLICT: Final = 409
MAILED: Final = ("contest", "case", "window", "reason", "cutoff")
MAX_PROMISE: Final = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case counts, as the evaluator says now. `cutoff` None: in no window yet."""

    case: str
    compromiso: str
    cutoff: datetime | None
    verdicts: list[JSON]

    @property
    def own(self) -> list[JSON]:
        """The verdicts under the contested compromiso."""
        return [each for each in self.verdicts if each["compromiso"] == self.compromiso]

    @property
    def excluded(self) -> bool:
        return all(each["status"] == EXCLUDED for each in self.own)

    def hindrance(self, now: datetime) -> str | None:
        """Return why it cannot be contested, as measurements would say."""
        if self.excluded:
            return "already_excluded"
        if any(each["historical"] for each in self.own):
            return "imported"
        return "past_cutoff" if self.cutoff is None or now >= self.cutoff else None

    def told(self) -> JSON:
        """Return what a step on its contest says of it. Raises RefusedError."""
        if self.cutoff is None:
            raise RefusedError(CONFLICT, "past_cutoff", {})
        return {"cutoff": self.cutoff.isoformat(), "excluded": self.excluded}


def router(tools: Tools) -> APIRouter:
    """Return the routes of both roles."""
    routes = APIRouter(include_in_schema=False)
    _of_units(routes, tools)
    _of_the_coordination(routes, tools)
    return routes


def _of_units(routes: APIRouter, tools: Tools) -> None:
    Unit = Annotated[Visitor, Depends(tools.sessions.require(Role.UNIT))]  # noqa: N806

    @routes.get("/casos/impugnar")
    async def form(request: Request, visitor: Unit, compromiso: Code, caso: Identifier) -> Response:
        """The form, or until when it could have been filled in."""
        standing = await _own_standing(tools, request, visitor, compromiso=compromiso, case=caso)
        return await _form(tools, request, visitor, standing, answers=Answers({}))

    @routes.post("/casos/impugnar")
    async def file(request: Request, visitor: Unit, compromiso: Code, caso: Identifier) -> Response:
        """File it; sent twice it is filed once."""
        answers = await tools.read(request)
        standing = await _own_standing(tools, request, visitor, compromiso=compromiso, case=caso)
        return await _file(tools, request, visitor, standing, answers=answers)

    @routes.get("/panel/impugnaciones")
    async def own(request: Request, visitor: Unit) -> Response:
        return await _listing(tools, request, visitor)

    @routes.get("/panel/impugnaciones/{contest}")
    async def show(request: Request, visitor: Unit, contest: int) -> Response:
        return await _page(tools, request, visitor, contest=contest, answers=Answers({}))

    @routes.post("/panel/impugnaciones/{contest}")
    async def withdraw(request: Request, visitor: Unit, contest: int) -> Response:
        answers = await tools.read(request)
        if answers.get("paso") != "withdraw":
            raise UnknownPageError
        body = {"units": sorted(visitor.units)}
        return await _end(tools, request, visitor, contest=contest, answers=answers, body=body)


def _of_the_coordination(routes: APIRouter, tools: Tools) -> None:
    guard = tools.sessions.require(Role.COORDINATION)
    Coordinator = Annotated[Visitor, Depends(guard)]  # noqa: N806 - it is a type

    @routes.get("/coordinacion/impugnaciones")
    async def every(request: Request, visitor: Coordinator) -> Response:
        return await _listing(tools, request, visitor)

    @routes.get("/coordinacion/impugnaciones/{contest}")
    async def examine(request: Request, visitor: Coordinator, contest: int) -> Response:
        return await _page(tools, request, visitor, contest=contest, answers=Answers({}))

    @routes.post("/coordinacion/impugnaciones/{contest}")
    async def decide(request: Request, visitor: Coordinator, contest: int) -> Response:
        """Accept, reject or take an acceptance back; of two people at once the first decides."""
        answers = await tools.read(request)
        step = answers.get("paso")
        if step not in ("accept", "reject", "take_back"):
            raise UnknownPageError
        said = answers.required(f"motivo-{step}", "Escribe por qué", limit=MAX_TEXT)
        return await _end(
            tools, request, visitor, contest=contest, answers=answers, body={"said": said}
        )


async def waiting_contests(
    tools: Tools, request: Request, visitor: Visitor, *, away: list[str]
) -> list[JSON]:
    """Return the contests that wait for the coordination, the earliest cut-off first."""
    query = {"municipality": visitor.municipality, "state": "waiting"}
    call = tools.peers(request).get("measurements", "/v1/contests", query=query)
    found: list[JSON] = (await or_away(call, away)).get("contests", [])
    return found


async def _listing(tools: Tools, request: Request, visitor: Visitor) -> Response:
    away: list[str] = []
    call = tools.peers(request).get("measurements", "/v1/contests", query=_scope(visitor))
    found = (await or_away(call, away)).get("contests", [])
    return tools.page(
        request,
        "impugnaciones.html",
        place=await tools.place(request, visitor.municipality),
        contests=found,
        base=_base(visitor),
        now=utc_now(),
        away=away,
    )


def _base(visitor: Visitor) -> str:
    return f"{visitor.home}/impugnaciones"


def _scope(visitor: Visitor) -> dict[str, Any]:
    """Return what the visitor may see: a unit its own, the coordination every unit's."""
    own = sorted(visitor.units) if visitor.role is Role.UNIT else None
    return {"municipality": visitor.municipality, "unit": own}


async def _standing(
    tools: Tools, request: Request, municipality: str, *, compromiso: str, case: str
) -> Standing:
    """Raises UnknownPageError where the compromiso has no verdict on the case."""
    query = {"municipality": municipality, "case": case}
    try:
        found = await tools.peers(request).get("evaluator", "/v1/standing", query=query)
    except RefusedError as error:
        raise UnknownPageError from error
    cutoff = found["cutoff"] and datetime.fromisoformat(found["cutoff"])
    standing = Standing(case, compromiso, cutoff, found["verdicts"])
    if not standing.own:
        raise UnknownPageError
    return standing


async def _own_standing(
    tools: Tools, request: Request, visitor: Visitor, *, compromiso: str, case: str
) -> Standing:
    """Another unit's case looks as if there were none."""
    found = await _standing(tools, request, visitor.municipality, compromiso=compromiso, case=case)
    if not all(visitor.answers_for(each["unit"]) for each in found.own):
        raise UnknownPageError
    return found


async def _form(
    tools: Tools,
    request: Request,
    visitor: Visitor,
    standing: Standing,
    *,
    answers: Answers,
    status: int = 200,
) -> Response:
    place = await tools.place(request, visitor.municipality)
    hindrance = standing.hindrance(utc_now())
    return tools.page(
        request,
        "impugnar.html",
        place=place,
        status=status,
        standing=standing,
        hindrance=_said(hindrance, standing.cutoff, place) if hindrance else "",
        address=str(request.url.replace(scheme="", netloc="")),
        answers=answers,
        reasons=CONTEST_REASONS,
        statuses=CASE_STATUSES,
    )


def _said(hindrance: str, cutoff: datetime | None, place: Place) -> str:
    words = CONTEST_HINDRANCES.get(hindrance, NOT_TAKEN)
    if hindrance != "past_cutoff":
        return words
    if cutoff is None:
        return "El caso todavía no cuenta en ningún periodo."
    return f"{words} El corte fue el {deadline(cutoff, place.zone)}."


async def _file(
    tools: Tools, request: Request, visitor: Visitor, standing: Standing, *, answers: Answers
) -> Response:
    claim = {
        "reason": answers.choice("motivo", CONTEST_REASONS, "Elige por qué no debe contar"),
        "explanation": answers.required("explicacion", "Escribe qué pasó", limit=MAX_TEXT),
        "evidence": answers.required(
            "evidencia", "Escribe dónde consta lo que pasó", limit=MAX_EVIDENCE
        ),
    }
    if answers.errors or standing.cutoff is None:
        return await _form(tools, request, visitor, standing, answers=answers, status=422)
    subject = {
        "municipality": visitor.municipality,
        "post": visitor.post,
        "case": standing.case,
        "compromiso": standing.compromiso,
        "unit": standing.own[0]["unit"],
        "window": standing.own[0]["window_id"],
        **standing.told(),
    }
    try:
        filed = await tools.peers(request).post(
            "measurements", "/v1/contests", body={**subject, **claim}
        )
    except (RefusedError, PeerAwayError) as error:
        place = await tools.place(request, visitor.municipality)
        answers.errors["paso"], status = _refused(error, standing.cutoff, place)
        return await _form(tools, request, visitor, standing, answers=answers, status=status)
    await _tell(tools, request, visitor, filed)
    return see_other(f"{_base(visitor)}/{filed['contest']}")


async def _tell(tools: Tools, request: Request, visitor: Visitor, contest: JSON) -> None:
    """Have mail sent of the last step; where that fails, the pages say it all the same."""
    first, last = contest["steps"][0], contest["steps"][-1]
    if last["step"] == "withdraw":
        return
    place = await tools.place(request, visitor.municipality)
    told = {name: contest[name] for name in ("municipality", "unit", *MAILED)}
    step = {"step": last["step"], "at": last["at"], "post": first["post"]}
    promise = place.compromiso_text(contest["compromiso"])[:MAX_PROMISE]
    try:
        body = {**told, **step, "promise": promise}
        await tools.peers(request).post("notifier", "/v1/mails/contest", body=body)
    except (PeerAwayError, RefusedError):
        logger.exception("contest_not_mailed", extra={"contest": contest["contest"]})


def _refused(
    error: RefusedError | PeerAwayError, cutoff: datetime | None, place: Place
) -> tuple[str, int]:
    if isinstance(error, PeerAwayError):
        return AWAY.format(error.words), 503
    return _said(error.reason, cutoff, place), error.status


async def _contest(tools: Tools, request: Request, visitor: Visitor, contest: int) -> JSON:
    """Raises UnknownPageError, also for a contest of another unit or municipality."""
    try:
        return await tools.peers(request).get(
            "measurements", f"/v1/contests/{contest}", query=_scope(visitor)
        )
    except RefusedError as error:
        raise UnknownPageError from error


async def _end(
    tools: Tools,
    request: Request,
    visitor: Visitor,
    *,
    contest: int,
    answers: Answers,
    body: JSON,
) -> Response:
    """Have measurements take the step; sent again, it answers the same state."""
    step, found = answers.get("paso"), await _contest(tools, request, visitor, contest)
    if answers.errors:
        return await _page(tools, request, visitor, contest=contest, answers=answers, status=422)
    cutoff: datetime | None = None
    who = {"municipality": visitor.municipality, "post": visitor.post}
    try:
        if step in ("accept", "take_back"):
            standing = await _standing(
                tools,
                request,
                visitor.municipality,
                compromiso=found["compromiso"],
                case=found["case"],
            )
            cutoff, body = standing.cutoff, {**body, **standing.told()}
        path = f"/v1/contests/{contest}/{step}"
        ended = await tools.peers(request).post("measurements", path, body={**who, **body})
    except (RefusedError, PeerAwayError) as error:
        place = await tools.place(request, visitor.municipality)
        answers.errors["paso"], status = _refused(error, cutoff, place)
        return await _page(tools, request, visitor, contest=contest, answers=answers, status=status)
    await _tell(tools, request, visitor, ended)
    return see_other(f"{_base(visitor)}/{contest}")


async def _page(
    tools: Tools,
    request: Request,
    visitor: Visitor,
    *,
    contest: int,
    answers: Answers,
    status: int = 200,
) -> Response:
    away: list[str] = []
    found = await _contest(tools, request, visitor, contest)
    return tools.page(
        request,
        "impugnacion.html",
        place=await tools.place(request, visitor.municipality),
        status=status,
        contest=found,
        answers=answers,
        judged=await _judged(tools, request, found, away=away),
        decides=visitor.role is Role.COORDINATION,
        base=_base(visitor),
        now=utc_now(),
        away=away,
        reasons=CONTEST_REASONS,
        states=CONTEST_STATES,
        steps=CONTEST_STEPS,
        statuses=CASE_STATUSES,
    )


async def _judged(tools: Tools, request: Request, contest: JSON, *, away: list[str]) -> JSON:
    """Return what was recorded of the case, and where it counts; {} where nothing is told."""
    peers, case = (
        tools.peers(request),
        {
            "municipality": contest["municipality"],
            "case": contest["case"],
        },
    )
    query = {**case, "compromiso": contest["compromiso"]}
    try:
        told = await or_away(peers.get("evaluator", "/v1/explanations", query=query), away)
        counts = await or_away(peers.get("evaluator", "/v1/standing", query=case), [])
    except RefusedError:
        return {}
    return {**told, "standing": counts.get("verdicts", [])} if told else {}
