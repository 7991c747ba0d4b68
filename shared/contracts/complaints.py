"""`complaints.v1`: the life of a folio. No text, no person, no secret."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.events import Code, Event, Identifier, Instant, Part, Revision
from shared.contracts.measurements import PauseInterval, ProgressData


class ComplaintKind(StrEnum):
    """Types a citizen can choose, in the domain's own words (they are attributes of criteria)."""

    SUGERENCIA = "sugerencia"
    QUEJA = "queja"
    RECLAMACION = "reclamacion"
    RECONOCIMIENTO = "reconocimiento"
    DENUNCIA = "denuncia"


class ComplaintChange(StrEnum):
    """What happened to the folio."""

    FILED = "filed"
    ASSIGNED = "assigned"
    PAUSED = "paused"
    RESUMED = "resumed"
    ANSWERED = "answered"
    UPHELD = "upheld"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    REFERRED = "referred"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    LINKED = "linked"
    REDATED = "redated"


class Finding(StrEnum):
    """Whether the complaint was justified."""

    UPHELD = "upheld"
    REJECTED = "rejected"


class ComplaintData(Part):
    """All that may be known of a folio outside the buzon. The highest `revision` counts.

    A conduct complaint is referred to the Contraloria: it then carries no unit and no carta.
    """

    municipality: Code
    folio: Identifier
    revision: Revision
    change: ComplaintChange
    kind: ComplaintKind
    carta: Code | None = None
    compromiso: Code | None = Field(default=None, description="The promise it is linked to.")
    unit: Code | None = None
    filed_at: Instant
    answer_by: date | None = Field(default=None, description="Local date promised to the citizen.")
    answered_at: Instant | None = None
    finding: Finding | None = None
    found_at: Instant | None = None
    pauses: tuple[PauseInterval, ...] = ()
    exclusions: tuple[Code, ...] = Field(
        default=(),
        description="denuncia_turnada_contraloria, duplicado, no_competencia_turnado, retirado.",
    )


class ComplaintChanged(Event):
    """A folio changed. `time` is when."""

    type: Literal["complaint.v1"] = "complaint.v1"
    data: ComplaintData

    @property
    def key(self) -> str:
        """Municipality and folio."""
        return f"{self.data.municipality}/{self.data.folio}"


class ComplaintProgress(Event):
    """As `measurement.progress.v1`, for the buzon's own clock; its one source is `buzon`."""

    type: Literal["complaint.progress.v1"] = "complaint.progress.v1"
    data: ProgressData

    @property
    def key(self) -> str:
        """One key: the latest counts."""
        return f"progress/{self.data.pipeline}"


ComplaintEvent = Annotated[ComplaintChanged | ComplaintProgress, Field(discriminator="type")]
