"""Working time beside numpy's busday functions and a day loop on workalendar, in one run.

`python -m benchmarks.worktime` prints a table. All count the same days from the same starts, and
before anything is timed they must agree, date by date: exactness first. numpy knows dates only; to
get from an instant to a date, and from a date back to the midnight that ends a term, is part of
what the others do, and is timed apart for it.
"""

import gc
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

import numpy as np
from workalendar.core import Calendar as Workalendar
from workalendar.core import WesternMixin

from shared.worktime import (
    Calendar,
    DayException,
    PreparedCalendar,
    Unit,
    Weekday,
    due_instant,
    due_instants,
    elapsed,
    elapsed_each,
)

TERMS: Final = 1_000_000
LOOPED: Final = 20_000
"""A day loop takes as long as its days: it is timed on fewer terms and its time is multiplied."""
WORKING_DAYS: Final = 10
OPEN_HOURS: Final = 20
FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
YEARS: Final = 10
SEED: Final = 20260716

T = TypeVar("T")


def calendar() -> PreparedCalendar:
    """Monday to Friday, split days, a dozen holidays and two ranges in each year."""
    workweek = tuple(Weekday)[:5]
    return PreparedCalendar(
        Calendar(
            id="HABIL",
            version=1,
            kind="working",
            zone="America/Mexico_City",
            week=dict.fromkeys(workweek, (("09:00", "14:00"), ("15:00", "18:00"))),
            counting=workweek,
            days=tuple(each for year in range(2019, 2034) for each in days_off(year)),
        )
    )


def days_off(year: int) -> list[DayException]:
    """The rest days of a Mexican municipality, roughly: what matters is how many there are."""
    fixed = [(1, 1), (2, 5), (3, 2), (3, 21), (5, 1), (5, 5), (9, 16), (11, 2), (11, 20), (12, 25)]
    spans = [(date(year, month, day), 1) for month, day in fixed]
    spans += [(date(year, 7, 18), 10), (date(year, 12, 20), 14)]
    return [
        DayException(
            first=first,
            last=first + timedelta(days=length - 1),
            reason="inhábil",
            opens=False,
            counts=False,
        )
        for first, length in spans
    ]


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds for TERMS terms."""

    what: str
    seconds: float

    def line(self) -> str:
        """Return a row of the table."""
        return f"| {self.what} | {self.seconds:.2f} s | {TERMS / self.seconds:,.0f} |"


def timed(what: str, work: Callable[[], T], *, share: float = 1.0) -> tuple[Measured, T]:
    """Run once with the collector at rest; `share` is the part of TERMS that is done."""
    gc.collect()
    gc.disable()
    try:
        begun = time.perf_counter()
        result = work()
        return Measured(what, (time.perf_counter() - begun) / share), result
    finally:
        gc.enable()


class LoopedCalendar(WesternMixin, Workalendar):  # type: ignore[misc]
    """The same days in workalendar, which asks for each day whether it is one of its holidays."""

    def __init__(self, off: frozenset[date]) -> None:
        super().__init__()
        self._off = off

    def get_calendar_holidays(self, year: int) -> list[tuple[date, str]]:
        """Return those of a year; workalendar asks once and keeps them."""
        return [(day, "inhábil") for day in sorted(self._off) if day.year == year]


def in_numpy(prepared: PreparedCalendar) -> np.busdaycalendar:
    """Return the same days as numpy's calendar."""
    return np.busdaycalendar("1111100", np.array(sorted(off_days(prepared)), "datetime64[D]"))


def off_days(prepared: PreparedCalendar) -> frozenset[date]:
    """Return every date that an exception takes out of the count."""
    return frozenset(
        each.first + timedelta(days=n)
        for each in prepared.calendar.days
        for n in range((each.last - each.first).days + 1)
    )


def starts_of(seed: int) -> list[datetime]:
    """Return TERMS instants over YEARS years, in no order."""
    source = random.Random(seed)
    seconds = YEARS * 365 * 86_400
    return [FIRST + timedelta(seconds=source.randrange(seconds)) for _ in range(TERMS)]


def local_dates(starts: Sequence[datetime], prepared: PreparedCalendar) -> "np.ndarray[Any, Any]":
    """Return the local date of each instant, as numpy wants it."""
    epoch = date(1970, 1, 1).toordinal()
    days = [prepared.date_of(start) - epoch for start in starts]
    return np.array(days, dtype="datetime64[D]")


def main() -> None:
    """Compare, then measure, then print."""
    prepared, starts = calendar(), starts_of(SEED)
    business, looped = in_numpy(prepared), LoopedCalendar(off_days(prepared))
    dates = local_dates(starts, prepared)
    check(prepared, business, looped, starts=starts, dates=dates)
    for line in table(prepared, business, looped, starts=starts, dates=dates):
        print(line)


def check(
    prepared: PreparedCalendar,
    business: np.busdaycalendar,
    looped: LoopedCalendar,
    *,
    starts: Sequence[datetime],
    dates: "np.ndarray[Any, Any]",
) -> None:
    """Compare every due date with numpy, some with the day loop, and what has elapsed."""
    dues = due_instants(starts, WORKING_DAYS, Unit.WORKING_DAY, prepared)
    offsets = np.busday_offset(dates, 0, roll="preceding", busdaycal=business)
    expected = np.busday_offset(offsets, WORKING_DAYS, busdaycal=business)
    last_days = local_dates([due - timedelta(microseconds=1) for due in dues], prepared)
    differences = int((last_days != expected).sum())
    single = [due_instant(start, WORKING_DAYS, Unit.WORKING_DAY, prepared) for start in starts]
    differences += sum(one != other for one, other in zip(single, dues, strict=True))
    hours = due_instants(starts, OPEN_HOURS, Unit.OPEN_HOUR, prepared)
    each = [due_instant(start, OPEN_HOURS, Unit.OPEN_HOUR, prepared) for start in starts]
    differences += sum(one != other for one, other in zip(each, hours, strict=True))
    for day, last in zip(dates[:LOOPED].tolist(), last_days[:LOOPED].tolist(), strict=True):
        differences += looped.add_working_days(day, WORKING_DAYS) != last
    taken = elapsed_each(starts, dues, Unit.WORKING_DAY, prepared)
    differences += sum(days != WORKING_DAYS + 1 for days in taken)
    if differences:
        sys.exit(f"{differences} differences: nothing is measured")
    print(f"{TERMS:,} due dates equal numpy's, {LOOPED:,} of them the day loop's.\n")


def table(
    prepared: PreparedCalendar,
    business: np.busdaycalendar,
    looped: LoopedCalendar,
    *,
    starts: Sequence[datetime],
    dates: "np.ndarray[Any, Any]",
) -> list[str]:
    """Return the rows of due dates, then of elapsed time."""
    day, hour = Unit.WORKING_DAY, Unit.OPEN_HOUR
    stops = due_instants(starts, WORKING_DAYS, day, prepared)
    ends = local_dates(stops, prepared)
    few = dates[:LOOPED].tolist()
    few_ends = ends[:LOOPED].tolist()
    share = LOOPED / TERMS

    def of_numpy() -> object:
        rolled = np.busday_offset(dates, 0, roll="preceding", busdaycal=business)
        return np.busday_offset(rolled, WORKING_DAYS, busdaycal=business)

    rows = [
        timed(
            f"due in {WORKING_DAYS} working days, one by one",
            lambda: [due_instant(start, WORKING_DAYS, day, prepared) for start in starts],
        ),
        timed(
            f"due in {WORKING_DAYS} working days, all at once",
            lambda: due_instants(starts, WORKING_DAYS, day, prepared),
        ),
        timed("numpy.busday_offset, dates only", of_numpy),
        timed("from instants to numpy's dates", lambda: local_dates(starts, prepared)),
        timed(
            "workalendar.add_working_days, dates only",
            lambda: [looped.add_working_days(each, WORKING_DAYS) for each in few],
            share=share,
        ),
        timed(
            f"due in {OPEN_HOURS} office hours, one by one",
            lambda: [due_instant(start, OPEN_HOURS, hour, prepared) for start in starts],
        ),
        timed(
            f"due in {OPEN_HOURS} office hours, all at once",
            lambda: due_instants(starts, OPEN_HOURS, hour, prepared),
        ),
        timed(
            "elapsed working days, one by one",
            lambda: [elapsed(*pair, day, prepared) for pair in zip(starts, stops, strict=True)],
        ),
        timed(
            "elapsed working days, all at once",
            lambda: elapsed_each(starts, stops, day, prepared),
        ),
        timed(
            "numpy.busday_count, dates only",
            lambda: np.busday_count(dates, ends, busdaycal=business),
        ),
        timed(
            "workalendar.get_working_days_delta, dates only",
            lambda: [
                looped.get_working_days_delta(*pair) for pair in zip(few, few_ends, strict=True)
            ],
            share=share,
        ),
        timed(
            "elapsed office hours, one by one",
            lambda: [elapsed(*pair, hour, prepared) for pair in zip(starts, stops, strict=True)],
        ),
    ]
    head = ["| What | A million | A second |", "|---|---|---|"]
    return head + [measured.line() for measured, _ in rows]


if __name__ == "__main__":
    main()
