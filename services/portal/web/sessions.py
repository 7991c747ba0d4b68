"""Who asks: the session cookie, and what each role may open."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request

from services.portal.domain.visitors import Visitor
from services.portal.use_cases import entering
from services.portal.use_cases.entering import Session
from shared.clock import utc_now
from shared.contracts.cartas import Role

COOKIE: Final = "sesion"
Guard = Callable[[Request], Awaitable[Visitor]]


def cookie_name(name: str, *, secure: bool) -> str:
    """Return the name; with TLS the prefix makes browsers refuse it from anywhere else."""
    return f"__Host-{name}" if secure else name


class SignInNeededError(Exception):
    """Nobody is signed in, or a mailbox that has still to choose its post (`signed_in`)."""

    def __init__(self, *, signed_in: bool) -> None:
        super().__init__()
        self.signed_in = signed_in


class NotForYouError(Exception):
    """The visitor may not open this: answered as if it were not there."""


class Sessions:
    """Finds the visitor of a request."""

    def __init__(self, *, cookie: str) -> None:
        self.cookie = cookie

    def token(self, request: Request) -> str:
        return request.cookies.get(self.cookie, "")

    async def session(self, request: Request) -> Session | None:
        """Return the session of the request's cookie, None without one that holds."""
        token = self.token(request)
        if not token:
            return None
        async with request.app.state.context.pool.acquire() as connection:
            found = await entering.session_of(connection, token, utc_now())
        request.state.visitor = found.visitor if found else None
        return found

    def require(self, *roles: Role) -> Guard:
        """Return the dependency that lets only visitors with one of the roles pass."""

        async def guard(request: Request) -> Visitor:
            found = await self.session(request)
            if found is None or found.visitor is None:
                raise SignInNeededError(signed_in=found is not None)
            if found.visitor.role not in roles:
                raise NotForYouError
            return found.visitor

        return guard
