"""Settings of measurements: CARTAS_MEASUREMENTS_<NAME>."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings, service="measurements"):
    """Beside those of every service."""

    batch_records: int = Field(
        default=2000, ge=1, le=20_000, description="Events taken in one transaction, at most."
    )
    max_batch_events: int = Field(
        default=1000, ge=1, le=10_000, description="Events in one HTTP request, at most."
    )
    progress_seconds: float = Field(
        default=1.0, gt=0, le=60, description="Between two looks at how far everything has come."
    )
    idle_progress_seconds: float = Field(
        default=30.0, gt=0, le=600, description="Between progress messages when nothing changes."
    )
    suspend_refused_percent: int = Field(
        default=50, ge=1, le=100, description="Share of refusals that suspends a source."
    )
    suspend_least_events: int = Field(
        default=100, ge=1, description="Fewer events in the window suspend nobody."
    )
    suspend_window_minutes: int = Field(
        default=10, ge=1, le=60, description="Length of that window."
    )
