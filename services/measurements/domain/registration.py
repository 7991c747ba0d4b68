"""What an operator registers of a source, checked before it is stored."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.measurements.domain.contests import DECIDER_PREFIX
from shared.contracts.events import Code, LongIdentifier
from shared.contracts.service_events import MAX_ATTRIBUTES, AttributeName, KindPattern

LONGEST_GRACE_SECONDS = 30 * 86_400


def _not_ours(uri: str) -> str:
    if uri.startswith(DECIDER_PREFIX):
        raise ValueError("the source of the coordination's decisions is the service's own")
    return uri


class Declaration(BaseModel):
    """What a source says of itself: what it reports, and how often it is expected to speak.

    With `every_minutes` of a `calendar` it speaks (an event, a heartbeat) at least once in every so
    many of its opening minutes; without, its silence says nothing.
    """

    model_config = ConfigDict(frozen=True)

    reports: Annotated[frozenset[KindPattern], Field(min_length=1, max_length=100)]
    every_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    calendar: Code | None = None

    @model_validator(mode="after")
    def _whole_cadence(self) -> Self:
        if (self.every_minutes is None) != (self.calendar is None):
            raise ValueError("--every-minutes and --calendar go together")
        return self


class Registration(Declaration):
    """A source: its URI belongs to one municipality for good. `*` among services is all of them."""

    uri: Annotated[LongIdentifier, AfterValidator(_not_ours)]
    municipality: Code
    historical: bool = False
    services: Annotated[frozenset[Code | Literal["*"]], Field(min_length=1, max_length=500)]
    attributes: Annotated[frozenset[AttributeName], Field(max_length=MAX_ATTRIBUTES)] = frozenset()
    grace_seconds: Annotated[int, Field(ge=0, le=LONGEST_GRACE_SECONDS)] = 300
