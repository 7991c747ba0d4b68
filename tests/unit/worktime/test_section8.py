"""Each rule of the domain reference, section 8, worked out by hand; the key names its source."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.worktime import (
    Calendar,
    CalendarHistory,
    Pause,
    PreparedCalendar,
    StartRule,
    Unit,
    Weekday,
    due_instant,
    elapsed,
)
from tests.unit.worktime.calendars import (
    ALL_DAY,
    MONDAY_TO_FRIDAY,
    OFFICE,
    closed,
    general,
    local,
    natural,
)

NO_DAYS = general(days=())


def due(
    start: str,
    limit: int,
    unit: Unit,
    calendar: PreparedCalendar = NO_DAYS,
    *pauses: Pause,
    rule: StartRule | None = None,
) -> datetime:
    instant = due_instant(
        local(start, calendar.zone), limit, unit, calendar, pauses, start_rule=rule
    )
    assert instant is not None
    return instant


def last_day(start: str, limit: int, unit: Unit, calendar: PreparedCalendar = NO_DAYS) -> str:
    last = due(start, limit, unit, calendar) - timedelta(microseconds=1)
    return last.astimezone(calendar.zone).date().isoformat()


def test_terms_in_days_leave_out_free_days_and_periods_include_them() -> None:
    """LNETB-C. Ten days of Friday 6 February 2026 and one month of it."""
    assert last_day("2026-02-06 10:00", 10, Unit.WORKING_DAY) == "2026-02-20"
    assert last_day("2026-02-06 10:00", 10, Unit.CALENDAR_DAY) == "2026-02-16"
    assert last_day("2026-02-06 10:00", 1, Unit.MONTH) == "2026-03-06"


def test_a_month_is_not_thirty_days() -> None:
    """LNETB-C. January has 31 days, February 28."""
    assert last_day("2026-01-20 10:00", 1, Unit.MONTH) == "2026-02-20"
    assert last_day("2026-01-20 10:00", 30, Unit.CALENDAR_DAY) == "2026-02-19"


@pytest.mark.parametrize(
    ("takes_effect", "rule", "expected"),
    [
        ("2026-07-06 10:00", StartRule.START_DAY, "2026-07-06"),
        ("2026-07-06 10:00", StartRule.NEXT_COUNTING_DAY, "2026-07-07"),
        ("2026-07-08 10:00", StartRule.NEXT_COUNTING_DAY, "2026-07-09"),
    ],
)
def test_the_three_speeds_of_taking_effect(
    takes_effect: str, rule: StartRule, expected: str
) -> None:
    """PLAZOS. The same day, the next working day, the third: the emitter says when it was."""
    end = due(takes_effect, 1, Unit.WORKING_DAY, NO_DAYS, rule=rule)
    assert (end - timedelta(hours=1)).astimezone(NO_DAYS.zone).date() == date.fromisoformat(
        expected
    )


def test_what_happens_on_a_free_day_is_counted_from_the_next_that_counts() -> None:
    """PLAZOS. A Saturday: Monday is day 1, whichever rule holds."""
    for rule in StartRule:
        assert due("2026-07-04 10:00", 1, Unit.WORKING_DAY, NO_DAYS, rule=rule) == local(
            "2026-07-07"
        )


def test_a_last_day_that_does_not_count_moves_to_the_next_that_does() -> None:
    """PLAZOS. One month of 16 August 2026 ends on a holiday."""
    calendar = general(days=(closed("2026-09-16"), closed("2026-09-17")))
    assert last_day("2026-08-16 10:00", 1, Unit.MONTH, calendar) == "2026-09-18"


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2026-01-30 10:00", 1, "2026-03-02"),  # no 30 February; 1 March is a Sunday
        ("2028-01-31 10:00", 1, "2028-03-01"),  # neither in a leap year
        ("2028-01-29 10:00", 1, "2028-02-29"),
        ("2026-10-31 10:00", 1, "2026-12-01"),
        ("2026-08-31 10:00", 6, "2027-03-01"),
        ("2026-12-31 10:00", 2, "2027-03-01"),
    ],
)
def test_a_month_without_that_day_ends_on_the_first_of_the_next(
    start: str, months: int, expected: str
) -> None:
    """PLAZOS."""
    assert last_day(start, months, Unit.MONTH) == expected


def test_each_body_has_its_own_free_days() -> None:
    """PLAZOS, LFT74. 5 February as a date (LFPA 28) or as the first Monday (CFF 12)."""
    dated, monday = general(days=(closed("2026-02-05"),)), general(days=(closed("2026-02-02"),))
    assert last_day("2026-01-30 10:00", 1, Unit.WORKING_DAY, dated) == "2026-02-02"
    assert last_day("2026-01-30 10:00", 1, Unit.WORKING_DAY, monday) == "2026-02-03"


def test_a_day_may_be_worked_and_not_count() -> None:
    """PLAZOS. 20 November 2026 in the federal courts, a Friday."""
    court = general(days=(closed("2026-11-20", opens=True),))
    assert last_day("2026-11-19 10:00", 1, Unit.WORKING_DAY, court) == "2026-11-23"
    assert due("2026-11-19 17:00", 2, Unit.OPEN_HOUR, court) == local("2026-11-20 10:00")


def test_guards_work_on_holidays_that_do_not_count() -> None:
    """SON, TAMP. And a Saturday that opens is no working day."""
    week = dict.fromkeys(MONDAY_TO_FRIDAY, OFFICE) | {Weekday.SATURDAY: OFFICE}
    guard = closed("2026-05-01", opens=True, counts=None, prevails=True)
    registry = general(week=week, days=(closed("2026-05-01"), guard))
    assert due("2026-04-30 17:00", 2, Unit.OPEN_HOUR, registry) == local("2026-05-01 10:00")
    assert last_day("2026-04-30 10:00", 1, Unit.WORKING_DAY, registry) == "2026-05-04"


def test_a_holiday_swapped_after_publication() -> None:
    """XALAPA. From the 12th to the 13th: known on the 9th, it moves what is due by a day."""
    first = general(days=(closed("2026-10-12"),), version=1).calendar
    second = general(days=(closed("2026-10-13"),), version=2).calendar
    history = CalendarHistory([(first, local("2025-12-01")), (second, local("2026-10-09"))])
    before, after = history.known_at(local("2026-10-08")), history.latest
    assert last_day("2026-10-09 10:00", 1, Unit.WORKING_DAY, before) == "2026-10-13"
    assert last_day("2026-10-09 10:00", 1, Unit.WORKING_DAY, after) == "2026-10-12"


def test_a_town_closes_on_a_day_in_no_list() -> None:
    """XALAPA. By a published act, work and terms alike."""
    patron = closed("2026-06-24", prevails=True, reason="Fiesta patronal", act="Acuerdo 7/2026")
    town = general(days=(patron,))
    assert last_day("2026-06-23 10:00", 1, Unit.WORKING_DAY, town) == "2026-06-25"
    assert due("2026-06-23 17:00", 2, Unit.OPEN_HOUR, town) == local("2026-06-25 10:00")


def test_work_and_terms_are_suspended_apart_and_for_ranges() -> None:
    """CFCRL. 15 to 26 July, and 17 December to 1 January."""
    for first, last, start, expected in (
        ("2026-07-15", "2026-07-26", "2026-07-14 10:00", "2026-07-27"),
        ("2026-12-17", "2027-01-01", "2026-12-16 10:00", "2027-01-04"),
    ):
        terms = general(days=(closed(first, last, opens=None, prevails=True),))
        work = general(days=(closed(first, last, counts=None, prevails=True),))
        assert last_day(start, 1, Unit.WORKING_DAY, terms) == expected
        assert last_day(start, 1, Unit.WORKING_DAY, work) == first
        assert due(start, 9, Unit.OPEN_HOUR, terms) == local(f"{first} 10:00")
        assert due(start, 9, Unit.OPEN_HOUR, work) == local(f"{expected} 10:00")


def test_the_free_days_of_the_state_of_mexico_in_2024() -> None:
    """EDOM24. 1 March for the 2nd, 6 May for the 5th, and a range over the turn of the year."""
    edomex = general(
        days=(
            *(closed(f"2024-{text}") for text in ("03-01", "05-06", "11-01")),
            closed("2024-12-20", "2025-01-06"),
        )
    )
    assert last_day("2024-02-29 10:00", 1, Unit.WORKING_DAY, edomex) == "2024-03-04"
    assert last_day("2024-05-03 10:00", 1, Unit.WORKING_DAY, edomex) == "2024-05-07"
    assert last_day("2024-10-31 10:00", 1, Unit.WORKING_DAY, edomex) == "2024-11-04"
    assert last_day("2024-12-19 10:00", 1, Unit.WORKING_DAY, edomex) == "2025-01-07"


def test_holidays_in_stages_are_of_each_unit() -> None:
    """EDOM16. Two stages: a unit that is free in the first works in the second."""
    first = general(days=(closed("2026-07-20", "2026-07-24"),))
    second = general(days=(closed("2026-07-27", "2026-07-31"),))
    assert last_day("2026-07-17 10:00", 1, Unit.WORKING_DAY, first) == "2026-07-27"
    assert last_day("2026-07-17 10:00", 1, Unit.WORKING_DAY, second) == "2026-07-20"


@pytest.mark.parametrize(
    ("day", "weekday"),
    [
        ("2026-02-02", Weekday.MONDAY),  # first Monday of February
        ("2026-03-16", Weekday.MONDAY),  # third Monday of March
        ("2026-11-16", Weekday.MONDAY),  # third Monday of November
        ("2030-10-01", Weekday.TUESDAY),  # transfer of power, moved from 1 December
    ],
)
def test_national_rest_days_fall_where_the_law_puts_them(day: str, weekday: Weekday) -> None:
    """LFT74, LFT-OCT."""
    given = date.fromisoformat(day)
    assert tuple(Weekday)[given.weekday()] is weekday
    calendar = general(days=(closed(day),))
    eve = f"{given - timedelta(days=1)} 10:00"
    assert last_day(eve, 1, Unit.WORKING_DAY, calendar) == f"{given + timedelta(days=1)}"


def test_a_procedure_has_three_clocks() -> None:
    """PNAT. To resolve, to ask for what is missing, and to bring it."""
    received, asked = "2026-07-06 10:00", "2026-07-08 10:00"
    assert last_day(received, 10, Unit.WORKING_DAY) == "2026-07-20"
    assert last_day(received, 3, Unit.WORKING_DAY) == "2026-07-09"
    assert last_day(asked, 5, Unit.WORKING_DAY) == "2026-07-15"


def test_asking_in_time_suspends_and_the_term_goes_on_the_day_after_the_answer() -> None:
    """BK (LFPA 17-A). Asked on the 8th with one day gone by, answered on the 13th."""
    asked = Pause(local("2026-07-08 10:00"), local("2026-07-13 16:00"))
    end = due("2026-07-06 10:00", 5, Unit.WORKING_DAY, NO_DAYS, asked)
    assert end == local("2026-07-18")  # 7 is day 1; 14, 15, 16 and 17 are 2 to 5


def test_asking_too_late_does_not_suspend() -> None:
    """PREV. Once the term has run out, there is nothing left to pause."""
    late = Pause(local("2026-07-14 00:00"), None)
    assert due("2026-07-06 10:00", 5, Unit.WORKING_DAY, NO_DAYS, late) == local("2026-07-14")


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("America/Mexico_City", -6, -6),
        ("America/Monterrey", -6, -6),
        ("America/Chihuahua", -6, -6),  # Central since 30 October 2022
        ("America/Mazatlan", -7, -7),
        ("America/Hermosillo", -7, -7),  # Sonora, fixed
        ("America/Cancun", -5, -5),  # Quintana Roo, fixed
        ("America/Tijuana", -8, -7),  # Baja California keeps the dates of the United States
        ("America/Ciudad_Juarez", -7, -6),
        ("America/Ojinaga", -6, -5),
        ("America/Matamoros", -6, -5),
    ],
)
def test_the_zones_of_mexico_since_the_law_of_2022(zone: str, winter: int, summer: int) -> None:
    """HUSOS, HUSOS-2, BK. Time zones older than 2022g fail here."""
    found = ZoneInfo(zone)
    for month, hours in ((1, winter), (7, summer)):
        noon = datetime(2026, month, 15, 12, tzinfo=found)
        assert noon.utcoffset() == timedelta(hours=hours)


def test_the_summer_time_that_was_abolished_is_still_history() -> None:
    """HUSOS. 2022 was the last: 23 hours on 3 April, 25 on 30 October; none the year after."""

    def hours_of(day: str, calendar: PreparedCalendar) -> int:
        start = local(f"{day} 00:00", calendar.zone)
        end = due(f"{day} 00:00", 0, Unit.CALENDAR_DAY, calendar)
        return elapsed(start, end, Unit.OPEN_HOUR, calendar) // 3_600_000_000

    mexico, tijuana = natural(), natural("America/Tijuana")
    assert [hours_of(day, mexico) for day in ("2022-04-03", "2022-10-30")] == [23, 25]
    assert [hours_of(day, mexico) for day in ("2023-04-02", "2023-10-29")] == [24, 24]
    assert [hours_of(day, tijuana) for day in ("2023-03-12", "2023-11-05")] == [23, 25]


def test_a_term_that_spans_the_change_of_the_clocks_keeps_its_local_hours() -> None:
    """HUSOS-2. Tijuana springs forward on Sunday 8 March 2026; offices open at 9 as ever."""
    border = general(zone="America/Tijuana", days=())
    end = due("2026-03-06 17:00", 2, Unit.OPEN_HOUR, border)
    assert end == local("2026-03-09 10:00", border.zone)
    assert end == datetime(2026, 3, 9, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("America/Mexico_City", "2026-07-08T06:00"), ("America/Tijuana", "2026-07-08T07:00")],
)
def test_each_site_ends_its_day_in_its_own_zone(zone: str, expected: str) -> None:
    """HUSOS. The same instant, 04:30 UTC on 7 July, is the evening of the 6th in both."""
    site = general(zone=zone, days=())
    start = datetime(2026, 7, 7, 4, 30, tzinfo=UTC)
    end = due_instant(start, 1, Unit.WORKING_DAY, site)
    assert end == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_hours_on_working_days_run_day_and_night_but_not_on_free_days() -> None:
    """Row 68 mixes both: 72 hours on working days, from Friday noon."""
    always = general(week=dict.fromkeys(MONDAY_TO_FRIDAY, ALL_DAY), days=(closed("2026-07-07"),))
    assert due("2026-07-03 12:00", 72, Unit.OPEN_HOUR, always) == local("2026-07-09 12:00")


@pytest.mark.parametrize(
    "build",
    [
        lambda: general(week={}),
        lambda: general(week=dict.fromkeys(Weekday, ())),
        lambda: general(counting=()),
    ],
)
def test_a_calendar_that_never_opens_is_none(build: Callable[[], Calendar]) -> None:
    """Refused where it is read; nothing is left that could loop."""
    with pytest.raises(ValueError, match=r"never opens|no day of the calendar counts"):
        build()
