"""Settings of the evaluator."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings, service="evaluator"):
    """Read from CARTAS_EVALUATOR_<FIELD>."""

    batch_records: int = Field(default=10_000, ge=1, le=50_000, description="Most records a batch.")
    scan_seconds: float = Field(default=1.0, gt=0, le=60, description="Pause between clock scans.")
    publish_seconds: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="A running result is published this often at most; less often where publishing "
        "all that changed would take more than a tenth of the time.",
    )
    balance_seconds: float = Field(
        default=60.0,
        gt=0,
        le=86_400,
        description="Between two comparisons of all verdicts with the counts of them.",
    )
    recompute_sample: int = Field(
        default=20, ge=0, le=10_000, description="Results recomputed each night; 0 for none."
    )
    recompute_hour: int = Field(
        default=9, ge=0, le=23, description="Hour (UTC) from which the night's sample is looked at."
    )
    catalogue_promises: int = Field(
        default=120_000,
        ge=1,
        description="Promises held ready, those used last, in about 3 KiB each; where more are in "
        "use, municipalities are read again and again.",
    )
    past_windows: int = Field(
        default=8, ge=1, le=100, description="Past windows that get a result though they are empty."
    )
