"""Many terms at once end as each by itself does, worked out by hand."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.worktime import (
    CalendarExhaustedError,
    PreparedCalendar,
    StartRule,
    Unit,
    due_instants,
    elapsed_each,
)
from tests.unit.worktime.calendars import MONDAY_TO_FRIDAY, general, local, natural

HOUR = 3_600_000_000


def split() -> PreparedCalendar:
    return general(week=dict.fromkeys(MONDAY_TO_FRIDAY, (("09:00", "14:00"), ("16:00", "18:00"))))


def ends(
    calendar: PreparedCalendar,
    limit: int | Decimal,
    unit: Unit,
    starts: list[str],
    **rule: StartRule,
) -> list[str]:
    """Return local due instants of local starts, all of 2026 or the year beside it."""
    dues = due_instants([local(start) for start in starts], limit, unit, calendar, **rule)
    return [f"{due.astimezone(calendar.zone):%m-%d %H:%M}" for due in dues]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-07-03 08:00", "07-03 11:30"),  # before the opening
        ("2026-07-03 09:00", "07-03 11:30"),
        ("2026-07-03 11:29", "07-03 13:59"),
        ("2026-07-03 11:30", "07-03 14:00"),  # used up exactly at noon's closing
        ("2026-07-03 11:31", "07-03 16:01"),  # a minute is left for the afternoon
        ("2026-07-03 13:30", "07-03 18:00"),  # used up exactly at the day's closing
        ("2026-07-03 13:31", "07-06 09:01"),
        ("2026-07-03 14:00", "07-06 09:30"),
        ("2026-07-03 15:00", "07-06 09:30"),  # closed at noon
        ("2026-07-03 16:00", "07-06 09:30"),
        ("2026-07-03 17:59", "07-06 11:29"),
        ("2026-07-03 18:00", "07-06 11:30"),
        ("2026-07-04 12:00", "07-06 11:30"),  # a Saturday
        ("2026-12-18 17:00", "01-06 10:30"),  # over the holidays and the year
    ],
)
def test_two_and_a_half_office_hours(start: str, due: str) -> None:
    limit = Decimal("2.5")
    assert ends(split(), limit, Unit.OPEN_HOUR, [start]) == [due]
    # Among others, in any order, from other years too.
    others = ["2027-02-03 10:00", start, "2025-11-03 10:00"]
    assert ends(split(), limit, Unit.OPEN_HOUR, others) == ["02-03 12:30", due, "11-03 12:30"]


def test_a_term_longer_than_the_first_hours_of_the_year() -> None:
    # 1 January is a holiday, the 2nd a Friday with 9 hours, Monday the 5th has the other 11.
    starts = ["2026-01-01 00:00", "2026-01-02 09:00", "2026-01-02 10:00", "2026-01-02 18:00"]
    assert ends(general(), 20, Unit.OPEN_HOUR, starts) == [
        "01-06 11:00",
        "01-06 11:00",
        "01-06 12:00",
        "01-07 11:00",
    ]
    assert ends(general(), 9, Unit.OPEN_HOUR, starts) == [
        "01-02 18:00",
        "01-02 18:00",
        "01-05 10:00",
        "01-05 18:00",
    ]


def test_minutes_of_many_run_while_open_or_at_all_hours() -> None:
    starts = ["2026-07-03 17:50", "2026-07-04 12:00"]
    open_minutes = ends(general(), 20, Unit.OPEN_MINUTE, starts)
    assert open_minutes == ["07-06 09:10", "07-06 09:20"]
    assert ends(general(), 20, Unit.MINUTE, starts) == ["07-03 18:10", "07-04 12:20"]


def test_nothing_to_run_ends_as_it_starts_also_while_closed() -> None:
    starts = ["2026-07-04 12:00", "2026-07-03 10:00"]
    assert ends(general(), 0, Unit.OPEN_HOUR, starts) == ["07-04 12:00", "07-03 10:00"]


def test_days_and_months_of_many_end_with_a_local_date() -> None:
    # The last minute of a Friday, the first of the Saturday, and a Monday long after.
    starts = ["2026-07-03 23:59", "2026-07-04 00:00", "2026-08-31 12:00"]
    days = ends(general(), 1, Unit.WORKING_DAY, starts)
    assert days == ["07-07 00:00", "07-07 00:00", "09-02 00:00"]
    months = ends(general(), 1, Unit.MONTH, starts)
    assert months == ["08-04 00:00", "08-05 00:00", "10-02 00:00"]
    first = ends(general(), 1, Unit.WORKING_DAY, starts, start_rule=StartRule.START_DAY)
    assert first == ["07-04 00:00", "07-07 00:00", "09-01 00:00"]


@pytest.mark.parametrize("unit", list(Unit))
def test_what_is_due_is_said_in_utc(unit: Unit) -> None:
    starts = [datetime(2026, 7, 6, hour, tzinfo=split().zone) for hour in (8, 10)]
    dues = due_instants(starts, 1, unit, split())
    assert all(due.tzinfo is UTC for due in dues)


def test_what_has_elapsed_of_each_pair_of_dates() -> None:
    friday, monday = local("2026-07-03 09:00"), local("2026-07-06 09:00")
    noon, later = local("2026-07-06 12:00"), local("2026-07-07 12:00")
    starts, stops = [friday, monday, friday, friday], [monday, noon, later, friday]
    assert elapsed_each(starts, stops, Unit.WORKING_DAY, general()) == [1, 0, 2, 0]
    assert elapsed_each(starts, stops, Unit.CALENDAR_DAY, general()) == [3, 0, 4, 0]
    assert elapsed_each(starts, stops, Unit.MONTH, general()) == [1, 0, 1, 0]
    hours = elapsed_each(starts, stops, Unit.OPEN_HOUR, general())
    assert hours == [9 * HOUR, 3 * HOUR, 21 * HOUR, 0]


def test_each_start_has_a_stop() -> None:
    instants = [local("2026-07-03 09:00")] * 2
    for unit in (Unit.WORKING_DAY, Unit.OPEN_HOUR, Unit.HOUR):
        for starts, stops in ((instants, instants[1:]), (instants[1:], instants)):
            with pytest.raises(ValueError, match="zip"):
                elapsed_each(starts, stops, unit, general())


@pytest.mark.parametrize("unit", list(Unit))
def test_a_naive_time_is_refused_among_many(unit: Unit) -> None:
    aware, naive = local("2026-07-06 12:00"), datetime(2026, 7, 6, 12)  # noqa: DTZ001
    asked: list[Callable[[], object]] = [
        lambda: due_instants([naive], 1, unit, general()),
        lambda: due_instants([aware, naive], 1, unit, general()),
        lambda: elapsed_each([aware, naive], [aware, aware], unit, general()),
        lambda: elapsed_each([aware], [naive], unit, general()),
    ]
    for ask in asked:
        with pytest.raises(ValueError, match="naive"):
            ask()


@pytest.mark.parametrize("unit", list(Unit))
def test_a_stop_before_its_start_is_refused_though_its_dates_are_known(unit: Unit) -> None:
    early, late = local("2026-07-06 10:00"), local("2026-07-06 11:00")
    with pytest.raises(ValueError, match="before the start"):
        elapsed_each([early, late], [late, early], unit, general())


@pytest.mark.parametrize("unit", list(Unit))
def test_a_negative_limit_is_refused_for_many_too(unit: Unit) -> None:
    with pytest.raises(ValueError, match="not negative"):
        due_instants([local("2026-07-06 10:00")], -1, unit, general())


@pytest.mark.parametrize("unit", [Unit.OPEN_HOUR, Unit.WORKING_DAY, Unit.MONTH])
def test_no_year_is_known_after_2299_among_many_either(unit: Unit) -> None:
    with pytest.raises(CalendarExhaustedError):
        due_instants([local("2299-12-31 10:00")], 100, unit, natural())
