"""Guards, suspensions and weeks that change: what opens and what counts on a day."""

from datetime import date
from itertools import islice
from typing import Any

import pytest
from pydantic import ValidationError

from shared.worktime import Calendar, PreparedCalendar, Unit, Weekday, dead_years, due_instant
from shared.worktime.prepared import day_counts, day_hours, exceptions_by_day
from tests.unit.worktime.calendars import (
    ALL_DAY,
    MONDAY_TO_FRIDAY,
    OFFICE,
    closed,
    day,
    general,
    local,
    natural,
)

HOUR = 3_600_000_000
SHORT = (("08:00", "15:00"),)


def hours_on(calendar: PreparedCalendar, text: str) -> int:
    """Return the open hours of a local date."""
    first, last = (int(calendar.midnight(day(text) + n).timestamp()) * 1_000_000 for n in (0, 1))
    return calendar.open_between(first, last) // HOUR


def counts(calendar: PreparedCalendar, text: str) -> bool:
    return calendar.between(day(text), day(text)) == 1


def test_a_suspension_of_work_leaves_terms_running() -> None:
    # CFCRL: suspension of work and of legal terms are declared apart. Work stops on a Thursday.
    flood = closed("2026-09-10", counts=None, prevails=True, act="Acuerdo 12/2026")
    calendar = general(days=(flood,))
    assert (hours_on(calendar, "2026-09-10"), counts(calendar, "2026-09-10")) == (0, True)


def test_a_suspension_of_terms_leaves_work_and_closed_days_as_they_are() -> None:
    # CFCRL: 15 to 26 July; the Saturday within stays closed, the Monday is worked.
    terms = closed("2026-07-15", "2026-07-26", opens=None, prevails=True)
    calendar = general(days=(closed("2026-07-17"), terms))
    assert (hours_on(calendar, "2026-07-20"), counts(calendar, "2026-07-20")) == (9, False)
    assert hours_on(calendar, "2026-07-18") == 0
    assert hours_on(calendar, "2026-07-17") == 0
    start = local("2026-07-14 12:00")
    assert due_instant(start, 1, Unit.WORKING_DAY, calendar) == local("2026-07-28")


def test_a_suspension_of_work_does_not_make_a_saturday_count() -> None:
    flood = closed("2026-09-10", "2026-09-13", counts=None)
    calendar = general(days=(flood,))
    assert not counts(calendar, "2026-09-12")


def test_a_guard_opens_a_holiday_that_does_not_count() -> None:
    # SON, TAMP: registry, civil protection and security keep guards on holidays.
    guard = closed("2026-12-25", opens=(("10:00", "13:00"),), counts=None, prevails=True)
    calendar = general(days=(closed("2026-12-25"), guard))
    assert (hours_on(calendar, "2026-12-25"), counts(calendar, "2026-12-25")) == (3, False)


def test_a_suspension_decreed_later_closes_the_guard_too() -> None:
    guard = closed("2026-12-25", opens=(("10:00", "13:00"),), prevails=True)
    storm = closed("2026-12-24", "2026-12-26", prevails=True)
    assert hours_on(general(days=(guard, storm)), "2026-12-25") == 0
    assert hours_on(general(days=(storm, guard)), "2026-12-25") == 3


def test_one_that_prevails_can_give_back_the_usual_hours() -> None:
    recalled = closed("2026-09-16", opens=True, counts=True, prevails=True)
    calendar = general(days=(closed("2026-09-16"), recalled))
    assert (hours_on(calendar, "2026-09-16"), counts(calendar, "2026-09-16")) == (9, True)


def test_no_hours_at_all_close_the_day() -> None:
    assert hours_on(general(days=(closed("2026-09-15", opens=()),)), "2026-09-15") == 0


def test_hours_that_change_leave_the_days_before_as_they_were() -> None:
    later = {
        "since": "2026-10-01",
        "week": dict.fromkeys(MONDAY_TO_FRIDAY, SHORT),
        "counting": (*MONDAY_TO_FRIDAY, Weekday.SATURDAY),
    }
    last = later | {"since": "2026-12-01", "week": dict.fromkeys(MONDAY_TO_FRIDAY, OFFICE)}
    calendar = general(days=(), weeks=(later, last))
    assert [hours_on(calendar, f"2026-{text}") for text in ("09-30", "10-01", "12-01")] == [9, 7, 9]
    assert [counts(calendar, text) for text in ("2026-09-26", "2026-10-03")] == [False, True]


def test_split_days_run_in_both_parts() -> None:
    split = dict.fromkeys(MONDAY_TO_FRIDAY, (("09:00", "14:00"), ("16:00", "18:00")))
    calendar = general(week=split, days=())
    start = local("2026-07-06 13:00")
    assert due_instant(start, 2, Unit.OPEN_HOUR, calendar) == local("2026-07-06 17:00")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"weeks": [{"since": "2026-10-01", "week": {}, "counting": ["mon"]}]}, "never opens"),
        (
            {"weeks": [{"since": "2026-10-01", "week": {"mon": OFFICE}, "counting": []}]},
            "no day of the calendar counts",
        ),
        (
            {"weeks": [{"since": "2026-10-01", "week": {"mon": OFFICE}, "counting": ["mon"]}] * 2},
            "not in order",
        ),
    ],
)
def test_later_weeks_are_held_to_the_same(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        general(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"days": (closed("2026-09-16"),)},
        {"weeks": [{"since": "2026-10-01", "week": {"mon": OFFICE}, "counting": ["mon"]}]},
    ],
)
def test_every_day_of_a_natural_calendar_counts(change: dict[str, Any]) -> None:
    fields = natural().calendar.model_dump() | change
    with pytest.raises(ValidationError, match="every day of a natural calendar counts"):
        Calendar.model_validate(fields)


def test_a_year_without_an_opening_or_a_counting_day_is_found() -> None:
    assert dead_years(general().calendar) == ()
    shut = closed("2026-12-01", "2029-01-31", counts=None)
    assert dead_years(general(days=(shut,)).calendar) == (2027, 2028)
    stopped = closed("2026-01-01", "2026-12-31", opens=None)
    assert dead_years(general(days=(stopped,)).calendar) == (2026,)
    for_ever = closed("0001-01-01", "9999-12-31")
    assert dead_years(general(days=(for_ever,)).calendar)[::399] == (1900, 2299)


def test_hours_that_the_clocks_skip_every_year_never_open() -> None:
    # Tijuana: on 8 March 2026 there is no time from 2 to 3.
    only = {Weekday.SUNDAY: (("02:00", "03:00"),)}
    calendar = general(zone="America/Tijuana", week=only, days=())
    assert hours_on(calendar, "2026-03-08") == 0
    assert hours_on(calendar, "2026-03-15") == 1
    new_year = int(calendar.midnight(day("2026-01-01")).timestamp()) * 1_000_000
    opened = list(islice(calendar.hours_from(new_year), 51))
    assert [closes - opens for opens, closes in opened] == [HOUR] * 51  # of 52 Sundays
    assert date(2026, 3, 8).weekday() == 6


def test_exceptions_are_listed_by_the_days_that_they_touch() -> None:
    one, range_ = closed("2026-07-06"), closed("2026-07-05", "2026-07-07")
    sixth = day("2026-07-06")
    assert exceptions_by_day((one, range_), sixth, sixth + 2) == {
        sixth: [one, range_],
        sixth + 1: [range_],
    }
    assert exceptions_by_day((one, range_), sixth - 3, sixth) == {sixth - 1: [range_]}
    assert exceptions_by_day((one,), sixth + 1, sixth + 9) == {}


def test_the_last_of_several_hours_counts_and_one_that_closes_wins() -> None:
    morning, evening = (("08:00", "12:00"),), (("16:00", "20:00"),)
    monday = day("2026-07-06")
    first, second = (closed("2026-07-06", opens=hours) for hours in (morning, evening))
    usual, shut = closed("2026-07-06", opens=True), closed("2026-07-06")
    calendar = general(days=()).calendar
    assert day_hours(calendar, monday, ()) == OFFICE
    assert day_hours(calendar, monday, (first, second)) == evening
    assert day_hours(calendar, monday, (second, first)) == morning
    assert day_hours(calendar, monday, (first, usual)) == morning
    assert day_hours(calendar, monday, (usual,)) == OFFICE
    assert day_hours(calendar, monday, (first, shut, second)) == ()
    assert day_hours(calendar, monday - 1, (usual,)) == ()


def test_the_last_that_prevails_decides_what_opens() -> None:
    guard, noon = (
        closed("2026-07-06", opens=((opens, closes),), prevails=True)
        for opens, closes in (("08:00", "12:00"), ("12:00", "13:00"))
    )
    shut, decreed = closed("2026-07-06"), closed("2026-07-06", prevails=True)
    terms = closed("2026-07-06", opens=None, prevails=True)
    calendar, monday = general(days=()).calendar, day("2026-07-06")
    for exceptions, hours in (
        ((guard, shut), guard.opens),
        ((guard, noon), noon.opens),
        ((decreed, guard), guard.opens),
        ((guard, decreed), ()),
        ((guard, terms), guard.opens),
        ((terms,), OFFICE),
    ):
        assert day_hours(calendar, monday, exceptions) == hours


def test_the_last_that_prevails_decides_what_counts() -> None:
    stops, counts = closed("2026-07-06"), closed("2026-07-06", counts=True)
    decreed, recalled = (closed("2026-07-06", counts=n, prevails=True) for n in (False, True))
    work = closed("2026-07-06", counts=None, prevails=True)
    calendar, monday, sunday = general(days=()).calendar, day("2026-07-06"), day("2026-07-05")
    for exceptions, expected in (
        ((stops,), False),
        ((counts,), True),
        ((counts, stops), False),
        ((stops, counts), False),
        ((stops, recalled), True),
        ((recalled, stops), True),
        ((decreed, recalled), True),
        ((recalled, decreed), False),
        ((decreed, work), False),
        ((stops, work), False),
    ):
        for date_ in (monday, sunday):
            assert day_counts(calendar, date_, exceptions) is expected, exceptions
    assert [day_counts(calendar, date_, (work,)) for date_ in (monday, sunday)] == [True, False]
    assert [day_counts(calendar, date_, ()) for date_ in (monday, sunday)] == [True, False]


def test_a_week_holds_from_its_very_day() -> None:
    later = {"since": "2026-10-01", "week": {"thu": ALL_DAY}, "counting": ["thu"]}
    calendar = general(days=(), weeks=(later,)).calendar
    since = day("2026-10-01")  # a Thursday
    assert day_hours(calendar, since - 1, ()) == OFFICE
    assert day_hours(calendar, since, ()) == ALL_DAY
    assert day_hours(calendar, since + 1, ()) == ()
