"""Occurrences that are expected whether or not anything happens: by when each is owed."""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.criteria.model import Recurrence
from shared.criteria.verdict import Tally, WindowBounds
from shared.criteria.vocabulary import Period
from shared.criteria.windows import (
    first_of_month,
    first_of_period,
    local_day,
    midnight,
    next_period,
    periods_in,
)
from shared.worktime.model import StartRule, Unit
from shared.worktime.prepared import PreparedCalendar
from shared.worktime.terms import due_instant

_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def owed_by(
    recurrence: Recurrence, first: date, calendar: PreparedCalendar, zone: ZoneInfo
) -> datetime | None:
    """Return the end (exclusive) of the time for the period that begins with `first`.

    UTC. None where nothing is owed in it: by a working day, where none of its days counts.
    """
    day = _day_owed(recurrence, first, calendar, zone)
    if day is None:
        return None
    if recurrence.time is None:
        return midnight(day + _DAY, zone)
    local = datetime.combine(day, time.fromisoformat(recurrence.time), zone)
    return local.astimezone(UTC) + _MOMENT


def occurrences(
    recurrence: Recurrence, window: WindowBounds, calendar: PreparedCalendar, zone: ZoneInfo
) -> Iterator[tuple[str, datetime]]:
    """Yield the cell and the end of time of each occurrence owed within the window."""
    for first, _ in periods_in(recurrence.every, window, zone):
        end = owed_by(recurrence, first, calendar, zone)
        if end is not None and window.start < end <= window.end:
            yield first.isoformat(), end


def with_expected(
    cells: Mapping[str, Tally],
    expected: Iterator[tuple[str, datetime]],
    *,
    known: datetime | None,
) -> dict[str, Tally]:
    """Return one decided or pending item for each expected occurrence, and what was excluded.

    It is kept if it happened in time, however often; it has failed if it came late, or if
    everything through its end is known and it did not come. What excludes it excuses it.
    """
    return {name: _outcome(cells.get(name, Tally()), end, known) for name, end in expected}


def _outcome(found: Tally, end: datetime, known: datetime | None) -> Tally:
    if found.met:
        return Tally(met=1)
    if found.excluded and not found.failed:
        return Tally(excluded={min(found.excluded): 1})
    is_over = known is not None and known >= end
    if found.failed or is_over:
        return Tally(failed=1, overdue_open=int(not found.failed))
    return Tally(pending=1)


def _day_owed(
    recurrence: Recurrence, first: date, calendar: PreparedCalendar, zone: ZoneInfo
) -> date | None:
    if recurrence.every is Period.DAY or recurrence.working_day is not None:
        return _working_day_owed(recurrence, first, calendar, zone)
    month = _month_owed(recurrence, first)
    if recurrence.day is not None:
        last = gregorian.monthrange(month.year, month.month)[1]
        return month.replace(day=min(recurrence.day, last))
    if recurrence.month is not None:
        return first_of_month(month, months_later=1) - _DAY
    return next_period(recurrence.every, first) - _DAY


def _working_day_owed(
    recurrence: Recurrence, first: date, calendar: PreparedCalendar, zone: ZoneInfo
) -> date | None:
    """Return the n-th counting day; the period's last day where it has fewer, None where none.

    What came after its period would fulfil the next one, so nothing is owed beyond it.
    """
    begin, last = _month_owed(recurrence, first), next_period(recurrence.every, first) - _DAY
    if _nth_working_day(begin, 1, calendar, zone) > last:
        return None
    return min(_nth_working_day(begin, recurrence.working_day or 1, calendar, zone), last)


def _month_owed(recurrence: Recurrence, first: date) -> date:
    """Return the first day of the month that is named, else of the period."""
    if recurrence.month is None:
        return first
    return first_of_month(first, months_later=recurrence.month - 1)


def _nth_working_day(first: date, number: int, calendar: PreparedCalendar, zone: ZoneInfo) -> date:
    """Return the n-th counting day, `first` being the earliest that may be one."""
    before = midnight(first, zone) - _MOMENT
    rule = StartRule.NEXT_COUNTING_DAY
    end = due_instant(before, number, Unit.WORKING_DAY, calendar, start_rule=rule)
    assert end is not None  # nothing pauses it
    return local_day(end - _MOMENT, zone)


def cell_and_end(
    recurrence: Recurrence, occurred: datetime, calendar: PreparedCalendar, zone: ZoneInfo
) -> tuple[str, datetime | None]:
    """Return the occurrence that something at `occurred` fulfils, and its end of time."""
    first = first_of_period(recurrence.every, local_day(occurred, zone))
    return first.isoformat(), owed_by(recurrence, first, calendar, zone)
