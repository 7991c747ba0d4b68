"""Some published figures are counted again from the stored facts: each night, and when asked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from services.evaluator.store.windows import WindowKey
from services.evaluator.use_cases.recompute import Comparison, recompute
from shared.database import Pool

# The same on every process and in every repetition; another seed, others.
SAMPLE = """
SELECT municipality, compromiso, unit, window_id
FROM judged_window
WHERE result IS NOT NULL AND NOT stale
ORDER BY md5(concat_ws('/', $1::text, municipality, compromiso, unit, window_id))
LIMIT $2
"""
# By then whatever was just being judged or published has been.
LOOK_AGAIN_SECONDS: Final = 3.0


async def sample(pool: Pool, *, seed: str, size: int) -> set[WindowKey]:
    """Return up to `size` windows with a result, drawn by `seed`."""
    return {tuple(row.values()) for row in await pool.fetch(SAMPLE, seed, size)}


async def compare(pool: Pool, windows: Iterable[WindowKey]) -> list[Comparison]:
    """Recompute these windows, town by town."""
    of_town: dict[str, set[WindowKey]] = {}
    for window in windows:
        of_town.setdefault(window[0], set()).add(window)
    found: list[Comparison] = []
    for town, wanted in sorted(of_town.items()):
        found += await recompute(pool, town, only=wanted)
    return found


async def compare_surely(
    pool: Pool,
    windows: Iterable[WindowKey],
    *,
    wait: Callable[[float], Awaitable[None]] | None = None,
) -> list[Comparison]:
    """Recompute these windows; what differs is looked at again, and only that answer counts."""
    first = {each.window: each for each in await compare(pool, windows)}
    doubtful = [window for window, each in first.items() if not each.agrees]
    if doubtful:
        await (wait or asyncio.sleep)(LOOK_AGAIN_SECONDS)
        first |= {each.window: each for each in await compare(pool, doubtful)}
    return [first[window] for window in sorted(first)]
