"""The cases that moved a closed window since its last edition, and what brought each."""

from collections.abc import Sequence

from services.evaluator.domain.addenda import Move
from services.evaluator.store.windows import WindowKey
from shared.contracts.results import MAX_CAUSE_CASES, AddendumReason, Cause
from shared.database import Connection

KEEP = """
INSERT INTO moved_case (municipality, compromiso, unit, window_id, case_id, reason, import_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::text[])
"""
TAKE = """
UPDATE moved_case SET taken = true
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND NOT taken
"""
SUMMED = """
SELECT reason, import_id, count(DISTINCT case_id) AS total,
       (array_agg(DISTINCT case_id ORDER BY case_id))[1:$5] AS cases
FROM moved_case
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND taken
GROUP BY reason, import_id
ORDER BY total DESC, reason, import_id
"""
MORE = """
SELECT EXISTS (
    SELECT FROM moved_case
    WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND NOT taken
)
"""
FORGET = """
DELETE FROM moved_case
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND taken
"""


async def keep(connection: Connection, moves: Sequence[Move]) -> None:
    """Note what moved closed windows, in the transaction that moved them."""
    await connection.execute(
        KEEP,
        *([move.window[place] for move in moves] for place in range(4)),
        [move.case for move in moves],
        [move.reason.value for move in moves],
        [move.import_id for move in moves],
    )


async def take(connection: Connection, key: WindowKey) -> tuple[Cause, ...]:
    """Return why a window moved since its last edition: before its counts are read."""
    await connection.execute(TAKE, *key)
    return tuple(
        Cause(
            reason=AddendumReason(row["reason"]),
            import_id=row["import_id"],
            cases=tuple(row["cases"]),
            total=row["total"],
        )
        for row in await connection.fetch(SUMMED, *key, MAX_CAUSE_CASES)
    )


async def has_more(connection: Connection, key: WindowKey) -> bool:
    """Return whether more has moved the window since that was taken."""
    return bool(await connection.fetchval(MORE, *key))


async def forget(connection: Connection, key: WindowKey) -> None:
    """Forget what was taken: an edition says it, or it came to nothing."""
    await connection.execute(FORGET, *key)
