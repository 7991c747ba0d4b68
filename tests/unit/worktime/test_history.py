"""What was in force, and since when we knew."""

from datetime import datetime, timedelta

import pytest

from shared.worktime import Calendar, CalendarHistory, Unit, due_instant
from tests.unit.worktime.calendars import closed, general, local

FIRST_KNOWN = local("2025-12-15 10:00")
SWAPPED = local("2026-10-09 18:00")
THIRD = local("2026-10-20 09:00")


def version(number: int, *days: object) -> Calendar:
    return general(version=number, days=days).calendar


def xalapa() -> CalendarHistory:
    """XALAPA: the holiday of Monday 12 October is swapped to Tuesday the 13th."""
    return CalendarHistory(
        [
            (version(2, closed("2026-10-13")), SWAPPED),
            (version(1, closed("2026-10-12")), FIRST_KNOWN),
            (version(3, closed("2026-10-13"), closed("2026-10-21")), THIRD),
        ]
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (FIRST_KNOWN - timedelta(days=1), 1),
        (FIRST_KNOWN, 1),
        (SWAPPED - timedelta(microseconds=1), 1),
        (SWAPPED, 2),
        (THIRD, 3),
    ],
)
def test_a_version_is_known_from_its_very_instant(asked: datetime, expected: int) -> None:
    assert xalapa().known_at(asked).calendar.version == expected


def test_the_swapped_holiday_moves_what_is_due() -> None:
    start, history = local("2026-10-09 12:00"), xalapa()
    before, after = (history.known_at(at) for at in (FIRST_KNOWN, SWAPPED))
    assert due_instant(start, 1, Unit.WORKING_DAY, before) == local("2026-10-14")
    assert due_instant(start, 1, Unit.WORKING_DAY, after) == local("2026-10-13")
    assert history.latest.calendar.version == 3


def test_versions_are_found_by_number() -> None:
    found = xalapa().version(2)
    assert found is not None
    assert found.calendar.version == 2
    assert xalapa().version(9) is None


def test_only_versions_replaced_after_an_instant_can_have_decided_it() -> None:
    def replaced(after: datetime) -> list[int]:
        return [each.calendar.version for each in xalapa().replaced_after(after)]

    assert replaced(FIRST_KNOWN) == [1, 2]
    assert replaced(SWAPPED) == [2]
    assert replaced(THIRD) == []


def test_a_calendar_has_a_version() -> None:
    with pytest.raises(ValueError, match="at least one version"):
        CalendarHistory([])
