"""Every figure can be recomputed: from the stored facts, beside what was added up and published."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.evaluator.domain.catalogue import Catalogue, Promise, services_of
from services.evaluator.domain.cohorts import Cohorts, cohorts_of
from services.evaluator.domain.judging import judge
from services.evaluator.domain.results import Counted, Known, judged, part_results
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from services.evaluator.store import redatings as redating_store
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.tallies import NOTHING, Counts, WindowKey, cells_of
from shared.contracts import hot
from shared.criteria import Measure, WindowBounds
from shared.database import Connection, Pool

FACTS = """
SELECT data FROM measured_case
WHERE municipality = $1 AND ($2::text[] IS NULL OR service = ANY ($2))
ORDER BY case_id
"""
# A window that waits to be published shows the figures of a moment ago: they are not compared.
WINDOWS = """
SELECT w.municipality, w.compromiso, w.unit, w.window_id, w.carta_version, w.starts_at, w.ends_at,
       w.edition, w.result ->> 'as_of' AS as_of, w.result -> 'cohorts' AS cohorts,
       CASE WHEN w.stale OR EXISTS (
           SELECT FROM tally t
           WHERE t.changed AND (t.municipality, t.compromiso, t.unit, t.window_id)
               = (w.municipality, w.compromiso, w.unit, w.window_id)
       ) THEN NULL ELSE w.result -> 'parts' END AS parts
FROM judged_window w
WHERE w.municipality = $1 ORDER BY w.compromiso, w.unit, w.starts_at
"""
_FIGURES = ("met", "failed", "pending", "excluded", "overdue_open", "exact")

_Fresh = dict[WindowKey, dict[tuple[int, int], Counts]]
_Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of a window under one version: as it was added up, and by a fresh look.

    `published` and `publishable` hold the figures of a result, with the version that decided it;
    None where there is none to compare.
    """

    window: WindowKey
    carta_version: int
    part: int
    added: Counts
    recomputed: Counts
    published: _Figures | None
    publishable: _Figures | None

    @property
    def agrees(self) -> bool:
        """Whether all are the same, name by name."""
        return self.added == self.recomputed and self.published == self.publishable


async def recompute(
    pool: Pool, municipality: str, *, only: Collection[WindowKey] | None = None
) -> list[Comparison]:
    """Judge every stored case from scratch and compare the figures of every window.

    With `only`, those windows alone, and the cases of their services.
    """
    async with pool.acquire() as plain, plain.transaction(isolation="repeatable_read"):
        connection: Connection = plain  # type: ignore[assignment]
        version = await catalogue_store.hold_version(connection)
        catalogue = await catalogue_store.load(connection, version)
        fresh = await _count(connection, catalogue, municipality, only)
        compared: list[Comparison] = []
        for row in await connection.fetch(WINDOWS, municipality):
            compared += await _compare(connection, catalogue, dict(row), fresh)
    seen = {(one.window, one.carta_version, one.part) for one in compared}
    every = compared + [
        Comparison(window, *place, Counts(), fresh[window][place], None, None)
        for window in sorted(fresh)
        for place in sorted(fresh[window])
        if (window, *place) not in seen
    ]
    return [one for one in every if only is None or one.window in only]


async def _count(
    connection: Connection,
    catalogue: Catalogue,
    municipality: str,
    only: Collection[WindowKey] | None,
) -> _Fresh:
    coverage = await coverage_store.load(connection)
    redated = catalogue.redated(municipality)
    closed = await redating_store.closed_windows(connection, municipality, redated)
    fresh: _Fresh = {}
    async for row in connection.cursor(FACTS, municipality, _services(catalogue, only)):
        data = hot.decode_case(row["data"])
        known = coverage.complete_through(
            municipality, data.service, case_sources=data.sources, historical=data.historical
        )
        groups = catalogue.for_service(municipality, data.service)
        for judgement, _, window in judge(data, groups, known=known, closed=closed).values():
            if window is None:
                continue
            key = (municipality, judgement.compromiso, judgement.unit, window.id)
            counts = fresh.setdefault(key, {})
            place = (judgement.carta_version, judgement.part)
            one = Counts({judgement.cell: judgement.tally()}, int(judgement.historical))
            counts[place] = counts.get(place, NOTHING) + one
    return fresh


def _services(catalogue: Catalogue, only: Collection[WindowKey] | None) -> list[str] | None:
    if only is None:
        return None
    compromisos = {window[:2] for window in only}
    promises = [p for key in compromisos for p in catalogue.by_compromiso.get(key, ())]
    return sorted({service for promise in promises for service in services_of(promise)})


async def _compare(
    connection: Connection, catalogue: Catalogue, row: dict[str, Any], fresh: _Fresh
) -> list[Comparison]:
    key: WindowKey = (row["municipality"], row["compromiso"], row["unit"], row["window_id"])
    promise = catalogue.promise(key[0], key[1], row["carta_version"])
    if promise is None:
        return []
    added = await tally_store.counts_of(connection, key, _measures(catalogue, promise))
    recomputed = fresh.get(key, {})
    published = None if row["parts"] is None else _published(row)
    figures = None if published is None else _publishable(catalogue, promise, key, row, fresh)
    decided = promise.carta.version
    places = {(decided, n) for n in range(len(promise.measures))} | added.keys() | recomputed.keys()
    return [
        Comparison(
            key,
            *place,
            added.get(place, NOTHING),
            recomputed.get(place, NOTHING),
            published=published if place == (decided, 0) else None,
            publishable=figures if place == (decided, 0) else None,
        )
        for place in sorted(places)
    ]


def _measures(catalogue: Catalogue, promise: Promise) -> list[Measure]:
    """Return those of every version: one of them may need its amounts."""
    key = (promise.municipality, promise.compromiso.id)
    return [measure for each in catalogue.by_compromiso[key] for measure in each.measures]


def _published(row: dict[str, Any]) -> _Figures:
    parts = [{name: part[name] for name in _FIGURES} for part in json.loads(row["parts"])]
    return {"parts": parts, "cohorts": json.loads(row["cohorts"] or "[]")}


def _publishable(
    catalogue: Catalogue, promise: Promise, key: WindowKey, row: dict[str, Any], fresh: _Fresh
) -> _Figures:
    """The counts and fractions of each part, with what was known when they were published."""

    def cohorts(window: str) -> Cohorts:
        counts = fresh.get((*key[:3], window), {})
        return cohorts_of(catalogue, promise, cells_of(counts))

    bounds = WindowBounds(key[3], row["starts_at"], row["ends_at"])
    earlier = {
        kind: Counted.of(before, cohorts(before.id))
        for kind, before in promise.earlier(bounds).items()
    }
    through = None if row["as_of"] is None else datetime.fromisoformat(row["as_of"])
    known = Known(through, has_source=True, historical=True)
    own = cohorts(key[3])
    result = judged(
        promise, Counted.of(bounds, own, earlier), known=known, final=row["edition"] > 0
    )
    parts = [part.model_dump(mode="json") for part in part_results(promise, result)]
    return {
        "parts": [{name: part[name] for name in _FIGURES} for part in parts],
        "cohorts": [cohort.model_dump(mode="json") for cohort in own.listed()],
    }
