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
    """Only a waiting contest changes; what was decided stays."""

    WAITING = "waiting"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Step(StrEnum):
    """What people do. Filing makes the contest; each other step ends it."""

    FILE = "file"
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    REJECT = "reject"


STATE_AFTER: Final = {
    Step.FILE: ContestState.WAITING,
    Step.WITHDRAW: ContestState.WITHDRAWN,
    Step.ACCEPT: ContestState.ACCEPTED,
    Step.REJECT: ContestState.REJECTED,
}


class Hindrance(StrEnum):
    """Why a step is not taken."""

    UNKNOWN = "unknown"
    PAST_CUTOFF = "past_cutoff"
    ALREADY_EXCLUDED = "already_excluded"
    ALREADY_CONTESTED = "already_contested"
    IMPORTED = "imported"
    ALREADY_DECIDED = "already_decided"
    FULL_CASE = "full_case"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case counts now, as the evaluator tells it. `cutoff` is an aware instant."""

    cutoff: datetime
    excluded: bool

    def hindrance(self, now: datetime) -> Hindrance | None:
        """Return why the case cannot be taken out at `now`; the cut-off itself is too late."""
        if self.excluded:
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


def exclusion_id(contest_id: int, municipality: str, decided_at: datetime) -> str:
    """Return the id of the event that takes the case out: one for each contest."""
    cause = f"{decider(municipality)}\x00{contest_id}"
    return derived_id(cause, CASE_EXCLUDED, decided_at)
