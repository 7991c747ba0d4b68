"""Counts and times every answer."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.portal.metrics import Metrics

NO_ROUTE = "none"


class Measuring:
    """Labels by the route's pattern, never by the address: it may hold a token."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._count(scope, message["status"], begun)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            # Starlette answers a fault outside of all middleware.
            if not has_begun:
                self._count(scope, 500, begun)
            raise

    def _count(self, scope: Scope, status: int, begun: float) -> None:
        page = getattr(scope.get("route"), "path", NO_ROUTE)
        self._metrics.pages.labels(page, f"{status // 100}xx").inc()
        self._metrics.seconds.labels(page).observe(time.perf_counter() - begun)
