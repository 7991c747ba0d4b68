"""What everybody sees: municipalities, results, cartas, open data."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.portal.api.tools import Tools, UnknownPageError, reading
from services.portal.domain.board import Board
from services.portal.domain.states import State
from services.portal.domain.table import COLUMNS, as_csv
from services.portal.spanish import sentence, window_as_span
from services.portal.store import catalogue
from services.portal.use_cases import showing
from services.portal.use_cases.showing import Place
from shared.clock import utc_now
from shared.contracts.events import Code

MAX_SEARCH = 100


def router(tools: Tools) -> APIRouter:
    """Return the routes; `/{municipality}` takes any single word, so they come last of all."""
    routes = APIRouter(include_in_schema=False)
    _add_front(routes, tools)
    _add_carta(routes, tools)
    _add_data(routes, tools)
    return routes


def _add_front(routes: APIRouter, tools: Tools) -> None:
    @routes.get("/")
    async def front(request: Request) -> Response:
        """The municipalities; the only one where there is just one."""
        async with reading(request) as connection:
            found = await catalogue.municipalities(connection)
        if len(found) == 1:
            return RedirectResponse(f"/{found[0].municipality}", status_code=307)
        return tools.pages.public(request, "municipios.html", municipalities=found)

    @routes.get("/{municipality}")
    async def results(request: Request, municipality: Code, q: str = "") -> Response:
        """The headline, the counts, the cartas, what was not kept and what is being done."""
        place = await tools.place(request, municipality)
        now = utc_now()
        async with reading(request) as connection:
            board = await showing.overview(connection, place, now)
            buzon = await showing.buzon_counts(connection, place, now)
        words = q.strip()[:MAX_SEARCH]
        return tools.public_page(
            request,
            "inicio.html",
            place=place,
            board=board,
            found=board.matching(words) if words else board,
            words=words,
            period=_period(board, place),
            as_of=_as_of(board),
            buzon=buzon,
        )

    @routes.get("/{municipality}/compromisos")
    async def compromisos(request: Request, municipality: Code, estado: str = "") -> Response:
        """The compromisos in one state, or all."""
        place = await tools.place(request, municipality)
        if estado and estado not in list(State):
            raise UnknownPageError
        state = State(estado) if estado else None
        async with reading(request) as connection:
            board = await showing.overview(connection, place, utc_now())
        return tools.public_page(request, "compromisos.html", place=place, board=board, state=state)


def _add_carta(routes: APIRouter, tools: Tools) -> None:
    # Codes on paper are in capitals, as are addresses in QR codes.
    @routes.get("/{municipality}/C/{carta}")
    @routes.get("/{municipality}/c/{carta}")
    async def carta(request: Request, municipality: Code, carta: Code) -> Response:
        """One carta: each compromiso with what became of it."""
        place = await tools.place(request, municipality)
        async with reading(request) as connection:
            board = await showing.one_carta(connection, place, carta, now=utc_now())
        if not board.cartas:
            raise UnknownPageError
        return tools.public_page(request, "carta.html", place=place, carta=board.cartas[0])


def _add_data(routes: APIRouter, tools: Tools) -> None:
    @routes.get("/{municipality}/datos")
    async def data(request: Request, municipality: Code) -> Response:
        """What the open data hold, column by column."""
        place = await tools.place(request, municipality)
        return tools.public_page(request, "datos.html", place=place, columns=COLUMNS)

    @routes.get("/{municipality}/resultados.csv")
    async def csv(request: Request, municipality: Code) -> Response:
        """The same figures as the pages, as a file."""
        place = await tools.place(request, municipality)
        async with reading(request) as connection:
            rows = await showing.open_data(connection, place)
        headers = {
            "Content-Disposition": f'attachment; filename="resultados-{municipality}.csv"',
            "Cache-Control": "public, max-age=15",
        }
        return Response(
            as_csv(rows).encode(), media_type="text/csv; charset=utf-8", headers=headers
        )


def _period(board: Board, place: Place) -> str:
    """Say the one window that the headline is of; compromisos with other windows have their own."""
    windows = {(each.window.start, each.window.end) for each in board.judged_results}
    if len(windows) == 1:
        window = board.judged_results[0].window
        return sentence(window_as_span(window, place.zone))
    return "En su último periodo cerrado"


def _as_of(board: Board) -> str | None:
    """Return the latest instant (ISO 8601) that any figure on the page speaks of."""
    return max((result.as_of_text for result in board.judged_results), default=None)
