"""A route of which nothing is solved, bound or validated before its function: for hot requests."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send


class DirectRoute(APIRoute):
    """Documented and matched like any other; the function gets the request as it came.

    What stands before every route does so here as well: limits, traces, the handlers of errors.
    """

    def __init__(
        self, path: str, answer: Callable[[Request], Awaitable[Response]], **documented: Any
    ) -> None:
        super().__init__(path, answer, **documented)
        self._answer = answer
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)
