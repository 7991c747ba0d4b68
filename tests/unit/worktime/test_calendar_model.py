from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from shared.worktime import Calendar, Pause, PreparedCalendar, Weekday
from tests.unit.worktime.calendars import closed, day, general, local, natural, registry

VALID: dict[str, Any] = {
    "id": "HAB-GRAL",
    "version": 1,
    "kind": "working",
    "zone": "America/Mexico_City",
    "week": {"mon": [["09:00", "14:00"], ["16:00", "24:00"]]},
    "counting": ["mon"],
}


def test_a_calendar_survives_the_wire() -> None:
    calendar = registry().calendar
    assert Calendar.model_validate_json(calendar.model_dump_json()) == calendar
    assert Calendar.model_validate(VALID).week["mon"][1] == ("16:00", "24:00")  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"zone": "America/Metepec"}, "unknown time zone"),
        ({"zone": "../../etc/passwd"}, "unknown time zone"),
        ({"week": {"mon": []}}, "never opens"),
        ({"week": {}}, "never opens"),
        ({"counting": []}, "no day of the calendar counts"),
        ({"kind": "natural"}, "every day of a natural calendar counts"),
        ({"week": {"mon": [["18:00", "09:00"]]}}, "segments must be ordered"),
        ({"week": {"mon": [["09:00", "14:00"], ["13:00", "15:00"]]}}, "segments must be ordered"),
        ({"week": {"mon": [["09:00", "09:00"]]}}, "segments must be ordered"),
        ({"week": {"mon": [["9:00", "18:00"]]}}, "pattern"),
        ({"week": {"lun": [["09:00", "18:00"]]}}, "mon"),
        ({"holidays": []}, "Extra inputs"),
        (
            {
                "days": [
                    {
                        "first": "2026-01-02",
                        "last": "2026-01-01",
                        "reason": "x",
                        "opens": False,
                        "counts": False,
                    }
                ]
            },
            "is before the first day",
        ),
    ],
)
def test_a_calendar_that_cannot_work_is_refused(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Calendar.model_validate(VALID | change)


def test_hours_that_touch_are_in_order() -> None:
    night_and_day = {"mon": [["00:00", "09:00"], ["09:00", "24:00"]]}
    calendar = Calendar.model_validate(VALID | {"week": night_and_day})
    assert calendar.week[Weekday.MONDAY] == (("00:00", "09:00"), ("09:00", "24:00"))


@pytest.mark.parametrize(
    ("opens", "fault"),
    [
        ([["09:00", "09:00"]], "segments must be ordered"),
        ([["09:00", "14:00"], ["13:59", "15:00"]], "segments must be ordered"),
        ([["00:00", "24:01"]], "pattern"),
    ],
)
def test_the_hours_of_an_exception_are_held_to_the_same(opens: object, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        closed("2026-01-02", opens=opens)


def test_an_exception_of_one_day_ends_with_it() -> None:
    assert closed("2026-01-02", "2026-01-02").last == date(2026, 1, 2)


def test_one_word_against_counting_breaks_a_natural_calendar_and_none_does_not() -> None:
    """Closing a day, or saying that it counts, leaves every day counted."""
    always = natural().calendar.model_dump()
    shut, said = closed("2026-01-02", counts=None), closed("2026-01-03", counts=True)
    assert Calendar.model_validate(always | {"days": (shut, said)}).days == (shut, said)
    later = {"since": "2026-10-01", "week": always["week"], "counting": tuple(Weekday)}
    assert len(Calendar.model_validate(always | {"weeks": (later,)}).weeks) == 1
    with pytest.raises(ValidationError, match="every day of a natural calendar counts"):
        Calendar.model_validate(always | {"days": (shut, closed("2026-01-04"), said)})


def test_a_pause_may_end_as_it_starts() -> None:
    start = local("2026-07-06 12:00")
    assert Pause(start, start).end == start


def test_a_naive_pause_is_refused() -> None:
    aware, naive = local("2026-07-06 12:00"), datetime(2026, 7, 6, 13)  # noqa: DTZ001
    for start, end in ((naive, None), (aware, naive), (naive, aware)):
        with pytest.raises(ValueError, match="naive"):
            Pause(start, end)


def test_an_exception_can_give_a_day_hours_of_its_own_and_make_it_count() -> None:
    saturday = {
        "first": "2026-07-04",
        "last": "2026-07-04",
        "reason": "reposición",
        "opens": (("10:00", "12:00"),),
        "counts": True,
    }
    calendar = general(days=(saturday,))
    assert calendar.between(day("2026-07-04"), day("2026-07-05")) == 1
    start, stop = (calendar.midnight(day(d)) for d in ("2026-07-04", "2026-07-05"))
    opened = calendar.open_between(
        int(start.timestamp()) * 1_000_000, int(stop.timestamp()) * 1_000_000
    )
    assert opened == 2 * 3_600_000_000


def test_where_exceptions_overlap_one_that_closes_or_does_not_count_wins() -> None:
    guard = closed("2026-12-21", "2026-12-31", opens=(("10:00", "12:00"),), counts=True)
    calendar = general(days=(closed("2026-12-25"), guard))
    friday, saturday = day("2026-12-25"), day("2026-12-26")
    assert calendar.between(friday, friday) == 0
    assert calendar.between(saturday, saturday) == 1
    midnights = [int(calendar.midnight(d).timestamp()) for d in (friday, saturday, saturday + 1)]
    opened = [
        calendar.open_between(first * 1_000_000, last * 1_000_000)
        for first, last in pairwise(midnights)
    ]
    assert opened == [0, 2 * 3_600_000_000]


def test_days_are_counted_across_years() -> None:
    calendar = PreparedCalendar(general().calendar)
    # From 18 December 2026 to 6 January 2027 only those two days count.
    assert calendar.between(day("2026-12-18"), day("2027-01-06")) == 2
    assert calendar.after(day("2026-12-18"), 1) == day("2027-01-06")
    assert calendar.between(day("2027-01-06"), day("2026-12-18")) == 0
