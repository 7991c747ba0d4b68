"""Time without service: overlapping outages count once, planned ones leave the service time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from shared.criteria.verdict import Span
from shared.worktime.model import OPEN_UNITS, Unit
from shared.worktime.prepared import PreparedCalendar
from shared.worktime.terms import elapsed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Return the microseconds since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(moment: int) -> datetime:
    """Return the UTC instant of `microseconds`."""
    return _EPOCH + moment * _MICROSECOND


def within(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """Return what of the spans lies in [start, end), merged and in order."""
    clipped = sorted((max(first, start), min(last, end)) for first, last in spans)
    merged: list[Span] = []
    for first, last in clipped:
        if first >= last:
            continue
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def without(spans: Iterable[Span], taken: list[Span]) -> list[Span]:
    """Return what is left of merged spans outside of other merged spans."""
    left: list[Span] = []
    for start, end in spans:
        first = start
        for begin, stop in taken:
            left.append((first, min(begin, end)))
            first = max(first, stop)
        left.append((first, end))
    return [(first, last) for first, last in left if first < last]


def service_time(spans: Iterable[Span], calendar: PreparedCalendar | None) -> int:
    """Return the microseconds of merged spans in which the service is open; all, without hours."""
    if calendar is None:
        return sum(last - first for first, last in spans)
    return sum(
        elapsed(instant(first), instant(last), Unit.OPEN_MINUTE, calendar) for first, last in spans
    )


def open_hours(unit: Unit, calendar: PreparedCalendar | None) -> PreparedCalendar | None:
    """Return the calendar where the unit runs only in its hours."""
    return calendar if unit in OPEN_UNITS else None
