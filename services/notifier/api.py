"""HTTP in, for the other services: actions, their steps, signed links, sign-in mail, the ledger."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.notifier.domain.ladder import is_mailbox, unit_chain
from services.notifier.domain.lifecycle import LEGAL, Step
from services.notifier.store import actions, catalogue, mails, terms
from services.notifier.store.actions import Action
from services.notifier.use_cases import contests
from services.notifier.use_cases.alerts import Office
from services.notifier.use_cases.delivery import send_sign_in
from services.notifier.use_cases.steps import (
    Filing,
    IllegalStepError,
    StaleStepError,
    StepNotAllowedError,
    UnknownActionError,
    take_step,
)
from services.notifier.use_cases.steps import (
    Request as StepRequest,
)
from shared.contracts.breaches import BreachData
from shared.contracts.cartas import Mailbox
from shared.contracts.corrective_actions import ActionState, CauseCategory
from shared.contracts.events import (
    MAX_BIGINT,
    WITHOUT_NUL,
    Code,
    Identifier,
    StorableInstant,
)
from shared.http import Problem, require_service
from shared.messaging import Transaction, transaction

SERVICE = "notifier"
MAX_LISTED = 500
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=WITHOUT_NUL),
]
OptionalText = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=WITHOUT_NUL)
]
PublicText = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=WITHOUT_NUL)
]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepBody(_Body):
    """Who takes the step; `revision` is what that person saw, so that a stale page is refused."""

    post: Code
    revision: int | None = Field(default=None, ge=1, le=MAX_BIGINT)


class FileBody(StepBody):
    """Cause, containment and plan as the unit states them. The texts stay in this service."""

    cause_category: CauseCategory
    cause: Text
    containment: OptionalText = ""
    plan: Text
    planned_for: date
    propose_change: bool = False


class ReturnBody(StepBody):
    """Why the coordination returns it; the unit reads this."""

    reason: Text


class ApproveBody(StepBody):
    """`public_text` is what the public page may show of it."""

    public_text: PublicText | None = None


class SignInBody(_Body):
    """A one-time link of the portal, to be mailed now."""

    mailbox: Mailbox
    link: Annotated[str, StringConstraints(max_length=500, pattern=r"^[!-~]*$")]
    valid_minutes: int = Field(ge=1, le=24 * 60)


class ContestMailBody(_Body):
    """A step that the portal took on a contest; `post` filed it. Its texts are not told."""

    municipality: Code
    unit: Code
    post: Code
    step: Literal["file", "accept", "reject", "take_back"]
    at: StorableInstant
    contest: int = Field(ge=1, le=MAX_BIGINT)
    case: Identifier
    promise: Annotated[str, StringConstraints(max_length=1000, pattern=WITHOUT_NUL)]
    window: Code
    reason: Code
    cutoff: StorableInstant


class ActionSummary(BaseModel):
    """An action as lists show it."""

    model_config = ConfigDict(from_attributes=True)

    municipality: str
    action: str
    revision: int
    state: ActionState
    carta: str
    carta_version: int
    compromiso: str
    unit: str
    responsible_unit: str
    window_id: str
    level: int
    requested_at: datetime
    acknowledge_by: datetime | None
    plan_by: datetime | None
    acknowledged_at: datetime | None
    filed_at: datetime | None
    planned_for: date | None
    propose_change: bool
    approved_at: datetime | None
    recovered_at: datetime | None


class TriggerView(BaseModel):
    """What asked for the action, with its figures and failing cases as they were said then."""

    model_config = ConfigDict(from_attributes=True)

    breach: str
    folio: str | None
    joined_at: datetime
    recovered_at: datetime | None
    data: BreachData


class StepView(BaseModel):
    """One line of the audit."""

    model_config = ConfigDict(from_attributes=True)

    revision: int
    step: str
    post: str | None
    at: datetime


class DeadlineView(BaseModel):
    """A term and what became of it: pending, kept, escalated, dropped."""

    model_config = ConfigDict(from_attributes=True)

    round: int
    level: int
    awaited: str
    due_at: datetime
    outcome: str
    settled_at: datetime | None


class ActionView(ActionSummary):
    """The whole of an action. `allowed` are the steps that its state admits."""

    acknowledged_by: str | None
    filed_by: str | None
    cause_category: CauseCategory | None
    cause: str | None
    containment: str | None
    plan: str | None
    return_reason: str | None
    public_text: str | None
    allowed: tuple[Step, ...]
    triggers: tuple[TriggerView, ...]
    steps: tuple[StepView, ...]
    deadlines: tuple[DeadlineView, ...]


class ActionList(BaseModel):
    """Newest first."""

    actions: tuple[ActionSummary, ...]


class LinkView(BaseModel):
    """What a signed link opens, and for which post."""

    post: str
    action: ActionView


class DeliveryView(BaseModel):
    """One line of the ledger: an attempt, or a post that could not be told and why."""

    model_config = ConfigDict(from_attributes=True)

    mail: str | None
    action: str | None
    kind: str
    post: str | None
    mailbox: str | None
    at: datetime
    outcome: str
    code: int | None
    reply: str
    traceparent: str | None


class DeliveryList(BaseModel):
    """Newest first."""

    deliveries: tuple[DeliveryView, ...]


def router(office: Office) -> APIRouter:
    """Return the routes; all of them need the service credential."""
    routes = APIRouter(prefix="/v1", dependencies=[Depends(require_service)])
    _add_reading(routes)
    _add_steps(routes, office)
    _add_links(routes, office)
    return routes


def _add_reading(routes: APIRouter) -> None:
    @routes.get("/actions")
    async def list_actions(
        request: Request,
        municipality: Code,
        unit: Code | None = None,
        state: ActionState | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = MAX_LISTED,
    ) -> ActionList:
        """Actions of a municipality; of a unit and the units under it, if given."""
        async with transaction(_pool(request), service=SERVICE) as tx:
            found = await actions.list_actions(
                tx.connection,
                municipality,
                units=await _units_under(tx, municipality, unit),
                state=state,
                limit=limit,
            )
        return ActionList(actions=tuple(ActionSummary.model_validate(each) for each in found))

    @routes.get("/actions/{action}")
    async def read_action(request: Request, action: str) -> ActionView:
        async with transaction(_pool(request), service=SERVICE) as tx:
            return await _view(tx, await actions.read(tx.connection, action))

    @routes.get("/deliveries")
    async def list_deliveries(
        request: Request,
        municipality: Code,
        action: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = MAX_LISTED,
    ) -> DeliveryList:
        """What was sent, to whom, and what the server answered; who could not be told, and why."""
        async with transaction(_pool(request), service=SERVICE) as tx:
            found = await mails.deliveries(tx.connection, municipality, action=action, limit=limit)
        return DeliveryList(deliveries=tuple(DeliveryView.model_validate(each) for each in found))


def _add_steps(routes: APIRouter, office: Office) -> None:
    @routes.post("/actions/{action}/acknowledge")
    async def acknowledge(request: Request, action: str, body: StepBody) -> ActionView:
        step = StepRequest(Step.ACKNOWLEDGE, action, body.post, body.revision)
        return await _take(request, office, step)

    @routes.post("/actions/{action}/file")
    async def file(request: Request, action: str, body: FileBody) -> ActionView:
        filing = Filing(
            cause_category=body.cause_category,
            cause=body.cause,
            containment=body.containment,
            plan=body.plan,
            planned_for=body.planned_for,
            propose_change=body.propose_change,
        )
        step = StepRequest(Step.FILE, action, body.post, body.revision, filing=filing)
        return await _take(request, office, step)

    @routes.post("/actions/{action}/return")
    async def return_(request: Request, action: str, body: ReturnBody) -> ActionView:
        step = StepRequest(Step.RETURN, action, body.post, body.revision, reason=body.reason)
        return await _take(request, office, step)

    @routes.post("/actions/{action}/approve")
    async def approve(request: Request, action: str, body: ApproveBody) -> ActionView:
        text = body.public_text or None
        step = StepRequest(Step.APPROVE, action, body.post, body.revision, public_text=text)
        return await _take(request, office, step)


def _add_links(routes: APIRouter, office: Office) -> None:
    @routes.get("/links/{token}")
    async def open_link(request: Request, token: str) -> LinkView:
        """The action that a signed link opens: 404 for one that is not ours, 410 when it ended."""
        claim = office.links.read(token)
        if claim is None:
            raise Problem(404, "unknown link")
        async with transaction(_pool(request), service=SERVICE) as tx:
            action = await actions.read(tx.connection, claim.action)
            if action is None or action.state is ActionState.CLOSED:
                raise Problem(410, "the link has expired", reason="closed")
            if await catalogue.post(tx.connection, action.municipality, claim.post) is None:
                raise Problem(410, "the link has expired", reason="post retired")
            if action.link_version != claim.version:
                raise Problem(410, "the link has expired", reason="revoked")
            return LinkView(post=claim.post, action=await _view(tx, action))

    @routes.post("/mails/sign-in", status_code=202)
    async def sign_in(request: Request, body: SignInBody) -> dict[str, str]:
        """Mail a one-time link of the portal; other addresses are refused."""
        if not body.link.startswith(f"{office.public_url}/"):
            raise Problem(422, "the link does not lead to the portal")
        if not is_mailbox(body.mailbox):
            raise Problem(422, "mail cannot be addressed to this mailbox")
        async with transaction(_pool(request), service=SERVICE) as tx:
            await send_sign_in(
                tx,
                office,
                mailbox=body.mailbox,
                link=body.link,
                valid_minutes=body.valid_minutes,
            )
        return {"status": "accepted"}

    @routes.post("/mails/contest", status_code=202)
    async def contest(request: Request, body: ContestMailBody) -> dict[str, str]:
        """Tell the coordination of a contest, or the unit of the decision; the same once."""
        notice = contests.Notice(body.municipality, body.unit, body.post, body.step, body.at)
        told = contests.Told(
            contest=body.contest,
            case=body.case,
            promise=body.promise,
            window=body.window,
            reason=body.reason,
            cutoff=body.cutoff.isoformat(),
        )
        async with transaction(_pool(request), service=SERVICE) as tx:
            await contests.tell(tx, office, notice, told)
        return {"status": "accepted"}


def _pool(request: Request) -> Any:
    return request.app.state.context.pool


async def _units_under(tx: Transaction, municipality: str, unit: str | None) -> list[str] | None:
    if unit is None:
        return None
    units = await catalogue.units(tx.connection, municipality)
    return [unit, *(code for code in units if unit in unit_chain(code, units))]


async def _take(request: Request, office: Office, step: StepRequest) -> ActionView:
    async with transaction(_pool(request), service=SERVICE) as tx:
        try:
            return await _view(tx, await take_step(tx, office, step))
        except UnknownActionError as error:
            raise Problem(404, "unknown action") from error
        except StepNotAllowedError as error:
            raise Problem(403, "the post may not take this step") from error
        except StaleStepError as error:
            raise Problem(409, "the action has changed meanwhile") from error
        except IllegalStepError as error:
            raise Problem(
                409, "the action's state does not admit this step", allowed=list(error.allowed)
            ) from error


async def _view(tx: Transaction, action: Action | None) -> ActionView:
    if action is None:
        raise Problem(404, "unknown action")
    connection = tx.connection
    summary = ActionSummary.model_validate(action)
    triggers = await actions.triggers_of(connection, action.action)
    steps = await actions.steps_of(connection, action.action)
    deadlines = await terms.deadlines_of(connection, action.action)
    return ActionView(
        **summary.model_dump(),
        acknowledged_by=action.acknowledged_by,
        filed_by=action.filed_by,
        cause_category=CauseCategory(action.cause_category) if action.cause_category else None,
        cause=action.cause,
        containment=action.containment,
        plan=action.plan,
        return_reason=action.return_reason,
        public_text=action.public_text,
        allowed=LEGAL[action.state],
        triggers=tuple(TriggerView.model_validate(each) for each in triggers),
        steps=tuple(StepView.model_validate(each) for each in steps),
        deadlines=tuple(DeadlineView.model_validate(each) for each in deadlines),
    )
