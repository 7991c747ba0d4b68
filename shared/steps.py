"""Long computing in steps: between two of them the event loop serves what waits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")

STEP = 200
"""Items: some milliseconds of computing, which is what a request waits for at most."""


async def by_steps(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """Yield the items in their order, some at a time; the loop turns after each but the last."""
    for start in range(0, len(items), STEP):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + STEP]
