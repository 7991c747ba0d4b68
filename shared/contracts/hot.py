"""The two hot topics as msgspec structs: the pydantic models' acceptance, several times faster.

A test holds both forms equal on the same inputs, the strange ones included. What a text may look
like is checked by patterns, which cost more than all else of a decoding: the structs that a hot
path works with know only how long each is, and a message of which every name was seen before needs
no pattern. Any other is decoded by the exact structs as well, which tell what is wrong with it.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from shared.contracts.events import MAX_BIGINT, MAX_INTEGER
from shared.contracts.storable import check_storable

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")]
Identifier = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,128}\Z")]
Instant = Annotated[datetime, Meta(tz=True)]
Kind = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\Z", max_length=64)]
AttributeName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]
Token = Annotated[str, Meta(pattern=r"^[^\s\x00-\x1f\x7f-\x9f]{1,64}\Z")]
TRACEPARENT = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z"
Traceparent = Annotated[str, Meta(pattern=TRACEPARENT)]
Source = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,256}\Z")]
Text64 = Annotated[str, Meta(min_length=1, max_length=64)]
Text128 = Annotated[str, Meta(min_length=1, max_length=128)]
Text256 = Annotated[str, Meta(min_length=1, max_length=256)]
Attributes = Annotated[dict[Text64, Text64], Meta(max_length=16)]
Whole = Annotated[int, Meta(ge=0, le=MAX_BIGINT)]
Small = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Revision = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]


def _specversion() -> Literal["1.0"]:
    """A function: `omit_defaults` leaves a plain default out, and CloudEvents requires it."""
    return "1.0"


class ServiceEventData(
    Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    """See `service_events.ServiceEventData`."""

    municipality: Text64
    case: Text128
    service: Text64
    unit: Text64 | None = None
    attributes: Attributes = {}
    due_at: Instant | None = None
    reason: Text64 | None = None
    supersedes: Text128 | None = None
    void: bool = False
    import_id: Text128 | None = None


class _ExactServiceEventData(
    ServiceEventData, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    municipality: Code
    case: Identifier
    service: Code
    unit: Code | None = None
    attributes: Annotated[dict[AttributeName, Token], Meta(max_length=16)] = {}
    reason: Code | None = None
    supersedes: Identifier | None = None
    import_id: Identifier | None = None


class ServiceEvent(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """See `service_events.ServiceEvent`."""

    specversion: Literal["1.0"] = msgspec.field(default_factory=_specversion)
    id: Text128
    source: Text256
    type: Text64
    time: Instant
    subject: Text256 | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Text64 | None = None
    data: ServiceEventData


class _ExactServiceEvent(ServiceEvent, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    id: Identifier
    source: Source
    type: Kind
    subject: Source | None = None
    traceparent: Traceparent | None = None
    data: _ExactServiceEventData


class Pause(Struct, frozen=True, gc=False, omit_defaults=True):
    """See `measurements.PauseInterval`."""

    reason: Text64
    start: Instant
    end: Instant | None = None


class _ExactPause(Pause, frozen=True, gc=False, omit_defaults=True):
    reason: Code


class CaseData(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """See `measurements.CaseData`."""

    municipality: Text64
    case: Text128
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
    service: Text64
    unit: Text64 | None = None
    instants: dict[Text64, Instant]
    pauses: tuple[Pause, ...] = ()
    exclusions: tuple[Text64, ...] = ()
    attributes: dict[Text64, Text64] = {}
    due_at: Instant | None = None
    sources: tuple[str, ...]
    historical: bool = False
    import_id: Text128 | None = None
    received_at: Instant


class _ExactCaseData(CaseData, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    municipality: Code
    case: Identifier
    service: Code
    unit: Code | None = None
    instants: dict[Kind, Instant]
    pauses: tuple[_ExactPause, ...] = ()
    exclusions: tuple[Code, ...] = ()
    attributes: dict[AttributeName, Token] = {}
    import_id: Identifier | None = None


class _Envelope(Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    specversion: Literal["1.0"] = msgspec.field(default_factory=_specversion)
    id: Identifier
    source: Source
    time: Instant
    subject: Source | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Traceparent | None = None


class CaseMeasured(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    omit_defaults=True,
    tag_field="type",
    tag="measurement.case.v1",
):
    """See `measurements.CaseMeasured`."""

    specversion: Literal["1.0"] = msgspec.field(default_factory=_specversion)
    id: Text128
    source: Text256
    time: Instant
    subject: Text256 | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Text64 | None = None
    data: CaseData


class _ExactCaseMeasured(
    _Envelope, tag="measurement.case.v1", frozen=True, gc=False, omit_defaults=True
):
    data: _ExactCaseData


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
    grace_seconds: Small


class ProgressData(Struct, frozen=True, kw_only=True, gc=False):
    """See `measurements.ProgressData`."""

    pipeline: Code
    through: Instant
    offsets: dict[str, Whole]
    topic_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_:-]{0,128}\Z")] = ""
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

_service_event = msgspec.json.Decoder(ServiceEvent).decode
_exact_service_event = msgspec.json.Decoder(_ExactServiceEvent).decode
_measurement: Callable[[bytes], MeasurementEvent] = msgspec.json.Decoder(MeasurementEvent).decode
_exact_measurement = msgspec.json.Decoder(
    _ExactCaseMeasured | CasesCounted | Progress | SourceHeard | ImportDeclared
).decode
decode_case = msgspec.json.Decoder(CaseData).decode
encode = msgspec.json.Encoder().encode


class _Familiar:
    """Names that were found to be valid: many messages share few."""

    MOST: Final = 100_000

    def __init__(self) -> None:
        self.codes: set[str] = set()
        self.kinds: set[str] = set()
        self.attributes: set[str] = set()

    def has_case(self, event: CaseMeasured) -> bool:
        """Return whether every name of the event is known, if its text is plain."""
        data, codes = event.data, self.codes
        return (
            data.municipality in codes
            and data.service in codes
            and (data.unit is None or data.unit in codes)
            and data.instants.keys() <= self.kinds
            and not (data.pauses or data.exclusions)
            and (not data.attributes or self._has_attributes(data.attributes))
            and (event.traceparent is None or _is_trace(event.traceparent))
        )

    def has_service_event(self, event: ServiceEvent) -> bool:
        """Return whether every name of the event is known, if its text is plain."""
        data, codes = event.data, self.codes
        return (
            data.municipality in codes
            and data.service in codes
            and (data.unit is None or data.unit in codes)
            and (data.reason is None or data.reason in codes)
            and event.type in self.kinds
            and (not data.attributes or self._has_attributes(data.attributes))
            and (event.traceparent is None or _is_trace(event.traceparent))
        )

    def _has_attributes(self, attributes: dict[str, str]) -> bool:
        return attributes.keys() <= self.attributes and not any(
            " " in value for value in attributes.values()
        )

    def learn(self, data: CaseData | ServiceEventData, kinds: Iterable[str]) -> None:
        """Remember the names of a message that the exact structs took."""
        for known in (self.codes, self.kinds, self.attributes):
            if len(known) >= self.MOST:
                known.clear()
        self.codes.update(filter(None, (data.municipality, data.service, data.unit)))
        self.kinds.update(kinds)
        self.attributes.update(data.attributes)


_familiar = _Familiar()
_trace = re.compile(TRACEPARENT)


def _is_trace(text: str) -> bool:
    return _trace.match(text) is not None


def is_plain(payload: bytes) -> bool:
    """Return whether no text of the JSON holds an odd character: controls, or beyond ASCII."""
    return payload.isascii() and b"\\" not in payload and b"\x7f" not in payload


def has_known_names(event: ServiceEvent) -> bool:
    """Return whether every name of an event with plain texts was found to be valid before."""
    return _familiar.has_service_event(event)


def decode_service_event(payload: bytes) -> ServiceEvent:
    """Return the event. Raises msgspec.DecodeError, of which ValidationError is a kind."""
    if is_plain(payload):
        try:
            event = _service_event(payload)
        except msgspec.DecodeError:
            pass  # the exact struct tells what is wrong
        else:
            if _familiar.has_service_event(event):
                return event
    _check_utf8(payload)
    exact = _exact_service_event(payload)
    _familiar.learn(exact.data, (exact.type,))
    return _service_event(payload)


def decode_measurement(payload: bytes) -> MeasurementEvent:
    """Return the event. Raises msgspec.DecodeError, of which ValidationError is a kind."""
    check_storable(payload)
    if is_plain(payload):
        try:
            event = _measurement(payload)
        except msgspec.DecodeError:
            pass  # the exact struct tells what is wrong
        else:
            if type(event) is not CaseMeasured or _familiar.has_case(event):
                return event
    _check_utf8(payload)
    exact = _exact_measurement(payload)
    if isinstance(exact, _ExactCaseMeasured):
        _familiar.learn(exact.data, exact.data.instants)
    return _measurement(payload)


def _check_utf8(payload: bytes) -> None:
    """The decoder does not look into members that it skips."""
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("not UTF-8") from error


def as_json(value: Any) -> bytes:
    """Return `value` as compact JSON, for columns and tests."""
    return encode(value)


def convert_service_event(data: dict[str, Any]) -> ServiceEvent:
    """Return an event that did not come from Kafka. Raises msgspec.ValidationError."""
    exact = msgspec.convert(data, _ExactServiceEvent)
    _familiar.learn(exact.data, (exact.type,))
    return msgspec.convert(data, ServiceEvent)


def convert_progress(data: dict[str, Any]) -> ProgressData:
    """Return the progress of another pipeline in this form. Raises msgspec.ValidationError."""
    return msgspec.convert(data, ProgressData)


def to_builtins(value: Any) -> Any:
    """Return `value` as JSON's own types."""
    return msgspec.to_builtins(value)
