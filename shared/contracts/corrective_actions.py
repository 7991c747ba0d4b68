"""`corrective-actions.v1`: the life of a corrective action."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.events import Code, Event, Identifier, Instant, Part, Revision


class ActionChange(StrEnum):
    """What happened to the action."""

    REQUESTED = "requested"
    ACKNOWLEDGED = "acknowledged"
    FILED = "filed"
    RETURNED = "returned"
    APPROVED = "approved"
    IMPLEMENTED = "implemented"
    EFFECTIVE = "effective"
    NOT_EFFECTIVE = "not_effective"
    MERGED = "merged"
    CLOSED = "closed"
    REDATED = "redated"
    """A calendar that was decreed or corrected later moved its terms."""


class ActionState(StrEnum):
    """Where the action stands."""

    REQUESTED = "requested"
    ACKNOWLEDGED = "acknowledged"
    FILED = "filed"
    RETURNED = "returned"
    APPROVED = "approved"
    IMPLEMENTED = "implemented"
    CLOSED = "closed"


class CauseCategory(StrEnum):
    """Closed list of causes, so that they can be counted (domain.md 5)."""

    STAFF = "personal"
    PROCESS = "proceso"
    SYSTEM = "sistema"
    SUPPLY = "insumo"
    DEMAND = "demanda"
    THIRD_PARTY = "tercero"
    RULES = "normativa"
    FORCE_MAJEURE = "fuerza_mayor"


class ActionData(Part):
    """State of one corrective action; the highest `revision` counts.

    What the unit wrote stays in the notifier; `public_text` travels only once the coordination
    has approved it for publication.
    """

    municipality: Code
    action: Identifier
    revision: Revision
    change: ActionChange
    state: ActionState
    carta: Code
    compromiso: Code
    unit: Code
    window: Code
    breaches: tuple[Identifier, ...]
    folios: tuple[Identifier, ...] = ()
    cause_category: CauseCategory | None = None
    planned_for: date | None = None
    acknowledge_by: Instant | None = None
    plan_by: Instant | None = None
    public_text: Annotated[str, Field(max_length=2000)] | None = None


class ActionChanged(Event):
    """An action changed. `time` is when."""

    type: Literal["corrective-action.v1"] = "corrective-action.v1"
    data: ActionData

    @property
    def key(self) -> str:
        """municipality/action."""
        return f"{self.data.municipality}/{self.data.action}"
