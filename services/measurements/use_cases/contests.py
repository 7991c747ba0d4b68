"""Contests: filed by a unit, withdrawn by it, accepted or rejected by the coordination.

Each step is one transaction on the locked contest: sent again it changes nothing, and of two
decisions at once the first stands. An accepted contest is one more event on `service-events.v1`,
which comes back as a fact of the case.
"""

from dataclasses import dataclass

from services.measurements.domain.cases import MAX_EVENTS, Case, assemble
from services.measurements.domain.contests import (
    STATE_AFTER,
    Claim,
    ContestState,
    Hindrance,
    Standing,
    Step,
    decider,
    exclusion_id,
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

    `standing` is how the case counts now; only accepting needs it.
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
    hindrance = standing.hindrance(tx.now)
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
    """Withdraw, accept or reject; return the contest as it then stands. Raises ContestError."""
    contest = await store.one(tx.connection, municipality, contest_id, lock=True)
    if contest is None or not _is_of(contest, ending.units):
        raise ContestError(Hindrance.UNKNOWN)
    state = STATE_AFTER[ending.step]
    if contest.state is state:
        return contest
    if contest.state is not ContestState.WAITING:
        raise ContestError(Hindrance.ALREADY_DECIDED, contest)
    standing = ending.standing
    hindrance = standing.hindrance(tx.now) if standing is not None else None
    if hindrance is not None:
        raise ContestError(hindrance, contest)
    await store.end(
        tx.connection,
        contest_id,
        state,
        TakenStep(ending.step, tx.now, ending.post, ending.said),
        cutoff=contest.cutoff if standing is None else standing.cutoff,
        event_id=await _exclude(tx, contest) if state is ContestState.ACCEPTED else None,
    )
    return await _again(tx, contest)


def _is_of(contest: Contest, units: frozenset[str] | None) -> bool:
    return units is None or contest.claim.unit in units


async def _exclude(tx: Transaction, contest: Contest) -> str:
    """Say that the case is excluded, as the source that speaks for the coordination."""
    claim = contest.claim
    case = (claim.municipality, claim.case)
    if len((await facts_of(tx.connection, [case])).get(case, ())) >= MAX_EVENTS:
        raise ContestError(Hindrance.FULL_CASE, contest)
    await store.open_decider(tx.connection, claim.municipality)
    event = hot.ServiceEvent(
        id=exclusion_id(contest.contest_id, claim.municipality, tx.now),
        source=decider(claim.municipality),
        type=CASE_EXCLUDED,
        time=tx.now,
        traceparent=tx.traceparent,
        data=hot.ServiceEventData(
            municipality=claim.municipality,
            case=claim.case,
            service=contest.service,
            reason=claim.reason.value,
        ),
    )
    tx.publish_raw(topics.SERVICE_EVENTS, "/".join(case), hot.encode(event))
    return event.id


async def _again(tx: Transaction, contest: Contest) -> Contest:
    found = await store.one(tx.connection, contest.claim.municipality, contest.contest_id)
    assert found is not None, "it is locked"
    return found
