"""First pages of a unit and of the Contraloria: what waits for them."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, or_away, reading
from services.portal.api.words import ACTION_STATES, KINDS, SITUATIONS
from services.portal.domain.running import running_lines
from services.portal.domain.visitors import Visitor
from services.portal.store import catalogue, results
from shared.clock import utc_now
from shared.contracts.cartas import Role

STATEMENT_DAYS = 30
CLOSED = ("closed",)


def router(tools: Tools) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False)
    unit = tools.sessions.require(Role.UNIT)
    contraloria = tools.sessions.require(Role.CONTRALORIA)

    @routes.get("/panel")
    async def panel(request: Request, visitor: Annotated[Visitor, Depends(unit)]) -> Response:
        """Actions and folios of the unit, the soonest due first, and how its promises stand."""
        place = await tools.place(request, visitor.municipality)
        away: list[str] = []
        now = utc_now()
        async with reading(request) as connection:
            statements = await results.recent_statements(
                connection,
                visitor.municipality,
                visitor.units,
                since=now - timedelta(days=STATEMENT_DAYS),
            )
            running = await results.running(
                connection,
                visitor.municipality,
                cartas={each.carta for each in place.cartas if visitor.answers_for(each.unit)},
                units=visitor.units,
            )
            promised = await catalogue.cartas(
                connection, visitor.municipality, {each.carta for each in running}
            )
        return tools.page(
            request,
            "panel.html",
            place=place,
            actions=await _actions(tools, request, visitor, away=away),
            folios=await _folios(tools, request, visitor, away=away, waiting=True),
            statements=statements,
            running=running_lines(promised, running),
            away=away,
            now=now,
            today=now.astimezone(place.zone).date(),
            states=ACTION_STATES,
            kinds=KINDS,
            situations=SITUATIONS,
        )

    @routes.get("/contraloria")
    async def referred(
        request: Request, visitor: Annotated[Visitor, Depends(contraloria)]
    ) -> Response:
        """Folios about somebody's conduct; nobody else sees them."""
        place = await tools.place(request, visitor.municipality)
        away: list[str] = []
        folios = await _folios(tools, request, visitor, away=away, referred=True)
        return tools.page(
            request,
            "contraloria.html",
            place=place,
            folios=folios,
            away=away,
            today=utc_now().astimezone(place.zone).date(),
            kinds=KINDS,
            situations=SITUATIONS,
        )

    return routes


async def _actions(
    tools: Tools, request: Request, visitor: Visitor, *, away: list[str]
) -> list[dict[str, Any]]:
    """Return the unit's open actions, those whose term ends soonest first."""
    call = tools.peers(request).get(
        "notifier",
        "/v1/actions",
        query={"municipality": visitor.municipality, "unit": visitor.unit},
    )
    found = (await or_away(call, away)).get("actions", [])
    own = [a for a in found if visitor.answers_for(a["responsible_unit"], a["unit"])]
    open_ones = [action for action in own if action["state"] not in CLOSED]
    return sorted(open_ones, key=lambda a: (a["plan_by"] is None, a["plan_by"] or ""))


async def _folios(
    tools: Tools, request: Request, visitor: Visitor, *, away: list[str], **wanted: bool
) -> list[dict[str, Any]]:
    """Return folios that the post may see, as the buzon judges it."""
    flags = {name: str(value).lower() for name, value in wanted.items()}
    query = {"municipality": visitor.municipality, "post": visitor.post, **flags}
    call = tools.peers(request).get("buzon", "/v1/folios", query=query)
    folios: list[dict[str, Any]] = (await or_away(call, away)).get("folios", [])
    return sorted(folios, key=lambda f: (f["answer_by"] is None, f["answer_by"] or ""))
