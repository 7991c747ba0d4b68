"""Errors as pages: what happened and what to do, in plain words; never a value."""

import logging
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.portal.peers import PeerAwayError, RefusedError
from services.portal.web.csrf import ForgedFormError
from services.portal.web.headers import security_headers
from services.portal.web.pages import Pages, see_other
from services.portal.web.sessions import NotForYouError, SignInNeededError
from shared.http import Problem
from shared.messaging.backoff import OUTAGES

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Words:
    """A title and what to do."""

    title: str
    advice: str


NOT_FOUND: Final = Words(
    "No encontramos esta página", "Revisa la dirección o vuelve al inicio para buscarla."
)
FORGED: Final = Words(
    "El formulario caducó",
    "Ábrelo de nuevo y vuelve a enviarlo. Tu navegador debe aceptar las cookies de este sitio.",
)
UNREADABLE: Final = Words(
    "No pudimos leer lo que enviaste", "Abre de nuevo la página y vuelve a intentarlo."
)
EXPIRED: Final = Words(
    "Este enlace venció",
    "La acción ya se cerró o el enlace fue sustituido. Usa el del aviso más reciente,"
    " o entra con tu correo institucional.",
)
TOO_LARGE: Final = Words("Es demasiado grande", "Acorta el texto y vuelve a enviarlo.")
BUSY: Final = Words(
    "Ahora no podemos atenderte", "Estamos trabajando en ello. Inténtalo en unos minutos."
)
FAULT: Final = Words(
    "Algo falló de nuestro lado", "Ya quedó registrado. Inténtalo de nuevo en unos minutos."
)
CHANGED: Final = Words("La información cambió", "Vuelve a abrir la página y revisa cómo está.")
MANY: Final = Words("Son demasiados intentos", "Espera unos minutos y vuelve a intentarlo.")
BY_STATUS: Final = {
    400: UNREADABLE,
    404: NOT_FOUND,
    409: CHANGED,
    410: EXPIRED,
    413: TOO_LARGE,
    422: UNREADABLE,
    429: MANY,
    503: BUSY,
}


def install_errors(
    app: FastAPI, pages: Pages, *, not_found: type[Exception], gone: type[Exception]
) -> None:
    """Answer every error of `app` as a page."""

    def page(request: Request, status: int, words: Words) -> Response:
        return pages.private(request, "error.html", status=status, words=words)

    async def on_missing(request: Request, error: Exception) -> Response:
        return page(request, 404, NOT_FOUND)

    async def on_gone(request: Request, error: Exception) -> Response:
        return page(request, 410, EXPIRED)

    async def on_forged(request: Request, error: Exception) -> Response:
        return page(request, 403, FORGED)

    async def on_refused(request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, RefusedError) else 404
        return page(request, status, BY_STATUS.get(status, NOT_FOUND))

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return page(request, status, BY_STATUS.get(status, NOT_FOUND))

    async def on_problem(request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, Problem) else 500
        return page(request, status, BY_STATUS.get(status, FAULT))

    async def on_fault(request: Request, error: Exception) -> Response:
        response = page(request, 500, FAULT)
        # Starlette answers a fault outside of all middleware.
        response.headers.update(security_headers(encrypted=pages.secure))
        return response

    for missing in (not_found, NotForYouError, RequestValidationError):
        app.add_exception_handler(missing, on_missing)
    app.add_exception_handler(gone, on_gone)
    app.add_exception_handler(ForgedFormError, on_forged)
    app.add_exception_handler(RefusedError, on_refused)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(Exception, on_fault)
    _install_waiting(app, pages)


def _install_waiting(app: FastAPI, pages: Pages) -> None:
    async def on_away(request: Request, error: Exception) -> Response:
        words = Words(
            "Esta parte no está disponible ahora",
            f"No responde {error.words}. Lo demás sigue funcionando; inténtalo en unos minutos."
            if isinstance(error, PeerAwayError)
            else BUSY.advice,
        )
        return pages.private(request, "error.html", status=503, words=words)

    async def on_outage(request: Request, error: Exception) -> Response:
        logger.warning("request_during_outage", extra={"path": _route(request)}, exc_info=error)
        return pages.private(request, "error.html", status=503, words=BUSY)

    async def on_stranger(request: Request, error: Exception) -> Response:
        chosen = isinstance(error, SignInNeededError) and error.signed_in
        return see_other("/puesto" if chosen else "/entrar")

    app.add_exception_handler(PeerAwayError, on_away)
    app.add_exception_handler(SignInNeededError, on_stranger)
    for outage in OUTAGES:
        app.add_exception_handler(outage, on_outage)


def _route(request: Request) -> str:
    """Return the route's pattern: an address may hold a token."""
    return str(getattr(request.scope.get("route"), "path", ""))
