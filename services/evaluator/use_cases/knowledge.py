"""What every judgement needs to know: the promises, and how far the facts are complete."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection

from services.evaluator.domain.catalogue import Catalogue, Promise, Town, services_of
from services.evaluator.domain.coverage import BUZON_SERVICE, Coverage
from services.evaluator.domain.results import Known
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from shared.database import Connection


class Knowledge:
    """Cached between transactions, and checked in each: other processes learn as well.

    Of the catalogue it keeps the municipalities that were used last, until they hold more than
    `most_promises`; a transaction has all that it asks for, however many they are.
    """

    def __init__(self, metrics: EvaluatorMetrics, *, most_promises: int) -> None:
        self._metrics = metrics
        self._most_promises = most_promises
        self._coverage = Coverage.of((), {})
        self._version = -1
        self._towns: OrderedDict[str, Town] = OrderedDict()
        self._size = 0
        self._refreshing = asyncio.Lock()

    async def catalogue(self, connection: Connection, towns: Collection[str]) -> Catalogue:
        """Return the promises of these municipalities at this moment.

        None of them, nor of any other municipality, can change until the transaction ends.
        """
        version = await catalogue_store.hold_version(connection)
        if version == self._version and self._towns.keys() >= set(towns):
            return Catalogue({town: self._used(town) for town in towns})
        # Nobody waits in here for a lock of the database: what is held is held already.
        async with self._refreshing:
            await self._forget_changed(connection, version)
            return Catalogue({town: await self._town(connection, town) for town in towns})

    async def _forget_changed(self, connection: Connection, version: int) -> None:
        if version < self._version:  # another database than before: one that was restored
            self._forget(list(self._towns))
        elif version > self._version:
            self._forget(await catalogue_store.changed_since(connection, self._version))
        self._version = version

    async def _town(self, connection: Connection, town: str) -> Town:
        if town in self._towns:
            return self._used(town)
        found = self._towns[town] = await catalogue_store.load(connection, town)
        self._size += found.size
        while self._size > self._most_promises and len(self._towns) > 1:
            self._forget([next(iter(self._towns))])
        self._metrics.towns_loaded.inc()
        self._metrics.promises.set(self._size)
        return found

    def _used(self, town: str) -> Town:
        self._towns.move_to_end(town)
        return self._towns[town]

    def _forget(self, towns: Collection[str]) -> None:
        for town in towns:
            if (found := self._towns.pop(town, None)) is not None:
                self._size -= found.size

    async def coverage(self, connection: Connection) -> Coverage:
        """Return what is known now. Ask it after locking what you judge.

        It only grows; asked before the lock, it could be less than what the last verdict knew.
        """
        known = self._coverage
        if await coverage_store.pipelines(connection) != known.pipelines:
            known = self._coverage = await coverage_store.load(connection)
        return known


def of_window(coverage: Coverage, promise: Promise, *, historical: bool = False) -> Known:
    """Return how far the facts about all cases of a promise are complete."""
    services = services_of(promise) or (BUZON_SERVICE,)
    town, kinds = promise.municipality, promise.kinds
    return Known(
        coverage.service_complete_through(town, services, kinds, historical=historical),
        bool(coverage.telling(town, services, kinds)),
        historical=historical,
        heard_through=coverage.heard_through(services),
        unreported=coverage.unreported(town, services, promise.events),
    )
