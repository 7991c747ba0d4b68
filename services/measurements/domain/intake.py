"""An event as an emitter sends it over HTTP, reduced to the contract's fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from services.measurements.domain.checks import (
    Reason,
    Refusal,
    Source,
    allowed,
    check,
    refusal_of,
)
from services.measurements.domain.contents import hash_of
from services.measurements.domain.told import Told, event_of
from shared.contracts import hot
from shared.contracts.service_events import SOURCE_HEARTBEAT, counted_kind

ENVELOPE = ("specversion", "id", "source", "type", "time")
FIELDS = ("case", "service", "unit", "due_at", "reason", "supersedes", "void")
KNOWN = frozenset({*FIELDS, "municipality", "attributes"})
HEARTBEAT = "heartbeat"
"""Case and service of a heartbeat, which speaks of none; neither becomes a case."""
_IS_TRACE = re.compile(hot.TRACEPARENT).search


@dataclass(frozen=True, slots=True)
class Taken:
    """An event as it goes to Kafka; `dropped` counts the members that did not."""

    event: hot.ServiceEvent
    dropped: int


def reduce_event(
    raw: object, source: Source, now: datetime, *, traceparent: str | None = None
) -> Taken | Refusal:
    """Keep the contract's fields and the source's registered attributes, drop the rest, check.

    The municipality comes from the token. Members that are dropped may be personal data: nothing
    of them is kept, not even their names. `traceparent`, of the request, is a valid one.
    """
    if isinstance(raw, Told):
        event = _whole(raw, source, traceparent)
        if event is not None:
            return check(event, source, now) or Taken(event, 0)
        raw = msgspec.to_builtins(raw)
    data = raw.get("data") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(data, dict):
        return Refusal(
            Reason.NOT_AN_EVENT, detail="a CloudEvent with an object in data is expected"
        )
    if raw.get("specversion") != "1.0":
        return Refusal(Reason.SCHEMA, "specversion", "expected 1.0")
    if raw.get("source") != source.uri:
        return Refusal(Reason.OTHER_SOURCE, "source", "the token belongs to another source")
    if data.get("municipality", source.municipality) != source.municipality:
        return Refusal(Reason.OTHER_MUNICIPALITY, "data.municipality")
    kind = _text(raw.get("type")) or ""
    kept, dropped = _reduce_data(data, source, kind)
    if counted_kind(kind) is not None:
        kept.setdefault("case", _count_case(raw, source, kept))
    reduced = {name: raw[name] for name in ENVELOPE if name in raw}
    reduced["data"] = kept
    reduced["traceparent"] = _trace(raw.get("traceparent", traceparent))
    return _build(reduced, source, now, dropped=dropped)


def _whole(told: Told, source: Source, traceparent: str | None) -> hot.ServiceEvent | None:
    """Return an event of which nothing is to be dropped or told apart, None for any other."""
    data = told.data
    if told.source != source.uri or data.municipality not in (UNSET, source.municipality):
        return None
    if data.attributes and not data.attributes.keys() <= allowed(told.type, source):
        return None
    if told.traceparent is not UNSET:
        traceparent = _trace(told.traceparent)
    return event_of(told, municipality=source.municipality, traceparent=traceparent)


def _reduce_data(data: Mapping[str, Any], source: Source, kind: str) -> tuple[dict[str, Any], int]:
    kept = {name: data[name] for name in FIELDS if data.get(name) is not None}
    kept["municipality"] = source.municipality
    if kind == SOURCE_HEARTBEAT:
        kept = {"case": HEARTBEAT, "service": HEARTBEAT} | kept
    attributes = data.get("attributes")
    dropped = len(data.keys() - KNOWN)
    if isinstance(attributes, dict):
        registered = allowed(kind, source)
        kept["attributes"] = {n: v for n, v in attributes.items() if n in registered}
        dropped += len(attributes) - len(kept["attributes"])
    elif attributes is not None:
        kept["attributes"] = attributes
    return kept, dropped


def _count_case(raw: Mapping[str, Any], source: Source, kept: Mapping[str, Any]) -> str:
    """Return the number of a count that has none of its own: one a day, service and unit.

    The day is that of the time as it is written: of the later of two counts the number holds.
    """
    told = hash_of(
        *(source.uri, raw.get("type"), _text(kept.get("service")), _text(kept.get("unit")))
    )
    return f"count/{told.hex()[:16]}/{(_text(raw.get('time')) or '')[:10]}"


def _text(value: object) -> str | None:
    """Anything else is refused by the contract; it may be nested too deep to be looked into."""
    return value if isinstance(value, str) else None


def _build(
    reduced: dict[str, Any], source: Source, now: datetime, *, dropped: int
) -> Taken | Refusal:
    try:
        event = hot.convert_service_event(reduced)
    except msgspec.ValidationError as error:
        return refusal_of(error)
    refusal = check(event, source, now)
    return Taken(event, dropped) if refusal is None else refusal


def _trace(told: object) -> str | None:
    """A broken trace header is dropped: the event counts, whoever routed it."""
    return told if isinstance(told, str) and _IS_TRACE(told) else None
