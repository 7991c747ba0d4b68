"""Errors as `application/problem+json` (RFC 9457): what, where and why; never a value."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from shared.messaging.backoff import OUTAGES
from shared.messaging.producer import KafkaUnavailableError

logger = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = "5"


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer other than success. `detail` is read by a person; `more` are extra members."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers
        self.more = more


def problem_response(
    status: int, title: str, detail: str = "", *, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Return the response."""
    body = {"type": "about:blank", "status": status, "title": title, **more}
    if detail:
        body["detail"] = detail
    return JSONResponse(
        body, status_code=status, headers=headers, media_type="application/problem+json"
    )


def install_problems(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        return problem_response(
            error.status, error.title, error.detail, headers=error.headers, **error.more
        )

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers) if error.headers else None
        return problem_response(error.status_code, str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            {"field": ".".join(map(str, fault["loc"])), "message": fault["msg"]}
            for fault in error.errors()
        ]
        return problem_response(422, "the request does not have the expected form", errors=faults)

    async def on_outage(request: Request, error: Exception) -> Response:
        # The route, not the address: addresses may hold signed tokens and folios.
        route = getattr(request.scope.get("route"), "path", "")
        logger.warning("request_during_outage", extra={"route": route}, exc_info=error)
        headers = {"Retry-After": RETRY_AFTER_SECONDS}
        return problem_response(503, "try again shortly", headers=headers)

    for outage in (*OUTAGES, KafkaUnavailableError):
        app.add_exception_handler(outage, on_outage)
