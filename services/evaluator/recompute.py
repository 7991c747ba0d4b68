"""Every figure can be recomputed: from the stored facts, beside what was added up on the way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.evaluator.domain.catalogue import Catalogue
from services.evaluator.domain.judging import judge
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.tallies import Counts, WindowKey
from shared.contracts import hot
from shared.database import Connection, Pool

FACTS = "SELECT data FROM measured_case WHERE municipality = $1 ORDER BY case_id"
WINDOWS = """
SELECT municipality, compromiso, unit, window_id FROM judged_window
WHERE municipality = $1 ORDER BY compromiso, unit, starts_at
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One part of a window: as it was added up, and as a fresh look at all facts counts it."""

    window: WindowKey
    part: int
    added: Counts
    recomputed: Counts

    @property
    def agrees(self) -> bool:
        """Whether both are the same, name by name."""
        return self.added == self.recomputed


async def recompute(pool: Pool, municipality: str) -> list[Comparison]:
    """Judge every stored case from scratch and compare the counts of every window."""
    async with pool.acquire() as plain, plain.transaction(isolation="repeatable_read"):
        connection: Connection = plain  # type: ignore[assignment]
        version = await catalogue_store.hold_version(connection)
        catalogue = await catalogue_store.load(connection, version)
        fresh = await _count(connection, catalogue, municipality)
        return [
            Comparison(key, part, added, fresh.get((key, part), Counts()))
            async for key, part, added in _added(connection, catalogue, municipality)
        ]


async def _count(
    connection: Connection, catalogue: Catalogue, municipality: str
) -> dict[tuple[WindowKey, int], Counts]:
    coverage = await coverage_store.load(connection)
    fresh: dict[tuple[WindowKey, int], Counts] = {}
    async for row in connection.cursor(FACTS, municipality):
        data = hot.decode_case(row["data"])
        known = coverage.complete_through(
            municipality, data.service, case_sources=data.sources, historical=data.historical
        )
        groups = catalogue.for_service(municipality, data.service)
        for judgement, _, window in judge(data, groups, known=known).values():
            if window is None:
                continue
            key = ((municipality, judgement.compromiso, judgement.unit, window.id), judgement.part)
            one = Counts(judgement.tally(), int(judgement.historical))
            fresh[key] = fresh.get(key, Counts()) + one
    return fresh


async def _added(
    connection: Connection, catalogue: Catalogue, municipality: str
) -> AsyncIterator[tuple[WindowKey, int, Counts]]:
    for row in await connection.fetch(WINDOWS, municipality):
        key: WindowKey = tuple(row.values())
        promises = catalogue.by_compromiso.get((municipality, key[1]), ())
        parts = max((len(promise.parts) for promise in promises), default=0)
        for part, counts in enumerate(await tally_store.counts_of(connection, key, parts)):
            yield key, part, counts
