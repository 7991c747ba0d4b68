"""Terms of less than a limit: the limit itself is too late."""

from datetime import datetime
from decimal import Decimal

import pytest

from shared.worktime import Pause, StartRule, Unit, due_instant
from shared.worktime.terms import Amount, due_below
from tests.unit.worktime.calendars import general, local

START = local("2026-07-06 12:00")


@pytest.mark.parametrize(
    ("limit", "unit", "expected"),
    [
        (8, Unit.WORKING_DAY, "2026-07-16"),  # 7 to 10 and 13 to 15 July are seven days
        (Decimal("7.5"), Unit.WORKING_DAY, "2026-07-16"),  # seven are less than that too
        (2, Unit.WORKING_DAY, "2026-07-08"),
        (Decimal("1.5"), Unit.WORKING_DAY, "2026-07-08"),
        (1, Unit.WORKING_DAY, "2026-07-07"),  # less than a day: the same day
        (Decimal("0.5"), Unit.WORKING_DAY, "2026-07-07"),
        (0, Unit.WORKING_DAY, "2026-07-07"),
        (8, Unit.CALENDAR_DAY, "2026-07-14"),
        (1, Unit.MONTH, "2026-08-06"),  # the day before that which completes it
        (2, Unit.MONTH, "2026-09-07"),  # 6 September is a Sunday, so Monday completes them
        (2, Unit.HOUR, "2026-07-06 14:00"),
        (Decimal("1.5"), Unit.OPEN_HOUR, "2026-07-06 13:30"),
        (20, Unit.OPEN_MINUTE, "2026-07-06 12:20"),
    ],
)
def test_less_than_a_limit_ends_before_it(limit: Amount, unit: Unit, expected: str) -> None:
    assert due_below(START, limit, unit, general()) == local(expected)


@pytest.mark.parametrize(
    ("unit", "limit", "expected"),
    [
        (Unit.WORKING_DAY, 3, "2026-07-11"),  # day 1 is the 7th, day 2 the 10th
        (Unit.CALENDAR_DAY, 3, "2026-07-11"),
        (Unit.MONTH, 1, "2026-08-10"),  # 6 August and two dates are Saturday, so Monday 10
        (Unit.HOUR, 24, "2026-07-08 13:00"),
    ],
)
def test_a_pause_moves_it_too(unit: Unit, limit: int, expected: str) -> None:
    start, end = local("2026-07-08 10:00"), local("2026-07-09 11:00")
    if unit is Unit.HOUR:
        start, end = local("2026-07-06 13:00"), local("2026-07-07 14:00")
    assert due_below(START, limit, unit, general(), (Pause(start, end),)) == local(expected)


@pytest.mark.parametrize("unit", list(Unit))
def test_an_open_pause_leaves_it_unknown(unit: Unit) -> None:
    waiting = Pause(local("2026-07-06 12:00"), None)
    limit = 3600 if unit is Unit.SECOND else 60 if unit is Unit.MINUTE else 3
    assert due_below(START, limit, unit, general(), (waiting,)) is None


def test_the_start_day_can_be_day_one() -> None:
    rule = StartRule.START_DAY
    due = due_below(START, 3, Unit.WORKING_DAY, general(), start_rule=rule)
    assert due == local("2026-07-08")


@pytest.mark.parametrize("unit", list(Unit))
def test_what_due_instant_refuses_is_refused(unit: Unit) -> None:
    with pytest.raises(ValueError, match="a limit is not negative"):
        due_below(START, -1, unit, general())
    naive = datetime(2026, 7, 6, 12)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        due_below(naive, 1, unit, general())
    if unit not in (Unit.SECOND, Unit.MINUTE, Unit.HOUR):
        with pytest.raises(ValueError, match=f"the unit {unit} needs a calendar"):
            due_below(START, 1, unit, None)
        return
    assert due_below(START, 1, unit, None) == due_instant(START, 1, unit, None)
