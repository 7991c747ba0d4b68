"""Which events are taken, whichever way they come; what is not taken is refused by name."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from services.measurements.domain.contests import NAMES
from shared.contracts import faults, hot
from shared.contracts.service_events import (
    CASE_ABANDONED,
    CASE_EXCLUDED,
    CASE_PAUSED,
    CASE_RESUMED,
    COUNTED_CASES,
    SOURCE_HEARTBEAT,
    counted_kind,
    reports,
)

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before it a time is a clock that was never set, not a measurement."""
FUTURE_TOLERANCE = timedelta(minutes=15)
"""How far an emitter's clock may be ahead of ours."""
LATEST_PROMISE = datetime(2300, 1, 1, tzinfo=UTC)
"""Calendars count up to here."""
ANY_SERVICE = "*"
UNDECLARED = frozenset({CASE_PAUSED, CASE_RESUMED, CASE_EXCLUDED, CASE_ABANDONED, SOURCE_HEARTBEAT})
"""What any source may say without having declared it."""


_OF_A_COUNT = frozenset({COUNTED_CASES})
_WHOLE = re.compile(r"[0-9]{1,9}")


class Reason(StrEnum):
    """Why an event, a record or a row was refused: labels of metrics, shown to the emitter."""

    NOT_JSON = "not_json"
    NOT_AN_EVENT = "not_an_event"
    SCHEMA = "schema"
    NAIVE_TIME = "naive_time"
    TOO_EARLY = "too_early"
    IN_FUTURE = "in_future"
    UNKNOWN_SOURCE = "unknown_source"
    OTHER_SOURCE = "other_source"
    SOURCE_SUSPENDED = "source_suspended"
    SOURCE_REVOKED = "source_revoked"
    OTHER_MUNICIPALITY = "other_municipality"
    UNKNOWN_SERVICE = "unknown_service"
    UNDECLARED_KIND = "undeclared_kind"
    UNREGISTERED_ATTRIBUTE = "unregistered_attribute"
    WRONG_KEY = "wrong_key"
    REASON_MISSING = "reason_missing"
    VOID_WITHOUT_SUPERSEDES = "void_without_supersedes"
    SUPERSEDES_ITSELF = "supersedes_itself"
    CORRECTS_ANOTHER_CASE = "corrects_another_case"
    IDENTITY_CONFLICT = "identity_conflict"
    TOO_MANY_EVENTS = "too_many_events"
    RESERVED_EXCLUSION = "reserved_exclusion"
    NOT_DECIDED = "not_decided"
    MISSING_VALUE = "missing_value"
    UNREADABLE_VALUE = "unreadable_value"
    WRONG_NUMBER_OF_COLUMNS = "wrong_number_of_columns"
    DUPLICATE_ROW = "duplicate_row"


class SourceState(StrEnum):
    """An operator revokes; the service itself suspends, and an operator resumes."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Cadence:
    """At least one word in every so many opening minutes of a calendar, since an instant."""

    every_minutes: int
    calendar: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """A registered emitter and what it may say. `services` and `reports` hold `*` for all.

    One that `expects` is held to speak regularly. One that `decides` is our own: it says what the
    coordination decided, and nothing else.
    """

    source_id: int
    uri: str
    municipality: str
    historical: bool
    services: frozenset[str]
    reports: frozenset[str]
    attributes: frozenset[str]
    grace_seconds: int
    state: SourceState
    decides: bool = False
    expects: Cadence | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not taken. `detail` never repeats a value that was sent."""

    reason: Reason
    field: str | None = None
    detail: str = ""


def check(event: hot.ServiceEvent, source: Source, now: datetime) -> Refusal | None:
    """Return why `source` may not say `event` at `now` (UTC), or None."""
    data = event.data
    if source.state is not SourceState.ACTIVE:
        return Refusal(
            Reason.SOURCE_REVOKED
            if source.state is SourceState.REVOKED
            else Reason.SOURCE_SUSPENDED
        )
    if data.municipality != source.municipality:
        return Refusal(Reason.OTHER_MUNICIPALITY, "data.municipality")
    if event.type != SOURCE_HEARTBEAT and not covers(source, data.service):
        return Refusal(Reason.UNKNOWN_SERVICE, "data.service", "not registered for this source")
    if event.type not in UNDECLARED and not reports(source.reports, event.type):
        return Refusal(Reason.UNDECLARED_KIND, "type", "not declared by this source")
    if data.attributes and not allowed(event.type, source).issuperset(data.attributes):
        return Refusal(Reason.UNREGISTERED_ATTRIBUTE, "data.attributes")
    return (
        check_time(event.time, now, "time")
        or _check_meaning(event)
        or _check_count(event)
        or _check_exclusion(event, source)
    )


def covers(source: Source, service: str) -> bool:
    """Return whether the source may report on `service`."""
    return service in source.services or ANY_SERVICE in source.services


def allowed(kind: str, source: Source) -> frozenset[str]:
    """Return the attributes that an event may carry; a count says its number and nothing else."""
    return _OF_A_COUNT if counted_kind(kind) is not None else source.attributes


def _check_count(event: hot.ServiceEvent) -> Refusal | None:
    if counted_kind(event.type) is None or event.data.void:
        return None
    if _WHOLE.fullmatch(event.data.attributes.get(COUNTED_CASES, "")):
        return None
    return Refusal(Reason.SCHEMA, f"data.attributes.{COUNTED_CASES}", "expected a whole number")


def check_time(instant: datetime, now: datetime, field: str) -> Refusal | None:
    """Refuse what happened before 2000 or more than 15 minutes after `now`; the edges are taken."""
    if instant < EARLIEST:
        return Refusal(Reason.TOO_EARLY, field, "before 2000-01-01")
    if instant > now + FUTURE_TOLERANCE:
        return Refusal(Reason.IN_FUTURE, field, "more than 15 minutes in the future")
    return None


def check_due(instant: datetime, field: str) -> Refusal | None:
    """Refuse a promised instant that no calendar counts up to."""
    if EARLIEST <= instant < LATEST_PROMISE:
        return None
    return Refusal(Reason.SCHEMA, field, "expected a year from 2000 to 2299")


def _check_meaning(event: hot.ServiceEvent) -> Refusal | None:
    data = event.data
    if event.type in (CASE_PAUSED, CASE_EXCLUDED) and data.reason is None:
        return Refusal(Reason.REASON_MISSING, "data.reason", f"{event.type} needs a reason")
    if data.void and data.supersedes is None:
        return Refusal(Reason.VOID_WITHOUT_SUPERSEDES, "data.supersedes")
    if data.supersedes == event.id:
        return Refusal(Reason.SUPERSEDES_ITSELF, "data.supersedes")
    return None if data.due_at is None else check_due(data.due_at, "data.due_at")


def _check_exclusion(event: hot.ServiceEvent, source: Source) -> Refusal | None:
    """Leave to the coordination what takes a case out whatever its criterion lists."""
    is_decision = event.type == CASE_EXCLUDED and event.data.reason in NAMES
    if source.decides:
        return None if is_decision else Refusal(Reason.NOT_DECIDED, "type")
    if is_decision:
        return Refusal(Reason.RESERVED_EXCLUSION, "data.reason", "only the coordination decides it")
    return None


def refusal_of(error: msgspec.DecodeError) -> Refusal:
    """Name what the decoder refused: the member and what was expected, never the value."""
    if not isinstance(error, msgspec.ValidationError):
        return Refusal(Reason.NOT_JSON)
    expected = faults.expected(error)
    if "timezone" in expected:
        return Refusal(Reason.NAIVE_TIME, faults.faulty_field(error), "a time needs its UTC offset")
    return Refusal(Reason.SCHEMA, faults.faulty_field(error), expected)


def identifier(value: object) -> str | None:
    """Return an event's id or a case as the contract allows it, else None."""
    try:
        return msgspec.convert(value, hot.Identifier)
    except msgspec.ValidationError:
        return None


def source_uri(value: object) -> str | None:
    """Return a source's URI as the contract allows it, else None."""
    try:
        return msgspec.convert(value, hot.Source)
    except msgspec.ValidationError:
        return None
