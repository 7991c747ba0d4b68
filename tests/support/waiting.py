"""Waiting for a condition instead of a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

POLL_SECONDS = 0.05


@overload
async def eventually(
    condition: Callable[[], Awaitable[T | None]], timeout: float = ..., *, what: str = ...
) -> T: ...
@overload
async def eventually(
    condition: Callable[[], T | None], timeout: float = ..., *, what: str = ...
) -> T: ...
async def eventually(condition: Callable[[], Any], timeout: float = 20.0, *, what: str = "") -> Any:
    """Return the first truthy value of `condition`; fail with its last value after `timeout` s.

    An AssertionError inside the condition counts as "not yet" and is the failure in the end.
    """
    give_up = time.monotonic() + timeout
    while True:
        value, complaint = await _try(condition)
        if value:
            return value
        if time.monotonic() > give_up:
            said = complaint or f"last value: {value!r}"
            raise AssertionError(f"not within {timeout} s: {what or condition}; {said}")
        await asyncio.sleep(POLL_SECONDS)


async def _try(condition: Callable[[], Any]) -> tuple[Any, str]:
    try:
        value = condition()
        return (await value if inspect.isawaitable(value) else value), ""
    except AssertionError as error:
        return None, str(error)
