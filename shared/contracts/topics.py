"""The topics: name, messages, how they are kept. Partition counts are fixed for life."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from pydantic import TypeAdapter

from shared.contracts.breaches import BreachEvent
from shared.contracts.cartas import CartasEvent
from shared.contracts.complaints import ComplaintEvent
from shared.contracts.corrective_actions import ActionChanged
from shared.contracts.events import Event
from shared.contracts.measurements import MeasurementEvent
from shared.contracts.results import ResultPublished
from shared.contracts.service_events import ServiceEvent
from shared.contracts.storable import check_storable

RETENTION_DAYS = 400


class _AnyObject(msgspec.Struct):
    """Skips every member; what is no JSON object is refused."""


_check_json = msgspec.json.Decoder(_AnyObject).decode


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as a typed constant: its name without prefix, its message type, how it is kept."""

    name: str
    message: Any
    describes: str
    partitions: int = 6
    compacted: bool = False
    emitters: bool = False
    """Whether others than our services write it: their faults are named later, field by field."""

    @property
    def adapter(self) -> TypeAdapter[Event]:
        """Validator of the topic's message type (built once a topic)."""
        return _adapter(self.message)

    def decode(self, payload: bytes) -> Event:
        """Return the event. Raises pydantic.ValidationError, msgspec.DecodeError.

        pydantic's own parser takes NaN and Infinity, which are no JSON (RFC 8259, 6).
        """
        _check_json(payload)
        if not self.emitters:
            check_storable(payload)
        return self.adapter.validate_json(payload)

    @property
    def names(self) -> frozenset[str]:
        """Every name of a member or a message type of the contract (built once a topic)."""
        return _names(self.message)

    @property
    def dead_letters(self) -> str:
        """Name of the topic that points to what of this one was refused."""
        return f"{self.name}.dlt"


@lru_cache
def _names(message: Any) -> frozenset[str]:
    schema = _adapter(message).json_schema()
    models = (schema, *schema.get("$defs", {}).values())
    tags = schema.get("discriminator", {}).get("mapping", {})
    return frozenset(tags) | {name for model in models for name in model.get("properties", {})}


@lru_cache
def _adapter(message: Any) -> TypeAdapter[Event]:
    return TypeAdapter(message)


SERVICE_EVENTS = Topic(
    "service-events.v1",
    ServiceEvent,
    "Events of emitters, reduced to the contract's fields before they get here.",
    partitions=12,
    emitters=True,
)
MEASUREMENTS = Topic(
    "measurements.v1",
    MeasurementEvent,
    "Facts about cases with their revisions, and how far they are complete.",
    partitions=12,
)
COMPLAINTS = Topic(
    "complaints.v1", ComplaintEvent, "The life of each folio, without text or person."
)
CARTAS = Topic("cartas.v1", CartasEvent, "The catalogue as state.", partitions=3, compacted=True)
RESULTS = Topic("results.v1", ResultPublished, "The latest result of each window.", compacted=True)
BREACHES = Topic("breaches.v1", BreachEvent, "Late cases, risk, breaches, upheld complaints.")
CORRECTIVE_ACTIONS = Topic("corrective-actions.v1", ActionChanged, "The life of each action.")

ALL = (
    SERVICE_EVENTS,
    MEASUREMENTS,
    COMPLAINTS,
    CARTAS,
    RESULTS,
    BREACHES,
    CORRECTIVE_ACTIONS,
)
DEAD_LETTER_PARTITIONS = 1
