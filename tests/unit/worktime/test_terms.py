"""Worked examples of the domain reference, section 8, and of the sample calendars."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from shared.worktime import (
    CalendarExhaustedError,
    Pause,
    PreparedCalendar,
    StartRule,
    Unit,
    due_instant,
    due_instants,
    elapsed,
    elapsed_each,
    kept_until,
)
from tests.unit.worktime.calendars import (
    ALL_DAY,
    MONDAY_TO_FRIDAY,
    closed,
    general,
    local,
    natural,
    registry,
)

HOUR = 3_600_000_000


def due(start: str, limit: int, unit: Unit, calendar: PreparedCalendar, *pauses: Pause) -> datetime:
    instant = due_instant(local(start), limit, unit, calendar, pauses)
    assert instant is not None
    return instant


def pause(start: str, end: str | None) -> Pause:
    return Pause(local(start), None if end is None else local(end))


def test_day_one_is_the_counting_day_after_the_start() -> None:
    assert due("2026-07-06 08:00", 1, Unit.WORKING_DAY, general()) == local("2026-07-08 00:00")


def test_a_start_after_closing_time_is_still_that_day() -> None:
    assert due("2026-07-06 23:59", 1, Unit.WORKING_DAY, general()) == local("2026-07-08 00:00")


def test_a_parade_day_is_worked_but_does_not_count() -> None:
    # 13 is day 1, 16 is a holiday, 17 18 19 are 2 3 4, 20 is the parade, 23 is day 5.
    assert due("2026-11-12 10:00", 5, Unit.WORKING_DAY, general()) == local("2026-11-24 00:00")
    assert due("2026-11-20 09:00", 9, Unit.OPEN_HOUR, general()) == local("2026-11-20 18:00")


def test_a_saturday_can_open_and_not_count() -> None:
    assert due("2026-07-03 20:00", 1, Unit.WORKING_DAY, registry()) == local("2026-07-07 00:00")
    assert due("2026-07-03 18:00", 4, Unit.OPEN_HOUR, registry()) == local("2026-07-04 13:00")


def test_a_guard_over_the_holidays_does_not_open_christmas_day() -> None:
    # The guard works 21 to 24 and from 26 on; Christmas Day is closed by its own entry.
    assert due("2026-12-24 17:00", 2, Unit.OPEN_HOUR, registry()) == local("2026-12-26 10:00")


def test_a_guard_does_not_make_days_count() -> None:
    assert due("2026-12-18 12:00", 1, Unit.WORKING_DAY, registry()) == local("2027-01-07 00:00")


def test_a_term_goes_round_the_first_stage_of_the_holidays() -> None:
    assert due("2026-03-27 12:00", 1, Unit.WORKING_DAY, general()) == local("2026-04-07 00:00")


def test_the_state_moves_its_anniversary_to_the_first_of_march() -> None:
    # State of México 2024: 1 March for the 2nd, 6 May for the 5th.
    calendar = general(days=(closed("2024-03-01"), closed("2024-05-06")))
    assert due("2024-02-29 12:00", 1, Unit.WORKING_DAY, calendar) == local("2024-03-05 00:00")
    assert due("2024-05-03 12:00", 1, Unit.WORKING_DAY, calendar) == local("2024-05-08 00:00")


def test_calendar_days_count_holidays_and_sundays() -> None:
    assert due("2026-04-30 12:00", 3, Unit.CALENDAR_DAY, general()) == local("2026-05-04 00:00")


def test_a_month_goes_from_date_to_date_and_ends_on_a_working_day() -> None:
    assert due("2026-03-10 12:00", 1, Unit.MONTH, general()) == local("2026-04-11 00:00")
    # 3 May is a Sunday.
    assert due("2026-03-03 12:00", 2, Unit.MONTH, general()) == local("2026-05-05 00:00")


def test_a_month_without_that_day_ends_on_the_first_working_day_of_the_next() -> None:
    # There is no 31 February; 1 March is a Sunday and 2 March a holiday.
    assert due("2026-01-31 12:00", 1, Unit.MONTH, general()) == local("2026-03-04 00:00")


def test_a_month_term_crosses_the_year() -> None:
    assert due("2025-12-15 12:00", 1, Unit.MONTH, general()) == local("2026-01-16 00:00")


def test_hours_on_working_days_skip_the_weekend() -> None:
    # Galicia 061: 72 hours counted on working days (row 68).
    calendar = general(week=dict.fromkeys(MONDAY_TO_FRIDAY, ALL_DAY))
    assert due("2026-07-03 12:00", 72, Unit.OPEN_HOUR, calendar) == local("2026-07-08 12:00")


def test_twenty_four_office_hours_are_almost_three_days() -> None:
    assert due("2026-07-06 10:00", 24, Unit.OPEN_HOUR, general()) == local("2026-07-08 16:00")


def test_what_is_used_up_at_closing_time_is_not_exceeded_before_the_next_opening() -> None:
    start, limit = local("2026-07-03 09:00"), 9
    assert due_instant(start, limit, Unit.OPEN_HOUR, general()) == local("2026-07-03 18:00")
    assert kept_until(start, limit, Unit.OPEN_HOUR, general()) == local("2026-07-06 09:00")
    on_saturday = elapsed(start, local("2026-07-04 12:00"), Unit.OPEN_HOUR, general())
    assert on_saturday == 9 * HOUR


def test_what_is_used_up_with_the_year_is_not_exceeded_before_the_next_opening() -> None:
    start = local("2026-12-18 09:00")
    assert due_instant(start, 9, Unit.OPEN_HOUR, general()) == local("2026-12-18 18:00")
    assert kept_until(start, 9, Unit.OPEN_HOUR, general()) == local("2027-01-06 09:00")


def test_open_minutes_do_not_run_at_night() -> None:
    assert due("2026-07-06 17:55", 20, Unit.OPEN_MINUTE, general()) == local("2026-07-07 09:15")


def test_minutes_and_hours_need_no_calendar() -> None:
    start = datetime(2026, 7, 6, 12, tzinfo=UTC)
    assert due_instant(start, 15, Unit.MINUTE, None) == start + timedelta(minutes=15)
    assert due_instant(start, Decimal("0.5"), Unit.HOUR, None) == start + timedelta(minutes=30)
    assert elapsed(start, start + timedelta(seconds=1), Unit.SECOND, None) == 1_000_000


def test_a_natural_day_is_as_long_as_the_clocks_make_it() -> None:
    tijuana, mexico = ZoneInfo("America/Tijuana"), ZoneInfo("America/Mexico_City")
    border, centre = natural("America/Tijuana"), natural()
    changed = (local("2026-03-08", tijuana), local("2026-03-09", tijuana))
    assert elapsed(*changed, Unit.OPEN_HOUR, border) == 23 * HOUR
    # Mexico City changed its clocks for the last time in 2022.
    last = (local("2022-04-03", mexico), local("2022-04-04", mexico))
    assert elapsed(*last, Unit.OPEN_HOUR, centre) == 23 * HOUR
    after = (local("2023-04-02", mexico), local("2023-04-03", mexico))
    assert elapsed(*after, Unit.OPEN_HOUR, centre) == 24 * HOUR


def test_days_end_at_local_midnight_on_either_side_of_a_change_of_the_clocks() -> None:
    tijuana = ZoneInfo("America/Tijuana")
    start = local("2026-03-07 12:00", tijuana)
    calendar = natural("America/Tijuana")
    assert due_instant(start, 1, Unit.CALENDAR_DAY, calendar) == datetime(2026, 3, 9, 7, tzinfo=UTC)
    assert due_instant(start, 0, Unit.CALENDAR_DAY, calendar) == datetime(2026, 3, 8, 8, tzinfo=UTC)


def test_counting_resumes_the_counting_day_after_the_answer() -> None:
    # Monday; asked to complete on Tuesday, answered on Thursday: Friday is day 1.
    paused = pause("2026-07-07 10:00", "2026-07-09 11:00")
    assert due("2026-07-06 12:00", 2, Unit.WORKING_DAY, general(), paused) == local("2026-07-14")


def test_a_request_to_complete_that_comes_too_late_does_not_pause() -> None:
    late = pause("2026-07-09 00:00", None)
    assert due("2026-07-06 12:00", 2, Unit.WORKING_DAY, general(), late) == local("2026-07-09")
    late = pause("2026-07-06 13:00", None)
    assert due("2026-07-06 12:00", 1, Unit.HOUR, general(), late) == local("2026-07-06 13:00")


def test_an_open_pause_leaves_the_due_instant_unknown() -> None:
    waiting = (pause("2026-07-07 10:00", None),)
    start = local("2026-07-06 12:00")
    for unit in Unit:
        limit = 100_000 if unit in (Unit.SECOND, Unit.MINUTE, Unit.OPEN_MINUTE) else 30
        assert due_instant(start, limit, unit, general(), waiting) is None
        assert kept_until(start, limit, unit, general(), waiting) is None


def test_pauses_that_overlap_count_once() -> None:
    first = pause("2026-07-06 13:00", "2026-07-06 15:00")
    second = pause("2026-07-06 14:00", "2026-07-06 16:00")
    assert due("2026-07-06 12:00", 2, Unit.HOUR, general(), second, first) == local(
        "2026-07-06 17:00"
    )


def test_only_the_paused_office_hours_are_given_back() -> None:
    # Two of the paused hours were office hours: 16:00 to 18:00.
    paused = pause("2026-07-06 16:00", "2026-07-07 09:00")
    assert due("2026-07-06 15:00", 3, Unit.OPEN_HOUR, general(), paused) == local(
        "2026-07-07 11:00"
    )


def test_a_month_term_is_moved_by_the_paused_dates_and_does_not_end_on_one() -> None:
    paused = pause("2026-03-12 10:00", "2026-03-16 10:00")
    # 10 April and five dates more.
    assert due("2026-03-10 12:00", 1, Unit.MONTH, general(), paused) == local("2026-04-16")
    # It ended on Sunday 10 May, so on Monday 11, which is paused with Tuesday.
    paused = pause("2026-05-11 10:00", "2026-05-12 10:00")
    assert due("2026-04-10 12:00", 1, Unit.MONTH, general(), paused) == local("2026-05-14")


def test_elapsed_days_are_those_needed_to_be_in_time() -> None:
    start = local("2026-07-03 12:00")

    def days_to(stop: str) -> int:
        return elapsed(start, local(stop), Unit.WORKING_DAY, general())

    assert days_to("2026-07-03 23:59") == 0
    assert days_to("2026-07-04 10:00") == 1
    assert days_to("2026-07-06 23:59:59") == 1
    assert days_to("2026-07-07 00:00") == 2


def test_the_start_day_can_be_day_one() -> None:
    start = local("2026-07-06 12:00")
    rule = StartRule.START_DAY
    assert due_instant(start, 1, Unit.WORKING_DAY, general(), start_rule=rule) == local(
        "2026-07-07"
    )
    assert elapsed(start, start, Unit.WORKING_DAY, general(), start_rule=rule) == 1
    assert kept_until(start, 1, Unit.WORKING_DAY, general(), start_rule=rule) == local("2026-07-07")
    by_calendar = general(start_rule="start_day")
    assert due_instant(start, 1, Unit.WORKING_DAY, by_calendar) == local("2026-07-07")


def test_a_fraction_of_a_day_is_no_day() -> None:
    # 80 % of a legal term of 7 days (row 51).
    assert due_instant(
        local("2026-07-06 12:00"), Decimal("5.6"), Unit.WORKING_DAY, general()
    ) == local("2026-07-14")


@pytest.mark.parametrize("unit", [Unit.WORKING_DAY, Unit.OPEN_HOUR, Unit.MONTH, Unit.CALENDAR_DAY])
def test_a_term_that_never_ends_is_an_error_and_not_a_loop(unit: Unit) -> None:
    shut = general(days=(closed("2026-01-02", "2299-12-31"),))
    with pytest.raises(CalendarExhaustedError):
        due_instant(local("2026-01-02 12:00"), 1_000_000, unit, shut)


@pytest.mark.parametrize("unit", list(Unit))
def test_a_naive_time_is_refused(unit: Unit) -> None:
    naive = datetime(2026, 7, 6, 12)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        due_instant(naive, 1, unit, general())


def test_what_cannot_be_counted_is_refused() -> None:
    start = local("2026-07-06 12:00")
    with pytest.raises(ValueError, match="needs a calendar"):
        due_instant(start, 1, Unit.WORKING_DAY, None)
    with pytest.raises(ValueError, match="not negative"):
        due_instant(start, -1, Unit.MINUTE, None)
    with pytest.raises(ValueError, match="before the start"):
        elapsed(start, start - timedelta(seconds=1), Unit.MINUTE, None)
    with pytest.raises(ValueError, match="before it starts"):
        Pause(start, start - timedelta(seconds=1))


def test_what_lies_beyond_all_dates_is_an_error() -> None:
    start = local("2026-07-06 12:00")
    with pytest.raises(CalendarExhaustedError, match="there is no day"):
        due_instant(start, 10_000_000, Unit.CALENDAR_DAY, general())
    with pytest.raises(CalendarExhaustedError, match="outside of any calendar"):
        due_instant(start, 10**9, Unit.HOUR, None)


def test_office_hours_add_up_over_the_turn_of_the_year() -> None:
    # 29 30 31 December, 2 January; 1 January is a holiday, 3 and 4 a weekend.
    start, stop = local("2025-12-29 09:00"), local("2026-01-05 09:00")
    assert elapsed(start, stop, Unit.OPEN_HOUR, general()) == 36 * HOUR


@pytest.mark.parametrize("zone", ["America/Mexico_City", "Europe/Warsaw", "Pacific/Auckland"])
def test_the_local_year_is_not_that_of_utc(zone: str) -> None:
    calendar = natural(zone)
    new_year = local("2026-01-01 00:00", ZoneInfo(zone))
    for hours in (-14, -2, -1, 0, 1, 2, 14):
        start = new_year + timedelta(hours=hours)
        assert due_instant(start, 1, Unit.OPEN_HOUR, calendar) == start + timedelta(hours=1)
        stop = start + timedelta(hours=30)
        assert elapsed(start, stop, Unit.OPEN_HOUR, calendar) == 30 * HOUR


def test_a_pause_after_a_month_s_end_does_not_move_it() -> None:
    late = pause("2026-04-11 10:00", "2026-04-20 10:00")
    assert due("2026-03-10 12:00", 1, Unit.MONTH, general(), late) == local("2026-04-11")


def test_years_are_known_from_1900_to_2299() -> None:
    for text in ("1900-01-02 12:00", "2299-12-30 12:00"):
        start = local(text)
        assert due_instant(start, 1, Unit.OPEN_HOUR, natural()) == start + timedelta(hours=1)
    for text in ("1899-12-30 12:00", "2300-01-02 12:00"):
        with pytest.raises(CalendarExhaustedError, match="nothing is known of"):
            due_instant(local(text), 1, Unit.OPEN_HOUR, natural())


def test_months_are_known_through_2299() -> None:
    assert due("2298-12-10 12:00", 12, Unit.MONTH, natural()) == local("2299-12-11")
    with pytest.raises(CalendarExhaustedError, match="nothing is known of 2300"):
        due("2298-12-10 12:00", 13, Unit.MONTH, natural())


def test_a_term_of_nothing_ends_as_it_starts_or_with_its_day() -> None:
    # Saturday: the office is closed, and nothing has to run.
    start = local("2026-07-04 12:00")
    assert due_instant(start, 0, Unit.OPEN_HOUR, general()) == start
    assert kept_until(start, 0, Unit.OPEN_HOUR, general()) == local("2026-07-06 09:00")
    assert due_instant(start, 0, Unit.MINUTE, None) == start
    assert due_instant(start, 0, Unit.WORKING_DAY, general()) == local("2026-07-05")


STARTS = ("2026-07-03 09:00", "2026-07-03 18:00", "2026-07-06 00:00", "2026-07-03 12:00")


@pytest.mark.parametrize(
    ("unit", "limit", "ends"),
    [
        (Unit.WORKING_DAY, 1, ("07-07 00:00", "07-07 00:00", "07-08 00:00", "07-07 00:00")),
        (Unit.MONTH, 1, ("08-04 00:00", "08-04 00:00", "08-07 00:00", "08-04 00:00")),
        (Unit.OPEN_HOUR, 9, ("07-03 18:00", "07-06 18:00", "07-06 18:00", "07-06 12:00")),
        (Unit.OPEN_HOUR, 20, ("07-07 11:00", "07-08 11:00", "07-08 11:00", "07-07 14:00")),
    ],
)
def test_many_terms_at_once_end_as_each_does(unit: Unit, limit: int, ends: tuple[str, ...]) -> None:
    starts = [local(start) for start in STARTS]
    assert due_instants(starts, limit, unit, general()) == [local(f"2026-{end}") for end in ends]
    assert due_instants([], limit, unit, general()) == []


def test_many_times_at_once_are_each_counted() -> None:
    starts = [local(start) for start in STARTS]
    stops = [local("2026-07-07 10:00")] * 4
    # The 6th and the 7th for each Friday, the 7th alone for Monday.
    assert elapsed_each(starts, stops, Unit.WORKING_DAY, general()) == [2, 2, 1, 2]
    hours = [each // HOUR for each in elapsed_each(starts, stops, Unit.OPEN_HOUR, general())]
    assert hours == [9 + 9 + 1, 9 + 1, 9 + 1, 6 + 9 + 1]
    assert elapsed_each([], [], Unit.WORKING_DAY, general()) == []
    rule = StartRule.START_DAY
    assert elapsed_each(starts, stops, Unit.WORKING_DAY, general(), start_rule=rule) == [3, 3, 2, 3]
    with pytest.raises(ValueError, match="zip"):
        elapsed_each(starts, stops[1:], Unit.WORKING_DAY, general())
