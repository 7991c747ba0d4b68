"""A compromiso that is not in force yet, judged on what happened already: before it is promised."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, UnknownPageError
from services.portal.domain.disclosure import Disclosure, PublicResult, publish
from services.portal.domain.visitors import Visitor
from services.portal.peers import JSON, PeerAwayError, RefusedError
from services.portal.use_cases.showing import Place
from shared import spanish
from shared.clock import utc_now
from shared.contracts.cartas import Role
from shared.contracts.events import Code
from shared.contracts.results import ResultData, ResultWindow
from shared.criteria import Window
from shared.criteria.windows import windows_between

WINDOWS: Final = 8
YEARS_BACK: Final = timedelta(days=8 * 366)
"""As long as the longest windows need."""
WOULD: Final = {
    "met": "Se cumpliría",
    "not_met": "No se cumpliría",
    "not_evaluated": "Sin veredicto",
}
EVERYTHING: Final = Disclosure(0, strict=False)
NOT_TRIED: Final = "No se pudo probar. Revisa el compromiso."


def router(tools: Tools) -> APIRouter:
    """Return the route; it is the coordination's, and changes nothing."""
    routes = APIRouter(prefix="/coordinacion/cartas", include_in_schema=False)
    Coordinator = Annotated[  # noqa: N806 - it is a type
        Visitor, Depends(tools.sessions.require(Role.COORDINATION))
    ]
    Number = Annotated[int, Path(ge=1, le=1_000_000)]  # noqa: N806 - it is a type

    @routes.get("/{carta}/{version}/prueba")
    async def trial(
        request: Request,
        visitor: Coordinator,
        *,
        carta: Code,
        version: Number,
        compromiso: Code,
        periodo: str = "",
    ) -> Response:
        """Choose a past window; then what would have been said of it."""
        found = await _version(tools, request, visitor, carta=carta, version=version)
        place = await tools.place(request, visitor.municipality)
        promised = _compromiso(found, compromiso)
        windows = _windows(Window.model_validate(promised["window"]), place)
        wanted = [each for each in windows if each.id == periodo]
        told = await _try(tools, request, found, promised=promised, window=wanted) if wanted else {}
        return tools.page(
            request,
            "coordinacion_prueba.html",
            place=place,
            found=found,
            promised=promised,
            windows=windows,
            window=wanted[0] if wanted else None,
            told=told,
            would=WOULD,
        )

    return routes


async def _version(
    tools: Tools, request: Request, visitor: Visitor, *, carta: str, version: int
) -> JSON:
    """Raises UnknownPageError, also where the draft cannot be read."""
    path = f"/v1/versions/{visitor.municipality}/{carta}/{version}"
    try:
        found = await tools.peers(request).get("cartas", path)
    except RefusedError as error:
        raise UnknownPageError from error
    if not found["data"]:
        raise UnknownPageError
    return found


def _compromiso(found: JSON, compromiso: str) -> JSON:
    for each in found["data"]["compromisos"]:
        if each["id"] == compromiso:
            own: JSON = each
            return own
    raise UnknownPageError


def _windows(window: Window, place: Place) -> list[ResultWindow]:
    """Return the last windows that are over, the latest first."""
    now = utc_now()
    found = [
        ResultWindow(
            id=each.id, kind=window.kind.value, start=each.start, end=each.end, closes_at=each.end
        )
        for each in windows_between(window, now - YEARS_BACK, now, place.zone)
        if each.end <= now
    ]
    return found[: -WINDOWS - 1 : -1]


async def _try(
    tools: Tools, request: Request, found: JSON, *, promised: JSON, window: list[ResultWindow]
) -> dict[str, Any]:
    """Return what the evaluator says, or in `error` why it says nothing."""
    data = found["data"]
    body = {
        "municipality": found["municipality"],
        "services": data["services"],
        "unit": data["unit"],
        "window": window[0].id,
        "compromiso": promised,
        "event_words": data.get("event_words", {}),
    }
    try:
        told = await tools.peers(request).post("evaluator", "/v1/trials", body=body)
    except PeerAwayError as error:
        return {"error": f"Ahora no responde {error.words}. Inténtalo en unos minutos."}
    except RefusedError as error:
        said = "; ".join(map(str, error.body.get("faults", ())))
        return {"error": f"{NOT_TRIED} {said[:1].upper()}{said[1:]}".strip()}
    return {"units": [_unit(each) for each in told["units"]]}


def _unit(told: JSON) -> dict[str, Any]:
    """Return one unit's trial: nothing is withheld from those who answer for the cases."""
    shown = publish(ResultData.model_validate_json(json.dumps(told["result"])), EVERYTHING)
    return {**told, "shown": shown, "beside": [_beside(each, shown) for each in told["beside"]]}


def _beside(told: JSON, shown: PublicResult) -> dict[str, Any]:
    part = shown.parts[told["part"]]
    words = spanish.target(Decimal(told["target"]), part.target_op, part.unit)
    return {**told, "words": words, "would": WOULD[told["verdict"]]}
