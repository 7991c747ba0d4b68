"""Every figure can be recomputed: from the stored facts, beside what was added up and published."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.evaluator.domain.catalogue import Catalogue, Promise, services_of
from services.evaluator.domain.judging import judge
from services.evaluator.domain.results import Counted, Known, judged, part_results
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from services.evaluator.store import redatings as redating_store
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.tallies import Counts, WindowKey
from shared.contracts import hot
from shared.criteria import Cells, WindowBounds
from shared.database import Connection, Pool

FACTS = """
SELECT data FROM measured_case
WHERE municipality = $1 AND ($2::text[] IS NULL OR service = ANY ($2))
ORDER BY case_id
"""
# A window that waits to be published shows the figures of a moment ago: they are not compared.
WINDOWS = """
SELECT w.municipality, w.compromiso, w.unit, w.window_id, w.carta_version, w.starts_at, w.ends_at,
       w.edition, w.result ->> 'as_of' AS as_of,
       CASE WHEN w.stale OR EXISTS (
           SELECT FROM tally t
           WHERE t.changed AND (t.municipality, t.compromiso, t.unit, t.window_id)
               = (w.municipality, w.compromiso, w.unit, w.window_id)
       ) THEN NULL ELSE w.result -> 'parts' END AS parts
FROM judged_window w
WHERE w.municipality = $1 ORDER BY w.compromiso, w.unit, w.starts_at
"""
_FIGURES = ("met", "failed", "pending", "excluded", "overdue_open", "exact")

_Fresh = dict[tuple[WindowKey, int], Counts]
_Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of a window: as it was added up, published, and counted by a fresh look.

    `published` and `publishable` hold the figures of a result; None where there is none to compare.
    """

    window: WindowKey
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
    seen = {(comparison.window, comparison.part) for comparison in compared}
    lost = sorted(fresh.keys() - seen)
    every = compared + [
        Comparison(window, part, Counts(), fresh[window, part], None, None) for window, part in lost
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
            key = ((municipality, judgement.compromiso, judgement.unit, window.id), judgement.part)
            one = Counts({judgement.cell: judgement.tally()}, int(judgement.historical))
            fresh[key] = fresh.get(key, Counts()) + one
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
    measures = range(len(promise.measures))
    added = await tally_store.counts_of(connection, key, promise.measures)
    recomputed = [fresh.get((key, measure), Counts()) for measure in measures]
    published = None if row["parts"] is None else json.loads(row["parts"])
    figures = list(_figures(promise, key, row, fresh))
    parts = [measure.part for measure in promise.measures]
    return [
        Comparison(
            key,
            measure,
            added[measure],
            recomputed[measure],
            published=(
                None
                if published is None
                else {name: published[parts[measure]][name] for name in _FIGURES}
            ),
            publishable=None if published is None else figures[parts[measure]],
        )
        for measure in measures
    ]


def _figures(
    promise: Promise, key: WindowKey, row: dict[str, Any], fresh: _Fresh
) -> Iterator[_Figures]:
    """The counts and fractions of each part, with what was known when they were published."""
    window = WindowBounds(key[3], row["starts_at"], row["ends_at"])
    earlier = {
        kind: Counted(bounds, _cells(promise, (*key[:3], bounds.id), fresh))
        for kind, bounds in promise.earlier(window).items()
    }
    counted = Counted(window, _cells(promise, key, fresh), earlier)
    through = None if row["as_of"] is None else datetime.fromisoformat(row["as_of"])
    known = Known(through, has_source=True, historical=True)
    result = judged(promise, counted, known=known, final=row["edition"] > 0)
    for part in part_results(promise, result):
        figures = part.model_dump(mode="json")
        yield {name: figures[name] for name in _FIGURES}


def _cells(promise: Promise, key: WindowKey, fresh: _Fresh) -> list[Cells]:
    measures = range(len(promise.measures))
    return [fresh.get((key, measure), Counts()).cells for measure in measures]
