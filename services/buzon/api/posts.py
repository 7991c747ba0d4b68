"""What units, the coordination and the Contraloria do, through the portal's service credential."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request

from services.buzon.api.forms import (
    AnswerForm,
    AssignForm,
    DuplicateForm,
    FindingForm,
    LinkForm,
    ReferForm,
    StepForm,
    TextForm,
    folio_view,
    post_view,
)
from services.buzon.domain.cases import Step
from services.buzon.domain.folios import parse_folio
from services.buzon.domain.secrets import Keys
from services.buzon.metrics import Metrics
from services.buzon.store.folios import FIRST, Position
from services.buzon.use_cases import reading, steps
from shared.contracts.events import Code
from shared.http import Problem, require_service
from shared.messaging import transaction

SERVICE: Final = "buzon"
MAX_LISTED: Final = 200
Take = Callable[[Request, str, StepForm, steps.Request], Awaitable[dict[str, Any]]]


def router(keys: Keys, metrics: Metrics) -> APIRouter:
    """Return the routes of posts; each says which post asks, and sees what that post may see."""
    routes = APIRouter(prefix="/v1/folios", tags=["posts"], dependencies=[Depends(require_service)])
    _add_reading(routes, keys)
    take = _taker(keys, metrics)
    _add_answering(routes, take)
    _add_routing(routes, take)
    return routes


def _taker(keys: Keys, metrics: Metrics) -> Take:
    async def take(
        http: Request, folio: str, form: StepForm, request: steps.Request
    ) -> dict[str, Any]:
        async with transaction(http.app.state.context.pool, service=SERVICE) as tx:
            state = await steps.take(
                tx, keys, parse_folio(folio), post_id=form.post, request=request
            )
        metrics.steps.labels(request.step.value).inc()
        return folio_view(state)

    return take


def _add_reading(routes: APIRouter, keys: Keys) -> None:
    @routes.get("")
    async def list_folios(  # noqa: PLR0917 - each is a query parameter
        request: Request,
        municipality: Code,
        post: Code,
        unit: Code | None = None,
        referred: bool = False,
        waiting: bool = False,
        after: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
    ) -> dict[str, Any]:
        """List folios in order of filing, without their texts; `waiting` for those unanswered."""
        wanted = reading.Wanted(
            municipality,
            unit,
            referred=referred,
            waiting=waiting,
            after=_position(after),
            limit=limit,
        )
        async with request.app.state.context.pool.acquire() as connection:
            page = await reading.listed(connection, wanted, post_id=post)
        following = page.following
        return {
            "folios": [folio_view(folio) for folio in page.folios],
            "next": f"{following[0].isoformat()}~{following[1]}" if following else None,
        }

    @routes.get("/{folio}")
    async def read_folio(folio: str, post: Code, request: Request) -> dict[str, Any]:
        """Read one folio with its texts and what the post may do with it."""
        async with request.app.state.context.pool.acquire() as connection:
            return post_view(await reading.detail(connection, parse_folio(folio), post_id=post))

    @routes.post("/{folio}/contact")
    async def read_contact(folio: str, form: StepForm, request: Request) -> dict[str, Any]:
        """Read the citizen's address; that it was read, and by which post, is recorded."""
        async with transaction(request.app.state.context.pool, service=SERVICE) as tx:
            contact = await reading.contact(tx, keys, parse_folio(folio), post_id=form.post)
        return {"contact_mail": contact}


def _add_answering(routes: APIRouter, take: Take) -> None:
    @routes.post("/{folio}/pause")
    async def pause(folio: str, form: TextForm, request: Request) -> dict[str, Any]:
        """Ask the citizen to make something clear; the clock stands still meanwhile."""
        return await take(request, folio, form, steps.Request(Step.PAUSE, text=form.text))

    @routes.post("/{folio}/resume")
    async def resume(folio: str, form: StepForm, request: Request) -> dict[str, Any]:
        """Go on without, or after, the clarification."""
        return await take(request, folio, form, steps.Request(Step.RESUME))

    @routes.post("/{folio}/answer")
    async def answer(folio: str, form: AnswerForm, request: Request) -> dict[str, Any]:
        """Give the substantive answer; it stops the clock."""
        wanted = steps.Request(Step.ANSWER, text=form.text, finding=form.finding)
        return await take(request, folio, form, wanted)

    @routes.post("/{folio}/finding")
    async def finding(folio: str, form: FindingForm, request: Request) -> dict[str, Any]:
        """Say whether the complaint was justified."""
        wanted = steps.Request(Step.FINDING, finding=form.finding)
        return await take(request, folio, form, wanted)


def _add_routing(routes: APIRouter, take: Take) -> None:
    @routes.post("/{folio}/assign")
    async def assign(folio: str, form: AssignForm, request: Request) -> dict[str, Any]:
        """Turn it over to a unit (the coordination)."""
        return await take(request, folio, form, steps.Request(Step.ASSIGN, target=form.unit))

    @routes.post("/{folio}/link")
    async def link(folio: str, form: LinkForm, request: Request) -> dict[str, Any]:
        """Say which compromiso it is about."""
        wanted = steps.Request(Step.LINK, target=form.compromiso)
        return await take(request, folio, form, wanted)

    @routes.post("/{folio}/duplicate")
    async def duplicate(folio: str, form: DuplicateForm, request: Request) -> dict[str, Any]:
        """Leave it to another folio that says the same."""
        wanted = steps.Request(Step.DUPLICATE, target=parse_folio(form.of))
        return await take(request, folio, form, wanted)

    @routes.post("/{folio}/not-competent")
    async def not_competent(folio: str, form: TextForm, request: Request) -> dict[str, Any]:
        """Tell the citizen which authority is competent."""
        wanted = steps.Request(Step.NOT_COMPETENT, text=form.text)
        return await take(request, folio, form, wanted)

    @routes.post("/{folio}/refer")
    async def refer(folio: str, form: ReferForm, request: Request) -> dict[str, Any]:
        """Give it to the Contraloria: it is about somebody's conduct."""
        return await take(request, folio, form, steps.Request(Step.REFER, text=form.text))


def _position(cursor: str | None) -> Position:
    if cursor is None:
        return FIRST
    instant, _, folio = cursor.partition("~")
    try:
        filed_at = datetime.fromisoformat(instant)
        if filed_at.tzinfo is not None:
            return filed_at.astimezone(UTC), folio
    except (ValueError, OverflowError):
        pass
    raise Problem(422, "`after` is not a position of this list")
