"""A limit on request bodies that holds whatever Content-Length says."""

from contextlib import suppress

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import Problem


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """Answer 413 as soon as a body exceeds `max_bytes`; the rest of it is not read into memory.

    The application's own handler of problems words the answer: JSON, or a page for people.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._declared(scope) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        started = False
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise _TooLargeError
            return message

        async def noting(message: Message) -> None:
            nonlocal started
            # Frameworks turn an error while the body is read into an answer of their own.
            if read <= self._max_bytes:
                started = True
                await send(message)

        with suppress(_TooLargeError):
            await self._app(scope, limited, noting)
        if read > self._max_bytes and not started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem(413, "the body is too large", f"at most {self._max_bytes} bytes")
        response = await scope["app"].exception_handlers[Problem](Request(scope), problem)
        await response(scope, receive, send)

    @staticmethod
    def _declared(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0
