"""What every judgement needs to know: the catalogue, and how far the facts are complete."""

from services.evaluator.domain.catalogue import Catalogue, Promise, services_of
from services.evaluator.domain.coverage import BUZON_SERVICE, Coverage
from services.evaluator.domain.results import Known
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from shared.database import Connection


class Knowledge:
    """Cached between transactions, and checked in each: other processes learn as well."""

    def __init__(self) -> None:
        self._coverage = Coverage.of((), {})
        self._catalogue = Catalogue(version=-1)

    async def catalogue(self, connection: Connection) -> Catalogue:
        """Return the catalogue of this moment; it cannot change until the transaction ends."""
        version = await catalogue_store.hold_version(connection)
        if version != self._catalogue.version:
            self._catalogue = await catalogue_store.load(connection, version)
        return self._catalogue

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
