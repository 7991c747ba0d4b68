"""What pauses do to a term and to what has elapsed, worked out by hand."""

import pytest

from shared.worktime import Pause, StartRule, Unit, due_instant, elapsed, kept_until
from tests.unit.worktime.calendars import general, local

HOUR = 3_600_000_000
MONDAY = "2026-07-06 "


def paused(*texts: str, of: str = "2026-") -> tuple[Pause, ...]:
    """Read pauses such as `07-06 10:00/07-06 11:00`; where nothing follows, it is still open."""
    spans = (text.split("/") for text in texts)
    return tuple(Pause(local(of + start), local(of + end) if end else None) for start, end in spans)


@pytest.mark.parametrize(
    ("pauses", "due", "kept", "minutes_by_noon"),
    [
        ((), "10:00", "10:00", 180),
        (("09:15/09:45",), "10:30", "10:30", 150),
        (("08:00/09:30",), "10:30", "10:30", 150),  # it has begun before
        (("07:00/08:00",), "10:00", "10:00", 180),  # over before
        (("09:30/10:00", "10:15/10:45"), "11:00", "11:00", 120),
        (("10:15/10:45", "09:30/10:00"), "11:00", "11:00", 120),  # in any order
        (("09:30/10:30", "10:00/11:00"), "11:30", "11:30", 90),  # overlapping
        (("09:30/10:00", "10:00/10:30"), "11:00", "11:00", 120),  # touching
        (("09:30/11:00", "10:00/10:15"), "11:30", "11:30", 90),  # one within the other
        (("10:00/11:00",), "10:00", "11:00", 120),  # it begins as the hour is used up
        (("10:01/11:00",), "10:00", "10:00", 121),  # too late
        (("09:30/10:00", "10:30/12:00"), "10:30", "12:00", 60),
        (("10:00/10:00",), "10:00", "10:00", 180),  # as short as can be
        (("11:30/13:00",), "10:00", "10:00", 150),  # not over at noon
        (("13:00/14:00",), "10:00", "10:00", 180),  # after noon
        (("09:30/",), None, None, 30),
        (("10:00/",), "10:00", None, 60),
        (("10:30/",), "10:00", "10:00", 90),
        (("08:00/",), None, None, 0),
        (("09:30/09:45", "09:40/"), None, None, 30),
        (("09:30/", "09:40/09:45"), None, None, 30),  # nothing ends an open one
        (("09:15/09:30", "10:15/"), "10:15", None, 60),
    ],
)
@pytest.mark.parametrize("unit", [Unit.HOUR, Unit.OPEN_HOUR])
def test_an_hour_from_nine_with_pauses(
    pauses: tuple[str, ...],
    due: str | None,
    kept: str | None,
    minutes_by_noon: int,
    unit: Unit,
) -> None:
    start, known = local(MONDAY + "09:00"), paused(*pauses, of=MONDAY)
    expected = [None if text is None else local(MONDAY + text) for text in (due, kept)]
    assert due_instant(start, 1, unit, general(), known) == expected[0]
    assert kept_until(start, 1, unit, general(), known) == expected[1]
    taken = elapsed(start, local(MONDAY + "12:00"), unit, general(), known)
    assert taken == minutes_by_noon * HOUR // 60


@pytest.mark.parametrize(
    ("hours", "pauses", "due", "kept"),
    [
        (9, (), "07-06 18:00", "07-07 09:00"),
        (8, ("07-06 10:00/07-06 11:00",), "07-06 18:00", "07-07 09:00"),
        (9, ("07-06 17:00/07-07 10:00",), "07-07 11:00", "07-07 11:00"),
        (9, ("07-06 18:00/07-07 10:00",), "07-06 18:00", "07-07 10:00"),
        (9, ("07-06 18:30/07-07 10:00",), "07-06 18:00", "07-07 10:00"),
        (9, ("07-06 20:00/07-07 08:00",), "07-06 18:00", "07-07 09:00"),
        (10, ("07-06 20:00/07-07 08:00",), "07-07 10:00", "07-07 10:00"),
        (18, ("07-07 09:00/07-08 09:00",), "07-08 18:00", "07-09 09:00"),
    ],
)
def test_only_open_time_is_given_back(
    hours: int, pauses: tuple[str, ...], due: str, kept: str
) -> None:
    start, known, unit = local("2026-07-06 09:00"), paused(*pauses), Unit.OPEN_HOUR
    assert due_instant(start, hours, unit, general(), known) == local(f"2026-{due}")
    assert kept_until(start, hours, unit, general(), known) == local(f"2026-{kept}")
    until = local(f"2026-{kept}")
    assert elapsed(start, until, unit, general(), known) == hours * HOUR


@pytest.mark.parametrize(
    ("days", "pauses", "due"),
    [
        (2, (), "07-09"),
        (2, ("07-07 10:00/07-08 10:00",), "07-11"),
        (2, ("07-06 13:00/07-07 10:00",), "07-10"),  # it touches the start's date too
        (2, ("07-05 10:00/07-06 11:00",), "07-09"),  # over on the start's date
        (2, ("07-08 23:59/07-08 23:59",), "07-10"),  # on the last day
        (2, ("07-09 00:00/07-09 10:00",), "07-09"),  # too late
        (2, ("07-07 10:00/07-07 11:00", "07-07 12:00/07-08 10:00"), "07-11"),
        (2, ("07-07 10:00/07-07 11:00", "07-08 12:00/07-08 13:00"), "07-11"),
        (3, ("07-08 12:00/07-08 13:00", "07-07 10:00/07-07 11:00"), "07-14"),
        (5, ("07-11 10:00/07-12 10:00",), "07-14"),  # a weekend takes nothing
        (2, ("07-08 10:00/",), None),
        (2, ("07-09 10:00/",), "07-09"),
        (2, ("07-07 10:00/07-07 11:00", "07-09 10:00/"), None),
        (0, ("07-06 10:00/",), "07-07"),
    ],
)
def test_working_days_with_pauses(days: int, pauses: tuple[str, ...], due: str | None) -> None:
    start, known = local("2026-07-06 12:00"), paused(*pauses)
    expected = None if due is None else local(f"2026-{due}")
    assert due_instant(start, days, Unit.WORKING_DAY, general(), known) == expected
    assert kept_until(start, days, Unit.WORKING_DAY, general(), known) == expected


def test_calendar_days_give_back_the_weekend() -> None:
    start, known = local("2026-07-10 12:00"), paused("07-11 10:00/07-12 10:00")
    assert due_instant(start, 2, Unit.CALENDAR_DAY, general(), known) == local("2026-07-15")
    assert elapsed(start, local("2026-07-14 10:00"), Unit.CALENDAR_DAY, general(), known) == 2


def test_a_start_that_is_day_one_can_be_paused() -> None:
    start, known = local("2026-07-06 12:00"), paused("07-06 13:00/07-06 14:00")
    due = due_instant(start, 1, Unit.WORKING_DAY, general(), known, start_rule=StartRule.START_DAY)
    assert due == local("2026-07-08")


@pytest.mark.parametrize(
    ("stop", "pauses", "days"),
    [
        ("07-06 12:00", (), 0),
        ("07-06 23:59", ("07-06 13:00/",), 0),
        ("07-07 00:00", (), 1),
        ("07-10 12:00", (), 4),
        ("07-10 12:00", ("07-07 10:00/07-08 10:00",), 2),
        ("07-10 12:00", ("07-06 10:00/07-07 10:00",), 3),
        ("07-10 12:00", ("07-05 10:00/07-06 11:00",), 4),
        ("07-10 12:00", ("07-10 10:00/07-10 11:00",), 4),  # of the stop's own date, no matter
        ("07-10 12:00", ("07-09 10:00/07-10 11:00",), 3),
        ("07-10 12:00", ("07-09 10:00/",), 3),
        ("07-10 12:00", ("07-10 10:00/",), 4),
        ("07-10 12:00", ("07-07 10:00/07-07 11:00", "07-09 10:00/"), 2),
        ("07-13 12:00", ("07-11 10:00/07-12 10:00",), 5),
        ("07-13 12:00", ("07-15 10:00/07-16 10:00",), 5),
    ],
)
def test_elapsed_working_days_with_pauses(stop: str, pauses: tuple[str, ...], days: int) -> None:
    start, known = local("2026-07-06 12:00"), paused(*pauses)
    taken = elapsed(start, local(f"2026-{stop}"), Unit.WORKING_DAY, general(), known)
    assert taken == days


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ((), "04-11"),
        (("03-12 10:00/03-16 10:00",), "04-16"),
        (("03-12 10:00/03-13 10:00", "03-20 10:00/03-20 11:00"), "04-14"),
        (("03-10 13:00/03-11 10:00",), "04-14"),  # a date more is Saturday 11, so Monday 13
        (("03-09 10:00/03-10 11:00",), "04-11"),
        (("04-10 10:00/04-10 11:00",), "04-14"),
        (("04-11 10:00/04-13 11:00",), "04-11"),  # too late
        (("03-12 10:00/",), None),
        (("04-10 10:00/",), None),
        (("04-11 10:00/",), "04-11"),
        (("03-12 10:00/03-16 10:00", "04-15 10:00/"), None),
    ],
)
def test_a_month_with_pauses(pauses: tuple[str, ...], due: str | None) -> None:
    start, known = local("2026-03-10 12:00"), paused(*pauses)
    expected = None if due is None else local(f"2026-{due}")
    assert due_instant(start, 1, Unit.MONTH, general(), known) == expected
    assert due_instant(start, 0, Unit.MONTH, general(), known) == local("2026-03-11")


@pytest.mark.parametrize(
    ("stop", "pauses", "months"),
    [
        ("2026-03-10 23:59", (), 0),
        ("2026-03-11 00:00", (), 1),
        ("2026-04-10 23:59", (), 1),
        ("2026-04-11 00:00", (), 2),
        ("2026-05-11 12:00", (), 2),  # 10 May is a Sunday
        ("2026-05-12 12:00", (), 3),
        ("2027-03-10 12:00", (), 12),
        ("2027-03-11 12:00", (), 13),
        ("2026-04-15 12:00", ("03-12 10:00/03-16 10:00",), 1),
        ("2026-04-16 12:00", ("03-12 10:00/03-16 10:00",), 2),
        ("2027-03-10 12:00", ("03-12 10:00/",), 1),
    ],
)
def test_elapsed_months(stop: str, pauses: tuple[str, ...], months: int) -> None:
    start, known = local("2026-03-10 12:00"), paused(*pauses)
    assert elapsed(start, local(stop), Unit.MONTH, general(), known) == months
