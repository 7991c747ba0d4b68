"""The second equation: population = met + failed + pending + excluded, window by window."""

from shared.database import Pool

# Verdicts are counted one by one; the counts were added up change by change: they must agree.
DIFFERENCE = """
WITH counted AS (
    SELECT municipality, compromiso, unit, window_id, part,
           count(*) FILTER (WHERE status = 'met') AS met,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'pending') AS pending,
           count(*) FILTER (WHERE status = 'excluded') AS excluded
    FROM verdict WHERE window_id IS NOT NULL
    GROUP BY municipality, compromiso, unit, window_id, part
), added AS (
    SELECT t.municipality, t.compromiso, t.unit, t.window_id, t.part,
           sum(t.met) AS met, sum(t.failed) AS failed, sum(t.pending) AS pending,
           coalesce(sum((SELECT sum(value::bigint) FROM jsonb_each_text(t.excluded))), 0)
               AS excluded
    FROM tally t
    GROUP BY t.municipality, t.compromiso, t.unit, t.window_id, t.part
)
SELECT coalesce(sum(abs(coalesce(c.met, 0) - coalesce(a.met, 0))
    + abs(coalesce(c.failed, 0) - coalesce(a.failed, 0))
    + abs(coalesce(c.pending, 0) - coalesce(a.pending, 0))
    + abs(coalesce(c.excluded, 0) - coalesce(a.excluded, 0))), 0)::bigint
FROM counted c
FULL JOIN added a USING (municipality, compromiso, unit, window_id, part)
"""


async def difference(pool: Pool) -> int:
    """Return the sum of all differences between verdicts and counts; 0 when they balance."""
    found: int = await pool.fetchval(DIFFERENCE)
    return found
