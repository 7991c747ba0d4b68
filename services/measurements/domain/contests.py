"""A unit contests a case, the coordination decides: which steps there are, and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.contracts.ids import derived_id
from shared.contracts.service_events import CASE_EXCLUDED
from shared.criteria import ContestReason

DECIDER_PREFIX: Final = "urn:cartas:decisiones:"
NAMES: Final = frozenset(reason.value for reason in ContestReason)


class ContestState(StrEnum):
    """A waiting contest ends by one step; an accepted one may still be taken back."""

    WAITING = "waiting"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TAKEN_BACK = "taken_back"


class Step(StrEnum):
    """What people do. Filing makes the contest; taking back undoes an acceptance."""

    FILE = "file"
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    REJECT = "reject"
    TAKE_BACK = "take_back"


STATE_AFTER: Final = {
    Step.FILE: ContestState.WAITING,
    Step.WITHDRAW: ContestState.WITHDRAWN,
    Step.ACCEPT: ContestState.ACCEPTED,
    Step.REJECT: ContestState.REJECTED,
    Step.TAKE_BACK: ContestState.TAKEN_BACK,
}
STATE_BEFORE: Final = {
    Step.WITHDRAW: ContestState.WAITING,
    Step.ACCEPT: ContestState.WAITING,
    Step.REJECT: ContestState.WAITING,
    Step.TAKE_BACK: ContestState.ACCEPTED,
}


class Hindrance(StrEnum):
    """Why a step is not taken."""

    UNKNOWN = "unknown"
    PAST_CUTOFF = "past_cutoff"
    ALREADY_EXCLUDED = "already_excluded"
    ALREADY_CONTESTED = "already_contested"
    IMPORTED = "imported"
    ALREADY_DECIDED = "already_decided"
    NOT_ACCEPTED = "not_accepted"
    FULL_CASE = "full_case"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case counts now, as the evaluator tells it. `cutoff` is an aware instant."""

    cutoff: datetime
    excluded: bool

    def hindrance(self, step: Step, now: datetime) -> Hindrance | None:
        """Return why the step cannot be taken at `now`; the cut-off itself is too late.

        Whoever takes a decision back finds the case excluded: by that decision, or before its event
        has come round, not yet.
        """
        if self.excluded and step is not Step.TAKE_BACK:
            return Hindrance.ALREADY_EXCLUDED
        return Hindrance.PAST_CUTOFF if now >= self.cutoff else None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a unit says of a case. No part of it but `reason` leaves this service's database."""

    municipality: str
    case: str
    compromiso: str
    unit: str
    window: str
    reason: ContestReason
    explanation: str
    evidence: str


def decider(municipality: str) -> str:
    """Return the URI of the source that speaks for a municipality's coordination."""
    return f"{DECIDER_PREFIX}{municipality}"


def decision_id(contest_id: int, municipality: str, step: Step, *, decided_at: datetime) -> str:
    """Return the id of the event of a decision: one for each contest and step."""
    cause = f"{decider(municipality)}\x00{contest_id}"
    return derived_id(cause, f"{CASE_EXCLUDED}.{step}", decided_at)
