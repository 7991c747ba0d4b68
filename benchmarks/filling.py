"""The evaluator's tables as years would leave them: judged cases many times over, put in by SQL."""

import time
from typing import Final

import asyncpg

HOLDS: Final = """
SELECT (SELECT count(*) FROM measured_case) AS cases,
       (SELECT count(*) FROM case_in_window) AS verdicts,
       (SELECT count(*) FROM judged_window) AS windows
"""
# Each copy is a case of its own with the same facts and verdicts, in the same windows. They come in
# the order of the primary keys: every page of an index is written once. Cases that count nowhere
# are not copied.
COPY_CASES: Final = """
INSERT INTO measured_case (municipality, case_id, revision, service, unit, began_kind, began_at,
                           data, verdicts, traceparent)
SELECT municipality, case_id || '~' || copy, revision, service, unit, began_kind, began_at,
       data, verdicts, traceparent
FROM (
    SELECT * FROM measured_case WHERE strpos(case_id, '~') = 0 AND verdicts <> '[]'
    ORDER BY municipality, case_id
) AS judged, generate_series(1, $1::integer) AS copy
"""
COPY_PLACES: Final = """
INSERT INTO case_in_window (window_no, status, case_id, part, slice, alarm_at)
SELECT window_no, status, case_id || '~' || copy, part, slice, alarm_at
FROM (
    SELECT * FROM case_in_window WHERE strpos(case_id, '~') = 0 ORDER BY window_no, status, case_id
) AS judged, generate_series(1, $1::integer) AS copy
"""
# So that the counts still are those of the verdicts.
COPY_COUNTS: Final = """
UPDATE tally
SET met = met * $1, failed = failed * $1, pending = pending * $1, overdue_open = overdue_open * $1,
    amount_sum = amount_sum * $1, amount_count = amount_count * $1, historical = historical * $1,
    excluded = coalesce((
        SELECT jsonb_object_agg(key, value::bigint * $1) FROM jsonb_each_text(excluded)), '{}')
"""
SIZES: Final = """
SELECT relname AS relation,
       format('%s MiB and %s MiB of indexes, %s rows, %s bytes a row',
              pg_table_size(oid) >> 20, pg_indexes_size(oid) >> 20,
              reltuples::bigint, (pg_total_relation_size(oid) / reltuples)::bigint) AS told
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > 0
    AND pg_total_relation_size(oid) >= 2 ^ 20
ORDER BY pg_total_relation_size(oid) DESC
"""


async def multiply(database: "asyncpg.Connection[asyncpg.Record]", verdicts: int) -> float:
    """Copy what was judged until there are about so many verdicts; return the seconds it took.

    It takes what has not been copied before as the pattern, and does nothing where there are as
    many already.
    """
    there = await database.fetchval("SELECT count(*) FROM case_in_window")
    if not there:
        raise SystemExit("there is nothing judged to make more of: run the step events first")
    times = round(verdicts / there)
    began = time.perf_counter()
    async with database.transaction():  # a run that is broken off leaves nothing behind
        if times > 1:
            await database.execute(COPY_CASES, times - 1)
            await database.execute(COPY_PLACES, times - 1)
            await database.execute(COPY_COUNTS, times)
    await database.execute("VACUUM (ANALYZE)")
    return time.perf_counter() - began
