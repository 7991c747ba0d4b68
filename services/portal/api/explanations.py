"""How a figure came about, step by step, for anybody who doubts it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, UnknownPageError, reading
from services.portal.domain.explaining import public_explanation
from services.portal.store import catalogue, results
from shared.contracts.events import Code


def router(tools: Tools) -> APIRouter:
    """Return the public route; the cases behind the figure are for those who answer for them."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/{municipality}/resultado")
    async def result(
        request: Request,
        municipality: Code,
        *,
        compromiso: Code,
        unidad: Code,
        periodo: Code,
        edicion: Annotated[int | None, Query(ge=0, le=100_000)] = None,
    ) -> Response:
        """One edition of a result; the latest where none is asked for."""
        place = await tools.place(request, municipality)
        async with reading(request) as connection:
            window = (compromiso, unidad, periodo)
            states = await results.of_window(connection, municipality, window)
            cartas = await catalogue.cartas(connection, municipality, {s.carta for s in states})
        found = public_explanation(place.data, cartas, states, edition=edicion)
        if found is None:
            raise UnknownPageError
        query = {"compromiso": compromiso, "unidad": unidad, "periodo": periodo}
        return tools.public_page(
            request, "resultado.html", place=place, found=found, window_query=query
        )

    return routes
