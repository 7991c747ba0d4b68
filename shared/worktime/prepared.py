"""A calendar made ready for arithmetic: one table for each year, built when first needed."""

from __future__ import annotations

import zoneinfo
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import accumulate, chain, count
from typing import Final
from weakref import WeakValueDictionary

from shared.worktime.model import Calendar, DayException, Segment, Weekday, WeekFrom

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2299
"""The years that can be asked for; they bound every search and the tables kept in memory."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NEW_YEARS: Final = tuple(
    (datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // _MICROSECOND
    for year in range(FIRST_YEAR + 1, LAST_YEAR + 1)
)
"""When the years after FIRST_YEAR begin in UTC."""
_WEEKDAYS: Final = tuple(Weekday)


_DIGEST_BYTES: Final = 16
_BUILT: Final[WeakValueDictionary[bytes, _Year]] = WeakValueDictionary()
"""The years that some calendar holds, by all that decides them."""


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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class _Year:
    """One local year. Days are ordinals; times are microseconds since 1970 UTC.

    All calendars that are alike in the year, and know of the same exceptions in it, have one.
    `midnights` has one entry more than the year has days. `totals[i]` is the open time from the
    year's start to the end of segment i. The year is [begins, ends).
    """

    number: int
    first_day: int
    days: range
    begins: int
    ends: int
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

    __slots__ = ("_of_day", "_years", "calendar", "zone")

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.zone = zoneinfo.ZoneInfo(calendar.zone)
        self._years: dict[int, _Year] = {}
        self._of_day: dict[int, _Year] = {}

    def date_of(self, instant: datetime) -> int:
        """Return the ordinal of the local date."""
        return instant.astimezone(self.zone).toordinal()

    def midnight(self, day: int) -> datetime:
        """Return the UTC instant at which the local date begins."""
        year = self._of_day.get(day) or self._year(_year_of(day))
        return year.midnights[day - year.first_day]

    def after(self, day: int, count: int) -> int:
        """Return the `count`-th counting day after `day`; `count` ≥ 1."""
        year = self._of_day.get(day) or self._year(_year_of(day))
        number = year.number
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
        from_year = self._of_day.get(first) or self._year(_year_of(first))
        to_year = self._of_day.get(last) or self._year(_year_of(last))
        counted = bisect_right(to_year.counting, last) - bisect_left(from_year.counting, first)
        for number in range(from_year.number, to_year.number):
            counted += len(self._year(number).counting)
        return counted

    def open_between(self, start: int, stop: int) -> int:
        """Return the open time from `start` to `stop`, all in microseconds; `start` ≤ `stop`."""
        from_year, to_year = self._year_at(start), self._year_at(stop)
        opened = to_year.open_before(stop) - from_year.open_before(start)
        for number in range(from_year.number, to_year.number):
            opened += self._year(number).open_total
        return opened

    def advance(self, start: int, amount: int, *, latest: bool) -> int:
        """Return the first (or the last) moment with `amount` open time since `start`."""
        if amount == 0 and not latest:
            return start
        year = self._year_at(start)
        number = year.number
        remaining = amount + year.open_before(start)
        while remaining > year.open_total or (latest and remaining == year.open_total):
            remaining -= year.open_total
            number += 1
            year = self._year(number)
        return year.moment_at(remaining, latest=latest)

    def is_dead(self, number: int) -> bool:
        """Say whether in a year nothing opens, or nothing counts."""
        year = self._year(number)
        return not (year.open_total and year.counting)

    def midnights(self, first: int, last: int) -> list[datetime]:
        """Return the UTC instants at which the local dates from `first` to `last` begin."""
        found: list[datetime] = []
        for number in range(_year_of(first), _year_of(last) + 1):
            year = self._year(number)
            begin, end = max(first, year.first_day), min(last + 1, year.days.stop)
            found += year.midnights[begin - year.first_day : end - year.first_day]
        return found

    def hours_from(self, moment: int) -> Iterator[tuple[int, int]]:
        """Return each [opens, closes) in order, from the local year of a moment on, without an end.

        Raises CalendarExhaustedError after LAST_YEAR.
        """
        years = map(self._year, count(self._year_at(moment).number))
        return chain.from_iterable(zip(year.opens, year.closes, strict=True) for year in years)

    def _year_at(self, moment: int) -> _Year:
        """Return the local year that holds a moment: that of UTC, or the one beside it."""
        year = self._year(FIRST_YEAR + bisect_right(_NEW_YEARS, moment))
        if moment < year.begins:
            return self._year(year.number - 1)
        return year if moment < year.ends else self._year(year.number + 1)

    def _year(self, number: int) -> _Year:
        if number not in self._years:
            if not FIRST_YEAR <= number <= LAST_YEAR:
                raise CalendarExhaustedError(f"{self.calendar.id}: nothing is known of {number}")
            year = self._years[number] = _built(self.calendar, self.zone, number)
            self._of_day |= dict.fromkeys(_days(number), year)
        return self._years[number]


def dead_years(calendar: Calendar) -> tuple[int, ...]:
    """Return the years in which the calendar never opens, or in which no day of it counts.

    Only its exceptions can do that to a year: the usual week opens and counts.
    """
    prepared = PreparedCalendar(calendar)
    touched: set[int] = set()
    for exception in calendar.days:
        first, last = max(exception.first.year, FIRST_YEAR), min(exception.last.year, LAST_YEAR)
        touched.update(range(first, last + 1))
    return tuple(number for number in sorted(touched) if prepared.is_dead(number))


def _year_of(day: int) -> int:
    try:
        return date.fromordinal(day).year
    except (ValueError, OverflowError) as error:
        raise CalendarExhaustedError(f"there is no day {day}") from error


def _built(calendar: Calendar, zone: zoneinfo.ZoneInfo, number: int) -> _Year:
    """Return the year, from a calendar that is alike in it where there is one."""
    touching = tuple(day for day in calendar.days if day.first.year <= number <= day.last.year)
    decisive = calendar.model_dump_json(include={"zone", "week", "counting", "weeks"})
    exceptions = "\n".join(day.model_dump_json(exclude={"reason", "act"}) for day in touching)
    text = f"{number}\n{decisive}\n{exceptions}"
    digest = blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
    year = _BUILT.get(digest)
    if year is None:
        year = _BUILT[digest] = _build(calendar, zone, number)
    return year


def _build(calendar: Calendar, zone: zoneinfo.ZoneInfo, number: int) -> _Year:
    days = _days(number)
    first, end = days[0], days[-1] + 1
    exceptions = exceptions_by_day(calendar.days, first, end)
    segments = list(_open_segments(calendar, zone, days, exceptions))
    midnights = _midnights(zone, number)
    return _Year(
        number=number,
        first_day=first,
        days=range(first, end),
        begins=microseconds_of(midnights[0]),
        ends=microseconds_of(midnights[-1]),
        midnights=midnights,
        counting=tuple(day for day in days if day_counts(calendar, day, exceptions.get(day, ()))),
        opens=tuple(opens for opens, _ in segments),
        closes=tuple(closes for _, closes in segments),
        totals=tuple(accumulate(closes - opens for opens, closes in segments)),
    )


@cache
def _days(number: int) -> tuple[int, ...]:
    """Return the ordinals of a year: the same objects for every calendar."""
    return tuple(range(date(number, 1, 1).toordinal(), date(number + 1, 1, 1).toordinal()))


@lru_cache(maxsize=64)
def _midnights(zone: zoneinfo.ZoneInfo, number: int) -> tuple[datetime, ...]:
    """Return the UTC instants at which the days of a year, and the day after them, begin."""
    days = _days(number)
    return tuple(_local(zone, day, "00:00") for day in (*days, days[-1] + 1))


ByDay = dict[int, list[DayException]]


def exceptions_by_day(days: tuple[DayException, ...], first: int, end: int) -> ByDay:
    """Return the exceptions of each day of [first, end)."""
    found: ByDay = {}
    for exception in days:
        last = min(exception.last.toordinal(), end - 1)
        for day in range(max(exception.first.toordinal(), first), last + 1):
            found.setdefault(day, []).append(exception)
    return found


def _usual(calendar: Calendar, day: int) -> Calendar | WeekFrom:
    """Return what holds the week that is in force on a day."""
    begun = bisect_right(calendar.weeks, day, key=lambda week: week.since.toordinal())
    return calendar.weeks[begun - 1] if begun else calendar


def day_counts(calendar: Calendar, day: int, exceptions: Sequence[DayException]) -> bool:
    """Say whether a local date counts, given the exceptions that touch it."""
    words = [each for each in exceptions if each.counts is not None]
    deciding = [each for each in words if each.prevails][-1:] or words
    if deciding:
        return all(each.counts for each in deciding)
    return _weekday(day) in _usual(calendar, day).counting


def day_hours(
    calendar: Calendar, day: int, exceptions: Sequence[DayException]
) -> tuple[Segment, ...]:
    """Return the hours of a local date, given the exceptions that touch it.

    Any exception that closes the day wins over those that give it hours, the last of which counts;
    one that prevails wins over both.
    """
    words = [each for each in exceptions if each.opens is not None]
    deciding = [each for each in words if each.prevails][-1:] or words
    hours = _usual(calendar, day).week.get(_weekday(day), ())
    for exception in deciding:
        if not exception.opens:
            return ()
        if isinstance(exception.opens, tuple):
            hours = exception.opens
    return hours


def _open_segments(
    calendar: Calendar, zone: zoneinfo.ZoneInfo, days: Sequence[int], exceptions: ByDay
) -> Iterator[tuple[int, int]]:
    """Yield [opens, closes) in order; hours that a change of the clocks removes are left out."""
    previous: int | None = None
    for day in days:
        for opens, closes in day_hours(calendar, day, exceptions.get(day, ())):
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
