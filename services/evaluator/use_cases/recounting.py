"""Every stored case judged from scratch by the live judge, and added up window by window."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from heapq import heappop, heappush
from multiprocessing import get_context

from services.evaluator.domain.catalogue import Catalogue
from services.evaluator.domain.judging import judge
from services.evaluator.domain.totals import Totals
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from services.evaluator.store import redatings as redating_store
from services.evaluator.store.tallies import NOTHING, CohortCounts, Counts
from services.evaluator.store.windows import WindowKey
from shared.contracts import hot
from shared.database import Connection, open_pool

FACTS = "SELECT data FROM measured_case WHERE municipality = $1 AND service = ANY($2)"
# The index `case_of_service` holds all that is asked.
SERVICES = """
SELECT service, count(*) AS cases FROM measured_case WHERE municipality = $1 GROUP BY service
"""
EXPORT = "SELECT pg_export_snapshot()"
# The snapshot lives as long as this transaction, which waits for other processes all the while.
WAIT_AS_LONG_AS_IT_TAKES = "SET LOCAL idle_in_transaction_session_timeout = 0"
CASES_AT_A_TIME = 500

Fresh = Mapping[WindowKey, CohortCounts]
"""The counts of every window, by carta version and measure."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Some services of a municipality; a case has one service, so that counts of shards add up."""

    municipality: str
    services: tuple[str, ...]


async def count(connection: Connection, catalogue: Catalogue, shard: Shard) -> Fresh:
    """Count the cases of a shard, a few hundred at a time: memory does not grow with them."""
    town = shard.municipality
    coverage = await coverage_store.load(connection)
    redated = catalogue.towns[town].redated()
    closed = await redating_store.closed_windows(connection, town, redated)

    @lru_cache(maxsize=1024)
    def known(service: str, sources: tuple[str, ...], historical: bool) -> datetime | None:
        return coverage.complete_through(town, service, case_sources=sources, historical=historical)

    totals = Totals()
    facts = connection.cursor(FACTS, town, list(shard.services), prefetch=CASES_AT_A_TIME)
    async for row in facts:
        data = hot.decode_case(row["data"])
        groups = catalogue.for_service(town, data.service)
        through = known(data.service, data.sources, data.historical)
        for judgement, _, _ in judge(data, groups, known=through, closed=closed).values():
            totals.add(judgement)
    return _by_window(town, totals)


def _by_window(town: str, totals: Totals) -> Fresh:
    fresh: dict[WindowKey, dict[tuple[int, int], Counts]] = {}
    for place, tally, historical in totals.counted():
        compromiso, unit, window, version, measure, cell = place
        counts = fresh.setdefault((town, compromiso, unit, window), {})
        one = Counts({cell: tally}, historical)
        counts[version, measure] = counts.get((version, measure), NOTHING) + one
    return dict[WindowKey, CohortCounts](fresh)


def together(parts: Iterable[Fresh]) -> Fresh:
    """Return the counts of several shards as one."""
    total: dict[WindowKey, dict[tuple[int, int], Counts]] = {}
    for part in parts:
        for window, places in part.items():
            counts = total.setdefault(window, {})
            for place, found in places.items():
                counts[place] = counts.get(place, NOTHING) + found
    return dict[WindowKey, CohortCounts](total)


async def shards(
    connection: Connection, municipality: str, wanted: Collection[str] | None, *, most: int
) -> list[Shard]:
    """Deal the services out into at most so many shards of about equal numbers of cases."""
    rows = await connection.fetch(SERVICES, municipality)
    cases = {r["service"]: r["cases"] for r in rows if wanted is None or r["service"] in wanted}
    heaps: list[tuple[int, int, list[str]]] = [(0, number, []) for number in range(most)]
    for service in sorted(cases, key=lambda name: (-cases[name], name)):
        load, number, services = heappop(heaps)
        heappush(heaps, (load + cases[service], number, [*services, service]))
    return [Shard(municipality, tuple(names)) for _, _, names in sorted(heaps) if names]


async def count_beside(
    connection: Connection, work: Sequence[Shard], *, database_url: str
) -> Fresh:
    """Count each shard in a process of its own; all see what this transaction sees."""
    await connection.execute(WAIT_AS_LONG_AS_IT_TAKES)
    snapshot: str = await connection.fetchval(EXPORT)
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(len(work), mp_context=get_context("spawn")) as processes:
        parts = [
            loop.run_in_executor(processes, _count_apart, shard, database_url, snapshot)
            for shard in work
        ]
        return together(await asyncio.gather(*parts))


def _count_apart(shard: Shard, database_url: str, snapshot: str) -> Fresh:
    return asyncio.run(_count_in(shard, database_url, snapshot))


async def _count_in(shard: Shard, database_url: str, snapshot: str) -> Fresh:
    async with (
        await open_pool(database_url, name="evaluator recompute", size=1) as pool,
        pool.acquire() as plain,
        plain.transaction(isolation="repeatable_read", readonly=True),
    ):
        connection: Connection = plain  # type: ignore[assignment]
        await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        catalogue = await catalogue_store.only(connection, shard.municipality)
        return await count(connection, catalogue, shard)
