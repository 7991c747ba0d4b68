"""The life of a corrective action: which step is legal where, and who may take it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.contracts.cartas import Role
from shared.contracts.corrective_actions import ActionChange, ActionState


class Step(StrEnum):
    """What a person does with an action."""

    ACKNOWLEDGE = "acknowledge"
    FILE = "file"
    RETURN = "return"
    APPROVE = "approve"


LEGAL: Final = {
    ActionState.REQUESTED: (Step.ACKNOWLEDGE, Step.FILE),
    ActionState.ACKNOWLEDGED: (Step.FILE,),
    ActionState.FILED: (Step.APPROVE, Step.RETURN),
    ActionState.RETURNED: (Step.FILE,),
    ActionState.APPROVED: (),
    ActionState.IMPLEMENTED: (),
    ActionState.CLOSED: (),
}
"""Filing says that one knows: it needs no acknowledgement before it."""

RESULT: Final = {
    Step.ACKNOWLEDGE: (ActionState.ACKNOWLEDGED, ActionChange.ACKNOWLEDGED),
    Step.FILE: (ActionState.FILED, ActionChange.FILED),
    Step.RETURN: (ActionState.RETURNED, ActionChange.RETURNED),
    Step.APPROVE: (ActionState.APPROVED, ActionChange.APPROVED),
}

UNIT_STEPS: Final = frozenset({Step.ACKNOWLEDGE, Step.FILE})


class Outcome(StrEnum):
    """What to do with a step that someone asks for."""

    TAKE = "take"
    REPEATED = "repeated"
    ILLEGAL = "illegal"


@dataclass(frozen=True, slots=True)
class Actor:
    """A post that acts; `unit` is its own unit, None for one above the units."""

    post: str
    role: Role
    unit: str | None


def outcome(step: Step, state: ActionState, *, same_as_last: bool, acknowledged: bool) -> Outcome:
    """Say whether the step is taken, answered as one already taken, or refused.

    `same_as_last`: the last step taken was this one with the same content, as when a form is sent
    twice. An acknowledgement holds for good, so it can be repeated in any later state.
    """
    if same_as_last or (step is Step.ACKNOWLEDGE and acknowledged):
        return Outcome.REPEATED
    return Outcome.TAKE if step in LEGAL[state] else Outcome.ILLEGAL


def may_take(step: Step, actor: Actor, chain: tuple[str, ...]) -> bool:
    """Say whether the actor may take the step on an action of the units in `chain`.

    `chain` is the unit that answers, the office concerned and the units above. The coordination
    approves and returns; it may also act for a unit whose alerts fell to it.
    """
    if actor.role is Role.COORDINATION:
        return True
    return step in UNIT_STEPS and actor.role is Role.UNIT and actor.unit in chain
