"""One folio as unit, coordination or Contraloria works on it."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.buzon import CHANGES
from services.portal.api.tools import Tools, UnknownPageError
from services.portal.api.words import FINDINGS, KINDS, SITUATIONS
from services.portal.domain.visitors import Visitor
from services.portal.peers import JSON, RefusedError
from services.portal.use_cases.showing import Place
from services.portal.web.forms import Answers
from services.portal.web.pages import see_other
from services.portal.web.sessions import Guard
from shared.contracts.cartas import Role
from shared.contracts.events import Identifier

PLACES: Final = {
    Role.UNIT: "/panel",
    Role.COORDINATION: "/coordinacion",
    Role.CONTRALORIA: "/contraloria",
}
WRITINGS: Final = {
    "complaint": "Lo que escribió la persona",
    "place": "Dónde",
    "question": "Aclaración que se pidió",
    "clarification": "Aclaración de la persona",
    "answer": "Respuesta",
    "note": "Nota para la Contraloría",
}
DONE: Final = "El folio cambió mientras escribías. Revisa cómo está ahora."
NOT_TAKEN: Final = "No se pudo guardar. Revisa los datos."
CONTACT: Final = "contact"
CONFLICT: Final = 409
NOT_FOUND: Final = (403, 404)


def router(tools: Tools) -> APIRouter:
    """Return the same two routes under each role's own address."""
    routes = APIRouter(include_in_schema=False)
    for role, prefix in PLACES.items():
        _add(routes, tools, prefix, guard=tools.sessions.require(role))
    return routes


def _add(routes: APIRouter, tools: Tools, prefix: str, *, guard: Guard) -> None:
    @routes.get(f"{prefix}/folios/{{folio}}")
    async def read(
        request: Request, folio: Identifier, visitor: Annotated[Visitor, Depends(guard)]
    ) -> Response:
        return await _page(tools, request, visitor, folio=folio, answers=Answers({}))

    @routes.post(f"{prefix}/folios/{{folio}}")
    async def work(
        request: Request, folio: Identifier, visitor: Annotated[Visitor, Depends(guard)]
    ) -> Response:
        """Take one step; the same step sent again changes nothing."""
        answers = await tools.read(request)
        step = answers.get("paso")
        if step == CONTACT:
            return await _with_contact(tools, request, visitor, folio=folio)
        if step not in STEPS:
            raise UnknownPageError
        body = STEPS[step](answers) | {"post": visitor.post}
        if not answers.errors:
            try:
                await tools.peers(request).post("buzon", f"/v1/folios/{folio}/{step}", body=body)
                gone = step == "refer"
                return see_other(visitor.home if gone else f"{prefix}/folios/{folio}")
            except RefusedError as error:
                if error.status in NOT_FOUND:
                    raise UnknownPageError from error
                answers.errors[step] = DONE if error.status == CONFLICT else NOT_TAKEN
        return await _page(tools, request, visitor, folio=folio, answers=answers, status=422)


async def _with_contact(
    tools: Tools, request: Request, visitor: Visitor, *, folio: str
) -> Response:
    """Show the citizen's address once; the buzon records who read it."""
    try:
        answer = await tools.peers(request).post(
            "buzon", f"/v1/folios/{folio}/contact", body={"post": visitor.post}
        )
    except RefusedError as error:
        raise UnknownPageError from error
    contact = answer["contact_mail"]
    return await _page(tools, request, visitor, folio=folio, answers=Answers({}), contact=contact)


async def _page(
    tools: Tools,
    request: Request,
    visitor: Visitor,
    *,
    folio: str,
    answers: Answers,
    status: int = 200,
    contact: str | None = None,
) -> Response:
    place = await tools.place(request, visitor.municipality)
    peers = tools.peers(request)
    try:
        found = await peers.get("buzon", f"/v1/folios/{folio}", query={"post": visitor.post})
    except RefusedError as error:
        raise UnknownPageError from error
    return tools.page(
        request,
        "folio_trabajo.html",
        place=place,
        status=status,
        found=found,
        answers=answers,
        contact=contact,
        compromisos=_compromisos(place, found),
        units={code: unit.name for code, unit in sorted(place.units.items())},
        changes=CHANGES,
        findings=FINDINGS,
        kinds=KINDS,
        situations=SITUATIONS,
        writings=WRITINGS,
    )


def _compromisos(place: Place, found: JSON) -> dict[str, str]:
    """Promises that the folio can be about: those of its carta."""
    versions = [carta for carta in place.cartas if carta.carta == found["carta"]]
    return {each.id: each.text for each in versions[-1].compromisos} if versions else {}


def _text(step: str, complaint: str) -> Callable[[Answers], dict[str, Any]]:
    def read(answers: Answers) -> dict[str, Any]:
        return {"text": answers.required(f"{step}-texto", complaint)}

    return read


def _answer(answers: Answers) -> dict[str, Any]:
    finding = answers.get("answer-finding")
    body: dict[str, Any] = {"text": answers.required("answer-texto", "Escribe la respuesta")}
    return body | ({"finding": finding} if finding in FINDINGS else {})


def _finding(answers: Answers) -> dict[str, Any]:
    return {"finding": answers.choice("finding", FINDINGS, "Elige si la persona tiene razón")}


def _refer(answers: Answers) -> dict[str, Any]:
    note = answers.optional("refer-texto", limit=4000)
    return {"text": note} if note else {}


STEPS: Final[dict[str, Callable[[Answers], dict[str, Any]]]] = {
    "answer": _answer,
    "finding": _finding,
    "pause": _text("pause", "Escribe qué necesitas que aclare"),
    "resume": lambda answers: {},
    "not-competent": _text("not-competent", "Escribe a qué autoridad le corresponde"),
    "refer": _refer,
    "duplicate": lambda answers: {"of": answers.required("of", "Escribe el otro folio", limit=40)},
    "link": lambda answers: {
        "compromiso": answers.required("compromiso", "Elige un compromiso", limit=64)
    },
    "assign": lambda answers: {"unit": answers.required("unit", "Elige una unidad", limit=64)},
}
