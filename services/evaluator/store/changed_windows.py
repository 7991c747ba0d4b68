"""Windows to be published again, a row for each change of their counts or of what is beside them.

Rows are put in with what changes and taken out by who publishes, and never changed: nobody who
changes something waits for a publication.
"""

from collections.abc import Collection

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
TAKE = "DELETE FROM changed_window WHERE window_no = ANY ($1::int[])"
ADD = "INSERT INTO changed_window (window_no) SELECT * FROM unnest($1::int[])"
ANY_LEFT = "SELECT EXISTS (SELECT FROM changed_window WHERE window_no = $1)"


async def following(
    connection: Connection, number: int, *, limit: int
) -> list[tuple[int, WindowKey]]:
    """Return the next changed windows after a number, with theirs, in the order of numbers."""
    rows = await connection.fetch(NEXT, number, limit)
    return [(row["window_no"], tuple(row.values())[1:]) for row in rows]


async def take(connection: Connection, numbers: Collection[int]) -> None:
    """Note that the counts are being published: before they are read, lest a change go unseen."""
    await connection.execute(TAKE, numbers)


async def add(connection: Connection, numbers: Collection[int]) -> None:
    """Have windows published again; also those that someone is publishing just now."""
    await connection.execute(ADD, numbers)


async def has_changed(connection: Connection, number: int) -> bool:
    """Return whether counts have changed since the changes of the window were taken."""
    return bool(await connection.fetchval(ANY_LEFT, number))
