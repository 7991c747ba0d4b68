"""When a term ends and how much of it has gone by; both come from the same count.

For every start, stop and whole number n of days or months: elapsed ≤ n exactly when
stop < due_instant(n). For durations: elapsed ≤ limit exactly when stop ≤ kept_until(limit).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, Protocol

from shared.worktime.model import MICROSECONDS, OPEN_UNITS, Pause, StartRule, Unit, check_aware
from shared.worktime.prepared import (
    LAST_YEAR,
    CalendarExhaustedError,
    PreparedCalendar,
    instant_of,
    microseconds_of,
)

Amount = int | Decimal | Fraction
Spans = Sequence[tuple[int, int | None]]
"""Merged pauses in order: days (both ends included) or microseconds; an open one is last."""


class _Flow(Protocol):
    """How time adds up, in microseconds."""

    def open_between(self, start: int, stop: int) -> int: ...

    def advance(self, start: int, amount: int, *, latest: bool) -> int: ...


class _Days(Protocol):
    """Which days count, as ordinals."""

    def after(self, day: int, count: int) -> int: ...

    def between(self, first: int, last: int) -> int: ...


class _Always:
    """Every moment and every day count."""

    def open_between(self, start: int, stop: int) -> int:
        return stop - start

    def advance(self, start: int, amount: int, *, latest: bool) -> int:
        return start + amount

    def after(self, day: int, count: int) -> int:
        return day + count

    def between(self, first: int, last: int) -> int:
        return max(0, last - first + 1)


_ALWAYS: Final = _Always()


def due_instant(
    start: datetime,
    limit: Amount,
    unit: Unit,
    calendar: PreparedCalendar | None,
    pauses: Sequence[Pause] = (),
    *,
    start_rule: StartRule | None = None,
) -> datetime | None:
    """Return the UTC instant at which the term is used up; None while an open pause delays it.

    For days and months it is the end (exclusive) of the last day: the local midnight after it; a
    fraction of a day is dropped. For durations it is the first instant at which the whole limit
    has run; a pause that begins then or later is too late to move it.
    `dia_habil`: day 1 is the counting day after the start's local date (see StartRule); dates
    touched by a pause do not count. `mes`: the same day number, or the first day of the next month
    where that number is missing, moved to the next counting day (domain reference, section 8).
    Raises ValueError for a naive start, a negative limit, a calendar that is missing;
    CalendarExhaustedError for a term that no calendar reaches.
    """
    _check(start, unit, calendar)
    if unit in MICROSECONDS:
        return _moment(start, limit, unit, calendar, pauses, latest=False)
    known = _given(calendar)
    spans = _date_spans(pauses, known)
    if unit is Unit.MONTH:
        last_day = _last_day_of_months(known.date_of(start), whole(limit), known, spans)
    else:
        base = _day_zero(start, known, start_rule)
        last_day = _last_day_of_days(base, whole(limit), _days(unit, known), spans)
    return None if last_day is None else known.midnight(last_day + 1)


def due_below(
    start: datetime,
    limit: Amount,
    unit: Unit,
    calendar: PreparedCalendar | None,
    pauses: Sequence[Pause] = (),
    *,
    start_rule: StartRule | None = None,
) -> datetime | None:
    """Return when a term of less than the limit is used up; None and errors as in due_instant.

    "Less than 8 days" ends with the seventh; "less than 2 months" with the day before the one that
    completes them; a duration is what it is.
    """
    if limit > 0 and unit in (Unit.WORKING_DAY, Unit.CALENDAR_DAY):
        limit = math.ceil(limit) - 1
    due = due_instant(start, limit, unit, calendar, pauses, start_rule=start_rule)
    if due is None or unit is not Unit.MONTH:
        return due
    known = _given(calendar)
    return known.midnight(known.date_of(due) - 1)


def kept_until(
    start: datetime,
    limit: Amount,
    unit: Unit,
    calendar: PreparedCalendar | None,
    pauses: Sequence[Pause] = (),
    *,
    start_rule: StartRule | None = None,
) -> datetime | None:
    """Return the last instant at which no more than the limit has elapsed; None as in due_instant.

    It is `due_instant`, except where opening hours or a pause begin to stand still exactly then:
    what is used up on Friday at closing time is not exceeded before Monday's opening.
    """
    if unit not in MICROSECONDS:
        return due_instant(start, limit, unit, calendar, pauses, start_rule=start_rule)
    _check(start, unit, calendar)
    return _moment(start, limit, unit, calendar, pauses, latest=True)


def elapsed(
    start: datetime,
    stop: datetime,
    unit: Unit,
    calendar: PreparedCalendar | None,
    pauses: Sequence[Pause] = (),
    *,
    start_rule: StartRule | None = None,
) -> int:
    """Return what has elapsed: microseconds for durations, else whole days or months.

    For days and months it is the least n with stop < due_instant(n); 0 is the same day.
    A pause that is open lasts until `stop`. Raises ValueError for a stop before its start.
    """
    _check(start, unit, calendar)
    _check(stop, unit, calendar)
    if stop < start:
        raise ValueError(f"the stop {stop} is before the start {start}")
    if unit in MICROSECONDS:
        return _elapsed_time(start, stop, _flow(unit, calendar), pauses)
    known = _given(calendar)
    spans = _date_spans(pauses, known)
    stop_day = known.date_of(stop)
    if unit is Unit.MONTH:
        return _elapsed_months(known.date_of(start), stop_day, known, spans)
    base = _day_zero(start, known, start_rule)
    return _elapsed_days(base, stop_day, _days(unit, known), spans)


def _check(instant: datetime, unit: Unit, calendar: PreparedCalendar | None) -> None:
    check_aware(instant)
    if calendar is None and (unit not in MICROSECONDS or unit in OPEN_UNITS):
        raise ValueError(f"the unit {unit} needs a calendar")


def whole(limit: Amount) -> int:
    """Return the limit without its fraction. Raises ValueError for a negative one."""
    if limit < 0:
        raise ValueError(f"a limit is not negative: {limit}")
    return math.floor(limit)


def _given(calendar: PreparedCalendar | None) -> PreparedCalendar:
    assert calendar is not None  # _check has seen to it
    return calendar


def _flow(unit: Unit, calendar: PreparedCalendar | None) -> _Flow:
    return _given(calendar) if unit in OPEN_UNITS else _ALWAYS


def _days(unit: Unit, calendar: PreparedCalendar) -> _Days:
    return calendar if unit is Unit.WORKING_DAY else _ALWAYS


def _moment(
    start: datetime,
    limit: Amount,
    unit: Unit,
    calendar: PreparedCalendar | None,
    pauses: Sequence[Pause],
    *,
    latest: bool,
) -> datetime | None:
    """Run the limit, then make good what each pause took from it, in the order of the pauses."""
    flow = _flow(unit, calendar)
    first = microseconds_of(start)
    amount = whole(limit * MICROSECONDS[unit])
    moment = flow.advance(first, amount, latest=latest)
    for start_of_pause, end in _time_spans(pauses):
        begin = max(start_of_pause, first)
        if begin > moment or (begin == moment and not latest):
            break
        if end is None:
            return None
        amount += flow.open_between(begin, max(begin, end))
        moment = flow.advance(first, amount, latest=latest)
    return instant_of(moment)


def _elapsed_time(start: datetime, stop: datetime, flow: _Flow, pauses: Sequence[Pause]) -> int:
    first, last = microseconds_of(start), microseconds_of(stop)
    total = flow.open_between(first, last)
    for begin, end in _time_spans(pauses):
        paused_from = min(max(begin, first), last)
        paused_to = last if end is None else min(max(end, first), last)
        total -= flow.open_between(paused_from, paused_to)
    return total


def _day_zero(start: datetime, calendar: PreparedCalendar, rule: StartRule | None) -> int:
    """Return the day after which counting begins."""
    day = calendar.date_of(start)
    chosen = calendar.calendar.start_rule if rule is None else rule
    return day - 1 if chosen is StartRule.START_DAY else day


def _last_day_of_days(base: int, count: int, days: _Days, spans: Spans) -> int | None:
    if count == 0:
        return base
    last_day = days.after(base, count)
    for first, last in spans:
        if first > last_day:
            break
        if last is None:
            return None
        count += days.between(max(first, base + 1), last)
        last_day = days.after(base, count)
    return last_day


def _elapsed_days(base: int, stop_day: int, days: _Days, spans: Spans) -> int:
    """Count the days wholly before the stop's own, then that one."""
    if stop_day <= base:
        return 0
    yesterday = stop_day - 1
    paused = sum(
        days.between(max(first, base + 1), yesterday if last is None else min(last, yesterday))
        for first, last in spans
    )
    return 1 + days.between(base + 1, yesterday) - paused


def _last_day_of_months(
    base: int, count: int, calendar: PreparedCalendar, spans: Spans
) -> int | None:
    """A pause moves the end by the dates that it touches, and never lets it fall on one."""
    if count == 0:
        return base
    end = same_day_later(base, count)
    last_day = calendar.after(end - 1, 1)
    for first, last in spans:
        if first > last_day:
            break
        if last is None:
            return None
        end = max(end + _ALWAYS.between(max(first, base + 1), last), last + 1)
        last_day = calendar.after(end - 1, 1)
    return last_day


def same_day_later(day: int, months: int) -> int:
    """Return the same day number `months` later, or the first of the month after it."""
    start = date.fromordinal(day)
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if years > LAST_YEAR:
        raise CalendarExhaustedError(f"nothing is known of {years}")
    first_of_month = date(years, month + 1, 1)
    first_of_next = date(years + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(first_of_month.toordinal() + start.day - 1, first_of_next.toordinal())


def _elapsed_months(base: int, stop_day: int, calendar: PreparedCalendar, spans: Spans) -> int:
    """Come down from a number of months that is enough: it is seldom more than one too many."""
    start, stop = date.fromordinal(base), date.fromordinal(stop_day)
    months = (stop.year - start.year) * 12 + stop.month - start.month + 1
    while months and _reaches(_last_day_of_months(base, months - 1, calendar, spans), stop_day):
        months -= 1
    return months


def _time_spans(pauses: Sequence[Pause]) -> Spans:
    return _merged(pauses, microseconds_of) if pauses else ()


def _date_spans(pauses: Sequence[Pause], calendar: PreparedCalendar) -> Spans:
    return _merged(pauses, calendar.date_of) if pauses else ()


def _merged(pauses: Sequence[Pause], position: Callable[[datetime], int]) -> Spans:
    """Return overlapping pauses as one; nothing follows an open one."""
    ordered = sorted(pauses, key=lambda pause: pause.start)
    merged: list[tuple[int, int | None]] = []
    for pause in ordered:
        first = position(pause.start)
        last = None if pause.end is None else position(pause.end)
        if merged and _reaches(merged[-1][1], first):
            first, reached = merged.pop()
            last = None if reached is None or last is None else max(reached, last)
        merged.append((first, last))
    return merged


def _reaches(last: int | None, first: int) -> bool:
    return last is None or last >= first
