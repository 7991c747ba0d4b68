"""An event over HTTP that says nothing beside the contract: read in one step, not member by member.

Whatever is read here becomes what `reduce_event` makes of the same event read as plain JSON; what
is not (other members, odd characters, anything wrong) is left to it.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from shared.contracts import hot


class ToldData(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """The contract's fields that an emitter sends."""

    case: hot.Text128
    service: hot.Text64
    municipality: hot.Text64 | UnsetType = UNSET
    unit: hot.Text64 | None = None
    attributes: hot.Attributes = {}
    due_at: hot.Instant | None = None
    reason: hot.Text64 | None = None
    supersedes: hot.Text128 | None = None
    void: bool = False


class Told(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A CloudEvent with the members that most libraries write; the last three are dropped."""

    id: hot.Text128
    source: hot.Text256
    type: hot.Text64
    time: hot.Instant
    data: ToldData
    specversion: Literal["1.0"]
    traceparent: str | UnsetType | None = UNSET
    subject: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None


_decode = msgspec.json.Decoder(Told).decode


def read_told(body: bytes) -> Told | None:
    """Return the event, None for any other that may still be a good one."""
    if not hot.is_plain(body):
        return None
    try:
        return _decode(body)
    except msgspec.DecodeError:
        return None


def event_of(told: Told, *, municipality: str, traceparent: str | None) -> hot.ServiceEvent | None:
    """Return the event as it goes to Kafka, None where a name of it was never checked."""
    data = told.data
    event = hot.ServiceEvent(
        id=told.id,
        source=told.source,
        type=told.type,
        time=told.time,
        traceparent=traceparent,
        data=hot.ServiceEventData(
            municipality,
            data.case,
            data.service,
            data.unit,
            data.attributes,
            data.due_at,
            data.reason,
            data.supersedes,
            data.void,
        ),
    )
    return event if hot.has_known_names(event) else None
