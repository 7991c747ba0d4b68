"""HTTP in: the citizens' filing and status, the posts' lists and steps, and how refusals look."""

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from services.buzon.api import citizens, posts
from services.buzon.domain.cases import StepRefusedError
from services.buzon.domain.folios import MalformedFolioError
from services.buzon.domain.secrets import Keys
from services.buzon.metrics import Metrics
from services.buzon.settings import Settings
from services.buzon.use_cases.errors import NotTakenError, TooManyRequestsError
from shared.http.problems import problem_response

TITLES = {
    "unknown_municipality": "there is no such municipality",
    "unknown_carta": "no such carta is in force",
    "unknown_compromiso": "there is no such compromiso in the folio's carta",
    "unknown_unit": "there is no such unit",
    "unknown_original": "the folio cannot be a duplicate of that one",
    "suspected_spam": "this does not look like a person's writing",
    "idempotency_key_reused": "the same Idempotency-Key came with other content",
    "too_many_requests": "too many requests, try again later",
    "unknown_folio": "folio and secret do not belong together, or there is no such folio",
    "not_this_post": "this is not for this post",
}


def routers(settings: Settings, keys: Keys, metrics: Metrics) -> tuple[APIRouter, ...]:
    """Return the routes. The citizens' come first: `/status` is no folio."""
    return citizens.router(settings, keys, metrics), posts.router(keys, metrics)


def install_refusals(app: FastAPI, metrics: Metrics) -> None:
    """Answer what is not taken as a problem with its `reason`, and count it."""

    @app.exception_handler(NotTakenError)
    async def on_not_taken(request: Request, error: NotTakenError) -> Response:
        metrics.not_taken.labels(error.reason).inc()
        wait = error.retry_after_seconds if isinstance(error, TooManyRequestsError) else None
        headers = {"Retry-After": str(wait)} if wait is not None else None
        return problem_response(
            error.status, TITLES[error.reason], headers=headers, reason=error.reason
        )

    @app.exception_handler(StepRefusedError)
    async def on_step(request: Request, error: StepRefusedError) -> Response:
        metrics.not_taken.labels("step_not_possible").inc()
        return problem_response(
            409,
            "the folio does not allow this step now",
            reason="step_not_possible",
            allowed=sorted(error.allowed),
        )

    @app.exception_handler(MalformedFolioError)
    async def on_malformed(request: Request, error: MalformedFolioError) -> Response:
        metrics.not_taken.labels("malformed_folio").inc()
        title = "the folio is not written correctly"
        return problem_response(404, title, reason="malformed_folio")
