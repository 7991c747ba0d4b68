"""Addresses that name nothing, whatever they were to name."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.problems import Problem


class PlainAddress:
    """Answer 400 for a NUL in path or query: nothing is called so, and PostgreSQL's text has none.

    The application's own handler of problems words the answer: JSON, or a page for people.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _holds_nul(scope):
            await self._app(scope, receive, send)
            return
        problem = Problem(400, "the address holds a NUL")
        response = await scope["app"].exception_handlers[Problem](Request(scope), problem)
        await response(scope, receive, send)


def _holds_nul(scope: Scope) -> bool:
    return "\x00" in scope["path"] or b"%00" in scope["query_string"]
