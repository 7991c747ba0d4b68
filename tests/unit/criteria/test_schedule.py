"""By when what recurs is owed, in which window, and what became of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.criteria import Recurrence, Tally, Window, window_of
from shared.criteria.schedule import cell_and_end, occurrences, owed_by, with_expected
from tests.unit.criteria.builders import GENERAL
from tests.unit.worktime.calendars import ZONE, local

MOMENT = timedelta(microseconds=1)
MONTH = Window.model_validate({"kind": "month"})


def recurrence(**fields: Any) -> Recurrence:
    return Recurrence.model_validate({"calendar": "HAB-GRAL", **fields})


@pytest.mark.parametrize(
    ("told", "first", "day"),
    [
        ({"every": "day"}, "2026-09-15", "2026-09-15"),
        ({"every": "day"}, "2026-09-16", None),  # a holiday
        ({"every": "week"}, "2026-09-07", "2026-09-13"),
        ({"every": "week", "working_day": 1}, "2026-09-07", "2026-09-07"),
        ({"every": "week", "working_day": 5}, "2026-09-07", "2026-09-11"),
        ({"every": "month"}, "2026-02-01", "2026-02-28"),
        ({"every": "month", "day": 10}, "2026-02-01", "2026-02-10"),
        ({"every": "month", "day": 30}, "2026-02-01", "2026-02-28"),
        ({"every": "quarter"}, "2026-04-01", "2026-06-30"),
        ({"every": "quarter", "month": 1}, "2026-04-01", "2026-04-30"),
        ({"every": "quarter", "month": 3, "day": 5}, "2026-04-01", "2026-06-05"),
        ({"every": "semester", "month": 6}, "2026-07-01", "2026-12-31"),
        ({"every": "year", "month": 2, "working_day": 1}, "2026-01-01", "2026-02-03"),
        ({"every": "year", "day": 5}, "2026-01-01", "2026-01-05"),
        # What has fewer working days owes it by its last day; what has none owes nothing.
        ({"every": "week", "working_day": 5}, "2026-09-14", "2026-09-20"),
        ({"every": "month", "working_day": 20}, "2026-12-01", "2026-12-31"),
        ({"every": "week", "working_day": 1}, "2026-03-30", None),
    ],
)
def test_it_is_owed_until_its_day_has_ended(
    told: dict[str, Any], first: str, day: str | None
) -> None:
    end = owed_by(recurrence(**told), date.fromisoformat(first), GENERAL, ZONE)
    assert end == (None if day is None else local(f"{day} 00:00") + timedelta(days=1))


def test_an_hour_is_in_time_to_its_very_moment() -> None:
    at_six = recurrence(every="month", working_day=5, time="18:00")
    end = owed_by(at_six, date(2026, 9, 1), GENERAL, ZONE)
    assert end == local("2026-09-07 18:00") + MOMENT
    assert end.tzinfo is UTC


def test_what_happens_fulfils_what_its_own_local_period_owes() -> None:
    # The last evening of September is October in UTC.
    told = recurrence(every="month", day=5)
    assert cell_and_end(told, local("2026-09-30 23:00"), GENERAL, ZONE) == (
        "2026-09-01",
        local("2026-09-06"),
    )
    assert cell_and_end(recurrence(every="day"), local("2026-09-05 23:00"), GENERAL, ZONE) == (
        "2026-09-05",
        None,
    )


def owed_in(told: Recurrence, month: str) -> list[str]:
    window = window_of(MONTH, local(f"{month}-15"), ZONE)
    assert window is not None
    found = list(occurrences(told, window, GENERAL, ZONE))
    assert all(window.start < end <= window.end for _, end in found)
    return [cell for cell, _ in found]


def test_each_occurrence_is_owed_in_the_one_window_in_which_its_time_ends() -> None:
    weekly = recurrence(every="week")
    assert owed_in(weekly, "2026-08")[-1] == "2026-08-24"
    assert owed_in(weekly, "2026-09") == ["2026-08-31", "2026-09-07", "2026-09-14", "2026-09-21"]
    assert owed_in(weekly, "2026-10")[0] == "2026-09-28"
    # The end of January is the start of February.
    yearly = recurrence(every="year", month=1)
    assert (owed_in(yearly, "2026-01"), owed_in(yearly, "2026-02")) == (["2026-01-01"], [])
    # December has 14 working days: what is owed by its twentieth is owed by its end.
    late = recurrence(every="month", working_day=20)
    assert owed_in(late, "2026-12") == ["2026-12-01"]
    assert owed_in(late, "2027-01") == ["2027-01-01"]


END = local("2026-09-06")


@pytest.mark.parametrize(
    ("found", "known", "outcome"),
    [
        (Tally(met=2), None, Tally(met=1)),
        (Tally(met=1, failed=1, excluded={"x": 1}), END, Tally(met=1)),
        # Late: it came, so nothing is overdue any more.
        (Tally(failed=2), None, Tally(failed=1)),
        (Tally(failed=1, excluded={"x": 1}), END, Tally(failed=1)),
        (Tally(excluded={"y": 1, "x": 2}), END, Tally(excluded={"x": 1})),
        (Tally(), END, Tally(failed=1, overdue_open=1)),
        (Tally(), END - MOMENT, Tally(pending=1)),
        (Tally(), None, Tally(pending=1)),
    ],
)
def test_what_was_owed_is_one_item_whatever_came(
    found: Tally, known: datetime | None, outcome: Tally
) -> None:
    expected = iter([("2026-09-01", END)])
    cells = {"2026-09-01": found, "2026-08-01": Tally(met=9)}
    assert with_expected(cells, expected, known=known) == {"2026-09-01": outcome}


def test_what_is_owed_and_was_never_heard_of_is_expected_all_the_same() -> None:
    expected = iter([("2026-09-01", END)])
    assert with_expected({}, expected, known=END) == {"2026-09-01": Tally(failed=1, overdue_open=1)}
