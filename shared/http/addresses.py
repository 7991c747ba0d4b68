"""Addresses that name nothing, whatever they were to name."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.problems import Problem


class PlainAddress:
    """Answer 404 for a NUL in the path, 400 for one in the query.

    Nothing is called so, and PostgreSQL's text has none.

    The application's own handler of problems words the answer: JSON, or a page for people.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        status = _status_of_nul(scope) if scope["type"] == "http" else None
        if status is None:
            await self._app(scope, receive, send)
            return
        problem = Problem(status, "the address holds a NUL")
        response = await scope["app"].exception_handlers[Problem](Request(scope), problem)
        await response(scope, receive, send)


def _status_of_nul(scope: Scope) -> int | None:
    if "\x00" in scope["path"]:
        return 404
    return 400 if b"%00" in scope["query_string"] else None
