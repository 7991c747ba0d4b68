"""A draft judged on stored facts, before anybody promises it. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.evaluator.domain.accounts import Records
from services.evaluator.domain.catalogue import Catalogue, Promise, services_of
from services.evaluator.domain.cohorts import cohorts_of
from services.evaluator.domain.coverage import Coverage
from services.evaluator.domain.drafting import read_draft
from services.evaluator.domain.drafts import (
    DRAFT,
    Draft,
    DraftError,
    Variant,
    prepared,
    variants_of,
    window_named,
)
from services.evaluator.domain.judging import judge
from services.evaluator.domain.results import Counted
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from services.evaluator.store.tallies import (
    CohortCounts,
    Counts,
    cells_of,
    is_historical,
    population_of,
)
from services.evaluator.store.windows import Risk, WindowState
from services.evaluator.use_cases.accounting import Recorded, records_of
from services.evaluator.use_cases.explaining import explanation_json
from services.evaluator.use_cases.knowledge import of_window
from services.evaluator.use_cases.looking import Look, Publication
from shared.contracts import hot
from shared.contracts.cartas import CalendarData, MunicipalityData
from shared.contracts.results import ResultData
from shared.criteria import CaseStatus, Tally, WindowBounds
from shared.criteria.vocabulary import Reference
from shared.database import Connection, Pool
from shared.explaining import Explanation, explain

FACTS = "SELECT data FROM measured_case WHERE municipality = $1 AND service = ANY($2)"

_Place = tuple[str, str, str]
"""Compromiso, unit, window."""
_Fresh = dict[tuple[_Place, int], Counts]
_Failing = dict[tuple[str, str], set[str]]
"""The failed cases of the draft by unit and window."""
MOST_FAILING: Final = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What to try: on which window of which services. `unit` answers where no case names one.

    `draft` is what an author wrote, or what is read already.
    """

    draft: Draft | bytes
    municipality: str
    services: tuple[str, ...]
    window: str
    unit: str = DRAFT


@dataclass(frozen=True, slots=True)
class Tried:
    """What would have been said of one unit, and of the same draft with other targets.

    `failing` are the first of its `failing_total` cases that would have failed. `zone` is the
    municipality's.
    """

    explanation: Explanation
    zone: ZoneInfo
    failing: tuple[str, ...]
    failing_total: int
    beside: tuple[tuple[Variant, ResultData], ...]


async def try_draft(pool: Pool, question: Question) -> list[Tried]:
    """Judge the draft, unit by unit. Raises DraftError."""
    async with (
        pool.acquire() as plain,
        plain.transaction(isolation="repeatable_read", readonly=True),
    ):
        connection: Connection = plain  # type: ignore[assignment]
        towns, calendars = await catalogue_store.references(connection, question.municipality)
        if not towns:
            raise DraftError(f"no hay ningún municipio «{question.municipality}»")
        town = max(towns, key=lambda each: each.version)
        draft = _read(question.draft, town, calendars)
        variants = list(variants_of(draft))
        drafts = [(DRAFT, draft), *((each.name, each.draft) for each in variants)]
        catalogue, promises, carta = prepared(
            drafts,
            town,
            calendars,
            services=question.services,
            unit=question.unit,
        )
        window = window_named(promises[0], question.window)
        coverage = await coverage_store.load(connection)
        fresh, failing = await _count(connection, promises, coverage)
        units = _units(fresh, promises[0], window)
        windows = [Recorded(promises[0], unit, window) for unit in units]
        kept = await records_of(connection, catalogue, coverage, windows)
        records = dict(zip(units, kept, strict=True))
    judge_one = _Judge(window, catalogue, coverage, fresh, records)
    return [
        Tried(
            explain(judge_one(promises[0], unit), [carta]),
            promises[0].zone,
            tuple(sorted(failing.get((unit, window.id), ()))[:MOST_FAILING]),
            len(failing.get((unit, window.id), ())),
            tuple(
                (variant, judge_one(promise, unit))
                for variant, promise in zip(variants, promises[1:], strict=True)
            ),
        )
        for unit in units
    ]


def _read(draft: Draft | bytes, town: MunicipalityData, calendars: Sequence[CalendarData]) -> Draft:
    if isinstance(draft, Draft):
        return draft
    names = sorted({each.calendar.id for each in calendars})
    return read_draft(draft, calendars=names, calendar=town.calendar)


async def _count(
    connection: Connection, promises: Sequence[Promise], coverage: Coverage
) -> tuple[_Fresh, _Failing]:
    """Count the cases of every window under all the promises at once; name the draft's failed."""
    town, services = promises[0].municipality, services_of(promises[0])
    groups = [(promise,) for promise in promises]
    fresh: _Fresh = {}
    failing: _Failing = {}
    async for row in connection.cursor(FACTS, town, list(services)):
        data = hot.decode_case(row["data"])
        known = coverage.complete_through(
            town, data.service, case_sources=data.sources, historical=data.historical
        )
        for judgement, _, window in judge(data, groups, known=known).values():
            if window is not None:
                key = ((judgement.compromiso, judgement.unit, window.id), judgement.part)
                one = Counts({judgement.cell: Tally.of(judgement)}, int(judgement.historical))
                fresh[key] = fresh.get(key, Counts()) + one
                if judgement.compromiso == DRAFT and judgement.status is CaseStatus.FAILED:
                    failing.setdefault((judgement.unit, window.id), set()).add(data.case)
    return fresh, failing


def _units(fresh: _Fresh, promise: Promise, window: WindowBounds) -> list[str]:
    """Return the units with a case in the window; the one that answers where there is none."""
    found = {
        unit
        for (compromiso, unit, name), _ in fresh
        if (compromiso, name) == (promise.id, window.id)
    }
    return sorted(found) or [promise.carta.unit]


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges the counts of one window as if its cut-off were now. `records` are by unit."""

    window: WindowBounds
    catalogue: Catalogue
    coverage: Coverage
    fresh: Mapping[tuple[_Place, int], Counts]
    records: Mapping[str, Records]

    def __call__(self, promise: Promise, unit: str) -> ResultData:
        counts = self._counts(promise, unit, self.window)
        known = of_window(self.coverage, promise, historical=is_historical(counts.values()))
        look = Look(
            (promise.municipality, promise.id, unit, self.window.id),
            promise,
            self._state(promise),
            counts,
            cohorts_of(self.catalogue, promise, cells_of(counts)),
            known=known,
            awaits_import=False,
            earlier=self._earlier(promise, unit),
            volumes=[None] * len(promise.parts),
            records=self.records[unit],
            catalogue=self.catalogue,
        )
        final = known.covers(promise.facts_until(self.window.end))
        return look.result(Publication(edition=int(final), sequence=1))

    def _state(self, promise: Promise) -> WindowState:
        return WindowState(
            number=0,
            carta=promise.carta.carta,
            carta_version=promise.carta.version,
            starts_at=self.window.start,
            ends_at=self.window.end,
            closes_at=promise.closes_at(self.window),
            is_past=False,
            edition=0,
            sequence=0,
            risk=Risk.UNSAID,
            result=None,
        )

    def _earlier(self, promise: Promise, unit: str) -> dict[Reference, Counted]:
        """Windows without a case count as before any promise: no target follows them."""
        earlier = {}
        for kind, bounds in promise.earlier(self.window).items():
            counts = self._counts(promise, unit, bounds)
            if population_of(counts):
                cohorts = cohorts_of(self.catalogue, promise, cells_of(counts))
                earlier[kind] = Counted.of(bounds, cohorts)
        return earlier

    def _counts(self, promise: Promise, unit: str, window: WindowBounds) -> CohortCounts:
        place, version = (promise.id, unit, window.id), promise.carta.version
        found = {n: self.fresh.get((place, n)) for n in range(len(promise.measures))}
        return {(version, n): counts for n, counts in found.items() if counts is not None}


def as_json(tried: Tried) -> dict[str, Any]:
    """Return it as it travels."""
    return {
        **explanation_json(tried.explanation),
        "failing_cases": list(tried.failing),
        "failing_total": tried.failing_total,
        "beside": [
            {
                "part": variant.part,
                "target": str(variant.target),
                "verdict": result.verdict.value,
                "reason": result.reason,
            }
            for variant, result in tried.beside
        ],
    }
