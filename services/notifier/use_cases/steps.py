"""The steps of unit and coordination: each idempotent, audited, refused where it is not legal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.notifier.domain.ladder import unit_chain
from services.notifier.domain.lifecycle import (
    LEGAL,
    RESULT,
    Actor,
    Outcome,
    Step,
    may_take,
    outcome,
)
from services.notifier.domain.schedule import Awaited
from services.notifier.letters import MailKind
from services.notifier.store import actions, catalogue, terms
from services.notifier.store.actions import Action, TakenStep
from services.notifier.use_cases.actions import publish, schedule
from services.notifier.use_cases.alerts import Office, Reason, alert_of_action
from shared.contracts.corrective_actions import CauseCategory
from shared.errors import CartasError
from shared.messaging import Transaction


class UnknownActionError(CartasError):
    """There is no such action."""


class StepNotAllowedError(CartasError):
    """The post may not take this step on this action."""


class IllegalStepError(CartasError):
    """The action's state does not admit the step; `allowed` are those it admits."""

    def __init__(self, step: Step, state: str, allowed: tuple[Step, ...]) -> None:
        super().__init__(f"{step} in {state}")
        self.allowed = allowed


class StaleStepError(CartasError):
    """The action has changed since the person saw it."""


@dataclass(frozen=True, slots=True)
class Filing:
    """What a unit files: why it happened, what was done at once, what will be done, by when."""

    cause_category: CauseCategory
    cause: str
    containment: str
    plan: str
    planned_for: date
    propose_change: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A step that somebody asks for. `seen` is the revision that the person saw, where known."""

    step: Step
    action: str
    post: str
    seen: int | None = None
    filing: Filing | None = None
    reason: str | None = None
    public_text: str | None = None

    @property
    def content(self) -> dict[str, object]:
        """What the audit keeps, and what tells a repeat from another step of the same kind."""
        if self.filing is not None:
            planned_for = self.filing.planned_for.isoformat()
            return {
                "cause_category": self.filing.cause_category.value,
                "cause": self.filing.cause,
                "containment": self.filing.containment,
                "plan": self.filing.plan,
                "planned_for": planned_for,
                "propose_change": self.filing.propose_change,
            }
        return {"reason": self.reason, "public_text": self.public_text}


async def take_step(tx: Transaction, office: Office, request: Request) -> Action:
    """Take the step and return the action after it; the same step again returns the same.

    Raises UnknownActionError, StepNotAllowedError, IllegalStepError, StaleStepError.
    """
    action = await actions.lock(tx.connection, request.action)
    if action is None:
        raise UnknownActionError(request.action)
    await _check_allowed(tx, action, request)
    decided = outcome(
        request.step,
        action.state,
        same_as_last=await _is_repeat(tx, request),
        acknowledged=action.acknowledged_at is not None,
    )
    if decided is Outcome.REPEATED:
        return action
    if decided is Outcome.ILLEGAL:
        raise IllegalStepError(request.step, action.state, LEGAL[action.state])
    if request.seen is not None and request.seen != action.revision:
        raise StaleStepError(f"{request.seen} of {action.action} at {action.revision}")
    return await _take(tx, office, action, request)


async def _check_allowed(tx: Transaction, action: Action, request: Request) -> None:
    post = await catalogue.post(tx.connection, action.municipality, request.post)
    units = await catalogue.units(tx.connection, action.municipality)
    chain = (action.unit, *unit_chain(action.responsible_unit, units))
    if post is None or not may_take(request.step, Actor(post.post, post.role, post.unit), chain):
        raise StepNotAllowedError(request.post)


async def _is_repeat(tx: Transaction, request: Request) -> bool:
    last = await actions.last_step(tx.connection, request.action)
    return last is not None and (last[0], json.loads(last[1])) == (request.step, request.content)


async def _take(tx: Transaction, office: Office, action: Action, request: Request) -> Action:
    state, change = RESULT[request.step]
    columns = {"state": state, **_columns(tx, action, request)}
    changed = await actions.change(tx.connection, action.action, columns)
    taken = TakenStep(
        revision=changed.revision,
        step=request.step,
        post=request.post,
        at=tx.now,
        content=json.dumps(request.content),
    )
    await actions.add_steps(tx.connection, [(action.action, taken)])
    changed = await _move_terms(tx, changed, request.step)
    await publish(tx, changed, change)
    await _tell_unit(tx, office, changed, request)
    return changed


def _columns(tx: Transaction, action: Action, request: Request) -> Mapping[str, object]:
    if request.step is Step.RETURN:
        return {"return_reason": request.reason}
    if request.step is Step.APPROVE:
        return {"approved_at": tx.now, "public_text": request.public_text}
    known = (
        {}
        if action.acknowledged_at
        else {
            "acknowledged_at": tx.now,
            "acknowledged_by": request.post,
        }
    )
    if request.filing is None:
        return known
    filing = request.filing
    return known | {
        "filed_at": tx.now,
        "filed_by": request.post,
        "cause_category": filing.cause_category.value,
        "cause": filing.cause,
        "containment": filing.containment,
        "plan": filing.plan,
        "planned_for": filing.planned_for,
        "propose_change": filing.propose_change,
    }


async def _move_terms(tx: Transaction, action: Action, step: Step) -> Action:
    """What has come is awaited no more; a returned plan has its term again from now."""
    if step is Step.RETURN:
        again = await actions.begin_round(tx.connection, action.action)
        return await schedule(tx, again, only=Awaited.PLAN)
    kept = Awaited.ACKNOWLEDGEMENT if step is Step.ACKNOWLEDGE else None
    await terms.settle_all(tx.connection, action.action, awaited=kept, outcome="kept", now=tx.now)
    return action


async def _tell_unit(tx: Transaction, office: Office, action: Action, request: Request) -> None:
    kinds = {Step.RETURN: MailKind.RETURNED, Step.APPROVE: MailKind.APPROVED}
    if request.step not in kinds:
        return
    triggers = await actions.triggers_of(tx.connection, action.action)
    reason = Reason(
        kind=kinds[request.step],
        cause=f"{action.action}/{action.revision}",
        time=tx.now,
        preferred_post=action.filed_by,
        text=request.reason,
        traceparent=tx.traceparent or triggers[-1].traceparent,
    )
    await alert_of_action(tx, office, action, triggers[-1].data, reason)


async def revoke_links(tx: Transaction, action: str) -> int:
    """Make all links to the action worthless; mail that is written later has new ones."""
    version = await actions.revoke_links(tx.connection, action)
    if version is None:
        raise UnknownActionError(action)
    return version
