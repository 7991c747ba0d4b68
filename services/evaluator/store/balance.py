"""The second equation: population = met + failed + pending + excluded, window by window."""

from dataclasses import dataclass

from services.evaluator.store.windows import WindowKey
from shared.database import Pool

# Verdicts are counted one by one; the counts were added up change by change: they must agree.
COMPARED = """
WITH counted AS (
    SELECT w.municipality, w.compromiso, w.unit, w.window_id, p.part, p.met, p.failed, p.pending,
           p.excluded
    FROM (
        SELECT window_no, part,
               count(*) FILTER (WHERE status = 'm') AS met,
               count(*) FILTER (WHERE status = 'f') AS failed,
               count(*) FILTER (WHERE status = 'p') AS pending,
               count(*) FILTER (WHERE status = 'x') AS excluded
        FROM case_in_window
        GROUP BY window_no, part
    ) AS p
    JOIN judged_window w USING (window_no)
), added AS (
    SELECT t.municipality, t.compromiso, t.unit, t.window_id, t.part,
           sum(t.met) AS met, sum(t.failed) AS failed, sum(t.pending) AS pending,
           coalesce(sum((SELECT sum(value::bigint) FROM jsonb_each_text(t.excluded))), 0)
               AS excluded
    FROM tally t
    GROUP BY t.municipality, t.compromiso, t.unit, t.window_id, t.part
), compared AS (
    SELECT municipality, compromiso, unit, window_id, part,
           coalesce(c.met + c.failed + c.pending + c.excluded, 0)::bigint AS verdicts,
           coalesce(a.met + a.failed + a.pending + a.excluded, 0)::bigint AS counts,
           (abs(coalesce(c.met, 0) - coalesce(a.met, 0))
            + abs(coalesce(c.failed, 0) - coalesce(a.failed, 0))
            + abs(coalesce(c.pending, 0) - coalesce(a.pending, 0))
            + abs(coalesce(c.excluded, 0) - coalesce(a.excluded, 0)))::bigint AS difference
    FROM counted c
    FULL JOIN added a USING (municipality, compromiso, unit, window_id, part)
)
"""
DIFFERENCE = f"{COMPARED} SELECT coalesce(sum(difference), 0)::bigint FROM compared"
# The worst first; every line brings along the sums over all of them.
WORST = f"""{COMPARED}
SELECT municipality, compromiso, unit, window_id, part, verdicts, counts, difference,
       count(*) OVER () AS lines, (sum(verdicts) OVER ())::bigint AS all_verdicts,
       (count(*) FILTER (WHERE difference <> 0) OVER ()) AS differing
FROM compared
ORDER BY difference DESC, municipality, compromiso, unit, window_id, part
LIMIT $1
"""
WITHIN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Imbalance:
    """A part of a window whose verdicts and counts differ; their sums may still be equal."""

    window: WindowKey
    part: int
    verdicts: int
    counts: int


@dataclass(frozen=True, slots=True)
class Balance:
    """How many parts of windows were compared and how many differ, the worst of them by name."""

    lines: int
    verdicts: int
    differing: int
    worst: tuple[Imbalance, ...]


async def difference(pool: Pool) -> int:
    """Return the sum of all differences between verdicts and counts; 0 when they balance."""
    found: int = await pool.fetchval(DIFFERENCE)
    return found


async def balance(pool: Pool, *, limit: int) -> Balance:
    """Compare every window and name up to `limit` that differ; reads every verdict."""
    rows = await pool.fetch(WORST, limit, timeout=WITHIN_SECONDS)
    if not rows:
        return Balance(0, 0, 0, ())
    worst = tuple(
        Imbalance(
            (row["municipality"], row["compromiso"], row["unit"], row["window_id"]),
            *(row["part"], row["verdicts"], row["counts"]),
        )
        for row in rows
        if row["difference"]
    )
    return Balance(rows[0]["lines"], rows[0]["all_verdicts"], rows[0]["differing"], worst)
