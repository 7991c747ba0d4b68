"""How many of the cases that are known to exist were measured, and where nobody was listening.

A day is a local day on which a case began. Where a source counted its cases of a day, the count is
held against the cases that came in; where none did, a silence is all that tells of a loss.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from services.evaluator.domain.catalogue import BUZON_EVENTS, Promise
from services.evaluator.domain.coverage import Cadence
from services.evaluator.domain.results import Counted, Known
from services.evaluator.domain.silence import Silence
from shared.contracts.results import CaseCoverage, SilentSpan
from shared.criteria import (
    Availability,
    Evidence,
    Measure,
    Schedule,
    WindowBounds,
    merged,
)
from shared.criteria.outages import within
from shared.worktime.prepared import PreparedCalendar, microseconds_of

MOST_SILENCES: Final = 10
_MINUTE: Final = 60_000_000
_DAY: Final = timedelta(days=1)

DayCounts = Mapping[tuple[str, date], int]
"""Cases by the kind of event that they began with, and the local day."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A source of a promise that is expected to speak, the hours of it, and its silences."""

    reports: frozenset[str]
    expects: Cadence
    calendar: PreparedCalendar
    silences: Sequence[Silence]


@dataclass(frozen=True, slots=True)
class Records:
    """What was kept of a window beside its counts. `opening`: the hours of the carta's service.

    `reports` of a listener are the events of the promise that it tells of.
    """

    known: DayCounts = field(default_factory=dict)
    measured: DayCounts = field(default_factory=dict)
    listeners: Sequence[Listener] = ()
    opening: PreparedCalendar | None = None

    @property
    def calendar_versions(self) -> dict[str, int]:
        """The calendars that they were read with."""
        used = [each.calendar.calendar for each in self.listeners]
        if self.opening is not None:
            used.append(self.opening.calendar)
        return {calendar.id: calendar.version for calendar in used}


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of the cases of one part, as it travels, and as it is judged by."""

    coverage: CaseCoverage | None
    evidence: Evidence


def accounts_of(
    promise: Promise, counted: Counted, records: Records, known: Known
) -> list[Account]:
    """Return the account of each part; before anything is heard, all of it may be reported."""
    unreported = frozenset() if known.heard_through is None else known.unreported
    return [
        _account(promise, number, counted, records, known, unreported)
        for number in range(len(promise.parts))
    ]


def _account(  # noqa: PLR0917 - one value of each kind
    promise: Promise,
    part: int,
    counted: Counted,
    records: Records,
    known: Known,
    unreported: frozenset[str],
) -> Account:
    places = [place for place, each in enumerate(promise.measures) if each.part == part]
    window = _so_far(counted.window, known, promise.zone)
    found = [
        _coverage(promise, promise.measures[place], counted, records, window, place)
        for place in places
    ]
    events = {promise.events[place] for place in places}
    last = found[-1]
    return Account(
        coverage=last,
        evidence=Evidence(
            reported=not events & unreported,
            known=[each.known for each in found],
            missing=[each.known - each.measured for each in found],
            silent=max((_silent_share(each) for each in found), default=Fraction(0)),
        ),
    )


def _so_far(window: WindowBounds, known: Known, zone: ZoneInfo) -> WindowBounds:
    """Return the whole days of the window that are over as far as is known."""
    if known.through is None:
        return WindowBounds(window.id, window.start, window.start)
    midnight = _midnight(known.through.astimezone(zone).date(), zone)
    end = window.end if known.historical else min(window.end, max(midnight, window.start))
    return WindowBounds(window.id, window.start, end)


def _coverage(  # noqa: PLR0917 - one value of each kind
    promise: Promise,
    measure: Measure,
    counted: Counted,
    records: Records,
    window: WindowBounds,
    place: int,
) -> CaseCoverage:
    event = measure.figure.population.event
    if event.startswith(BUZON_EVENTS):
        everything = merged(counted.cells[place]).population
        return CaseCoverage(known=everything, measured=everything)
    days = {day: n for (kind, day), n in records.known.items() if kind == event}
    came = {day: records.measured.get((event, day), 0) for day in days}
    open_days = _open_days(records.opening, window, promise.zone)
    listeners = [each for each in records.listeners if event in each.reports]
    counts_cases = not isinstance(measure.figure, Availability | Schedule)
    unheard = [day for day in _days(window, promise.zone) if day not in days]
    return CaseCoverage(
        known=sum(days.values()),
        measured=sum(min(number, came[day]) for day, number in days.items()),
        beyond=sum(max(0, came[day] - number) for day, number in days.items()),
        counted_days=len(days),
        uncounted_days=len([d for d in open_days if d not in days]) if counts_cases else 0,
        silences=_latest(listeners, counted.window),
        silent_minutes=sum(_silent(each, unheard, promise.zone) for each in listeners) // _MINUTE,
        expected_minutes=sum(_expected(each, window) for each in listeners) // _MINUTE,
    )


def _silent_share(coverage: CaseCoverage) -> Fraction:
    if not coverage.silent_minutes:
        return Fraction(0)
    return Fraction(coverage.silent_minutes, max(coverage.expected_minutes, 1))


def _latest(listeners: Iterable[Listener], window: WindowBounds) -> tuple[SilentSpan, ...]:
    found = sorted(
        {(each.start, each.end) for listener in listeners for each in listener.silences},
        key=lambda span: span[0],
    )
    inside = [span for span in found if span[0] < window.end]
    return tuple(SilentSpan(start=start, end=end) for start, end in inside[-MOST_SILENCES:])


def _silent(listener: Listener, days: Sequence[date], zone: ZoneInfo) -> int:
    """Return the service time, in microseconds, that fell silent on days without a count."""
    spans = [
        (microseconds_of(_midnight(day, zone)), microseconds_of(_midnight(day + _DAY, zone)))
        for day in days
    ]
    total = 0
    for silence in listener.silences:
        first = microseconds_of(silence.start)
        last = spans[-1][1] if spans else first
        last = last if silence.end is None else microseconds_of(silence.end)
        quiet = within(spans, first, max(first, last))
        total += sum(listener.calendar.open_between(*span) for span in quiet)
    return total


def _expected(listener: Listener, window: WindowBounds) -> int:
    """Return the service time, in microseconds, in which the source should have spoken."""
    expects = listener.expects
    start = max(window.start, expects.since)
    end = window.end if expects.until is None else min(window.end, expects.until)
    if start >= end:
        return 0
    return listener.calendar.open_between(microseconds_of(start), microseconds_of(end))


def _days(window: WindowBounds, zone: ZoneInfo) -> list[date]:
    first, end = window.start.astimezone(zone).date(), window.end.astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((end - first).days)]


@lru_cache(maxsize=1024)
def _open_days(
    calendar: PreparedCalendar | None, window: WindowBounds, zone: ZoneInfo
) -> Sequence[date]:
    """Asked with each publication of a window, answered once a day for all that are alike."""
    if calendar is None:
        return ()
    return [
        day
        for day in _days(window, zone)
        if calendar.open_between(
            microseconds_of(_midnight(day, zone)), microseconds_of(_midnight(day + _DAY, zone))
        )
    ]


def is_never_open(calendar: PreparedCalendar | None, window: WindowBounds) -> bool:
    """Return whether the service has no opening time at all in the window."""
    if calendar is None or window.start >= window.end:
        return False
    start, end = microseconds_of(window.start), microseconds_of(window.end)
    return not calendar.open_between(start, end)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
