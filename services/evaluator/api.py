"""HTTP in, for our own services: the cases behind a figure, and how one was judged."""

import json
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.evaluator.domain.drafting import MAX_BYTES
from services.evaluator.domain.drafts import Draft, DraftError
from services.evaluator.store import accounts, balance, evidence, redatings
from services.evaluator.use_cases import counting, explaining, sampling, trying
from services.evaluator.use_cases.accounting import silences_as_json
from services.evaluator.use_cases.trying import Question
from shared.authoring.promises import MAX_EVENT_WORDS
from shared.contracts.cartas import Compromiso, EventWords
from shared.contracts.events import MAX_BIGINT, Code, EventKind
from shared.contracts.results import ResultData
from shared.criteria import CaseStatus
from shared.database import Pool
from shared.http import Problem, require_service

router = APIRouter(prefix="/v1", dependencies=[Depends(require_service)])

Name = Annotated[str, Query(min_length=1, max_length=128)]
MAX_PAGE = 1000
MAX_SAMPLE = 200
MAX_DIFFERENCES = 20
MAX_EDITION = 100_000


def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.context.pool
    return pool


@router.get("/cases")
async def cases(
    request: Request,
    *,
    municipality: Name,
    compromiso: Name,
    unit: Name,
    window: Name,
    status: CaseStatus = CaseStatus.FAILED,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    after: Annotated[str, Query(max_length=160)] = "",
) -> dict[str, Any]:
    """Return the cases behind a figure, a page at a time; `next` is the next page's `after`."""
    key = (municipality, compromiso, unit, window)
    page = await evidence.cases(
        _pool(request), key, status.value, after=_position(after), limit=limit
    )
    listed = [{"case": row.pop("case_id"), **row} for row in page]
    is_full = len(listed) == limit
    following = f"{listed[-1]['part']}/{listed[-1]['case']}" if is_full else None
    return {"cases": listed, "next": following}


def _position(after: str) -> tuple[str, int]:
    part, separator, case = after.partition("/")
    if not separator:
        return ("", -1)
    if not part.isdigit() or len(part) > 2:
        raise Problem(422, "`after` is not a position that this service gave")
    return (case, int(part))


@router.get("/explanations")
async def explanations(
    request: Request, municipality: Name, compromiso: Name, case: Name
) -> dict[str, Any]:
    """Return how a case was judged, with the facts the verdict rests on and their trace."""
    rows = await evidence.explanation(_pool(request), municipality, compromiso, case)
    if not rows:
        raise Problem(404, "no verdict on such a case")
    of_case = ("facts", "traceparent")
    return {
        "case": case,
        "facts": json.loads(rows[0]["facts"]),
        "traceparent": rows[0]["traceparent"],
        "verdicts": [
            {name: value for name, value in row.items() if name not in of_case} for row in rows
        ],
    }


@router.get("/explanations/results")
async def result_explanation(
    request: Request,
    *,
    municipality: Name,
    compromiso: Name,
    unit: Name,
    window: Name,
    edition: Annotated[int | None, Query(ge=0, le=MAX_EDITION)] = None,
) -> dict[str, Any]:
    """Return a result with its promise, its arithmetic step by step and its failed cases.

    Without `edition`, the latest. Edition 0 is the provisional one, until the window closes.
    """
    key = (municipality, compromiso, unit, window)
    explained = await explaining.explain_result(_pool(request), key, edition)
    if explained is None:
        raise Problem(404, "no such result")
    return explaining.as_json(explained)


class TrialBody(BaseModel):
    """What to try: a compromiso as published, or what an author wrote in the catalogue's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    municipality: Code
    services: Annotated[tuple[Code, ...], Field(min_length=1, max_length=50)]
    unit: Code
    window: Code
    compromiso: Compromiso | None = None
    event_words: dict[EventKind, EventWords] = Field(default={}, max_length=MAX_EVENT_WORDS)
    written: Annotated[str, Field(max_length=MAX_BYTES)] | None = None

    @model_validator(mode="after")
    def _one_draft(self) -> Self:
        if (self.compromiso is None) == (self.written is None):
            raise ValueError("give exactly one of compromiso and written")
        return self

    def question(self) -> Question:
        draft = (self.written or "").encode()
        return Question(
            Draft.of(self.compromiso, self.event_words) if self.compromiso else draft,
            self.municipality,
            self.services,
            self.window,
            self.unit,
        )


@router.post("/trials")
async def trial(request: Request) -> dict[str, Any]:
    """Judge a draft on what happened already, unit by unit; nothing is written."""
    try:
        body = TrialBody.model_validate_json(await request.body())
        found = await trying.try_draft(_pool(request), body.question())
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        said = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in faults]
        raise Problem(422, "this is no draft", reason="body", faults=said) from None
    except DraftError as error:
        raise Problem(
            422, "the draft cannot be tried", reason="draft", faults=[str(error)]
        ) from None
    return {"units": [trying.as_json(each) for each in found]}


@router.get("/silences")
async def silences(
    request: Request,
    *,
    source: Annotated[str, Query(min_length=1, max_length=256)],
    municipality: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
) -> dict[str, Any]:
    """Return when a source that should have spoken did not, newest first; no end: it goes on."""
    async with _pool(request).acquire() as connection:
        found = await accounts.of_source(connection, source, municipality, limit=limit)  # type: ignore[arg-type]
    return {"source": source, "silences": silences_as_json(found)}


@router.get("/standing")
async def standing(request: Request, municipality: Name, case: Name) -> dict[str, Any]:
    """Return where a case counts, under every compromiso, and until when that may be contested.

    `cutoff` is the earliest of its windows; null while it counts in none.
    """
    rows = await evidence.standing(_pool(request), municipality, case)
    if not rows:
        raise Problem(404, "no verdict on such a case")
    closing = [row["closes_at"] for row in rows if row["closes_at"] is not None]
    return {"case": case, "cutoff": min(closing, default=None), "verdicts": rows}


@router.get("/counts")
async def counts(
    request: Request, municipality: Name, compromiso: Name, case: Name
) -> dict[str, Any]:
    """Return the term of a case counted day by day, by the calendar that it was judged by."""
    found = await counting.counts_of_case(_pool(request), municipality, compromiso, case)
    if found is None:
        raise Problem(404, "no verdict on such a case")
    return {"case": case, "counts": found}


@router.get("/redatings")
async def redated(
    request: Request,
    municipality: Name,
    *,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    after: Annotated[int, Query(ge=0, le=MAX_BIGINT)] = 0,
) -> dict[str, Any]:
    """Return which due instants calendars moved, oldest first; `next` is the next `after`."""
    found = await redatings.listed(_pool(request), municipality, after=after, limit=limit)
    following = found[-1]["redating"] if len(found) == limit else None
    return {"redatings": found, "next": following}


@router.get("/balance")
async def balanced(
    request: Request, limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20
) -> dict[str, Any]:
    """Compare verdicts with counts, window by window; name up to `limit` that differ.

    Reads every verdict: for an operator's command, not for a page.
    """
    found = await balance.balance(_pool(request), limit=limit)
    worst = [
        {
            "window": "/".join(each.window),
            "part": each.part,
            "verdicts": each.verdicts,
            "counts": each.counts,
        }
        for each in found.worst
    ]
    return {
        "compared": found.lines,
        "verdicts": found.verdicts,
        "differing": found.differing,
        "worst": worst,
    }


@router.get("/recomputations")
async def recomputations(
    request: Request,
    *,
    sample: Annotated[int, Query(ge=1, le=MAX_SAMPLE)],
    seed: Annotated[str, Query(max_length=64)] = "",
) -> dict[str, Any]:
    """Make `sample` results, drawn by `seed`, again from the stored facts and compare them.

    What differs is looked at twice, three seconds apart: it may just have been on its way.
    """
    pool = _pool(request)
    windows = await sampling.sample(pool, seed=seed, size=sample)
    compared = await sampling.compare_surely(pool, windows)
    results = [
        {
            "result": "/".join(each.window),
            "outcome": each.outcome.value,
            "agrees": each.agrees,
            "differences": [str(one) for one in each.differences[:MAX_DIFFERENCES]],
        }
        for each in compared
    ]
    return {"results": results}


class ResultsPage(BaseModel):
    """Latest results in order of compromiso, unit and window id.

    `next` is the next page's `after`; `open` how many windows have no final result yet, on all
    pages.
    """

    results: list[ResultData]
    next: str | None
    open: int


@router.get("/results")
async def results(
    request: Request,
    *,
    municipality: Name,
    compromiso: Name | None = None,
    unit: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = MAX_PAGE,
    after: Annotated[str, Query(max_length=200)] = "",
) -> ResultsPage:
    """Return the latest result of every window of a municipality, a page at a time."""
    pool = _pool(request)
    page = await evidence.results(
        pool, municipality, compromiso=compromiso, unit=unit, after=_place(after), limit=limit
    )
    return ResultsPage(
        results=[ResultData.model_validate_json(result) for _, result in page],
        next="/".join(page[-1][0]) if len(page) == limit else None,
        open=await evidence.open_windows(pool, municipality, compromiso=compromiso, unit=unit),
    )


def _place(after: str) -> evidence.Place:
    if not after:
        return ("", "", "")
    compromiso, _, rest = after.partition("/")
    unit, _, window = rest.partition("/")
    if not (compromiso and unit and window):
        raise Problem(422, "`after` is not a position that this service gave")
    return (compromiso, unit, window)
