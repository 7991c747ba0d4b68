"""What an operator registers of a source, checked before it is stored."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.measurements.domain.contests import DECIDER_PREFIX
from shared.contracts.events import Code, LongIdentifier
from shared.contracts.service_events import MAX_ATTRIBUTES, AttributeName

LONGEST_GRACE_SECONDS = 30 * 86_400


def _not_ours(uri: str) -> str:
    if uri.startswith(DECIDER_PREFIX):
        raise ValueError("the source of the coordination's decisions is the service's own")
    return uri


class Registration(BaseModel):
    """A source: its URI belongs to one municipality for good. `*` among services is all of them."""

    model_config = ConfigDict(frozen=True)

    uri: Annotated[LongIdentifier, AfterValidator(_not_ours)]
    municipality: Code
    historical: bool = False
    services: Annotated[frozenset[Code | Literal["*"]], Field(min_length=1, max_length=500)]
    attributes: Annotated[frozenset[AttributeName], Field(max_length=MAX_ATTRIBUTES)] = frozenset()
    grace_seconds: Annotated[int, Field(ge=0, le=LONGEST_GRACE_SECONDS)] = 300
