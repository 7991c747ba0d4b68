from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.criteria import (
    Period,
    Reference,
    Window,
    WindowKind,
    Windows,
    earlier_window,
    window_of,
    windows_between,
)
from shared.criteria.windows import cell_of, next_period, periods_in
from tests.unit.worktime.calendars import MEXICO_CITY, local

WARSAW = ZoneInfo("Europe/Warsaw")
CAMPAIGN = Window.model_validate(
    {"kind": "campaign", "id": "prueba", "first": "2019-12-30", "last": "2020-01-22"}
)


@pytest.mark.parametrize(
    ("kind", "window_id", "first", "after"),
    [
        ("month", "2026-09", "2026-09-01", "2026-10-01"),
        ("quarter", "2026-Q3", "2026-07-01", "2026-10-01"),
        ("semester", "2026-S2", "2026-07-01", "2027-01-01"),
        ("year", "2026", "2026-01-01", "2027-01-01"),
    ],
)
def test_windows_are_calendar_periods_of_local_time(
    kind: str, window_id: str, first: str, after: str
) -> None:
    window = Window(kind=WindowKind(kind))
    last_moment = local("2026-10-01") - timedelta(microseconds=1)
    bounds = window_of(window, last_moment, MEXICO_CITY)
    assert bounds is not None
    assert (bounds.id, bounds.start, bounds.end) == (window_id, local(first), local(after))
    # It is already October in UTC.
    assert last_moment.month == 10


def test_a_campaign_has_its_own_bounds_and_nothing_outside_of_them() -> None:
    inside = window_of(CAMPAIGN, local("2020-01-22 23:59", WARSAW), WARSAW)
    assert inside is not None
    assert (inside.id, inside.start) == ("prueba", local("2019-12-30", WARSAW))
    assert inside.end == local("2020-01-23", WARSAW)
    assert window_of(CAMPAIGN, inside.end, WARSAW) is None
    assert window_of(CAMPAIGN, inside.start - timedelta(microseconds=1), WARSAW) is None


def test_a_naive_time_is_in_no_window() -> None:
    with pytest.raises(ValueError, match="naive"):
        window_of(Window(kind=WindowKind.MONTH), datetime(2026, 7, 6), MEXICO_CITY)  # noqa: DTZ001


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    st.sampled_from([k for k in WindowKind if k is not WindowKind.CAMPAIGN]),
    st.sampled_from(["America/Mexico_City", "America/Tijuana", "Europe/Warsaw"]),
)
def test_every_instant_is_in_one_window_and_windows_leave_no_gap(
    naive: datetime, kind: WindowKind, zone_name: str
) -> None:
    instant, zone, window = naive.replace(tzinfo=UTC), ZoneInfo(zone_name), Window(kind=kind)
    bounds = window_of(window, instant, zone)
    assert bounds is not None
    assert bounds.start <= instant < bounds.end
    following = window_of(window, bounds.end, zone)
    assert following is not None
    assert following.start == bounds.end
    assert following.id > bounds.id


MONTHS, YEARS = (Window.model_validate({"kind": kind}) for kind in ("month", "year"))


def ids(window: Window, first: str, last: str, **changes: int) -> list[str]:
    between = windows_between(window, local(first), local(last), MEXICO_CITY, **changes)
    return [bounds.id for bounds in between]


def test_the_windows_between_two_instants_are_those_they_touch() -> None:
    assert ids(MONTHS, "2025-12-31 23:59", "2026-02-01 00:00") == ["2025-12", "2026-01", "2026-02"]
    assert ids(MONTHS, "2026-01-01", "2026-01-31 23:59:59.999999") == ["2026-01"]
    assert ids(MONTHS, "2026-01-15", "2026-01-15") == ["2026-01"]
    # A year of a source that was mistaken for seconds of an epoch does not make a million windows.
    assert ids(MONTHS, "2026-01-15", "2999-01-01", most=2) == ["2026-01", "2026-02"]
    assert len(ids(YEARS, "1000-01-15", "2999-01-01")) == 400


@pytest.mark.parametrize(
    ("first", "last", "touches"),
    [
        ("2019-01-01", "2019-12-29 23:59:59.999999", False),
        ("2019-01-01", "2019-12-30 00:00", True),
        ("2020-01-22 23:59", "2020-02-01", True),
        ("2020-01-23 00:00", "2020-02-01", False),
    ],
)
def test_a_campaign_is_touched_between_its_dates(first: str, last: str, touches: bool) -> None:
    found = windows_between(CAMPAIGN, local(first, WARSAW), local(last, WARSAW), WARSAW)
    assert [bounds.id for bounds in found] == ["prueba"] * touches


@pytest.mark.parametrize(
    ("kind", "at", "previous", "last_year"),
    [
        ("month", "2026-01-15", "2025-12", "2025-01"),
        ("month", "2026-03-15", "2026-02", "2025-03"),
        ("quarter", "2026-02-15", "2025-Q4", "2025-Q1"),
        ("semester", "2026-08-15", "2026-S1", "2025-S2"),
        ("year", "2026-08-15", "2025", "2025"),
    ],
)
def test_a_window_follows_the_one_before_or_that_of_last_year(
    kind: str, at: str, previous: str, last_year: str
) -> None:
    window = Window.model_validate({"kind": kind})
    bounds = window_of(window, local(at), MEXICO_CITY)
    assert bounds is not None
    found = [earlier_window(window, bounds, each, MEXICO_CITY) for each in Reference]
    assert [each and each.id for each in found] == [previous, last_year]


def test_the_windows_of_a_promise_are_those_of_each_instant() -> None:
    campaign, months = Windows(CAMPAIGN, WARSAW), Windows(MONTHS, MEXICO_CITY)
    # There and back over either edge, and twice at each: what was found last decides nothing.
    for day in ("2019-12-29", "2019-12-30", "2020-01-22", "2020-01-23", "2019-12-29"):
        for time in ("00:00", "23:59:59.999999"):
            at = local(f"{day} {time}", WARSAW)
            assert campaign.at(at) == window_of(CAMPAIGN, at, WARSAW)
            assert months.at(at) == window_of(MONTHS, at, MEXICO_CITY)


def test_nothing_comes_before_a_campaign() -> None:
    bounds = window_of(CAMPAIGN, local("2020-01-01", WARSAW), WARSAW)
    assert bounds is not None
    assert [earlier_window(CAMPAIGN, bounds, each, WARSAW) for each in Reference] == [None, None]


@pytest.mark.parametrize(
    ("period", "cell", "following"),
    [
        # 11 November 2026 is a Wednesday.
        (Period.DAY, "2026-11-11", "2026-11-12"),
        (Period.WEEK, "2026-11-09", "2026-11-16"),
        (Period.MONTH, "2026-11-01", "2026-12-01"),
        (Period.QUARTER, "2026-10-01", "2027-01-01"),
        (Period.SEMESTER, "2026-07-01", "2027-01-01"),
        (Period.YEAR, "2026-01-01", "2027-01-01"),
    ],
)
def test_a_cell_is_named_by_the_first_local_day_of_its_period(
    period: Period, cell: str, following: str
) -> None:
    # It is already the 12th in UTC.
    assert cell_of(period, local("2026-11-11 23:59"), MEXICO_CITY) == cell
    assert next_period(period, date.fromisoformat(cell)).isoformat() == following


def test_the_weeks_of_a_window_begin_and_end_outside_of_it() -> None:
    bounds = window_of(MONTHS, local("2026-11-11"), MEXICO_CITY)
    assert bounds is not None
    weeks = list(periods_in(Period.WEEK, bounds, MEXICO_CITY))
    assert [first.day for first, _ in weeks] == [26, 2, 9, 16, 23, 30]
    assert weeks[-1] == (date(2026, 11, 30), date(2026, 12, 7))


@given(
    st.lists(
        st.one_of(
            st.datetimes(datetime(2006, 10, 25), datetime(2006, 11, 5)),  # noqa: DTZ001
            st.datetimes(datetime(2011, 12, 27), datetime(2012, 1, 2)),  # noqa: DTZ001
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([WindowKind.MONTH, WindowKind.YEAR]),
    # St. John's put its clocks back over midnight; Apia skipped the 30th of December 2011.
    st.sampled_from(["America/Mexico_City", "America/St_Johns", "Pacific/Apia"]),
)
def test_windows_of_a_promise_are_those_of_each_instant_alone(
    instants: list[datetime], kind: WindowKind, zone_name: str
) -> None:
    zone, window = ZoneInfo(zone_name), Window(kind=kind)
    windows = Windows(window, zone)
    for instant in (naive.replace(tzinfo=UTC) for naive in instants):
        assert windows.at(instant) == window_of(window, instant, zone)
