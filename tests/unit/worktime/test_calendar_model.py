from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from shared.worktime import Calendar, PreparedCalendar
from tests.unit.worktime.calendars import closed, day, general, registry

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
