"""The coordination's cartas: their versions, what each changes, its approval and publication."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, UnknownPageError, or_away
from services.portal.domain.visitors import Visitor
from services.portal.peers import JSON, RefusedError
from services.portal.web.forms import Answers
from services.portal.web.pages import see_other
from shared.contracts.cartas import Role
from shared.contracts.events import Code

LIVES: Final = {
    "borrador": ("Borrador", "blue"),
    "aprobada": ("Aprobada", "yellow"),
    "publicada": ("Publicada, aún no rige", "turquoise"),
    "vigente": ("Vigente", "green"),
    "retirada": ("Retirada", "grey"),
}
STEPS: Final = {
    "loaded": "Se cargó de un archivo, con su acta",
    "drafted": "Se guardó el borrador",
    "approved": "Se aprobó",
    "published": "Se publicó",
    "ended": "Se fijó su último día",
    "retired": "Se retiró",
    "restored": "Volvió a su vigencia anterior",
    "certified": "Se anotó su certificado",
}
NOT_TAKEN: Final = "No se pudo registrar. Revisa los datos."
WARNINGS: Final = "warnings"
SOON_DAYS: Final = 90
MAX_REASON: Final = 300


def router(tools: Tools) -> APIRouter:
    """Return the routes; all of them are the coordination's."""
    routes = APIRouter(prefix="/coordinacion/cartas", include_in_schema=False)
    Coordinator = Annotated[  # noqa: N806 - it is a type
        Visitor, Depends(tools.sessions.require(Role.COORDINATION))
    ]
    Number = Annotated[int, Path(ge=1, le=1_000_000)]  # noqa: N806 - it is a type

    @routes.get("")
    async def overview(request: Request, visitor: Coordinator) -> Response:
        """All versions by carta; certificates that expire soon."""
        return await _overview(tools, request, visitor)

    @routes.get("/{carta}/{version}")
    async def show(
        request: Request, visitor: Coordinator, carta: Code, version: Number
    ) -> Response:
        found = await _version(tools, request, visitor, carta=carta, version=version)
        return await _page(tools, request, found, answers=Answers({}))

    @routes.post("/{carta}/{version}")
    async def act(request: Request, visitor: Coordinator, carta: Code, version: Number) -> Response:
        """Approve, publish or retire; sent again, it changes nothing."""
        found = await _version(tools, request, visitor, carta=carta, version=version)
        return await _act(tools, request, visitor, found=found)

    return routes


async def _overview(tools: Tools, request: Request, visitor: Visitor) -> Response:
    place = await tools.place(request, visitor.municipality)
    where: Mapping[str, str] = {"municipality": visitor.municipality}
    away: list[str] = []
    peers = tools.peers(request)
    found = (await or_away(peers.get("cartas", "/v1/versions", query=where), away)).get(
        "versions", []
    )
    soon = {**where, "within_days": str(SOON_DAYS)}
    certificates = (await or_away(peers.get("cartas", "/v1/certificates", query=soon), away)).get(
        "certificates", []
    )
    return tools.page(
        request,
        "coordinacion_cartas.html",
        place=place,
        cartas=by_carta(found),
        certificates=certificates,
        away=sorted(set(away)),
        lives=LIVES,
        soon_days=SOON_DAYS,
    )


def by_carta(found: list[JSON]) -> dict[str, list[JSON]]:
    """Group versions, which come by carta and newest first, under the one that holds.

    Those on their way follow, then what was withdrawn or has ended.
    """
    grouped: dict[str, list[JSON]] = {}
    for each in found:
        grouped.setdefault(each["carta"], []).append(each)
    return {code: sorted(versions, key=_standing) for code, versions in grouped.items()}


def _standing(version: JSON) -> int:
    return {"vigente": 0, "retirada": 2}.get(version["life"], 1)


async def _version(
    tools: Tools, request: Request, visitor: Visitor, *, carta: str, version: int
) -> JSON:
    """Return a version of the visitor's own municipality. Raises UnknownPageError."""
    path = f"/v1/versions/{visitor.municipality}/{carta}/{version}"
    try:
        return await tools.peers(request).get("cartas", path)
    except RefusedError as error:
        raise UnknownPageError from error


async def _act(tools: Tools, request: Request, visitor: Visitor, *, found: JSON) -> Response:
    answers = await tools.read(request)
    step = answers.get("paso")
    if step not in ("approve", "publish", "retire"):
        raise UnknownPageError
    body = _body(step, answers)
    if answers.errors:
        return await _page(tools, request, found, answers=answers, status=422)
    here = f"{found['municipality']}/{found['carta']}/{found['version']}"
    try:
        path = f"/v1/versions/{here}/{step}"
        await tools.peers(request).post("cartas", path, body={**body, "post": visitor.post})
    except RefusedError as error:
        return await _refused(tools, request, found, answers=answers, error=error)
    return see_other(f"/coordinacion/cartas/{found['carta']}/{found['version']}")


async def _refused(
    tools: Tools, request: Request, found: JSON, *, answers: Answers, error: RefusedError
) -> Response:
    """Show why not; warnings are shown to be acknowledged with the same form."""
    to_acknowledge: JSON = error.body if error.reason == WARNINGS else {}
    if to_acknowledge:
        answers.errors["avisos"] = "Revisa los avisos y confirma que los tomaste en cuenta"
    else:
        said = error.body.get("faults") or [error.body.get("detail") or NOT_TAKEN]
        answers.errors["paso"] = _sentence("; ".join(map(str, said)))
    return await _page(
        tools, request, found, answers=answers, status=error.status, acknowledging=to_acknowledge
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _body(step: str, answers: Answers) -> dict[str, Any]:
    """Read the form in the order of its fields, which is the order of its errors."""
    if step == "publish":
        return {}
    if step == "retire":
        reason = answers.required("motivo", "Escribe por qué la retiras", limit=MAX_REASON)
        last = _day(answers, "ultimo")
        return {"reason": reason, "last": last, "acknowledge": _noted(answers)}
    acta = answers.required("acta", "Escribe el número del acta", limit=MAX_REASON)
    body = answers.required("organo", "Escribe quién la aprobó", limit=MAX_REASON)
    dated = answers.day("fecha", "Escribe la fecha del acta con día, mes y año")
    first = answers.day("desde", "Escribe el primer día de vigencia con día, mes y año")
    last = _day(answers, "hasta")
    document = answers.optional("documento", limit=MAX_REASON) or None
    return {
        "record": acta,
        "body": body,
        "dated": _iso(dated),
        "valid_from": _iso(first),
        "valid_to": last,
        "document": document,
        "acknowledge": _noted(answers),
    }


def _noted(answers: Answers) -> str:
    """Return the code of the warnings that were shown, once their box is ticked."""
    return answers.get("codigo")[:20] if answers.get("enterada") == "si" else ""


def _day(answers: Answers, name: str) -> str | None:
    """Read a date that may be left out: all three fields are then empty."""
    if not any(answers.get(f"{name}-{part}") for part in ("day", "month", "year")):
        return None
    return _iso(answers.day(name, "Escribe la fecha con día, mes y año, o déjala vacía"))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


async def _page(
    tools: Tools,
    request: Request,
    found: JSON,
    *,
    answers: Answers,
    status: int = 200,
    acknowledging: JSON | None = None,
) -> Response:
    place = await tools.place(request, found["municipality"])
    return tools.page(
        request,
        "coordinacion_carta.html",
        place=place,
        status=status,
        found=found,
        answers=answers,
        acknowledging=acknowledging or {},
        lives=LIVES,
        steps=STEPS,
    )
