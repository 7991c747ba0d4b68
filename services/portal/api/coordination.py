"""The coordination: all actions, folios without a unit, mail that did not arrive."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.actions import CHANGED, CONFLICT, NOT_TAKEN, triggers_of
from services.portal.api.contests import waiting_contests
from services.portal.api.tools import Tools, UnknownPageError, or_away
from services.portal.api.words import (
    ACTION_STATES,
    ACTION_STEPS,
    CAUSES,
    DELIVERIES,
    KINDS,
    MAIL_KINDS,
    SITUATIONS,
)
from services.portal.domain.visitors import Visitor
from services.portal.peers import RefusedError
from services.portal.web.forms import Answers
from services.portal.web.pages import see_other
from shared.clock import utc_now
from shared.contracts.cartas import Role
from shared.contracts.events import Identifier

DELIVERED: Final = "accepted"
MAX_PUBLIC: Final = 2000


def router(tools: Tools) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False)
    coordination = tools.sessions.require(Role.COORDINATION)
    Coordinator = Annotated[Visitor, Depends(coordination)]  # noqa: N806 - it is a type

    @routes.get("/coordinacion")
    async def overview(
        request: Request, visitor: Coordinator, unidad: str = "", estado: str = ""
    ) -> Response:
        """All actions, by unit and state; folios that wait; mail that did not arrive."""
        return await _overview(tools, request, visitor, unit=unidad, state=estado)

    @routes.get("/coordinacion/acciones/{action}")
    async def show(request: Request, visitor: Coordinator, action: Identifier) -> Response:
        return await _page(tools, request, visitor, action=action, answers=Answers({}))

    @routes.post("/coordinacion/acciones/{action}")
    async def decide(request: Request, visitor: Coordinator, action: Identifier) -> Response:
        """Approve or return; sent again, it changes nothing."""
        answers = await tools.read(request)
        return await _decide(tools, request, visitor, action=action, answers=answers)

    return routes


async def _overview(
    tools: Tools, request: Request, visitor: Visitor, *, unit: str, state: str
) -> Response:
    place = await tools.place(request, visitor.municipality)
    peers, away = tools.peers(request), list[str]()
    where = {"municipality": visitor.municipality}
    wanted = {
        "unit": unit if unit in place.units else None,
        "state": state if state in ACTION_STATES else None,
    }
    actions = peers.get("notifier", "/v1/actions", query={**where, **wanted})
    folios = peers.get(
        "buzon", "/v1/folios", query=where | {"post": visitor.post, "waiting": "true"}
    )
    found = (await or_away(actions, away)).get("actions", [])
    waiting = (await or_away(folios, away)).get("folios", [])
    contests = await waiting_contests(tools, request, visitor, away=away)
    # Awaited last: what fails here has been told for the notifier already.
    failed = await _failed_deliveries(tools, request, visitor, away=away)
    return tools.page(
        request,
        "coordinacion.html",
        place=place,
        actions=found,
        folios=waiting,
        contests=contests,
        deliveries=failed,
        away=sorted(set(away)),
        unit=unit,
        state=state,
        units={code: each.name for code, each in sorted(place.units.items())},
        now=utc_now(),
        today=utc_now().astimezone(place.zone).date(),
        states=ACTION_STATES,
        outcomes=DELIVERIES,
        mail_kinds=MAIL_KINDS,
        kinds=KINDS,
        situations=SITUATIONS,
    )


async def _failed_deliveries(
    tools: Tools, request: Request, visitor: Visitor, *, away: list[str]
) -> list[dict[str, Any]]:
    call = tools.peers(request).get(
        "notifier", "/v1/deliveries", query={"municipality": visitor.municipality}
    )
    ledger: list[dict[str, Any]] = (await or_away(call, away)).get("deliveries", [])
    return [line for line in ledger if line["outcome"] != DELIVERED][:20]


async def _decide(
    tools: Tools, request: Request, visitor: Visitor, *, action: str, answers: Answers
) -> Response:
    step = answers.get("paso")
    if step not in ("approve", "return"):
        raise UnknownPageError
    await _own(tools, request, visitor, action=action)
    body = _approval(answers) if step == "approve" else _return(answers)
    if answers.errors:
        return await _page(tools, request, visitor, action=action, answers=answers, status=422)
    try:
        path = f"/v1/actions/{action}/{step}"
        await tools.peers(request).post("notifier", path, body={**body, "post": visitor.post})
    except RefusedError as error:
        answers.errors["paso"] = CHANGED if error.status == CONFLICT else NOT_TAKEN
        return await _page(
            tools, request, visitor, action=action, answers=answers, status=error.status
        )
    return see_other(f"/coordinacion/acciones/{action}")


def _approval(answers: Answers) -> dict[str, Any]:
    text = answers.optional("publico", limit=MAX_PUBLIC)
    return {"public_text": text} if text else {}


def _return(answers: Answers) -> dict[str, Any]:
    return {"reason": answers.required("motivo", "Escribe por qué la devuelves")}


async def _own(tools: Tools, request: Request, visitor: Visitor, *, action: str) -> dict[str, Any]:
    """Return the action if it is of the visitor's municipality. Raises UnknownPageError."""
    try:
        found = await tools.peers(request).get("notifier", f"/v1/actions/{action}")
    except RefusedError as error:
        raise UnknownPageError from error
    if found["municipality"] != visitor.municipality:
        raise UnknownPageError
    return found


async def _page(
    tools: Tools,
    request: Request,
    visitor: Visitor,
    *,
    action: str,
    answers: Answers,
    status: int = 200,
) -> Response:
    place = await tools.place(request, visitor.municipality)
    found = await _own(tools, request, visitor, action=action)
    away: list[str] = []
    call = tools.peers(request).get(
        "notifier", "/v1/deliveries", query={"municipality": visitor.municipality, "action": action}
    )
    ledger = (await or_away(call, away)).get("deliveries", [])
    return tools.page(
        request,
        "coordinacion_accion.html",
        place=place,
        status=status,
        action=found,
        triggers=triggers_of(found),
        answers=answers,
        deliveries=ledger,
        away=away,
        causes=CAUSES,
        states=ACTION_STATES,
        steps=ACTION_STEPS,
        outcomes=DELIVERIES,
        mail_kinds=MAIL_KINDS,
    )
