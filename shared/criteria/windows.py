"""The windows in which results are gathered, and periods within: calendar periods of local time."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from shared.criteria.model import Window
from shared.criteria.verdict import WindowBounds
from shared.criteria.vocabulary import Period, Reference, WindowKind

_MONTHS: Final = {Period.MONTH: 1, Period.QUARTER: 3, Period.SEMESTER: 6, Period.YEAR: 12}
_MOMENT: Final = timedelta(microseconds=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_EDGE: Final = timedelta(days=2)
"""Near its bounds a window is looked up: where clocks went back over midnight, or a zone skipped a
day, local dates do not rise with the instants."""


def window_of(window: Window, instant: datetime, zone: zoneinfo.ZoneInfo) -> WindowBounds | None:
    """Return the window that holds the instant; None outside of a campaign.

    Ids: 2026-07, 2026-Q3, 2026-S2, 2026, or the campaign's own. Raises ValueError if naive.
    """
    day = local_day(instant, zone)
    if window.kind is WindowKind.CAMPAIGN:
        return _campaign(window, day, zone)
    period = Period(window.kind.value)
    return _bounds(period, first_of_period(period, day), zone)


class Windows:
    """The windows of one promise, for many instants: most lie in the one found last."""

    def __init__(self, window: Window, zone: zoneinfo.ZoneInfo) -> None:
        self.window = window
        self.zone = zone
        self._last: WindowBounds | None = None
        self._inside = (_NEVER, _NEVER)

    def at(self, instant: datetime) -> WindowBounds | None:
        """Return the window that holds the instant, as `window_of` does."""
        if self._inside[0] <= instant < self._inside[1]:
            return self._last
        found = window_of(self.window, instant, self.zone)
        if found is not None:
            self._last, self._inside = found, (found.start + _EDGE, found.end - _EDGE)
        return found


def windows_between(
    window: Window, first: datetime, last: datetime, zone: zoneinfo.ZoneInfo, *, most: int = 400
) -> tuple[WindowBounds, ...]:
    """Return the windows that [first, last] touches, in order; at most so many."""
    found: list[WindowBounds] = []
    if window.first is not None:  # only a campaign has dates
        first = max(first, midnight(window.first, zone))
        return () if first > last else tuple(filter(None, (window_of(window, first, zone),)))
    current = window_of(window, first, zone)
    while current is not None and len(found) < most:
        found.append(current)
        current = window_of(window, current.end, zone) if current.end <= last else None
    return tuple(found)


def earlier_window(
    window: Window, bounds: WindowBounds, reference: Reference, zone: zoneinfo.ZoneInfo
) -> WindowBounds | None:
    """Return the window that a target refers to; a campaign has none before it."""
    if window.kind is WindowKind.CAMPAIGN:
        return None
    if reference is Reference.PREVIOUS:
        return window_of(window, bounds.start - _MOMENT, zone)
    first = local_day(bounds.start, zone)
    return window_of(window, midnight(first.replace(year=first.year - 1), zone), zone)


def cell_of(period: Period, instant: datetime, zone: zoneinfo.ZoneInfo) -> str:
    """Return the first local day of the period that holds the instant, as the name of its cell."""
    return first_of_period(period, local_day(instant, zone)).isoformat()


def first_of_period(period: Period, day: date) -> date:
    """Return the first day of the period that holds `day`; weeks begin on Monday."""
    if period is Period.DAY:
        return day
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    length = _MONTHS[period]
    return date(day.year, (day.month - 1) // length * length + 1, 1)


def next_period(period: Period, first: date) -> date:
    """Return the first day of the period after the one that begins with `first`."""
    if period is Period.DAY:
        return first + timedelta(days=1)
    if period is Period.WEEK:
        return first + timedelta(days=7)
    return first_of_month(first, months_later=_MONTHS[period])


def periods_in(
    period: Period, bounds: WindowBounds, zone: zoneinfo.ZoneInfo
) -> Iterator[tuple[date, date]]:
    """Yield [first, next first) of each period that touches the window."""
    last = local_day(bounds.end - _MOMENT, zone)
    first = first_of_period(period, local_day(bounds.start, zone))
    while first <= last:
        following = next_period(period, first)
        yield first, following
        first = following


def local_day(instant: datetime, zone: zoneinfo.ZoneInfo) -> date:
    """Return the local date. Raises ValueError if naive."""
    if instant.tzinfo is None:
        raise ValueError(f"a naive time is in no window: {instant}")
    return instant.astimezone(zone).date()


def midnight(day: date, zone: zoneinfo.ZoneInfo) -> datetime:
    """Return the UTC instant at which the local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def first_of_month(first: date, *, months_later: int) -> date:
    """Return the first day of the month so many months after that of `first`."""
    years, month = divmod(first.month - 1 + months_later, 12)
    return date(first.year + years, month + 1, 1)


@lru_cache(maxsize=4096)
def _bounds(period: Period, first: date, zone: zoneinfo.ZoneInfo) -> WindowBounds:
    """Many cases share few windows."""
    end = next_period(period, first)
    return WindowBounds(_id(period, first), midnight(first, zone), midnight(end, zone))


def _campaign(window: Window, day: date, zone: zoneinfo.ZoneInfo) -> WindowBounds | None:
    assert window.id is not None
    assert window.first is not None
    assert window.last is not None
    if not window.first <= day <= window.last:
        return None
    end = window.last + timedelta(days=1)
    return WindowBounds(window.id, midnight(window.first, zone), midnight(end, zone))


def _id(period: Period, first: date) -> str:
    match period:
        case Period.MONTH:
            return f"{first.year:04}-{first.month:02}"
        case Period.QUARTER:
            return f"{first.year:04}-Q{first.month // 3 + 1}"
        case Period.SEMESTER:
            return f"{first.year:04}-S{first.month // 6 + 1}"
        case _:
            return f"{first.year:04}"
