"""Counts of windows in partial rows, one for each writer."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from services.evaluator.store.windows import WindowKey
from shared.criteria import Cells, Tally, added, merged
from shared.database import Connection

# Sorted by key. `excluded` is added name by name; names that come to nought stay with 0. In the
# windows $18 the counts changed; of the windows $19 it tells those that are closed.
ADD = """
WITH told AS (
    INSERT INTO changed_window (window_no) SELECT * FROM unnest($18::int[])
), counted AS (
    INSERT INTO tally AS t (municipality, compromiso, unit, window_id, carta_version, part, writer,
                            met, failed, pending, excluded, overdue_open, amount_sum,
                            amount_count, historical, cell, received_through)
    SELECT m, c, u, w, v, p, $7, met, failed, pending, excluded::jsonb, overdue, total, measured,
           historical, cell, $17
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::smallint[],
                $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bigint[],
                $13::numeric[], $14::bigint[], $15::bigint[], $16::text[])
        AS x (m, c, u, w, v, p, met, failed, pending, excluded, overdue, total, measured,
              historical, cell)
    ON CONFLICT (municipality, compromiso, unit, window_id, carta_version, part, cell, writer)
    DO UPDATE
    SET met = t.met + excluded.met,
        failed = t.failed + excluded.failed,
        pending = t.pending + excluded.pending,
        excluded = CASE WHEN excluded.excluded = '{}' THEN t.excluded ELSE (
            SELECT jsonb_object_agg(name, total) FROM (
                SELECT name, sum(n.count::bigint) AS total
                FROM (SELECT * FROM jsonb_each_text(t.excluded)
                      UNION ALL SELECT * FROM jsonb_each_text(excluded.excluded)) AS n (name, count)
                GROUP BY name) AS summed) END,
        overdue_open = t.overdue_open + excluded.overdue_open,
        amount_sum = t.amount_sum + excluded.amount_sum,
        amount_count = t.amount_count + excluded.amount_count,
        historical = t.historical + excluded.historical,
        received_through = greatest(t.received_through, excluded.received_through)
)
SELECT municipality, compromiso, unit, window_id
FROM judged_window
WHERE window_no = ANY($19::int[]) AND edition > 0
"""
# Sorted by key, as the counts.
ADD_SPREAD = """
INSERT INTO spread AS s (municipality, compromiso, unit, window_id, carta_version, part, cell,
                         span_from, span_to, writer, count)
SELECT m, c, u, w, v, p, cell, first, last, $10, n
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::smallint[],
            $7::text[], $8::bigint[], $9::bigint[], $11::bigint[])
    AS x (m, c, u, w, v, p, cell, first, last, n)
ON CONFLICT (municipality, compromiso, unit, window_id, carta_version, part, cell, span_from,
             span_to, writer)
DO UPDATE SET count = s.count + excluded.count
"""
RECEIVED_THROUGH = """
SELECT max(received_through) FROM tally
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """The cells of one measure, and how many of their cases came through an import."""

    cells: Cells = field(default_factory=dict)
    historical: int = 0

    @property
    def tally(self) -> Tally:
        """All cells together."""
        return merged(self.cells)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(added(self.cells, other.cells), self.historical + other.historical)

    def __sub__(self, other: "Counts") -> "Counts":
        taken = {cell: Tally() - tally for cell, tally in other.cells.items()}
        return Counts(added(self.cells, taken), self.historical - other.historical)


CohortCounts = Mapping[tuple[int, int], Counts]
"""The counts of one window by carta version and measure; without those that come to nothing."""

CountKey = tuple[WindowKey, int, int]
"""Window, carta version, measure."""

NOTHING: Final = Counts()


def cells_of(counts: CohortCounts) -> dict[tuple[int, int], Cells]:
    """Return them as they are judged."""
    return {place: count.cells for place, count in counts.items()}


def population_of(counts: CohortCounts) -> int:
    """Return how many cases a window has, measure by measure."""
    return sum(count.tally.population for count in counts.values())


def is_historical(counts: Collection[Counts]) -> bool:
    """Return whether all cases of a window came through an import."""
    population = sum(count.tally.population for count in counts)
    return population > 0 and population == sum(count.historical for count in counts)


async def add(
    connection: Connection,
    changes: Mapping[CountKey, Counts],
    *,
    writer: int,
    received_through: datetime | None,
    changed: Collection[int],
    touched: Collection[int],
) -> set[WindowKey]:
    """Add the changes of one transaction to the writer's own rows, in sorted order.

    `received_through`: when the newest fact behind them was received. Windows by their numbers:
    those `changed` are to be published; of those `touched` the closed ones are returned.
    """
    rows = [
        (key, version, part, cell, tally, _historical(counts, cell))
        for (key, version, part), counts in sorted(changes.items())
        for cell, tally in sorted(counts.cells.items()) or [("", Tally())]
    ]
    tallies = [tally for *_, tally, _ in rows]
    closed = await connection.fetch(
        ADD,
        *([key[place] for key, *_ in rows] for place in range(4)),
        [version for _, version, *_ in rows],
        [part for _, _, part, *_ in rows],
        writer,
        [tally.met for tally in tallies],
        [tally.failed for tally in tallies],
        [tally.pending for tally in tallies],
        [json.dumps(dict(tally.excluded)) for tally in tallies],
        [tally.overdue_open for tally in tallies],
        [Decimal(tally.amount_sum) for tally in tallies],
        [tally.amount_count for tally in tallies],
        [historical for *_, historical in rows],
        [cell for _, _, _, cell, *_ in rows],
        received_through,
        changed,
        touched,
    )
    spans = [
        (*key, version, part, cell, *span, count)
        for key, version, part, cell, tally, _ in rows
        for span, count in sorted(tally.spread.items())
    ]
    if spans:
        columns = [[row[place] for row in spans] for place in range(10)]
        await connection.execute(ADD_SPREAD, *columns[:9], writer, columns[9])
    return {tuple(row.values()) for row in closed}


def _historical(counts: Counts, cell: str) -> int:
    """The imported cases of a measure are counted once, with its first cell."""
    return counts.historical if cell == min(counts.cells, default="") else 0


async def received_through(connection: Connection, key: WindowKey) -> datetime | None:
    """Return when the newest fact counted in the window was received."""
    newest: datetime | None = await connection.fetchval(RECEIVED_THROUGH, *key)
    return newest
