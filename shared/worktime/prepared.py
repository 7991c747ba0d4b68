"""A calendar made ready for arithmetic: one table for each year, built when first needed."""

from __future__ import annotations

import zoneinfo
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Final

from shared.worktime.model import Calendar, DayException, Segment, Weekday

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2299
"""The years that can be asked for; they bound every search and the tables kept in memory."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WEEKDAYS: Final = tuple(Weekday)


class CalendarExhaustedError(ValueError):
    """The term does not end in any year that calendars are read for."""


def microseconds_of(instant: datetime) -> int:
    """Return microseconds since 1970 UTC; raises TypeError for a naive instant."""
    return (instant - EPOCH) // _MICROSECOND


def instant_of(microseconds: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise CalendarExhaustedError("the instant is outside of any calendar") from error


@dataclass(frozen=True, slots=True)
class _Year:
    """One local year. Days are ordinals; times are microseconds since 1970 UTC.

    `midnights` has one entry more than the year has days. `totals[i]` is the open time from the
    year's start to the end of segment i.
    """

    first_day: int
    midnights: tuple[datetime, ...]
    counting: tuple[int, ...]
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    totals: tuple[int, ...]

    @property
    def open_total(self) -> int:
        return self.totals[-1] if self.totals else 0

    def open_before(self, moment: int) -> int:
        """Return the open time from the year's start to `moment`."""
        index = bisect_right(self.opens, moment) - 1
        return 0 if index < 0 else self.totals[index] - max(0, self.closes[index] - moment)

    def moment_at(self, amount: int, *, latest: bool) -> int:
        """Return the first moment with `amount` open time behind it, or the last such moment.

        They differ where the amount is reached at closing time: the last one is the next opening.
        """
        index = bisect_right(self.totals, amount) if latest else bisect_left(self.totals, amount)
        return self.opens[index] + amount - (self.totals[index - 1] if index else 0)


class PreparedCalendar:
    """Answers about one calendar version; prepare once, ask often.

    Every answer lies within FIRST_YEAR and LAST_YEAR, local time; otherwise CalendarExhaustedError.
    """

    __slots__ = ("_years", "calendar", "zone")

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.zone = zoneinfo.ZoneInfo(calendar.zone)
        self._years: dict[int, _Year] = {}

    def date_of(self, instant: datetime) -> int:
        """Return the ordinal of the local date."""
        return instant.astimezone(self.zone).toordinal()

    def midnight(self, day: int) -> datetime:
        """Return the UTC instant at which the local date begins."""
        year = self._year(_year_of(day))
        return year.midnights[day - year.first_day]

    def after(self, day: int, count: int) -> int:
        """Return the `count`-th counting day after `day`; `count` ≥ 1."""
        number = _year_of(day)
        year = self._year(number)
        index = bisect_right(year.counting, day) + count - 1
        while index >= len(year.counting):
            index -= len(year.counting)
            number += 1
            year = self._year(number)
        return year.counting[index]

    def between(self, first: int, last: int) -> int:
        """Return how many days count from `first` to `last`, both included; 0 if out of order."""
        if last < first:
            return 0
        first_year, last_year = _year_of(first), _year_of(last)
        whole = sum(len(self._year(n).counting) for n in range(first_year, last_year))
        before = bisect_left(self._year(first_year).counting, first)
        return whole + bisect_right(self._year(last_year).counting, last) - before

    def open_between(self, start: int, stop: int) -> int:
        """Return the open time from `start` to `stop`, all in microseconds; `start` ≤ `stop`."""
        first_year, last_year = self._year_at(start), self._year_at(stop)
        whole = sum(self._year(n).open_total for n in range(first_year, last_year))
        before = self._year(first_year).open_before(start)
        return whole + self._year(last_year).open_before(stop) - before

    def advance(self, start: int, amount: int, *, latest: bool) -> int:
        """Return the first (or the last) moment with `amount` open time since `start`."""
        if amount == 0 and not latest:
            return start
        number = self._year_at(start)
        year = self._year(number)
        remaining = amount + year.open_before(start)
        while remaining > year.open_total or (latest and remaining == year.open_total):
            remaining -= year.open_total
            number += 1
            year = self._year(number)
        return max(start, year.moment_at(remaining, latest=latest))

    def _year_at(self, moment: int) -> int:
        return instant_of(moment).astimezone(self.zone).year

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            if not FIRST_YEAR <= number <= LAST_YEAR:
                raise CalendarExhaustedError(f"{self.calendar.id}: nothing is known of {number}")
            year = self._years[number] = _build(self.calendar, self.zone, number)
        return year


def _year_of(day: int) -> int:
    try:
        return date.fromordinal(day).year
    except (ValueError, OverflowError) as error:
        raise CalendarExhaustedError(f"there is no day {day}") from error


def _build(calendar: Calendar, zone: zoneinfo.ZoneInfo, number: int) -> _Year:
    first, end = date(number, 1, 1).toordinal(), date(number + 1, 1, 1).toordinal()
    exceptions = _exceptions_by_day(calendar.days, first, end)
    segments = list(_open_segments(calendar, zone, first, end, exceptions))
    return _Year(
        first_day=first,
        midnights=tuple(_local(zone, day, "00:00") for day in range(first, end + 1)),
        counting=tuple(d for d in range(first, end) if _counts(calendar, d, exceptions.get(d, ()))),
        opens=tuple(opens for opens, _ in segments),
        closes=tuple(closes for _, closes in segments),
        totals=tuple(accumulate(closes - opens for opens, closes in segments)),
    )


_ByDay = dict[int, list[DayException]]


def _exceptions_by_day(days: tuple[DayException, ...], first: int, end: int) -> _ByDay:
    """Return the exceptions of each day of [first, end)."""
    found: _ByDay = {}
    for exception in days:
        last = min(exception.last.toordinal(), end - 1)
        for day in range(max(exception.first.toordinal(), first), last + 1):
            found.setdefault(day, []).append(exception)
    return found


def _counts(calendar: Calendar, day: int, exceptions: list[DayException] | tuple[()]) -> bool:
    if exceptions:
        return all(exception.counts for exception in exceptions)
    return _weekday(day) in calendar.counting


def _hours(calendar: Calendar, day: int, exceptions: list[DayException]) -> tuple[Segment, ...]:
    """Any exception that closes the day wins; then the last one that gives hours of its own."""
    hours = calendar.week.get(_weekday(day), ())
    for exception in exceptions:
        if exception.opens is False or exception.opens == ():
            return ()
        if isinstance(exception.opens, tuple):
            hours = exception.opens
    return hours


def _open_segments(
    calendar: Calendar, zone: zoneinfo.ZoneInfo, first: int, end: int, exceptions: _ByDay
) -> Iterator[tuple[int, int]]:
    """Yield [opens, closes) in order; hours that a change of the clocks removes are left out."""
    previous: int | None = None
    for day in range(first, end):
        for opens, closes in _hours(calendar, day, exceptions.get(day, [])):
            start = microseconds_of(_local(zone, day, opens))
            start = start if previous is None else max(start, previous)
            stop = microseconds_of(_local(zone, day, closes))
            if stop > start:
                yield start, stop
                previous = stop


def _local(zone: zoneinfo.ZoneInfo, day: int, time: str) -> datetime:
    """Return the UTC instant of a local time; of an hour that comes twice, the first."""
    if time == "24:00":
        day, time = day + 1, "00:00"
    on = date.fromordinal(day)
    hour, minute = int(time[:2]), int(time[3:])
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=zone).astimezone(UTC)


def _weekday(day: int) -> Weekday:
    """Ordinal 1 was a Monday."""
    return _WEEKDAYS[(day - 1) % 7]
