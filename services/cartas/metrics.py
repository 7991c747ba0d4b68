"""Metrics of the cartas service."""

from prometheus_client import CollectorRegistry, Gauge

from services.cartas.domain.years import missing_next_year
from services.cartas.store import catalogue as store
from shared.clock import utc_now
from shared.contracts.cartas import Status
from shared.service import Context

KINDS = ("municipality", "unit", "post", "calendar", "carta")


class Metrics:
    """What the catalogue holds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.states = Gauge(
            "cartas_catalogue_states",
            "Versions of things in the catalogue; active cartas at 0 mean that nothing is judged.",
            ("kind", "status"),
            registry=registry,
        )
        self.calendars_missing = Gauge(
            "cartas_calendars_missing_next_year",
            "Working calendars without a day off in the next year, from November on; load them.",
            registry=registry,
        )
        for kind in KINDS:
            for status in Status:
                self.states.labels(kind, status.value).set(0)

    async def refresh(self, context: Context) -> None:
        """Count anew: the catalogue is changed by a command, in another process."""
        async with context.pool.acquire() as connection:
            counts = await store.counts(connection)  # type: ignore[arg-type]
            calendars = await store.calendars_in_use(connection)  # type: ignore[arg-type]
        self.calendars_missing.set(len(missing_next_year(calendars, utc_now().date())))
        for (kind, status), number in counts.items():
            self.states.labels(kind, status).set(number)
