"""The administrator: who may sign in, and how the services are."""

from asyncio import gather
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, reading
from services.portal.domain.visitors import ROLE_WORDS, Visitor
from services.portal.peers import NAMES
from services.portal.store import accounts, catalogue
from shared.contracts.cartas import MunicipalityData, PostData, Role
from shared.database import Connection

Posts = list[tuple[MunicipalityData, list[PostData]]]


def router(tools: Tools) -> APIRouter:
    """Return the route."""
    routes = APIRouter(include_in_schema=False)
    administrator = tools.sessions.require(Role.ADMINISTRATOR)

    @routes.get("/administracion")
    async def overview(
        request: Request, visitor: Annotated[Visitor, Depends(administrator)]
    ) -> Response:
        """Posts with what lets them in; services with their health."""
        async with reading(request) as connection:
            posts = await _posts(connection, visitor)
            last = await accounts.last_sign_ins(connection)
            administrators = await accounts.administrators(connection)
        peers = tools.peers(request)
        well = await gather(*(peers.is_well(name) for name in NAMES))
        return tools.page(
            request,
            "administracion.html",
            posts=posts,
            last=last,
            administrators=[] if visitor.municipality else administrators,
            services=list(zip(NAMES.items(), well, strict=True)),
            address_of=tools.settings.address_of,
            roles=ROLE_WORDS,
        )

    return routes


async def _posts(connection: Connection, visitor: Visitor) -> Posts:
    """A municipality's administrator sees its own posts; the installation's sees all."""
    every = await catalogue.municipalities(connection)
    shown = [m for m in every if visitor.municipality in ("", m.municipality)]
    return [(m, await catalogue.posts(connection, m.municipality)) for m in shown]
