"""Metrics of the cartas service."""

from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Gauge

from services.cartas.domain.life import certificates_end
from services.cartas.domain.years import missing_next_year
from services.cartas.store import catalogue as store
from shared.clock import utc_now
from shared.contracts.cartas import MunicipalityData, Status
from shared.database import Connection
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
        self.certificates_end = Gauge(
            "cartas_certificate_end_timestamp_seconds",
            "When the certificate of a carta in force ends or ended; a renewal changes it.",
            ("municipality", "carta"),
            registry=registry,
        )
        for kind in KINDS:
            for status in Status:
                self.states.labels(kind, status.value).set(0)

    async def refresh(self, context: Context) -> None:
        """Count anew: the catalogue is changed by a command, in another process."""
        async with context.pool.acquire() as connection:
            await self.read(connection)  # type: ignore[arg-type]

    async def read(self, connection: Connection) -> None:
        """Tell what the catalogue holds now."""
        counts = await store.counts(connection)
        calendars = await store.calendars_in_use(connection)
        await self._look_at_certificates(connection)
        self.calendars_missing.set(len(missing_next_year(calendars, utc_now().date())))
        for (kind, status), number in counts.items():
            self.states.labels(kind, status).set(number)

    async def _look_at_certificates(self, connection: Connection) -> None:
        towns = map(MunicipalityData.model_validate_json, await store.municipalities(connection))
        zones = {town.municipality: ZoneInfo(town.zone) for town in towns}
        ends = certificates_end(await store.certified_cartas(connection), zones, utc_now())
        self.certificates_end.clear()
        for (municipality, carta), end in ends.items():
            self.certificates_end.labels(municipality, carta).set(end.timestamp())
