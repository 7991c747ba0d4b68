"""What is done with a data set: catalogue, source, import, waiting until every figure is final."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.real_data.data_sets import DataSet

Run = Callable[..., Awaitable[str]]
"""Runs `python -m ARGUMENTS...` with the system's settings; returns what it printed."""

FINAL_WITHIN_SECONDS = 1800.0
POLL_SECONDS = 0.5
ANSWER_WITHIN_SECONDS = 60.0
RESULTS_A_PAGE = 1000


async def replay(data_set: DataSet, folder: Path, run: Run) -> None:
    """Load the promises, register the source once, import the file; safe to repeat."""
    await run("services.cartas", "load", str(data_set.catalogue))
    if data_set.source not in await run("services.measurements", "source", "list"):
        await run(
            *("services.measurements", "source", "add", "--historical"),
            *("--municipality", data_set.municipality, "--source", data_set.source),
            *("--services", data_set.service, "--reports", "*"),
            *(("--attributes", ",".join(data_set.attributes)) if data_set.attributes else ()),
        )
    await run(
        *("services.measurements", "import", str(folder / data_set.file)),
        *("--mapping", data_set.mapping, "--wait"),
    )


async def final_results(data_set: DataSet, evaluator: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Return the results of the data set once all are final. Raises TimeoutError."""
    give_up = time.monotonic() + FINAL_WITHIN_SECONDS
    while True:
        page = await _page(data_set, evaluator, limit=1)
        if page["results"] and not page["open"]:
            return await _all(data_set, evaluator)
        if time.monotonic() > give_up:
            raise TimeoutError(f"{data_set.name}: not final in {FINAL_WITHIN_SECONDS:.0f} s")
        await asyncio.sleep(POLL_SECONDS)


async def _all(data_set: DataSet, evaluator: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = await _page(data_set, evaluator, limit=RESULTS_A_PAGE, after=after)
        found += page["results"]
        after = page["next"]
    return found


async def _page(
    data_set: DataSet, evaluator: httpx.AsyncClient, *, limit: int, after: str = ""
) -> dict[str, Any]:
    answer = await evaluator.get(
        "/v1/results",
        params={"municipality": data_set.municipality, "limit": limit, "after": after},
        timeout=ANSWER_WITHIN_SECONDS,
    )
    page: dict[str, Any] = answer.raise_for_status().json()
    return page
