"""HTTP in: emitters' events, and what became of them."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from services.measurements.domain.checks import Source, SourceState
from services.measurements.domain.explanations import explain
from services.measurements.metrics import Laps, Metrics, Part
from services.measurements.settings import Settings
from services.measurements.store import activity, sources
from services.measurements.use_cases import intake
from services.measurements.use_cases.intake import Outcome, Refused
from services.measurements.use_cases.tokens import Tokens
from shared.clock import utc_now
from shared.database import Connection
from shared.http import Problem, require_service
from shared.http.direct import DirectRoute
from shared.messaging import transaction
from shared.service import Context

logger = logging.getLogger(__name__)

Authenticate = Callable[[Request], Awaitable[Source]]
MAX_TOKEN_LENGTH = 200
NEEDS_TOKEN = {"WWW-Authenticate": "Bearer"}
EVENT_CONTENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            intake.STRUCTURED: {"schema": {"type": "object"}},
            intake.BATCHED: {"schema": {"type": "array", "items": {"type": "object"}}},
            intake.BINARY: {"schema": {"type": "object"}},
        },
    }
}


def authenticator(metrics: Metrics) -> Authenticate:
    """Return the check of an emitter's bearer token."""

    async def authenticate(request: Request) -> Source:
        """Raises Problem 401 for a token that is missing, wrong or revoked."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        source = None
        if scheme.lower() == "bearer" and 0 < len(token) <= MAX_TOKEN_LENGTH:
            tokens: Tokens = request.app.state.tokens
            source = await tokens.source_of(token)
        if source is None:
            metrics.unauthorised.inc()
            raise Problem(401, "a valid token is needed", headers=NEEDS_TOKEN)
        return source

    return authenticate


async def open_intake(app: FastAPI, context: Context) -> None:
    """Make ready what the intake's requests share."""
    app.state.tokens = Tokens(context.pool)


def emitter_routers(metrics: Metrics) -> list[APIRouter]:
    """Return what emitters see of theirs, and what the other services see of it."""
    return [_activity(authenticator(metrics)), _operation()]


def events_route(settings: Settings, metrics: Metrics) -> DirectRoute:
    """Return where the emitters' events come in."""
    authenticate = authenticator(metrics)

    async def post_events(request: Request) -> JSONResponse:
        """Take one CloudEvent or a batch. 202: they are durable; each bad one is named."""
        laps = Laps(metrics)
        source = await authenticate(request)
        if source.state is not SourceState.ACTIVE:
            raise Problem(403, "the source is suspended", explain("source_suspended"))
        laps.end(Part.AUTHORISE)
        body = await request.body()
        laps.end(Part.RECEIVE)
        context: Context = request.app.state.context
        events = await _read(request, source, body, limit=settings.max_batch_events)
        laps.end(Part.DECODE)
        trace = request.state.traceparent
        outcome = intake.sort_events(events, source, utc_now(), traceparent=trace)
        laps.end(Part.CHECK)
        messages = intake.messages_of(outcome.taken)
        laps.end(Part.ENCODE)
        await intake.send(context.producer, messages)
        laps.end(Part.ACKNOWLEDGE)
        await _record(context, source, outcome.refused)
        laps.end(Part.REFUSE)
        _measure(metrics, outcome)
        return _answer(outcome)

    return DirectRoute(
        "/v1/events",
        post_events,
        methods=["POST"],
        status_code=202,
        tags=["emitters"],
        openapi_extra=EVENT_CONTENT,
    )


async def _read(request: Request, source: Source, body: bytes, *, limit: int) -> list[object]:
    """Raises Problem 413, 415, 422."""
    try:
        return intake.read_events(request.headers, body, limit=limit)
    except intake.UnsupportedContentError as error:
        raise Problem(415, "the content type is not supported", str(error)) from None
    except intake.TooManyEventsError as error:
        raise Problem(413, "the batch is too large", str(error)) from None
    except intake.UnreadableBodyError as error:
        refused = [intake.unreadable(str(error))]
        await _record(request.app.state.context, source, refused)
        raise Problem(422, "the body cannot be read", str(error), reason="not_json") from None


async def _record(context: Context, source: Source, refused: list[Refused]) -> None:
    if refused:
        async with transaction(context.pool, service=context.settings.service) as tx:
            await intake.record_refusals(tx, source, refused)


def _measure(metrics: Metrics, outcome: Outcome) -> None:
    metrics.dropped_members.inc(outcome.dropped)
    for item in outcome.refused:
        metrics.edge_refused.labels(item.refusal.reason.value).inc()


def _answer(outcome: Outcome) -> JSONResponse:
    """Answer 202 with what was refused; 422 where there was something and nothing was good."""
    refused = [_named(item) for item in outcome.refused]
    if refused and not outcome.taken:
        raise Problem(422, "no event was accepted", accepted=0, refused=refused)
    body = {"accepted": len(outcome.taken), "refused": refused}
    return JSONResponse(body, status_code=202)


def _named(item: Refused) -> dict[str, Any]:
    refusal = item.refusal
    return {
        "index": item.index,
        "id": item.event_id,
        "reason": refusal.reason.value,
        "field": refusal.field,
        "detail": refusal.detail,
        "explanation": explain(refusal.reason.value),
    }


def _activity(authenticate: Authenticate) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["emitters"])

    @router.get("/activity")
    async def get_activity(
        request: Request, source: Annotated[Source, Depends(authenticate)]
    ) -> dict[str, Any]:
        """Return the source's last events, and its refusals with their reasons."""
        context: Context = request.app.state.context
        async with context.pool.acquire() as con:
            return await _activity_of(con, source)  # type: ignore[arg-type]

    return router


def _operation() -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["services"], dependencies=[Depends(require_service)])

    @router.get("/sources")
    async def get_sources(request: Request, municipality: str | None = None) -> dict[str, Any]:
        """Return the registered sources, of one municipality or of all."""
        context: Context = request.app.state.context
        async with context.pool.acquire() as con:
            found = await sources.all_sources(con)  # type: ignore[arg-type]
        wanted = [s for s in found if municipality in (None, s.municipality)]
        return {"sources": [_described(source) for source in wanted]}

    @router.get("/sources/{source_id}/activity")
    async def get_source_activity(request: Request, source_id: int) -> dict[str, Any]:
        """Return what the source's own people see. 404 for an unknown source."""
        context: Context = request.app.state.context
        async with context.pool.acquire() as con:
            for source in await sources.all_sources(con):  # type: ignore[arg-type]
                if source.source_id == source_id:
                    return await _activity_of(con, source)  # type: ignore[arg-type]
        raise Problem(404, "there is no such source")

    return router


def _described(source: Source) -> dict[str, Any]:
    return {
        "source_id": source.source_id,
        "source": source.uri,
        "municipality": source.municipality,
        "historical": source.historical,
        "services": sorted(source.services),
        "reports": sorted(source.reports),
        "expects": None if source.expects is None else asdict(source.expects),
        "attributes": sorted(source.attributes),
        "grace_seconds": source.grace_seconds,
        "state": source.state.value,
    }


async def _activity_of(con: Connection, source: Source) -> dict[str, Any]:
    state, since, reason = await sources.state_of(con, source.source_id)
    refusals = await activity.last_refusals(con, source.source_id, source.uri)
    return {
        **_described(source),
        "state": state.value,
        "state_since": since,
        "state_reason": reason,
        "days": [asdict(day) for day in await activity.last_days(con, source.uri)],
        "events": [asdict(event) for event in await activity.last_facts(con, source.source_id)],
        "refusals": [
            asdict(refusal) | {"explanation": explain(refusal.reason)} for refusal in refusals
        ],
    }
