"""A count shown day by day, so that a person can check it with a finger."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from shared.worktime.model import (
    MICROSECONDS,
    DayException,
    Pause,
    Segment,
    StartRule,
    Unit,
)
from shared.worktime.prepared import PreparedCalendar, day_hours, exceptions_by_day
from shared.worktime.terms import due_below, due_instant, elapsed, same_day_later

MOST_DAYS: Final = 4000
"""Ten years and more; what is longer is shown up to there, and `left_out` says what is missing."""

_INSTANT: Final = timedelta(microseconds=1)
_RULE: Final = re.compile(r"\s*(<?)\s*([0-9]{1,7}(?:\.[0-9]{1,3})?)\s*([a-z_]+)\s*")


class Why(StrEnum):
    """Why a day adds to the count, or does not."""

    START = "start"
    """The day of the fact: counting begins after it."""
    COUNTED = "counted"
    RUNNING = "running"
    """A day within a term that goes from date to date."""
    DATE_TO_DATE = "date_to_date"
    """The day on which a term in months ends, unless it is moved."""
    MOVED = "moved"
    """The last day would fall here, on a day that does not count: it moves on."""
    MOVED_HERE = "moved_here"
    """The first day that counts after it: the term ends with it."""
    USUAL_WEEK = "usual_week"
    EXCEPTION = "exception"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Rule:
    """A term as a carta states it. `start_rule` None: as the calendar has it.

    `below`: it is less than the limit, which itself is too late.
    """

    limit: Decimal
    unit: Unit
    start_rule: StartRule | None = None
    below: bool = False


@dataclass(frozen=True, slots=True)
class CountedDay:
    """One local date: its hours, what touches it, and the count through its end.

    `added` and `total` are microseconds for durations, else whole days (of months, all dates).
    """

    day: date
    hours: tuple[Segment, ...]
    exceptions: tuple[DayException, ...]
    why: Why
    added: int
    total: int


@dataclass(frozen=True, slots=True)
class Count:
    """A whole count: `due` as due_instant or due_below has it, None while a pause is open."""

    start: datetime
    rule: Rule
    due: datetime | None
    days: tuple[CountedDay, ...]
    left_out: int


def parse_rule(text: str, start_rule: StartRule | None = None) -> Rule:
    """Read a term such as `10 dia_habil`, `2.5 h_habil` or `< 2 mes`; raises ValueError."""
    match = _RULE.fullmatch(text)
    if match is None or match[3] not in list(Unit):
        units = ", ".join(Unit)
        raise ValueError(f"a term is a number and one of {units}, such as 10 dia_habil: {text!r}")
    return Rule(Decimal(match[2]), Unit(match[3]), start_rule, match[1] == "<")


def count_days(
    start: datetime,
    rule: Rule,
    calendar: PreparedCalendar,
    pauses: Sequence[Pause] = (),
    *,
    until: datetime | None = None,
) -> Count:
    """Return the count from the start's local date through the term's last day.

    It goes on to `until` where that is later; while an open pause leaves the end unknown, it goes
    to `until`, else to the day on which that pause began. Raises as due_instant does.
    """
    run = due_below if rule.below else due_instant
    due = run(start, rule.limit, rule.unit, calendar, pauses, start_rule=rule.start_rule)
    first = calendar.date_of(start)
    end = max((each for each in (due, until) if each is not None), default=None)
    last = max(first, calendar.date_of(_last_moment(due, pauses, until)))
    shown = min(last, first + MOST_DAYS - 1)
    look = _Look(start, rule, calendar, pauses, due, end)
    exceptions = exceptions_by_day(calendar.calendar.days, first, shown + 1)
    days: list[CountedDay] = []
    for day in range(first, shown + 1):
        total = days[-1].total if days else 0
        days.append(look.at(day, tuple(exceptions.get(day, ())), total))
    return Count(start, rule, due, tuple(days), last - shown)


def _last_moment(due: datetime | None, pauses: Sequence[Pause], until: datetime | None) -> datetime:
    """Return the moment whose date is shown last; only an open pause leaves `due` unknown."""
    ends = [] if until is None else [until]
    if due is not None:
        ends.append(due - _INSTANT)
        return max(ends)
    return max(ends or [pause.start for pause in pauses])


@dataclass(frozen=True, slots=True)
class _Look:
    """What one day's line is made of."""

    start: datetime
    rule: Rule
    calendar: PreparedCalendar
    pauses: Sequence[Pause]
    due: datetime | None
    end: datetime | None

    def at(self, day: int, exceptions: tuple[DayException, ...], total: int) -> CountedDay:
        if self.rule.unit in MICROSECONDS:
            why, added = self._time(day, exceptions, total)
        elif self.rule.unit is Unit.MONTH:
            why, added = self._month(day, total)
        else:
            why, added = self._day(day, exceptions)
        hours = day_hours(self.calendar.calendar, day, exceptions)
        return CountedDay(date.fromordinal(day), hours, exceptions, why, added, total + added)

    def _day(self, day: int, exceptions: tuple[DayException, ...]) -> tuple[Why, int]:
        """A second opinion on the count: it looks at each day, where due_instant looks up."""
        if day == self.calendar.date_of(self.start) and not self._starts_at_once():
            return Why.START, 0
        if self._is_paused(day):
            return Why.PAUSED, 0
        if self.rule.unit is Unit.WORKING_DAY and not self.calendar.between(day, day):
            return _ground(exceptions), 0
        return Why.COUNTED, 1

    def _starts_at_once(self) -> bool:
        chosen = self.rule.start_rule or self.calendar.calendar.start_rule
        return chosen is StartRule.START_DAY

    def _is_paused(self, day: int) -> bool:
        date_of = self.calendar.date_of
        return any(
            date_of(pause.start) <= day and (pause.end is None or day <= date_of(pause.end))
            for pause in self.pauses
        )

    def _month(self, day: int, total: int) -> tuple[Why, int]:
        """Date to date is a number of dates to run; then the first day that counts is the last."""
        base = self.calendar.date_of(self.start)
        if day == base:
            return Why.START, 0
        if self._is_paused(day):
            return Why.PAUSED, 0
        dates = same_day_later(base, math.floor(self.rule.limit)) - base
        if total + 1 == dates:
            return Why.DATE_TO_DATE, 1
        if total < dates or (self.due is not None and self.calendar.midnight(day) >= self.due):
            return Why.RUNNING, 1
        return (Why.MOVED_HERE if self.calendar.between(day, day) else Why.MOVED), 0

    def _time(self, day: int, exceptions: tuple[DayException, ...], total: int) -> tuple[Why, int]:
        unit, calendar = self.rule.unit, self.calendar
        stop = calendar.midnight(day + 1)
        if self.end is not None:
            stop = min(stop, self.end)
        added = elapsed(self.start, max(stop, self.start), unit, calendar, self.pauses) - total
        if added:
            return Why.COUNTED, added
        if self._is_paused(day):
            return Why.PAUSED, 0
        return (Why.START if day == calendar.date_of(self.start) else _ground(exceptions)), 0


def _ground(exceptions: tuple[DayException, ...]) -> Why:
    return Why.EXCEPTION if exceptions else Why.USUAL_WEEK
