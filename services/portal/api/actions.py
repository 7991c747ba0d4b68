"""A corrective action as the unit fills it in: from the link in the alert, or signed in."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, UnknownPageError
from services.portal.api.words import ACTION_STATES, ACTION_STEPS, CAUSES
from services.portal.domain.visitors import Visitor
from services.portal.peers import JSON, RefusedError
from services.portal.web.forms import Answers
from services.portal.web.pages import see_other
from shared.clock import utc_now
from shared.contracts.breaches import BreachData
from shared.contracts.cartas import Role
from shared.contracts.events import Identifier

GONE: Final = 410
CONFLICT: Final = 409
CHANGED: Final = "La acción cambió mientras escribías. Revisa cómo está ahora."
NOT_TAKEN: Final = "No se pudo registrar. Revisa los datos."
MAX_TOKEN_LENGTH: Final = 600


class ExpiredLinkError(Exception):
    """The link was good once: the action is closed, or the link was revoked."""


@dataclass(frozen=True, slots=True)
class Door:
    """How the visitor came to the action: for which post, and where its page is."""

    action: JSON
    post: str
    address: str


def router(tools: Tools) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False)
    unit = tools.sessions.require(Role.UNIT)

    @routes.get("/a/{token}")
    async def show_link(request: Request, token: str) -> Response:
        """Show only: scanners that open links in mail change nothing."""
        return await _page(tools, request, await _by_link(tools, request, token))

    @routes.post("/a/{token}")
    async def act_by_link(request: Request, token: str) -> Response:
        return await _act(tools, request, await _by_link(tools, request, token))

    @routes.get("/panel/acciones/{action}")
    async def show(
        request: Request, action: Identifier, visitor: Annotated[Visitor, Depends(unit)]
    ) -> Response:
        return await _page(tools, request, await _signed_in(tools, request, visitor, action=action))

    @routes.post("/panel/acciones/{action}")
    async def act(
        request: Request, action: Identifier, visitor: Annotated[Visitor, Depends(unit)]
    ) -> Response:
        return await _act(tools, request, await _signed_in(tools, request, visitor, action=action))

    return routes


async def _by_link(tools: Tools, request: Request, token: str) -> Door:
    """Raises ExpiredLinkError, UnknownPageError."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise UnknownPageError
    try:
        found = await tools.peers(request).get("notifier", f"/v1/links/{token}")
    except RefusedError as error:
        if error.status == GONE:
            raise ExpiredLinkError from error
        raise UnknownPageError from error
    return Door(found["action"], found["post"], f"/a/{token}")


async def _signed_in(tools: Tools, request: Request, visitor: Visitor, *, action: str) -> Door:
    """A unit opens its own actions only; another's looks as if it were not there."""
    try:
        found = await tools.peers(request).get("notifier", f"/v1/actions/{action}")
    except RefusedError as error:
        raise UnknownPageError from error
    own = visitor.answers_for(found["responsible_unit"], found["unit"])
    if found["municipality"] != visitor.municipality or not own:
        raise UnknownPageError
    return Door(found, visitor.post, f"/panel/acciones/{action}")


async def _act(tools: Tools, request: Request, door: Door) -> Response:
    answers = await tools.read(request)
    step = answers.get("paso")
    if step == "acuse":
        return await _take(tools, request, door, answers=answers, path="acknowledge", body={})
    if step not in ("revisar", "cambiar", "confirmar"):
        raise UnknownPageError
    body = _filing(answers)
    if step == "cambiar":
        answers.errors.clear()
        return await _page(tools, request, door, answers=answers)
    if answers.errors:
        return await _page(tools, request, door, answers=answers, status=422)
    if step == "revisar":
        return await _page(tools, request, door, answers=answers, template="accion_revisar.html")
    return await _take(tools, request, door, answers=answers, path="file", body=body)


async def _take(
    tools: Tools, request: Request, door: Door, *, answers: Answers, path: str, body: JSON
) -> Response:
    """Have the notifier take the step; sent again, it answers the same state."""
    address = f"/v1/actions/{door.action['action']}/{path}"
    try:
        await tools.peers(request).post("notifier", address, body={**body, "post": door.post})
    except RefusedError as error:
        answers.errors["paso"] = CHANGED if error.status == CONFLICT else NOT_TAKEN
        return await _page(tools, request, door, answers=answers, status=error.status)
    return see_other(door.address)


def _filing(answers: Answers) -> dict[str, Any]:
    """Read the form in the order of its fields, which is the order of its errors."""
    category = answers.choice("categoria", CAUSES, "Elige el tipo de causa")
    cause = answers.required("causa", "Escribe por qué no se cumplió")
    containment = answers.optional("contencion", limit=4000)
    plan = answers.required("accion", "Escribe qué van a hacer")
    planned_for = answers.day("fecha", "Escribe una fecha con día, mes y año")
    if planned_for is not None and planned_for < utc_now().date() - ONE_DAY:
        answers.errors["fecha"] = "La fecha debe ser de hoy en adelante"
    return {
        "cause_category": category,
        "cause": cause,
        "containment": containment,
        "plan": plan,
        "planned_for": planned_for.isoformat() if planned_for else "",
        "propose_change": answers.get("propone") == "si",
    }


ONE_DAY: Final = timedelta(days=1)
"""West of UTC, where we are, today is still yesterday's date for some hours."""


async def _page(
    tools: Tools,
    request: Request,
    door: Door,
    *,
    answers: Answers | None = None,
    template: str = "accion.html",
    status: int = 200,
) -> Response:
    place = await tools.place(request, door.action["municipality"])
    action = door.action
    return tools.page(
        request,
        template,
        place=place,
        status=status,
        action=action,
        address=door.address,
        triggers=triggers_of(action),
        answers=answers or Answers(_filed(action)),
        causes=CAUSES,
        states=ACTION_STATES,
        steps=ACTION_STEPS,
    )


def triggers_of(action: JSON) -> list[BreachData]:
    """Return what asked for the action, with its figures as they were said then."""
    return [BreachData.model_validate_json(json.dumps(t["data"])) for t in action["triggers"]]


def _filed(action: JSON) -> dict[str, str]:
    """What was filed before, to be mended when it was returned."""
    planned = date.fromisoformat(action["planned_for"]) if action["planned_for"] else None
    return {
        "categoria": action["cause_category"] or "",
        "causa": action["cause"] or "",
        "contencion": action["containment"] or "",
        "accion": action["plan"] or "",
        "propone": "si" if action["propose_change"] else "",
        "fecha-day": str(planned.day) if planned else "",
        "fecha-month": str(planned.month) if planned else "",
        "fecha-year": str(planned.year) if planned else "",
    }
