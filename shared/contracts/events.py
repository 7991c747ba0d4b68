"""The CloudEvents 1.0 envelope that every message carries."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

# CloudEvents 1.0.2, 3.1: a string holds no control characters. PostgreSQL takes no NUL either.
Identifier = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,128}$")]
LongIdentifier = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,256}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
EventKind = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=64)
]
Token = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f-\x9f]{1,64}$")]
Traceparent = Annotated[
    str, StringConstraints(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]
MAX_BIGINT = 2**63 - 1
Whole = Annotated[int, Field(ge=0, le=MAX_BIGINT)]
"""A whole number that fits PostgreSQL's bigint."""
MAX_INTEGER = 2**31 - 1
Small = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
"""A whole number that fits PostgreSQL's integer."""
Revision = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
"""What is counted up from 1: revisions, and versions of cartas and calendars."""


def _rfc3339(value: object) -> object:
    """Read a string as the hot decoder does; pydantic alone takes epoch numbers in quotes, too."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.convert(value, datetime)
    except msgspec.ValidationError as error:
        raise ValueError("expected an RFC 3339 date and time") from error


Instant = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]
"""RFC 3339 with its offset; what is finer than a microsecond is rounded."""


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("expected an instant that UTC has a date for") from error


StorableInstant = Annotated[Instant, AfterValidator(_in_utc)]
"""An instant in UTC: at either end of all time some offsets lead beyond it."""
WITHOUT_NUL = r"^[^\x00]*$"
"""What JSON may hold and PostgreSQL's text may not."""


class Part(BaseModel):
    """A part of an event's data: frozen, strict; fields that a newer producer adds are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class Event(Part):
    """A fact that has happened; never a command, never changed afterwards.

    `id` has no default: a default would give each redelivery a new identity.
    Identity is the pair (source, id), any strings: emitters' ids are not ours to shape.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Identifier
    source: LongIdentifier
    type: str
    time: Instant = Field(description="When it happened, with its offset.")
    subject: LongIdentifier | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Traceparent | None = Field(
        default=None,
        description="W3C Trace Context of what caused it, handed on unchanged "
        "(CloudEvents extension Distributed Tracing).",
    )
    data: Any

    @property
    def key(self) -> str:
        """The partition key: messages with the same key are delivered in order."""
        raise NotImplementedError(type(self).__name__)

    def to_bytes(self) -> bytes:
        """Return the structured-mode JSON, without absent members."""
        return self.model_dump_json(exclude_none=True).encode()
