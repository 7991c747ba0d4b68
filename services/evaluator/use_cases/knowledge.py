"""What every judgement needs to know: the catalogue, and how far the facts are complete."""

from datetime import datetime

from services.evaluator.domain.catalogue import BUZON_SERVICE, Catalogue, Promise, services_of
from services.evaluator.domain.coverage import Coverage
from services.evaluator.domain.results import Known
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from shared.contracts import hot
from shared.database import Connection


class Knowledge:
    """Cached between transactions; the catalogue is checked in each, the coverage on each scan."""

    def __init__(self) -> None:
        self.coverage = Coverage.of((), {})
        self._catalogue = Catalogue(version=-1)

    async def catalogue(self, connection: Connection) -> Catalogue:
        """Return the catalogue of this moment; it cannot change until the transaction ends."""
        version = await catalogue_store.hold_version(connection)
        if version != self._catalogue.version:
            self._catalogue = await catalogue_store.load(connection, version)
        return self._catalogue

    async def refresh_coverage(self, connection: Connection, *, group: str, prefix: str) -> bool:
        """Take in the progress that holds now; return whether there was any."""
        applied = await coverage_store.apply_reached(connection, group=group, topic_prefix=prefix)
        if applied or not self.coverage.pipelines:
            self.coverage = await coverage_store.load(connection)
        return bool(applied)

    def of_case(self, data: hot.CaseData) -> datetime | None:
        """Return the instant through which all that concerns the case is known."""
        return self.coverage.complete_through(
            data.municipality,
            data.service,
            case_sources=data.sources,
            historical=data.historical,
        )

    def of_window(self, promise: Promise, *, historical: bool) -> Known:
        """Return the same for all cases of a promise."""
        services = services_of(promise) or (BUZON_SERVICE,)
        town = promise.municipality
        return Known(
            self.coverage.service_complete_through(town, services, historical=historical),
            self.coverage.has_source(town, services),
        )
