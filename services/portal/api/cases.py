"""The cases behind a figure, as the evaluator judged them: ids and times, no person."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, UnknownPageError, reading
from services.portal.domain.visitors import Visitor
from services.portal.peers import RefusedError
from services.portal.spanish import elapsed
from services.portal.store import catalogue, results
from shared.contracts.cartas import CartaData, Role
from shared.contracts.events import Code
from shared.criteria import measures_of

STATUSES: Final = {
    "failed": "Fuera de plazo",
    "pending": "Pendientes",
    "met": "En plazo",
    "excluded": "No considerados",
}
PAGE: Final = 100
MAX_POSITION: Final = 160


def router(tools: Tools) -> APIRouter:
    """Return the route for the roles that answer for cases."""
    routes = APIRouter(include_in_schema=False)
    answering = tools.sessions.require(Role.UNIT, Role.COORDINATION)

    @routes.get("/casos")
    async def cases(  # noqa: PLR0917 - each is a query parameter
        request: Request,
        visitor: Annotated[Visitor, Depends(answering)],
        compromiso: Code,
        unidad: Code,
        periodo: Code,
        estado: str = "failed",
        despues: str = "",
    ) -> Response:
        """One page of cases of a compromiso, unit and window; a unit sees its own only."""
        if visitor.role is Role.UNIT and not visitor.answers_for(unidad):
            raise UnknownPageError
        if estado not in STATUSES or len(despues) > MAX_POSITION:
            raise UnknownPageError
        place = await tools.place(request, visitor.municipality)
        query = {"compromiso": compromiso, "unit": unidad, "window": periodo}
        try:
            found = await tools.peers(request).get(
                "evaluator",
                "/v1/cases",
                query={
                    **query,
                    "municipality": visitor.municipality,
                    "status": estado,
                    "limit": str(PAGE),
                    "after": despues or None,
                },
            )
        except RefusedError as error:
            raise UnknownPageError from error
        async with reading(request) as connection:
            window = (compromiso, unidad, periodo)
            states = await results.of_window(connection, visitor.municipality, window)
            promised = await catalogue.cartas(
                connection, visitor.municipality, place.cartas_with(compromiso)
            )
        return tools.page(
            request,
            "casos.html",
            place=place,
            found=found,
            corrected=[each for each in states if each.causes],
            query={"compromiso": compromiso, "unidad": unidad, "periodo": periodo},
            state=estado,
            states=STATUSES,
            elapsed=_elapsed_in(promised, compromiso),
            may_contest=visitor.role is Role.UNIT and estado != "excluded",
        )

    return routes


class _Elapsed:
    """Writes how long a case took, in the unit of the part's clock."""

    def __init__(self, units: Mapping[int, str]) -> None:
        self._units = units

    def __call__(self, case: dict[str, Any]) -> str:
        if case["amount"] is None:
            return "Sigue abierto" if case["overdue_open"] else "–"
        return elapsed(case["amount"], self._units.get(case["part"], "min"))


def _elapsed_in(cartas: Sequence[CartaData], compromiso: str) -> _Elapsed:
    criteria = [c.criterion for k in cartas for c in k.compromisos if c.id == compromiso]
    measures = measures_of(criteria[-1]) if criteria else ()
    clocks = {number: measure.clock for number, measure in enumerate(measures)}
    return _Elapsed({number: clock.unit.value for number, clock in clocks.items() if clock})
