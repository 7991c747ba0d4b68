"""Contests of cases, for the portal: a unit files and withdraws, the coordination decides."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.measurements.domain.contests import Claim, ContestState, Hindrance, Standing, Step
from services.measurements.store import contests as store
from services.measurements.store.contests import Contest
from services.measurements.use_cases.contests import ContestError, Ending, end, file
from shared.contracts.events import WITHOUT_NUL, Code, Identifier, StorableInstant
from shared.criteria import ContestReason
from shared.database import Pool
from shared.http import Problem, require_service
from shared.messaging import Transaction, transaction

SERVICE = "measurements"
MAX_LISTED = 500
MAX_CONTEST_ID = 2**63 - 1
MAX_UNITS = 500
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=WITHOUT_NUL),
]
Reference = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=WITHOUT_NUL),
]
Units = Annotated[list[Code] | None, Query(max_length=MAX_UNITS)]

TITLES = {
    Hindrance.UNKNOWN: (404, "there is no such case or contest"),
    Hindrance.PAST_CUTOFF: (409, "the cut-off of its window is past"),
    Hindrance.ALREADY_EXCLUDED: (409, "the case does not count already"),
    Hindrance.ALREADY_CONTESTED: (409, "the case is contested already"),
    Hindrance.IMPORTED: (409, "an imported case is corrected in its file"),
    Hindrance.ALREADY_DECIDED: (409, "the contest has ended"),
    Hindrance.NOT_ACCEPTED: (409, "the contest is not accepted"),
    Hindrance.FULL_CASE: (409, "the case has no room for another event"),
}

router = APIRouter(prefix="/v1/contests", tags=["services"])
router.dependencies.append(Depends(require_service))


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    municipality: Code
    post: Code


class StandingBody(_Body):
    """Who takes the step, and how the evaluator says that the case counts now.

    `cutoff` is that of the earliest window in which it counts.
    """

    cutoff: StorableInstant
    excluded: bool

    def standing(self) -> Standing:
        return Standing(self.cutoff, self.excluded)


class ContestBody(StandingBody):
    """What a unit says. The texts stay in this service and must not name a person."""

    case: Identifier
    compromiso: Code
    unit: Code
    window: Code
    reason: ContestReason
    explanation: Text
    evidence: Reference


class WithdrawBody(_Body):
    """`units` are those that the post answers for."""

    units: frozenset[Code]


class DecisionBody(StandingBody):
    """Why the case is taken out, or back in."""

    said: Text


class RejectBody(_Body):
    """Why the case stays; the unit reads this."""

    said: Text


@router.post("", status_code=201)
async def post_contest(request: Request, body: ContestBody) -> JSONResponse:
    """File a contest; sent again it answers with the one there is."""
    claim = Claim(
        municipality=body.municipality,
        case=body.case,
        compromiso=body.compromiso,
        unit=body.unit,
        window=body.window,
        reason=body.reason,
        explanation=body.explanation,
        evidence=body.evidence,
    )
    contest = await _take(request, lambda tx: file(tx, claim, body.standing(), post=body.post))
    return JSONResponse(_described(contest), status_code=201)


@router.get("")
async def get_contests(
    request: Request, municipality: Code, *, unit: Units = None, state: ContestState | None = None
) -> dict[str, Any]:
    """Return a municipality's contests, of some units or all; the waiting ones first."""
    async with _pool(request).acquire() as con:
        found = await store.listed(
            con,  # type: ignore[arg-type]
            municipality,
            units=unit,
            state=state,
            limit=MAX_LISTED,
        )
    return {"contests": [_described(contest) for contest in found]}


@router.get("/{contest_id}")
async def get_contest(
    request: Request, contest_id: int, municipality: Code, unit: Units = None
) -> dict[str, Any]:
    """Return one; that of another unit looks as if it were not there."""
    async with _pool(request).acquire() as con:
        found = await store.one(con, municipality, _id(contest_id))  # type: ignore[arg-type]
    if found is None or (unit is not None and found.claim.unit not in unit):
        raise _problem(ContestError(Hindrance.UNKNOWN))
    return _described(found)


@router.post("/{contest_id}/withdraw")
async def withdraw(request: Request, contest_id: int, body: WithdrawBody) -> dict[str, Any]:
    """Take a contest back before it is decided."""
    ending = Ending(Step.WITHDRAW, body.post, units=body.units)
    return await _end(request, contest_id, body, ending)


@router.post("/{contest_id}/accept")
async def accept(request: Request, contest_id: int, body: DecisionBody) -> dict[str, Any]:
    """Take the case out of the count, before the cut-off."""
    ending = Ending(Step.ACCEPT, body.post, body.said, standing=body.standing())
    return await _end(request, contest_id, body, ending)


@router.post("/{contest_id}/take_back")
async def take_back(request: Request, contest_id: int, body: DecisionBody) -> dict[str, Any]:
    """Undo a wrong acceptance before the cut-off: the case counts again."""
    ending = Ending(Step.TAKE_BACK, body.post, body.said, standing=body.standing())
    return await _end(request, contest_id, body, ending)


@router.post("/{contest_id}/reject")
async def reject(request: Request, contest_id: int, body: RejectBody) -> dict[str, Any]:
    """Leave the case in the count."""
    return await _end(request, contest_id, body, Ending(Step.REJECT, body.post, body.said))


async def _end(request: Request, contest_id: int, body: _Body, ending: Ending) -> dict[str, Any]:
    number = _id(contest_id)
    contest = await _take(request, lambda tx: end(tx, body.municipality, number, ending))
    return _described(contest)


async def _take(request: Request, step: Callable[[Transaction], Awaitable[Contest]]) -> Contest:
    try:
        async with transaction(_pool(request), service=SERVICE) as tx:
            return await step(tx)
    except ContestError as error:
        raise _problem(error) from None


def _problem(error: ContestError) -> Problem:
    status, title = TITLES[error.hindrance]
    more: dict[str, Any] = {} if error.contest is None else {"contest": _described(error.contest)}
    return Problem(status, title, reason=error.hindrance.value, **more)


def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.context.pool
    return pool


def _id(contest_id: int) -> int:
    if not 0 < contest_id <= MAX_CONTEST_ID:
        raise _problem(ContestError(Hindrance.UNKNOWN))
    return contest_id


def _described(contest: Contest) -> dict[str, Any]:
    claim = contest.claim
    return {
        "contest": contest.contest_id,
        "municipality": claim.municipality,
        "case": claim.case,
        "service": contest.service,
        "compromiso": claim.compromiso,
        "unit": claim.unit,
        "window": claim.window,
        "reason": claim.reason.value,
        "explanation": claim.explanation,
        "evidence": claim.evidence,
        "cutoff": _written(contest.cutoff),
        "state": contest.state.value,
        "steps": [
            {"step": s.step.value, "at": _written(s.at), "post": s.post, "said": s.said}
            for s in contest.steps
        ],
    }


def _written(instant: datetime) -> str:
    return instant.isoformat()
