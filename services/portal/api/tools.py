"""What every page's handler works with."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from services.portal.metrics import Metrics
from services.portal.peers import JSON, PeerAwayError, Peers
from services.portal.settings import Settings
from services.portal.use_cases import showing
from services.portal.use_cases.showing import Place
from services.portal.web.csrf import Forms
from services.portal.web.forms import Answers, read_form
from services.portal.web.pages import Pages
from services.portal.web.sessions import Sessions
from services.portal.web.static import StaticFiles
from shared.database import Connection
from shared.messaging import Transaction, transaction


class UnknownPageError(Exception):
    """There is nothing at this address."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Settings and the parts of `web`, wired once."""

    settings: Settings
    pages: Pages
    forms: Forms
    sessions: Sessions
    static: StaticFiles
    metrics: Metrics

    @property
    def session_for(self) -> timedelta:
        return timedelta(hours=self.settings.session_hours)

    def peers(self, request: Request) -> Peers:
        """Return the other services."""
        return Peers(self.settings, request.app.state.context.http, self.metrics)

    async def read(self, request: Request) -> Answers:
        """Return the answers of the posted form. Raises ForgedFormError."""
        return await read_form(request, self.forms)

    async def place(self, request: Request, municipality: str) -> Place:
        """Return the municipality. Raises UnknownPageError."""
        async with reading(request) as connection:
            found = await showing.place(connection, municipality)
        if found is None:
            raise UnknownPageError
        return found

    def page(
        self,
        request: Request,
        template: str,
        *,
        place: Place | None = None,
        status: int = 200,
        **context: Any,
    ) -> Response:
        """Return a private page, in the municipality's name where one is given."""
        return self.pages.private(request, template, status=status, **_naming(place), **context)

    def public_page(
        self, request: Request, template: str, *, place: Place, **context: Any
    ) -> Response:
        """Return a page that is the same for everybody."""
        return self.pages.public(request, template, **_naming(place), **context)


def _naming(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {}
    return {"municipality": place.data, "place": place, "zone": place.zone}


@asynccontextmanager
async def reading(request: Request) -> AsyncIterator[Connection]:
    """One statement of what is there now: all reads see the same instant."""
    pool = request.app.state.context.pool
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


@asynccontextmanager
async def writing(request: Request) -> AsyncIterator[Transaction]:
    async with transaction(request.app.state.context.pool, service="portal") as tx:
        yield tx


async def or_away(call: Awaitable[JSON], away: list[str]) -> JSON:
    """Return the answer; where the service is away, {} and its name among `away`."""
    try:
        return await call
    except PeerAwayError as error:
        away.append(error.words)
        return {}
