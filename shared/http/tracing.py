"""W3C Trace Context: each request belongs to a trace, and every log line of it says which."""

import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.logs import log_fields

_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def new_traceparent() -> str:
    """Return the header of a new trace that is not sampled."""
    both = secrets.token_hex(24)
    return f"00-{both[:32]}-{both[32:]}-00"


class TraceContext:
    """Take the caller's trace, or begin one; answer with it; bind it to the logs.

    Only a caller with a credential (an emitter, a service of ours) is followed: the trace that a
    citizen's browser or network sends may name the person in somebody else's system.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; `scope["state"]["traceparent"]` is its trace."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        traceparent = _given(scope) or new_traceparent()
        scope.setdefault("state", {})["traceparent"] = traceparent

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).append((b"traceparent", traceparent.encode()))
            await send(message)

        with log_fields(traceparent=traceparent):
            await self._app(scope, receive, answering)


def _given(scope: Scope) -> str | None:
    headers = dict(scope["headers"])
    given = str(headers.get(b"traceparent", b"").decode("latin-1"))
    return given if b"authorization" in headers and _TRACEPARENT.fullmatch(given) else None
