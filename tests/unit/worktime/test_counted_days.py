"""Each day of a count, whole, as a person would write it down."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.worktime import (
    MOST_DAYS,
    Count,
    CountedDay,
    Pause,
    PreparedCalendar,
    Rule,
    StartRule,
    Unit,
    Why,
    count_days,
    parse_rule,
)
from tests.unit.worktime.calendars import OFFICE, closed, general, local

HOUR = 3_600_000_000
FLOOD = closed("2026-07-06", reason="Inundación", act="Acuerdo 12/2026")


def closed_monday() -> PreparedCalendar:
    return general(days=(FLOOD,))


def whys(count: Count) -> list[tuple[str, Why, int, int]]:
    return [(f"{day.day:%m-%d}", day.why, day.added, day.total) for day in count.days]


def totals(days: Iterable[tuple[str, Why, int, int]]) -> list[int]:
    return [total for *_, total in days]


def test_a_count_says_what_was_asked_and_each_day_with_what_touches_it() -> None:
    start, rule = local("2026-07-03 10:00"), Rule(Decimal(2), Unit.WORKING_DAY)
    days = (
        CountedDay(date(2026, 7, 3), OFFICE, (), Why.START, 0, 0),
        CountedDay(date(2026, 7, 4), (), (), Why.USUAL_WEEK, 0, 0),
        CountedDay(date(2026, 7, 5), (), (), Why.USUAL_WEEK, 0, 0),
        CountedDay(date(2026, 7, 6), (), (FLOOD,), Why.EXCEPTION, 0, 0),
        CountedDay(date(2026, 7, 7), OFFICE, (), Why.COUNTED, 1, 1),
        CountedDay(date(2026, 7, 8), OFFICE, (), Why.COUNTED, 1, 2),
    )
    expected = Count(start, rule, local("2026-07-09"), days, 0)
    assert count_days(start, rule, closed_monday()) == expected


@pytest.mark.parametrize("by_calendar", [True, False])
def test_where_the_start_is_day_one_the_count_begins_with_it(by_calendar: bool) -> None:
    """As the carta says, or else as the calendar does."""
    chosen = StartRule.START_DAY
    calendar = general(days=(FLOOD,), start_rule=chosen) if by_calendar else closed_monday()
    rule = Rule(Decimal(2), Unit.WORKING_DAY, None if by_calendar else chosen)
    count = count_days(local("2026-07-03 10:00"), rule, calendar)
    assert count.due == local("2026-07-08")
    assert whys(count) == [
        ("07-03", Why.COUNTED, 1, 1),
        ("07-04", Why.USUAL_WEEK, 0, 1),
        ("07-05", Why.USUAL_WEEK, 0, 1),
        ("07-06", Why.EXCEPTION, 0, 1),
        ("07-07", Why.COUNTED, 1, 2),
    ]


def test_a_carta_has_the_last_word_on_day_one() -> None:
    calendar = general(days=(), start_rule=StartRule.START_DAY)
    rule = Rule(Decimal(1), Unit.WORKING_DAY, StartRule.NEXT_COUNTING_DAY)
    count = count_days(local("2026-07-06 10:00"), rule, calendar)
    assert count.due == local("2026-07-08")
    assert whys(count) == [("07-06", Why.START, 0, 0), ("07-07", Why.COUNTED, 1, 1)]


def test_each_date_of_a_term_in_natural_days_counts() -> None:
    count = count_days(local("2026-07-03 10:00"), parse_rule("3 dia_natural"), closed_monday())
    assert count.due == local("2026-07-07")
    assert [why for _, why, _, _ in whys(count)] == [Why.START, *[Why.COUNTED] * 3]
    assert totals(whys(count)) == [0, 1, 2, 3]


def test_office_hours_name_what_closed_the_day() -> None:
    count = count_days(local("2026-07-03 17:00"), parse_rule("2 h_habil"), closed_monday())
    assert count.due == local("2026-07-07 10:00")
    assert whys(count) == [
        ("07-03", Why.COUNTED, HOUR, HOUR),
        ("07-04", Why.USUAL_WEEK, 0, HOUR),
        ("07-05", Why.USUAL_WEEK, 0, HOUR),
        ("07-06", Why.EXCEPTION, 0, HOUR),
        ("07-07", Why.COUNTED, HOUR, 2 * HOUR),
    ]


def test_hours_day_and_night_are_split_at_local_midnight() -> None:
    count = count_days(local("2026-07-03 22:00"), parse_rule("5 h"), closed_monday())
    assert whys(count) == [
        ("07-03", Why.COUNTED, 2 * HOUR, 2 * HOUR),
        ("07-04", Why.COUNTED, 3 * HOUR, 5 * HOUR),
    ]


def test_what_ends_at_midnight_ends_with_the_day_before() -> None:
    count = count_days(local("2026-07-03 22:00"), parse_rule("2 h"), closed_monday())
    assert count.due == local("2026-07-04")
    assert whys(count) == [("07-03", Why.COUNTED, 2 * HOUR, 2 * HOUR)]


def test_a_term_of_nothing_is_shown_with_the_day_of_its_start() -> None:
    for text in ("0 h", "0 h_habil", "0 dia_habil", "0 mes"):
        count = count_days(local("2026-07-03 00:00"), parse_rule(text), closed_monday())
        assert whys(count) == [("07-03", Why.START, 0, 0)], text


def test_a_paused_day_of_hours_shows_what_still_ran_and_else_the_pause() -> None:
    paused = Pause(local("2026-07-07 12:00"), local("2026-07-09 10:00"))
    count = count_days(local("2026-07-07 09:00"), parse_rule("4 h_habil"), general(), (paused,))
    assert count.due == local("2026-07-09 11:00")
    assert whys(count) == [
        ("07-07", Why.COUNTED, 3 * HOUR, 3 * HOUR),
        ("07-08", Why.PAUSED, 0, 3 * HOUR),
        ("07-09", Why.COUNTED, HOUR, 4 * HOUR),
    ]


def test_a_pause_has_the_last_word_over_a_closed_day_and_the_start_over_a_pause() -> None:
    start, paused = local("2026-07-03 10:00"), Pause(local("2026-07-03 12:00"), local("2026-07-06"))
    count = count_days(start, parse_rule("1 dia_habil"), closed_monday(), (paused,))
    assert whys(count) == [
        ("07-03", Why.START, 0, 0),
        ("07-04", Why.PAUSED, 0, 0),
        ("07-05", Why.PAUSED, 0, 0),
        ("07-06", Why.PAUSED, 0, 0),
        ("07-07", Why.COUNTED, 1, 1),
    ]


def test_several_pauses_each_stop_their_dates() -> None:
    pauses = (
        Pause(local("2026-07-07 10:00"), local("2026-07-07 11:00")),
        Pause(local("2026-07-09 10:00"), local("2026-07-09 11:00")),
    )
    count = count_days(local("2026-07-06 10:00"), parse_rule("2 dia_habil"), general(), pauses)
    assert [(text, total) for text, _, _, total in whys(count)] == [
        ("07-06", 0),
        ("07-07", 0),
        ("07-08", 1),
        ("07-09", 1),
        ("07-10", 2),
    ]


def test_less_than_a_number_of_days_ends_a_day_before() -> None:
    start = local("2026-07-06 10:00")
    count = count_days(start, parse_rule("< 3 dia_habil"), general())
    assert (count.due, totals(whys(count))) == (local("2026-07-09"), [0, 1, 2])
    count = count_days(start, parse_rule("< 3 dia_natural"), general())
    assert (count.due, totals(whys(count))) == (local("2026-07-09"), [0, 1, 2])
    count = count_days(start, parse_rule("< 2 h_habil"), general())
    assert (count.due, totals(whys(count))) == (local("2026-07-06 12:00"), [2 * HOUR])


def test_a_month_that_ends_on_a_free_day_is_shown_as_it_moves() -> None:
    # From Saturday 6 June to Monday 6 July, which is closed.
    count = count_days(local("2026-06-06 10:00"), parse_rule("1 mes"), closed_monday())
    assert count.due == local("2026-07-08")
    assert whys(count)[:2] == [("06-06", Why.START, 0, 0), ("06-07", Why.RUNNING, 1, 1)]
    assert whys(count)[-3:] == [
        ("07-05", Why.RUNNING, 1, 29),
        ("07-06", Why.DATE_TO_DATE, 1, 30),
        ("07-07", Why.MOVED_HERE, 0, 30),
    ]


def test_a_month_moves_over_each_free_day_to_the_first_that_counts() -> None:
    # 4 July is a Saturday, Monday is closed.
    count = count_days(local("2026-06-04 10:00"), parse_rule("1 mes"), closed_monday())
    assert whys(count)[-4:] == [
        ("07-04", Why.DATE_TO_DATE, 1, 30),
        ("07-05", Why.MOVED, 0, 30),
        ("07-06", Why.MOVED, 0, 30),
        ("07-07", Why.MOVED_HERE, 0, 30),
    ]


def test_dates_run_on_after_a_month_has_ended() -> None:
    until = local("2026-07-08 10:00")
    count = count_days(local("2026-06-05 10:00"), parse_rule("1 mes"), closed_monday(), until=until)
    assert whys(count)[-5:] == [
        ("07-04", Why.RUNNING, 1, 29),
        ("07-05", Why.DATE_TO_DATE, 1, 30),
        ("07-06", Why.MOVED, 0, 30),
        ("07-07", Why.MOVED_HERE, 0, 30),
        ("07-08", Why.RUNNING, 1, 31),
    ]


def test_a_count_goes_on_to_the_later_of_its_end_and_what_was_asked() -> None:
    start, rule = local("2026-07-06 10:00"), parse_rule("9 h_habil")
    early, late = local("2026-07-06 12:00"), local("2026-07-08 11:00")
    assert totals(whys(count_days(start, rule, general(), until=early))) == [8 * HOUR, 9 * HOUR]
    shown = count_days(start, rule, general(), until=late)
    assert totals(whys(shown)) == [8 * HOUR, 17 * HOUR, 19 * HOUR]


def test_while_a_pause_is_open_the_count_stands_still() -> None:
    start, waiting = local("2026-07-06 10:00"), Pause(local("2026-07-07 12:00"), None)
    early = Pause(local("2026-07-06 11:00"), local("2026-07-06 12:00"))
    count = count_days(start, parse_rule("20 h_habil"), general(), (waiting, early))
    assert (count.due, count.left_out) == (None, 0)
    # Seven of Monday's hours ran, and three of Tuesday's.
    assert totals(whys(count)) == [7 * HOUR, 10 * HOUR]
    until = local("2026-07-08 12:00")
    count = count_days(start, parse_rule("20 h_habil"), general(), (waiting, early), until=until)
    assert totals(whys(count)) == [7 * HOUR, 10 * HOUR, 10 * HOUR]
    assert count.days[-1].why is Why.PAUSED
    months = count_days(start, parse_rule("1 mes"), general(), (waiting,), until=until)
    assert [day.why for day in months.days] == [Why.START, Why.PAUSED, Why.PAUSED]


@pytest.mark.parametrize(("limit", "left_out"), [(MOST_DAYS - 1, 0), (MOST_DAYS, 1)])
def test_a_count_as_long_as_can_be_shown_leaves_nothing_out(limit: int, left_out: int) -> None:
    rule = Rule(Decimal(limit), Unit.CALENDAR_DAY)
    count = count_days(local("2026-07-06 10:00"), rule, general())
    assert (len(count.days), count.left_out) == (MOST_DAYS, left_out)
    assert count.days[-1].day == date(2026, 7, 6) + timedelta(days=MOST_DAYS - 1)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("10 dia_habil", Rule(Decimal(10), Unit.WORKING_DAY)),
        ("2.5 h_habil", Rule(Decimal("2.5"), Unit.OPEN_HOUR)),
        ("< 2 mes", Rule(Decimal(2), Unit.MONTH, None, True)),
        ("  <0.125h  ", Rule(Decimal("0.125"), Unit.HOUR, None, True)),
        ("9999999 s", Rule(Decimal(9_999_999), Unit.SECOND)),
    ],
)
def test_a_term_is_read_as_a_carta_states_it(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize("text", ["10000000 s", "0.1234 h", "<= 2 mes", "2 mes 3", "2. h", "2,5 h"])
def test_a_term_out_of_bounds_is_refused_with_what_was_said(text: str) -> None:
    with pytest.raises(ValueError, match="a term is a number and one of") as caught:
        parse_rule(text)
    assert repr(text) in str(caught.value)
