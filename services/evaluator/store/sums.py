"""The counts of windows, summed over the partial rows of their writers."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from asyncpg import Record

from services.evaluator.store.tallies import CohortCounts, Counts
from services.evaluator.store.windows import WindowKey
from shared.criteria import Measure, Span, Tally, has_spread
from shared.database import Connection

# The primary keys lead to the rows of some windows, and to those of a municipality.
_PARTIAL: Final = """
SELECT municipality, compromiso, unit, window_id, carta_version, part, cell, met, failed, pending,
       excluded, overdue_open, amount_sum, amount_count, historical
FROM tally
"""
_SPREAD: Final = """
SELECT municipality, compromiso, unit, window_id, carta_version, part, cell, span_from, span_to,
       sum(count)::bigint AS count
FROM spread {where}
GROUP BY municipality, compromiso, unit, window_id, carta_version, part, cell, span_from, span_to
HAVING sum(count) <> 0
"""
_WINDOWS: Final = """
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (municipality, compromiso, unit, window_id)
    USING (municipality, compromiso, unit, window_id)
"""
_TOWN: Final = "WHERE municipality = $1 AND ($2::text[] IS NULL OR compromiso = ANY ($2))"
PARTIAL, PARTIAL_OF_TOWN = _PARTIAL + _WINDOWS, _PARTIAL + _TOWN
SPREAD, SPREAD_OF_TOWN = _SPREAD.format(where=_WINDOWS), _SPREAD.format(where=_TOWN)

_Place = tuple[WindowKey, int, int, str]
"""Window, carta version, measure, cell."""


async def counts_of(
    connection: Connection, windows: Mapping[WindowKey, Sequence[Measure]]
) -> Mapping[WindowKey, CohortCounts]:
    """Return the summed counts of windows; their measures tell whether amounts are read too."""
    if not windows:
        return {}
    keys = tuple(zip(*windows, strict=True))
    spread = [key for key, measures in windows.items() if any(map(has_spread, measures))]
    rows = await connection.fetch(PARTIAL, *keys)
    amounts = await connection.fetch(SPREAD, *zip(*spread, strict=True)) if spread else []
    return _summed(rows, amounts)


async def counts_of_town(
    connection: Connection, municipality: str, compromisos: Sequence[str] | None
) -> Mapping[WindowKey, CohortCounts]:
    """Return the summed counts of every window of some promises; None: of all."""
    rows = await connection.fetch(PARTIAL_OF_TOWN, municipality, compromisos)
    return _summed(rows, await connection.fetch(SPREAD_OF_TOWN, municipality, compromisos))


def _summed(rows: Iterable[Record], amounts: Iterable[Record]) -> dict[WindowKey, CohortCounts]:
    """Add up cell by cell; what comes to nothing is left out."""
    tallies: dict[_Place, Tally] = {}
    historical: dict[tuple[WindowKey, int, int], int] = {}
    for row in rows:
        place = _place(row)
        tallies[place] = tallies.get(place, Tally()) + _tally(row)
        historical[place[:3]] = historical.get(place[:3], 0) + row["historical"]
    for place, spread in _spreads(amounts).items():
        tallies[place] = replace(tallies.get(place, Tally()), spread=spread)
    cells: dict[tuple[WindowKey, int, int], dict[str, Tally]] = {}
    for place, tally in tallies.items():
        own = cells.setdefault(place[:3], {})
        if tally != Tally():
            own[place[3]] = tally
    windows: dict[WindowKey, dict[tuple[int, int], Counts]] = {}
    for (window, version, part), own in cells.items():
        imported = historical.get((window, version, part), 0)
        if own or imported:
            windows.setdefault(window, {})[version, part] = Counts(own, imported)
    return dict[WindowKey, CohortCounts](windows)


def _spreads(amounts: Iterable[Record]) -> dict[_Place, dict[Span, int]]:
    found: dict[_Place, dict[Span, int]] = {}
    for row in amounts:
        found.setdefault(_place(row), {})[row["span_from"], row["span_to"]] = row["count"]
    return found


def _place(row: Record) -> _Place:
    window = (row["municipality"], row["compromiso"], row["unit"], row["window_id"])
    return (window, row["carta_version"], row["part"], row["cell"])


def _tally(row: Record) -> Tally:
    excluded = {name: count for name, count in json.loads(row["excluded"]).items() if count}
    return Tally(
        met=row["met"],
        failed=row["failed"],
        pending=row["pending"],
        excluded=excluded,
        overdue_open=row["overdue_open"],
        amount_sum=int(row["amount_sum"]),
        amount_count=row["amount_count"],
    )
