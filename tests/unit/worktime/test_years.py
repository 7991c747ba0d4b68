"""The tables of a calendar's years: at their edges, where empty, and from one to another."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from shared.worktime import (
    CalendarExhaustedError,
    PreparedCalendar,
    Segment,
    Unit,
    Weekday,
    dead_years,
    due_instant,
    elapsed,
    kept_until,
)
from shared.worktime.prepared import (
    EPOCH,
    instant_of,
    microseconds_of,
)
from tests.unit.worktime.calendars import (
    ALL_DAY,
    MEXICO_CITY,
    MONDAY_TO_FRIDAY,
    closed,
    day,
    general,
    local,
    natural,
)

HOUR = 3_600_000_000


def no_days() -> PreparedCalendar:
    return general(days=())


def shut_2027() -> PreparedCalendar:
    """31 December 2026 is a Thursday, 3 January 2028 a Monday."""
    return general(days=(closed("2027-01-01", "2027-12-31"),))


def at(text: str, zone: ZoneInfo = MEXICO_CITY) -> int:
    """Return a local time as microseconds since 1970 UTC."""
    return microseconds_of(local(text, zone))


def test_a_year_begins_before_its_first_opening() -> None:
    # 1 January 2026 is a Thursday.
    new_year, opening = at("2026-01-01 00:00"), at("2026-01-01 09:00")
    assert no_days().open_between(new_year, opening) == 0
    assert no_days().open_between(new_year, opening + 1) == 1
    assert no_days().open_between(at("2025-12-31 17:00"), new_year) == HOUR
    assert no_days().open_between(at("2025-12-31 17:00"), opening + HOUR) == 2 * HOUR


def test_time_adds_up_within_opening_hours_and_stands_still_outside() -> None:
    for start, stop, hours in (
        ("2026-07-06 09:00", "2026-07-06 18:00", 9),
        ("2026-07-06 10:00", "2026-07-06 11:00", 1),
        ("2026-07-06 18:00", "2026-07-07 09:00", 0),
        ("2026-07-06 20:00", "2026-07-07 08:00", 0),
        ("2026-07-03 17:00", "2026-07-06 10:00", 2),
        ("2025-12-31 00:00", "2026-01-02 00:00", 18),
        ("2026-01-01 00:00", "2027-01-01 00:00", 261 * 9),
    ):
        assert no_days().open_between(at(start), at(stop)) == hours * HOUR, start


def test_an_office_opens_and_closes_to_the_minute() -> None:
    calendar = general(week={Weekday.MONDAY: (("08:35", "13:07"), ("23:59", "24:00"))}, days=())
    opened = list(islice(calendar.hours_from(at("2026-07-06 00:00")), 2))
    assert opened == [
        (at("2026-01-05 08:35"), at("2026-01-05 13:07")),
        (at("2026-01-05 23:59"), at("2026-01-06 00:00")),
    ]


def test_nothing_runs_in_a_year_that_is_closed() -> None:
    assert shut_2027().open_between(at("2027-01-04 09:00"), at("2027-12-31 18:00")) == 0
    assert shut_2027().open_between(at("2026-12-31 17:00"), at("2027-06-01 12:00")) == HOUR
    assert shut_2027().open_between(at("2026-12-31 17:00"), at("2028-01-03 10:00")) == 2 * HOUR


def test_no_day_counts_in_a_year_that_is_closed() -> None:
    last, within, next_ = day("2026-12-31"), day("2027-06-01"), day("2028-01-03")
    assert shut_2027().between(within, within + 100) == 0
    assert shut_2027().between(last, next_) == 2
    assert shut_2027().after(last, 1) == next_
    assert shut_2027().after(within, 1) == next_
    assert shut_2027().after(within, 2) == next_ + 1


def test_a_term_waits_through_a_year_that_is_closed() -> None:
    start, until = local("2026-12-31 17:00"), local("2028-01-03 09:00")
    assert due_instant(start, 1, Unit.OPEN_HOUR, shut_2027()) == local("2026-12-31 18:00")
    assert kept_until(start, 1, Unit.OPEN_HOUR, shut_2027()) == until
    assert due_instant(start, 2, Unit.OPEN_HOUR, shut_2027()) == until + timedelta(hours=1)
    within = local("2027-06-01 12:00")
    assert due_instant(within, 1, Unit.OPEN_HOUR, shut_2027()) == until + timedelta(hours=1)
    assert kept_until(within, 0, Unit.OPEN_HOUR, shut_2027()) == until
    assert due_instant(within, 1, Unit.WORKING_DAY, shut_2027()) == local("2028-01-04")
    assert elapsed(start, until, Unit.OPEN_HOUR, shut_2027()) == HOUR


@pytest.mark.parametrize(
    ("amount", "first", "last"),
    [
        (0, "2026-07-04 12:00", "2026-07-06 09:00"),
        (1, "2026-07-06 10:00", "2026-07-06 10:00"),
        (9, "2026-07-06 18:00", "2026-07-07 09:00"),
        (10, "2026-07-07 10:00", "2026-07-07 10:00"),
        (45, "2026-07-10 18:00", "2026-07-13 09:00"),
    ],
)
def test_the_first_and_the_last_moment_of_an_amount(amount: int, first: str, last: str) -> None:
    start = at("2026-07-04 12:00")
    assert no_days().advance(start, amount * HOUR, latest=False) == at(first)
    assert no_days().advance(start, amount * HOUR, latest=True) == at(last)


def test_nothing_to_run_is_over_at_once_before_the_first_opening_too() -> None:
    for text in ("2026-01-01 00:00", "2026-07-04 12:00", "2026-07-06 12:00", "2026-12-31 20:00"):
        assert no_days().advance(at(text), 0, latest=False) == at(text)
    within = at("2027-06-01 12:00")
    assert shut_2027().advance(within, 0, latest=False) == within


def test_while_open_the_last_moment_of_nothing_is_now() -> None:
    for text in ("2026-07-06 09:00", "2026-07-06 12:00", "2026-01-01 09:00"):
        assert no_days().advance(at(text), 0, latest=True) == at(text)
    assert no_days().advance(at("2026-07-06 18:00"), 0, latest=True) == at("2026-07-07 09:00")


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("2026-07-06", "2026-07-06", 1),
        ("2026-07-04", "2026-07-05", 0),
        ("2026-07-03", "2026-07-06", 2),
        ("2026-07-06", "2026-07-05", 0),
        ("2026-07-07", "2026-07-03", 0),
        ("2026-01-01", "2026-12-31", 261),
        ("2025-12-31", "2026-01-01", 2),
        ("2025-12-31", "2027-01-01", 263),
    ],
)
def test_days_are_counted_with_both_ends(first: str, last: str, count: int) -> None:
    assert no_days().between(day(first), day(last)) == count


@pytest.mark.parametrize(
    ("after", "count", "expected"),
    [
        ("2026-07-06", 1, "2026-07-07"),
        ("2026-07-05", 1, "2026-07-06"),
        ("2026-07-03", 1, "2026-07-06"),
        ("2026-07-03", 6, "2026-07-13"),
        ("2026-12-30", 1, "2026-12-31"),
        ("2026-12-31", 1, "2027-01-01"),
        ("2026-01-01", 260, "2026-12-31"),  # 261 weekdays, the first of them New Year's
        ("2026-01-01", 261, "2027-01-01"),
        ("2026-12-31", 262, "2028-01-03"),  # and as many in 2027
    ],
)
def test_the_nth_counting_day_after_a_date(after: str, count: int, expected: str) -> None:
    assert no_days().after(day(after), count) == day(expected)


def test_years_are_asked_for_in_any_order() -> None:
    calendar = no_days()
    for text in ("2026-07-06", "2024-02-29", "2028-12-31", "2026-01-01", "2027-06-01"):
        assert calendar.midnight(day(text)) == local(text)
    assert calendar.between(day("2024-02-29"), day("2024-02-29")) == 1
    assert calendar.after(day("2025-12-31"), 1) == day("2026-01-01")
    assert calendar.between(day("2025-12-31"), day("2026-01-01")) == 2


def test_each_date_begins_at_its_local_midnight() -> None:
    """Tijuana is eight hours behind, seven in summer; and so on either side of a year."""
    calendar = natural("America/Tijuana")
    found = calendar.midnights(day("2026-03-07"), day("2026-03-09"))
    assert found == [datetime(2026, 3, n, hour, tzinfo=UTC) for n, hour in ((7, 8), (8, 8), (9, 7))]
    turn = calendar.midnights(day("2025-12-31"), day("2026-01-01"))
    assert turn == [datetime(2025, 12, 31, 8, tzinfo=UTC), datetime(2026, 1, 1, 8, tzinfo=UTC)]
    assert turn == [calendar.midnight(day(text)) for text in ("2025-12-31", "2026-01-01")]
    assert all(each.tzinfo is UTC for each in (*found, *turn))
    assert len(calendar.midnights(day("2025-12-31"), day("2027-01-01"))) == 367
    assert calendar.midnights(day("2026-01-01"), day("2026-01-01")) == turn[1:]


def test_hours_go_on_from_the_year_of_a_moment_without_an_end() -> None:
    opened = list(islice(shut_2027().hours_from(at("2026-06-01 12:00")), 263))
    assert opened[0] == (at("2026-01-01 09:00"), at("2026-01-01 18:00"))
    assert opened[260] == (at("2026-12-31 09:00"), at("2026-12-31 18:00"))
    assert opened[261] == (at("2028-01-03 09:00"), at("2028-01-03 18:00"))


@pytest.mark.parametrize("zone", ["America/Mexico_City", "Pacific/Auckland"])
def test_a_local_year_holds_its_first_and_its_last_moment(zone: str) -> None:
    """Those of Mexico lie in the next year of UTC, those of New Zealand in the one before."""
    calendar = natural(zone)
    new_year = at("2026-01-01 00:00", calendar.zone)
    for moment, year in ((new_year - 1, 2025), (new_year, 2026)):
        first, _ = next(calendar.hours_from(moment))
        assert first == at(f"{year}-01-01 00:00", calendar.zone)


def test_a_time_that_the_clocks_repeat_is_the_first_of_the_two() -> None:
    # Tijuana, 1 November 2026: from 1 to 2 twice; the office that opens at 1 is open two hours.
    only = {Weekday.SUNDAY: (("01:00", "02:00"),)}
    calendar = general(zone="America/Tijuana", week=only, days=())
    opens, closes = datetime(2026, 11, 1, 8, tzinfo=UTC), datetime(2026, 11, 1, 10, tzinfo=UTC)
    hours = (
        (opens - EPOCH) // timedelta(microseconds=1),
        (closes - EPOCH) // timedelta(microseconds=1),
    )
    assert hours in islice(calendar.hours_from(hours[0]), 60)


@pytest.mark.parametrize(
    "hours",
    [
        (("01:00", "04:00"),),
        (("01:00", "02:30"), ("02:30", "04:00")),
        (("01:00", "02:30"), ("03:00", "04:00")),
    ],
)
def test_hours_that_the_clocks_skip_in_part_are_never_open_twice(
    hours: tuple[Segment, ...],
) -> None:
    # Tijuana, 8 March 2026: after 1:59 comes 3:00.
    calendar = general(zone="America/Tijuana", week={Weekday.SUNDAY: hours}, days=())
    midnight = at("2026-03-08 00:00", calendar.zone)
    assert calendar.open_between(midnight, midnight + 23 * HOUR) == 2 * HOUR


@pytest.mark.parametrize(
    ("first", "last", "dead"),
    [
        ("2027-01-01", "2027-12-31", (2027,)),
        ("2026-12-31", "2028-12-31", (2027, 2028)),
        ("2027-01-01", "2027-12-30", ()),
        ("2299-01-01", "9999-12-31", (2299,)),
        ("0001-01-01", "1900-12-31", (1900,)),
    ],
)
@pytest.mark.parametrize("side", ["opens", "counts"])
def test_a_year_is_dead_where_nothing_opens_or_nothing_counts(
    first: str, last: str, dead: tuple[int, ...], side: str
) -> None:
    calendar = general(days=(closed(first, last, **{side: None}),)).calendar
    assert dead_years(calendar) == dead


@pytest.mark.parametrize(("year", "known"), [(1899, False), (1900, True), (2299, True)])
def test_the_first_and_the_last_year_are_known(year: int, known: bool) -> None:
    moment = at(f"{year}-06-01 12:00")
    if known:
        assert natural().open_between(moment, moment + HOUR) == HOUR
        return
    with pytest.raises(CalendarExhaustedError, match=f"HAB-GRAL: nothing is known of {year}"):
        no_days().open_between(moment, moment)


@pytest.mark.parametrize("number", [0, -1, 3_652_060, 10**30])
def test_there_is_no_day_before_the_first_or_after_the_last(number: int) -> None:
    with pytest.raises(CalendarExhaustedError, match=f"there is no day {number}"):
        PreparedCalendar(no_days().calendar).midnight(number)


def test_an_instant_is_read_back_from_microseconds() -> None:
    assert instant_of(0) == EPOCH
    assert instant_of(-1) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    with pytest.raises(CalendarExhaustedError, match="outside of any calendar"):
        instant_of(10**20)


def test_a_week_of_all_hours_has_as_many_as_the_year() -> None:
    calendar = general(week=dict.fromkeys(MONDAY_TO_FRIDAY, ALL_DAY), days=())
    assert calendar.open_between(at("2026-01-01 00:00"), at("2027-01-01 00:00")) == 261 * 24 * HOUR


def test_calendars_that_are_alike_in_one_year_differ_in_another() -> None:
    """They share the tables of years that are alike, and of no others."""
    plain = general(days=())
    holiday = general(days=(closed("2027-03-15"),))
    shorter = general(days=(), week=dict.fromkeys(MONDAY_TO_FRIDAY, (("09:00", "13:00"),)))
    elsewhere = general(days=(), zone="America/Tijuana")
    first, last = day("2026-03-01"), day("2026-03-31")
    assert plain.between(first, last) == holiday.between(first, last) == 22
    first, last = day("2027-03-01"), day("2027-03-31")
    assert (plain.between(first, last), holiday.between(first, last)) == (23, 22)
    assert shorter.between(first, last) == 23
    morning, evening = at("2027-03-15 00:00"), at("2027-03-16 00:00")
    opened = [each.open_between(morning, evening) for each in (plain, holiday, shorter)]
    assert opened == [9 * HOUR, 0, 4 * HOUR]
    assert elsewhere.midnight(first) - plain.midnight(first) == timedelta(hours=2)


def test_what_an_exception_is_called_makes_no_difference() -> None:
    named = general(days=(closed("2027-03-15", reason="Otra causa", act="Acta 7"),))
    assert named.between(day("2027-03-15"), day("2027-03-16")) == 1
    assert general(days=(closed("2027-03-15"),)).between(day("2027-03-15"), day("2027-03-16")) == 1
