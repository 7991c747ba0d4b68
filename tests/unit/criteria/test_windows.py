from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.criteria import Window, WindowKind, window_of
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
