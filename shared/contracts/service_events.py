"""`service-events.v1`: what ticket and queue systems say, reduced to the contract's fields."""

from collections.abc import Collection
from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints

from shared.contracts.events import Code, Event, EventKind, Identifier, Instant, Part, Token

CASE_PAUSED = "case.paused"
CASE_RESUMED = "case.resumed"
CASE_EXCLUDED = "case.excluded"
CASE_ABANDONED = "case.abandoned"
SOURCE_HEARTBEAT = "source.heartbeat"

COUNTED_CASES: Final = "cases"
"""The attribute of a count: how many cases there were."""
_COUNT: Final = "count."

ANY_KIND: Final = "*"
KindPattern = Annotated[
    str,
    StringConstraints(
        pattern=r"^(\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\.(\*|[a-z][a-z0-9_]*))$", max_length=64
    ),
]
"""A kind of event, a family of them (`ticket.*`), or `*` for all."""


def counted_kind(kind: str) -> str | None:
    """Return what a count counts: `count.ticket.issued`, the cases that begin with that event."""
    if not kind.startswith(_COUNT):
        return None
    counted = kind.removeprefix(_COUNT)
    return counted if "." in counted else None


def reports(patterns: Collection[str], kind: str) -> bool:
    """Return whether a source that declared the patterns reports events of a kind."""
    return kind in patterns or ANY_KIND in patterns or f"{kind.partition('.')[0]}.*" in patterns


AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
MAX_ATTRIBUTES = 16


class ServiceEventData(Part):
    """The only fields that travel; an adapter drops the rest before Kafka, native emitters must.

    Fields that are not in the contract are refused: they may be personal data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    municipality: Code
    case: Identifier = Field(
        description="The case (ticket, request) in the emitter's own numbering."
    )
    service: Code = Field(description="Code of the procedure or service, as the carta lists it.")
    unit: Code | None = Field(
        default=None, description="Office or counter group where it happened."
    )
    attributes: Annotated[dict[AttributeName, Token], Field(max_length=MAX_ATTRIBUTES)] = Field(
        default={}
    )
    due_at: Instant | None = Field(
        default=None,
        description="Instant promised to the person for this case, where one was given.",
    )
    reason: Code | None = Field(
        default=None,
        description="Name of the pause or exclusion, for case.paused, .resumed, .excluded.",
    )
    supersedes: Identifier | None = Field(
        default=None, description="Id of the event of the same source that this one corrects."
    )
    void: bool = Field(
        default=False, description="With `supersedes`: the earlier event never happened."
    )
    import_id: Identifier | None = Field(
        default=None, description="Set by our own file import only."
    )


class ServiceEvent(Event):
    """One event of an emitter. `type` is its kind (`ticket.issued`), `time` when it happened."""

    type: EventKind
    data: ServiceEventData

    @property
    def key(self) -> str:
        """Municipality and case: a case's events stay in order."""
        return f"{self.data.municipality}/{self.data.case}"
