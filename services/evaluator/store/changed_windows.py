"""Windows whose counts changed and were not published since, a row for each change.

Rows are put in with the counts and taken out by who publishes, and never changed: who adds counts
waits for nobody who publishes.
"""

from services.evaluator.store.windows import WindowKey
from shared.database import Connection

NEXT = """
SELECT window_no, municipality, compromiso, unit, window_id
FROM judged_window
WHERE window_no = ANY (ARRAY(
    SELECT DISTINCT window_no FROM changed_window
    WHERE window_no > $1
    ORDER BY window_no
    LIMIT $2
))
ORDER BY window_no
"""
TAKE = "DELETE FROM changed_window WHERE window_no = $1"
ANY_LEFT = "SELECT EXISTS (SELECT FROM changed_window WHERE window_no = $1)"


async def following(
    connection: Connection, number: int, *, limit: int
) -> list[tuple[int, WindowKey]]:
    """Return the next changed windows after a number, with theirs, in the order of numbers."""
    rows = await connection.fetch(NEXT, number, limit)
    return [(row["window_no"], tuple(row.values())[1:]) for row in rows]


async def take(connection: Connection, number: int) -> None:
    """Note that the counts are being published: before they are read, lest a change go unseen."""
    await connection.execute(TAKE, number)


async def has_changed(connection: Connection, number: int) -> bool:
    """Return whether counts have changed since the changes of the window were taken."""
    return bool(await connection.fetchval(ANY_LEFT, number))
