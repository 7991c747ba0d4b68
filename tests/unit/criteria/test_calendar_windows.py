"""Windows and periods month by month, east and west of Greenwich."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.criteria import (
    Period,
    Reference,
    Window,
    WindowBounds,
    WindowKind,
    Windows,
    earlier_window,
    window_of,
    windows_between,
)
from shared.criteria.windows import (
    cell_of,
    first_of_month,
    first_of_period,
    local_day,
    midnight,
    next_period,
    periods_in,
)
from tests.unit.worktime.calendars import MEXICO_CITY, local

WARSAW = ZoneInfo("Europe/Warsaw")
LAST_MOMENT = timedelta(microseconds=1)


def window(kind: str) -> Window:
    return Window(kind=WindowKind(kind))


@pytest.mark.parametrize("zone", [WARSAW, MEXICO_CITY])
@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("month", [f"2033-{month:02}" for month in range(1, 13)]),
        ("quarter", [f"2033-Q{number}" for number in (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)]),
        ("semester", ["2033-S1"] * 6 + ["2033-S2"] * 6),
        ("year", ["2033"] * 12),
    ],
)
def test_each_month_has_its_window(kind: str, ids: list[str], zone: ZoneInfo) -> None:
    firsts = [date(2033, month, 1) for month in range(1, 13)]
    nexts = [*firsts[1:], date(2034, 1, 1)]
    for first, following, name in zip(firsts, nexts, ids, strict=True):
        own = [other for other, same in zip(firsts, ids, strict=True) if same == name]
        after = nexts[firsts.index(own[-1])]
        bounds = WindowBounds(name, midnight(own[0], zone), midnight(after, zone))
        for at in (midnight(first, zone), midnight(following, zone) - LAST_MOMENT):
            assert window_of(window(kind), at, zone) == bounds


def test_a_local_day_begins_at_its_own_midnight() -> None:
    # Warsaw is two hours ahead in summer; the center of Mexico six behind all the year.
    assert midnight(date(2033, 7, 1), WARSAW) == datetime(2033, 6, 30, 22, tzinfo=UTC)
    assert midnight(date(2033, 7, 1), MEXICO_CITY) == datetime(2033, 7, 1, 6, tzinfo=UTC)
    assert midnight(date(2033, 7, 1), WARSAW).tzinfo is UTC
    for zone in (WARSAW, MEXICO_CITY):
        at = midnight(date(2033, 7, 1), zone)
        assert local_day(at, zone) == date(2033, 7, 1)
        assert local_day(at - LAST_MOMENT, zone) == date(2033, 6, 30)


@pytest.mark.parametrize(
    ("period", "starts"),
    [
        (Period.MONTH, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
        (Period.QUARTER, (1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10)),
        (Period.SEMESTER, (1, 1, 1, 1, 1, 1, 7, 7, 7, 7, 7, 7)),
        (Period.YEAR, (1,) * 12),
    ],
)
def test_each_day_is_in_the_period_of_its_month(period: Period, starts: tuple[int, ...]) -> None:
    for month, start in enumerate(starts, 1):
        for day in (1, 28):
            assert first_of_period(period, date(2033, month, day)) == date(2033, start, 1)


def test_days_and_weeks_are_periods_of_their_own() -> None:
    # 3 January 2033 is a Monday.
    week = [date(2033, 1, day) for day in range(3, 10)]
    assert {first_of_period(Period.WEEK, day) for day in week} == {week[0]}
    assert first_of_period(Period.WEEK, date(2033, 1, 2)) == date(2032, 12, 27)
    assert first_of_period(Period.DAY, week[3]) == week[3]
    assert next_period(Period.WEEK, date(2032, 12, 27)) == week[0]
    assert next_period(Period.DAY, date(2032, 12, 31)) == date(2033, 1, 1)


@pytest.mark.parametrize(
    ("later", "first"),
    [
        (0, "2033-11-01"),
        (1, "2033-12-01"),
        (2, "2034-01-01"),
        (13, "2034-12-01"),
        (14, "2035-01-01"),
    ],
)
def test_months_later_carry_over_the_years(later: int, first: str) -> None:
    assert first_of_month(date(2033, 11, 1), months_later=later) == date.fromisoformat(first)


@pytest.mark.parametrize("zone", [WARSAW, MEXICO_CITY])
def test_the_periods_of_a_window_touch_it_and_no_other(zone: ZoneInfo) -> None:
    february = window_of(window("month"), local("2033-02-10", zone), zone)
    assert february is not None
    days = list(periods_in(Period.DAY, february, zone))
    assert days == [
        (date(2033, 2, day), date(2033, 2, day) + timedelta(days=1)) for day in range(1, 29)
    ]
    # 1 February 2033 is a Tuesday, and the 28th the Monday of a week that goes on.
    weeks = [first for first, _ in periods_in(Period.WEEK, february, zone)]
    assert weeks == [date(2033, 1, 31), *(date(2033, 2, day) for day in (7, 14, 21, 28))]
    months = list(periods_in(Period.MONTH, february, zone))
    assert months == [(date(2033, 2, 1), date(2033, 3, 1))]
    assert list(periods_in(Period.YEAR, february, zone)) == [(date(2033, 1, 1), date(2034, 1, 1))]


@pytest.mark.parametrize("zone", [WARSAW, MEXICO_CITY])
@pytest.mark.parametrize(
    ("kind", "previous", "last_year"),
    [
        ("month", "2032-12", "2032-01"),
        ("quarter", "2032-Q4", "2032-Q1"),
        ("semester", "2032-S2", "2032-S1"),
        ("year", "2032", "2032"),
    ],
)
def test_the_first_window_of_a_year_follows_two_of_the_year_before(
    kind: str, previous: str, last_year: str, zone: ZoneInfo
) -> None:
    bounds = window_of(window(kind), local("2033-01-10", zone), zone)
    assert bounds is not None
    for reference, name in ((Reference.PREVIOUS, previous), (Reference.LAST_YEAR, last_year)):
        found = earlier_window(window(kind), bounds, reference, zone)
        assert found is not None
        assert found.id == name


def test_a_campaign_includes_both_of_its_dates() -> None:
    fields = {"kind": "campaign", "id": "censo", "first": "2033-05-02", "last": "2033-05-02"}
    campaign = Window.model_validate(fields)
    bounds = WindowBounds("censo", local("2033-05-02", WARSAW), local("2033-05-03", WARSAW))
    for at in (bounds.start, bounds.end - LAST_MOMENT):
        assert window_of(campaign, at, WARSAW) == bounds
    for at in (bounds.start - LAST_MOMENT, bounds.end):
        assert window_of(campaign, at, WARSAW) is None
    around = windows_between(
        campaign, local("2033-01-01", WARSAW), local("2033-12-31", WARSAW), WARSAW
    )
    assert around == (bounds,)


def test_between_two_instants_the_windows_are_those_of_the_zone() -> None:
    first, last = local("2033-01-31 23:59", WARSAW), local("2033-03-01", WARSAW)
    months = windows_between(window("month"), first, last, WARSAW)
    assert [each.id for each in months] == ["2033-01", "2033-02", "2033-03"]
    months = windows_between(window("month"), first, last - LAST_MOMENT, WARSAW)
    assert [each.id for each in months] == ["2033-01", "2033-02"]
    assert windows_between(window("month"), first, last, WARSAW, most=2) == months


def test_the_windows_of_a_promise_keep_its_zone() -> None:
    windows = Windows(window("month"), WARSAW)
    for text, name in (
        ("2033-04-15 12:00", "2033-04"),
        ("2033-04-16 12:00", "2033-04"),
        ("2033-05-01 00:00", "2033-05"),
        ("2033-05-15 12:00", "2033-05"),
        ("2033-04-30 23:59:59.999999", "2033-04"),
    ):
        found = windows.at(local(text, WARSAW))
        assert found is not None
        assert found.id == name


def test_a_cell_is_a_local_day_east_of_greenwich_too() -> None:
    at = local("2033-05-02 00:00", WARSAW)
    assert cell_of(Period.DAY, at, WARSAW) == "2033-05-02"
    assert cell_of(Period.DAY, at - LAST_MOMENT, WARSAW) == "2033-05-01"
