"""The citizen's pages: writing to the buzon, asking how a folio stands."""

import re
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools
from services.portal.domain.headings import CartaHeading
from services.portal.peers import RefusedError
from services.portal.use_cases.showing import Place
from services.portal.web.forms import Answers
from shared.clock import utc_now
from shared.contracts.complaints import ComplaintKind
from shared.contracts.events import Code

KINDS: Final = {
    ComplaintKind.QUEJA.value: "Queja: no estoy conforme con la atención o el servicio",
    ComplaintKind.RECLAMACION.value: "Reclamación: no se cumplió un compromiso conmigo",
    ComplaintKind.SUGERENCIA.value: "Sugerencia: propongo una mejora",
    ComplaintKind.RECONOCIMIENTO.value: "Reconocimiento: quiero agradecer",
    ComplaintKind.DENUNCIA.value: "Denuncia: la conducta de una persona servidora pública",
}
KIND_WORDS: Final = {
    "queja": "queja",
    "reclamacion": "reclamación",
    "sugerencia": "sugerencia",
    "reconocimiento": "reconocimiento",
    "denuncia": "denuncia",
}
CHANGES: Final = {
    "filed": "La recibimos",
    "assigned": "La turnamos a la unidad responsable",
    "paused": "Te pedimos una aclaración",
    "resumed": "Seguimos con tu caso",
    "answered": "La respondimos",
    "upheld": "Se reconoció que tienes razón",
    "rejected": "No se encontró un incumplimiento",
    "duplicate": "Se atiende junto con otro folio igual",
    "referred": "La turnamos a la Contraloría",
    "reopened": "Se reabrió",
    "withdrawn": "Se retiró",
    "linked": "La relacionamos con un compromiso de la carta",
    "redated": "Cambió el calendario de días hábiles",
}
REFUSALS: Final = {
    "too_many_requests": "Recibimos muchos envíos desde tu conexión. Inténtalo más tarde.",
    "suspected_spam": "El formulario se envió demasiado rápido. Revísalo y envíalo otra vez.",
    "unknown_carta": "Esa carta ya no está vigente. Elige otra, o ninguna.",
    "idempotency_key_reused": "Esta página ya se usó para otro envío. Abre el buzón de nuevo.",
}
NO_MATCH: Final = "El folio y la clave no coinciden. Revísalos y vuelve a intentarlo."
NOT_TAKEN: Final = "No pudimos recibirla así. Revisa lo que escribiste e inténtalo otra vez."
MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MAX_TEXT: Final = 4000
TOO_MANY: Final = 429
LONGEST_SECONDS: Final = 86_400


def router(tools: Tools) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False)
    _add_writing(routes, tools)
    _add_status(routes, tools)
    return routes


def _add_writing(routes: APIRouter, tools: Tools) -> None:
    @routes.get("/{municipality}/buzon")
    async def form(request: Request, municipality: Code, carta: str = "") -> Response:
        """The form; `carta` chooses the service beforehand."""
        place = await tools.place(request, municipality)
        return _form(tools, request, place, answers=Answers({"carta": carta}))

    @routes.post("/{municipality}/buzon")
    async def send(request: Request, municipality: Code) -> Response:
        """Give folio and secret. The same form sent again gives the same ones."""
        place = await tools.place(request, municipality)
        answers = await tools.read(request)
        body = _filing(answers, place)
        if answers.errors:
            return _form(tools, request, place, answers=answers, status=422)
        headers = {
            "Idempotency-Key": answers.get("solicitud") or secrets.token_urlsafe(24),
            "X-Client-Key": _client(request),
        }
        try:
            receipt = await tools.peers(request).post(
                "buzon", "/v1/folios", headers=headers, body=body
            )
        except RefusedError as error:
            answers.errors["texto"] = REFUSALS.get(error.reason, NOT_TAKEN)
            status = TOO_MANY if error.status == TOO_MANY else 422
            return _form(tools, request, place, answers=answers, status=status)
        return tools.page(
            request,
            "buzon_recibido.html",
            place=place,
            receipt=receipt,
            kind=KIND_WORDS[body["kind"]],
        )


def _form(
    tools: Tools, request: Request, place: Place, *, answers: Answers, status: int = 200
) -> Response:
    return tools.page(
        request,
        "buzon.html",
        place=place,
        status=status,
        answers=answers,
        kinds=KINDS,
        cartas=_choices(place),
        attempt=answers.get("solicitud") or secrets.token_urlsafe(24),
        opened=answers.get("abierto") or str(int(time.time())),
    )


def _choices(place: Place) -> dict[str, str]:
    """Cartas in force by code, in order of their names; none is a choice as well."""
    names = {c.carta: c.name for c in place.cartas if _in_force(c, place)}
    ordered = sorted(names.items(), key=lambda pair: pair[1])
    return {"": "Ninguno en especial, o no sé", **dict(ordered)}


def _in_force(carta: CartaHeading, place: Place) -> bool:
    today = utc_now().astimezone(place.zone).date()
    return carta.valid_from <= today and (carta.valid_to is None or today <= carta.valid_to)


def _filing(answers: Answers, place: Place) -> dict[str, Any]:
    kind = answers.choice("tipo", KINDS, "Elige qué quieres enviar")
    text = answers.required("texto", "Escribe qué pasó", limit=MAX_TEXT)
    carta = answers.choice("carta", _choices(place), "Elige un trámite de la lista")
    mail = answers.optional("correo", limit=254)
    if mail and not MAIL.fullmatch(mail):
        answers.errors["correo"] = "Escribe un correo como nombre@ejemplo.mx"
    body = {
        "municipality": place.data.municipality,
        "kind": kind,
        "text": text,
        "carta": carta or None,
        "place": answers.optional("lugar") or None,
        "contact_mail": mail or None,
        "website": answers.get("sitio")[:200],
        "fill_seconds": _seconds_since(answers.get("abierto")),
    }
    return {name: value for name, value in body.items() if value is not None}


def _seconds_since(opened: str) -> int | None:
    """Return how long the form was open; None where the page does not say."""
    if not opened.isdecimal() or len(opened) > 12:
        return None
    return min(max(int(time.time()) - int(opened), 0), LONGEST_SECONDS)


def _client(request: Request) -> str:
    """Return what the buzon counts requests by; it keeps only a keyed hash of it."""
    return request.client.host if request.client else "unknown"


def _add_status(routes: APIRouter, tools: Tools) -> None:
    @routes.get("/folio")
    async def form(request: Request) -> Response:
        """Ask for folio and secret; they are posted, so that no address holds them."""
        return tools.page(request, "folio.html", answers=Answers({}))

    @routes.post("/folio")
    async def status(request: Request) -> Response:
        answers = await tools.read(request)
        return await _ask(tools, request, answers, path="/v1/folios/status", body={})

    @routes.post("/folio/aclaracion")
    async def clarify(request: Request) -> Response:
        """Take the citizen's words on what the unit asked, and show the folio again."""
        answers = await tools.read(request)
        text = answers.required("texto", "Escribe tu aclaración", limit=MAX_TEXT)
        if answers.errors:
            return await _ask(tools, request, answers, path="/v1/folios/status", body={})
        path = "/v1/folios/clarification"
        return await _ask(tools, request, answers, path=path, body={"text": text})


async def _ask(
    tools: Tools, request: Request, answers: Answers, *, path: str, body: Mapping[str, str]
) -> Response:
    folio = answers.required("folio", "Escribe tu folio", limit=40)
    secret = answers.required("clave", "Escribe tu clave", limit=40)
    if "folio" in answers.errors or "clave" in answers.errors:
        return tools.page(request, "folio.html", answers=answers, status=422)
    wanted = {"folio": folio, "secret": secret, **body}
    headers = {"X-Client-Key": _client(request)}
    try:
        found = await tools.peers(request).post("buzon", path, headers=headers, body=wanted)
    except RefusedError as error:
        many = error.status == TOO_MANY
        answers.errors["folio"] = REFUSALS["too_many_requests"] if many else NO_MATCH
        status = TOO_MANY if many else 422
        return tools.page(request, "folio.html", answers=answers, status=status)
    place = await tools.place(request, found["municipality"])
    return tools.page(
        request,
        "folio_estado.html",
        place=place,
        found=found,
        answers=answers,
        secret=secret,
        changes=CHANGES,
        kind=KIND_WORDS.get(found["kind"], found["kind"]),
        today=utc_now().astimezone(place.zone).date(),
        status=422 if answers.errors else 200,
    )
