"""Contests: filed by a unit, withdrawn by it, accepted or rejected by the coordination.

What was accepted wrongly is taken back before the cut-off.

Each step is one transaction on the locked contest: sent again it changes nothing, and of two
decisions at once the first stands. An accepted contest is one more event on `service-events.v1`,
which comes back as a fact of the case; taken back, a correction that voids it.
"""

from dataclasses import dataclass
from datetime import datetime

from services.measurements.domain.cases import MAX_EVENTS, Case, assemble
from services.measurements.domain.contests import (
    STATE_AFTER,
    STATE_BEFORE,
    Claim,
    Hindrance,
    Standing,
    Step,
    decider,
    decision_id,
)
from services.measurements.store import contests as store
from services.measurements.store.contests import Contest, TakenStep
from services.measurements.store.facts import facts_of
from shared.contracts import hot, topics
from shared.contracts.service_events import CASE_EXCLUDED
from shared.errors import CartasError
from shared.messaging import Transaction


class ContestError(CartasError):
    """A step that is not taken, and the contest that stands in the way, if it is one."""

    def __init__(self, hindrance: Hindrance, contest: Contest | None = None) -> None:
        super().__init__(hindrance.value)
        self.hindrance = hindrance
        self.contest = contest


@dataclass(frozen=True, slots=True)
class Ending:
    """A step that ends a contest. `units` are those it must be of; None for any.

    `standing` is how the case counts now; accepting and taking back need it.
    """

    step: Step
    post: str
    said: str = ""
    units: frozenset[str] | None = None
    standing: Standing | None = None


async def file(tx: Transaction, claim: Claim, standing: Standing, *, post: str) -> Contest:
    """Return the new contest, or the one that says the same already. Raises ContestError."""
    case = await _measured(tx, claim)
    before = await store.standing_of(tx.connection, claim.municipality, claim.case)
    if before is not None:
        return _same(before, claim)
    hindrance = standing.hindrance(Step.FILE, tx.now)
    if hindrance is None and case.historical:
        hindrance = Hindrance.IMPORTED
    if hindrance is not None:
        raise ContestError(hindrance)
    await store.add(
        tx.connection,
        claim,
        service=case.service,
        cutoff=standing.cutoff,
        post=post,
        now=tx.now,
    )
    filed = await store.standing_of(tx.connection, claim.municipality, claim.case)
    if filed is None:  # filed elsewhere and withdrawn while this one waited
        raise ContestError(Hindrance.ALREADY_CONTESTED)
    return _same(filed, claim)


async def _measured(tx: Transaction, claim: Claim) -> Case:
    key = (claim.municipality, claim.case)
    if not await store.has_case(tx.connection, *key):
        raise ContestError(Hindrance.UNKNOWN)
    facts = (await facts_of(tx.connection, [key])).get(key)
    if not facts:
        raise ContestError(Hindrance.UNKNOWN)
    return assemble(facts)


def _same(contest: Contest, claim: Claim) -> Contest:
    if contest.claim == claim:
        return contest
    own = contest if contest.claim.unit == claim.unit else None
    raise ContestError(Hindrance.ALREADY_CONTESTED, own)


async def end(tx: Transaction, municipality: str, contest_id: int, ending: Ending) -> Contest:
    """Take a step after filing; return the contest as it then stands. Raises ContestError."""
    contest = await store.one(tx.connection, municipality, contest_id, lock=True)
    if contest is None or not _is_of(contest, ending.units):
        raise ContestError(Hindrance.UNKNOWN)
    state = STATE_AFTER[ending.step]
    if contest.state is state:
        return contest
    standing, hindrance = ending.standing, _hindrance(contest, ending, tx.now)
    if hindrance is not None:
        raise ContestError(hindrance, contest)
    decides = ending.step in (Step.ACCEPT, Step.TAKE_BACK)
    await store.end(
        tx.connection,
        contest_id,
        state,
        TakenStep(ending.step, tx.now, ending.post, ending.said),
        cutoff=contest.cutoff if standing is None else standing.cutoff,
        event_id=await _say(tx, contest, ending.step) if decides else None,
    )
    return await _again(tx, contest)


def _hindrance(contest: Contest, ending: Ending, now: datetime) -> Hindrance | None:
    if contest.state is not STATE_BEFORE[ending.step]:
        is_late = ending.step is Step.TAKE_BACK
        return Hindrance.NOT_ACCEPTED if is_late else Hindrance.ALREADY_DECIDED
    return None if ending.standing is None else ending.standing.hindrance(ending.step, now)


def _is_of(contest: Contest, units: frozenset[str] | None) -> bool:
    return units is None or contest.claim.unit in units


async def _say(tx: Transaction, contest: Contest, step: Step) -> str:
    """Say the decision, as the source that speaks for the coordination; return its event's id.

    Taking back voids the event of the acceptance, whichever of the two comes first.
    """
    claim = contest.claim
    case = (claim.municipality, claim.case)
    if len((await facts_of(tx.connection, [case])).get(case, ())) >= MAX_EVENTS:
        raise ContestError(Hindrance.FULL_CASE, contest)
    await store.open_decider(tx.connection, claim.municipality)
    event = hot.ServiceEvent(
        id=decision_id(contest.contest_id, claim.municipality, step, decided_at=tx.now),
        source=decider(claim.municipality),
        type=CASE_EXCLUDED,
        time=tx.now,
        traceparent=tx.traceparent,
        data=hot.ServiceEventData(
            municipality=claim.municipality,
            case=claim.case,
            service=contest.service,
            reason=claim.reason.value,
            supersedes=contest.event_id if step is Step.TAKE_BACK else None,
            void=step is Step.TAKE_BACK,
        ),
    )
    tx.publish_raw(topics.SERVICE_EVENTS, "/".join(case), hot.encode(event))
    return event.id


async def _again(tx: Transaction, contest: Contest) -> Contest:
    found = await store.one(tx.connection, contest.claim.municipality, contest.contest_id)
    assert found is not None, "it is locked"
    return found
