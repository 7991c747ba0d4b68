"""The two hot topics as msgspec structs: the pydantic models' acceptance, several times faster.

A test holds both forms equal on the same inputs, the strange ones included.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from shared.contracts.events import MAX_BIGINT

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")]
Identifier = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,128}\Z")]
Instant = Annotated[datetime, Meta(tz=True)]
Kind = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\Z", max_length=64)]
AttributeName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]
Token = Annotated[str, Meta(pattern=r"^[^\s\x00-\x1f\x7f-\x9f]{1,64}\Z")]
TRACEPARENT = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z"
Traceparent = Annotated[str, Meta(pattern=TRACEPARENT)]
Source = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,256}\Z")]
Whole = Annotated[int, Meta(ge=0, le=MAX_BIGINT)]
Revision = Annotated[int, Meta(ge=1, le=MAX_BIGINT)]


def _specversion() -> Literal["1.0"]:
    """A function: `omit_defaults` leaves a plain default out, and CloudEvents requires it."""
    return "1.0"


class ServiceEventData(
    Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    """See `service_events.ServiceEventData`."""

    municipality: Code
    case: Identifier
    service: Code
    unit: Code | None = None
    attributes: Annotated[dict[AttributeName, Token], Meta(max_length=16)] = {}
    due_at: Instant | None = None
    reason: Code | None = None
    supersedes: Identifier | None = None
    void: bool = False
    import_id: Identifier | None = None


class ServiceEvent(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """See `service_events.ServiceEvent`."""

    specversion: Literal["1.0"] = msgspec.field(default_factory=_specversion)
    id: Identifier
    source: Source
    type: Kind
    time: Instant
    subject: Source | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Traceparent | None = None
    data: ServiceEventData


class Pause(Struct, frozen=True, gc=False, omit_defaults=True):
    """See `measurements.PauseInterval`."""

    reason: Code
    start: Instant
    end: Instant | None = None


class CaseData(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """See `measurements.CaseData`."""

    municipality: Code
    case: Identifier
    revision: Revision
    change: Literal[
        "opened",
        "advanced",
        "paused",
        "resumed",
        "excluded",
        "abandoned",
        "corrected",
        "voided",
    ]
    service: Code
    unit: Code | None = None
    instants: dict[Kind, Instant]
    pauses: tuple[Pause, ...] = ()
    exclusions: tuple[Code, ...] = ()
    attributes: dict[AttributeName, Token] = {}
    due_at: Instant | None = None
    sources: tuple[str, ...]
    historical: bool = False
    import_id: Identifier | None = None
    received_at: Instant


class _Envelope(Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    specversion: Literal["1.0"] = msgspec.field(default_factory=_specversion)
    id: Identifier
    source: Source
    time: Instant
    subject: Source | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Traceparent | None = None


class CaseMeasured(_Envelope, tag="measurement.case.v1", frozen=True, gc=False, omit_defaults=True):
    """See `measurements.CaseMeasured`."""

    data: CaseData


class Cadence(Struct, frozen=True, kw_only=True, gc=False):
    """See `measurements.Cadence`."""

    every_minutes: Annotated[int, Meta(ge=1, le=1440)]
    calendar: Code
    since: Instant
    until: Instant | None = None


class SourceState(Struct, frozen=True, kw_only=True, gc=False):
    """See `measurements.SourceState`."""

    municipality: Code
    source: str
    kind: Literal["live", "historical"]
    services: tuple[str, ...]
    reports: tuple[str, ...]
    expects: Cadence | None = None
    complete_through: Instant | None = None
    grace_seconds: Whole


class ProgressData(Struct, frozen=True, kw_only=True, gc=False):
    """See `measurements.ProgressData`."""

    pipeline: Code
    through: Instant
    offsets: dict[str, Whole]
    sources: tuple[SourceState, ...] = ()


class Progress(_Envelope, tag="measurement.progress.v1", frozen=True, gc=False):
    """See `measurements.Progress`."""

    data: ProgressData


class HeardData(Struct, frozen=True, kw_only=True, gc=False):
    """See `measurements.HeardData`."""

    municipality: Code
    source: str
    day: date
    minutes: Annotated[str, Meta(pattern=r"^[0-9a-f]{360}\Z")]


class SourceHeard(_Envelope, tag="measurement.heard.v1", frozen=True, gc=False):
    """See `measurements.SourceHeard`."""

    data: HeardData


class CountData(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """See `measurements.CountData`."""

    municipality: Code
    case: Identifier
    revision: Revision
    service: Code
    unit: Code | None = None
    counted: Kind
    cases: Whole | None = None
    at: Instant
    received_at: Instant


class CasesCounted(
    _Envelope, tag="measurement.count.v1", frozen=True, gc=False, omit_defaults=True
):
    """See `measurements.CasesCounted`."""

    data: CountData


class ImportData(Struct, frozen=True, kw_only=True, gc=False):
    """See `measurements.ImportData`."""

    municipality: Code
    source: str
    import_id: Identifier
    phase: Literal["begun", "completed"]
    expected_events: Whole
    as_of: Instant


class ImportDeclared(_Envelope, tag="measurement.import.v1", frozen=True, gc=False):
    """See `measurements.ImportDeclared`."""

    data: ImportData


MeasurementEvent = CaseMeasured | CasesCounted | Progress | SourceHeard | ImportDeclared

_service_event = msgspec.json.Decoder(ServiceEvent)
_measurement: msgspec.json.Decoder[MeasurementEvent] = msgspec.json.Decoder(MeasurementEvent)
decode_case = msgspec.json.Decoder(CaseData).decode
encode = msgspec.json.Encoder().encode


def decode_service_event(payload: bytes) -> ServiceEvent:
    """Return the event. Raises msgspec.DecodeError, of which ValidationError is a kind."""
    _check_utf8(payload)
    return _service_event.decode(payload)


def decode_measurement(payload: bytes) -> MeasurementEvent:
    """Return the event. Raises msgspec.DecodeError, of which ValidationError is a kind."""
    _check_utf8(payload)
    return _measurement.decode(payload)


def _check_utf8(payload: bytes) -> None:
    """The decoder does not look into members that it skips."""
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("not UTF-8") from error


_PATH = re.compile(r"at `\$\.?([^`]*)`")


def faulty_field(error: msgspec.ValidationError) -> str | None:
    """Return the path of the faulty member that the decoder names, without the value."""
    found = _PATH.search(str(error))
    return found.group(1) if found else None


def expected(error: msgspec.ValidationError) -> str:
    """Return what the decoder expected, without what was sent: no value, no stranger's name.

    Where something is invalid or unknown, the decoder's message ends with it, in quotes.
    """
    text = str(error).split(" - at ")[0]
    if text.startswith(("Invalid", "Object contains unknown field")):
        return re.split(" [`']", text, maxsplit=1)[0]
    return text


def as_json(value: Any) -> bytes:
    """Return `value` as compact JSON, for columns and tests."""
    return encode(value)


def convert_progress(data: dict[str, Any]) -> ProgressData:
    """Return the progress of another pipeline in this form. Raises msgspec.ValidationError."""
    return msgspec.convert(data, ProgressData)


def to_builtins(value: Any) -> Any:
    """Return `value` as JSON's own types."""
    return msgspec.to_builtins(value)
