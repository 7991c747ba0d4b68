"""Pages of text: accessibility, privacy; and what robots may read."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from services.portal.api.tools import Tools

ROBOTS = """User-agent: *
Disallow: /a/
Disallow: /entrar
Disallow: /folio
Disallow: /panel
Disallow: /coordinacion
Disallow: /contraloria
Disallow: /administracion
Disallow: /emisor
"""


def router(tools: Tools) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/accesibilidad")
    async def accessibility(request: Request) -> Response:
        return tools.pages.public(request, "accesibilidad.html")

    @routes.get("/privacidad")
    async def privacy(request: Request) -> Response:
        return tools.pages.public(request, "privacidad.html")

    @routes.get("/robots.txt")
    async def robots(request: Request) -> Response:
        return PlainTextResponse(ROBOTS)

    @routes.get("/favicon.ico")
    async def icon(request: Request) -> Response:
        return RedirectResponse(tools.static.url("icono.svg"), status_code=301)

    return routes
