"""`breaches.v1`: what a unit must know: late cases, risk, breach, recovery, upheld complaints."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.events import Code, Event, Identifier, Instant, Part, Revision
from shared.contracts.results import PartResult, ResultWindow


class BreachKind(StrEnum):
    """Distinct events with distinct duties (a late case is not a breached compromiso)."""

    LATE_CASE = "late_case"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    RECOVERED = "recovered"
    CONFIRMED = "confirmed"
    COMPLAINT_TRIGGER = "complaint_trigger"


MAX_LISTED_CASES = 20


class BreachData(Part):
    """One statement about a compromiso, unit and window.

    `breach` is the same for all statements about one compromiso, unit and window: a breach is said
    once. At most MAX_LISTED_CASES failing cases travel, by id; the evaluator's API has them all.
    """

    municipality: Code
    carta: Code
    carta_version: Revision
    compromiso: Code
    unit: Code
    responsible_unit: Code = Field(
        description="The unit that answers; `unit` may be an office of it."
    )
    window: ResultWindow
    kind: BreachKind
    breach: Identifier
    parts: tuple[PartResult, ...] = ()
    failing_cases: tuple[Identifier, ...] = ()
    failing_total: Annotated[int, Field(ge=0)] = 0
    case: Identifier | None = Field(default=None, description="The late case.")
    due_at: Instant | None = None
    folio: Identifier | None = Field(default=None, description="The upheld complaint.")
    historical: bool = Field(default=False, description="Raises no mail and opens no action.")
    received_at: Instant | None = Field(
        default=None, description="When Kafka took the service event that caused it, for latency."
    )


class BreachEvent(Event):
    """A statement about a compromiso. `time` is the instant from which it holds."""

    type: Literal["breach.v1"] = "breach.v1"
    data: BreachData

    @property
    def key(self) -> str:
        """municipality/compromiso."""
        return f"{self.data.municipality}/{self.data.compromiso}"
