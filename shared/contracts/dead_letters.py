"""`<topic>.dlt`: a pointer to what could not be taken; never its payload."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.events import Event, Identifier, Part


class DeadLetterData(Part):
    """Who refused what, where and why. The payload stays in the service's restricted table."""

    service: str
    refusal: Identifier = Field(description="Id in the service's table of refusals.")
    topic: str
    partition: Annotated[int, Field(ge=0)] | None = None
    offset: Annotated[int, Field(ge=0)] | None = None
    reason: str = Field(description="A code from a closed list; the label of the metric.")
    field: str | None = Field(default=None, description="Path of the faulty member.")
    event_source: str | None = None
    event_id: str | None = None


class DeadLetter(Event):
    """A message was refused."""

    type: Literal["dead-letter.v1"] = "dead-letter.v1"
    data: DeadLetterData

    @property
    def key(self) -> str:
        """The refusal."""
        return self.data.refusal
