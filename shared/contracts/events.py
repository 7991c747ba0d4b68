"""The CloudEvents 1.0 envelope that every message carries."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
EventKind = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=64)
]
Token = Annotated[str, StringConstraints(pattern=r"^[^\s]{1,64}$")]
Traceparent = Annotated[
    str, StringConstraints(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]


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
    source: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    type: str
    time: AwareDatetime = Field(description="When it happened, with its offset.")
    subject: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Traceparent | None = None
    data: Any

    @property
    def key(self) -> str:
        """The partition key: messages with the same key are delivered in order."""
        raise NotImplementedError(type(self).__name__)

    def to_bytes(self) -> bytes:
        """Return the structured-mode JSON, without absent members."""
        return self.model_dump_json(exclude_none=True).encode()
