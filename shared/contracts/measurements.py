"""`measurements.v1`: facts about cases with their revisions, and how far they are complete."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.events import (
    Code,
    Event,
    EventKind,
    Identifier,
    Instant,
    Part,
    Revision,
    Small,
    Token,
    Whole,
)
from shared.contracts.service_events import AttributeName


class CaseChange(StrEnum):
    """What the causing event did to the case's clocks."""

    OPENED = "opened"
    ADVANCED = "advanced"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXCLUDED = "excluded"
    ABANDONED = "abandoned"
    CORRECTED = "corrected"
    VOIDED = "voided"


class PauseInterval(Part):
    """The clock stood still from `start` to `end`; without `end` it still does."""

    reason: Code
    start: Instant
    end: Instant | None = None


class CaseData(Part):
    """All that is known of one case. The highest `revision` counts, whatever the order of arrival.

    `instants` holds for each kind of event the instant of its latest revision, in UTC; any two
    of them make a clock. A pair is complete whichever of the two came first.
    """

    municipality: Code
    case: Identifier
    revision: Revision
    change: CaseChange
    service: Code
    unit: Code | None = None
    instants: dict[EventKind, Instant]
    pauses: tuple[PauseInterval, ...] = ()
    exclusions: tuple[Code, ...] = ()
    attributes: dict[AttributeName, Token] = Field(default={})
    due_at: Instant | None = None
    sources: tuple[str, ...] = Field(description="Sources that reported on the case, sorted.")
    historical: bool = Field(default=False, description="Came through a historical import.")
    import_id: Identifier | None = Field(
        default=None, description="The import that the causing service event came with."
    )
    received_at: Instant = Field(description="When Kafka took the causing service event.")


class CaseMeasured(Event):
    """A case changed. `time` is the instant of the causing service event."""

    type: Literal["measurement.case.v1"] = "measurement.case.v1"
    data: CaseData

    @property
    def key(self) -> str:
        """Municipality and case."""
        return f"{self.data.municipality}/{self.data.case}"


class SourceKind(StrEnum):
    """A live source goes on with the clock; a historical one is complete at its import's as-of."""

    LIVE = "live"
    HISTORICAL = "historical"


class Cadence(Part):
    """A source speaks at least once in every so many opening minutes of a calendar.

    It is held to it in [since, until); without `until`, still.
    """

    every_minutes: Annotated[int, Field(ge=1, le=1440)]
    calendar: Code
    since: Instant
    until: Instant | None = None


class SourceState(Part):
    """How far one source is known complete, as of the `through` of the message that carries it."""

    municipality: Code
    source: str
    kind: SourceKind
    services: tuple[str, ...] = Field(description="Services the source reports on; `*` for all.")
    reports: tuple[str, ...] = Field(
        description="Kinds of events that it reports: `ticket.issued`, `ticket.*`, `*` for all."
    )
    expects: Cadence | None = None
    complete_through: Instant | None = Field(
        default=None,
        description="Heartbeat, latest event (never beyond `through`), or an import's as-of.",
    )
    grace_seconds: Small = Field(
        description="A live source counts as complete this long after an instant, even if silent."
    )


TopicId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:-]{0,128}$")]
"""Ids of a cluster and of a topic in it."""


class ProgressData(Part):
    """All that was on our input by `through` has been published below these offsets.

    A consumer of this topic that has read up to `offsets` (next offset by partition) has caught up
    with the wall clock instant `through`: nothing older is still in the pipeline.
    """

    pipeline: Code
    through: Instant
    offsets: dict[str, Whole] = Field(description="Partition number -> end offset of this topic.")
    topic_id: TopicId = Field(
        "", description="Which topic of this name: made anew, it has other messages there."
    )
    sources: tuple[SourceState, ...] = ()


class Progress(Event):
    """The pipeline has caught up. Published on change, and at a slow beat when idle."""

    type: Literal["measurement.progress.v1"] = "measurement.progress.v1"
    data: ProgressData

    @property
    def key(self) -> str:
        """One key a pipeline: the latest counts."""
        return f"progress/{self.data.pipeline}"


class HeardData(Part):
    """The minutes of one UTC day that a source spoke of. Minutes are only ever added."""

    municipality: Code
    source: str
    day: date
    minutes: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{360}$")] = Field(
        description="A bit for each minute in hexadecimal, the day's last one first."
    )


class SourceHeard(Event):
    """A source that is expected to speak spoke of further minutes. `time` is when we knew."""

    type: Literal["measurement.heard.v1"] = "measurement.heard.v1"
    data: HeardData

    @property
    def key(self) -> str:
        """Municipality and day: sources are spread over the partitions by it."""
        return f"{self.data.municipality}/heard/{self.data.day}"


class CountData(Part):
    """How many cases a source says there were: the highest `revision` of a `case` counts.

    They began with an event of the kind `counted`, in a service and, where it says so, a unit, on
    the local day of `at`. Without `cases` the source took it back.
    """

    municipality: Code
    case: Identifier = Field(description="The count's own number, one for each day and count.")
    revision: Revision
    service: Code
    unit: Code | None = None
    counted: EventKind
    cases: Whole | None = None
    at: Instant
    received_at: Instant = Field(description="When Kafka took the causing service event.")


class CasesCounted(Event):
    """A source counted its cases, or corrected its count."""

    type: Literal["measurement.count.v1"] = "measurement.count.v1"
    data: CountData

    @property
    def key(self) -> str:
        """Municipality and the count's own number."""
        return f"{self.data.municipality}/{self.data.case}"


class ImportPhase(StrEnum):
    """An import is declared before its first fact and closed when all are accounted for."""

    BEGUN = "begun"
    COMPLETED = "completed"


class ImportData(Part):
    """A file's declaration: how many events it holds and as of when it is to be judged."""

    municipality: Code
    source: str
    import_id: Identifier
    phase: ImportPhase
    expected_events: Whole
    as_of: Instant


class ImportDeclared(Event):
    """An import begins or is complete."""

    type: Literal["measurement.import.v1"] = "measurement.import.v1"
    data: ImportData

    @property
    def key(self) -> str:
        """Municipality and import."""
        return f"{self.data.municipality}/import/{self.data.import_id}"


MeasurementEvent = Annotated[
    CaseMeasured | CasesCounted | Progress | SourceHeard | ImportDeclared,
    Field(discriminator="type"),
]
