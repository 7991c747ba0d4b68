"""The windows in which results are gathered: calendar periods of the municipality's local time."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from shared.criteria.model import Window, WindowKind
from shared.criteria.verdict import WindowBounds

_MONTHS: Final = {
    WindowKind.MONTH: 1,
    WindowKind.QUARTER: 3,
    WindowKind.SEMESTER: 6,
    WindowKind.YEAR: 12,
}


def window_of(window: Window, instant: datetime, zone: zoneinfo.ZoneInfo) -> WindowBounds | None:
    """Return the window that holds the instant; None outside of a campaign.

    Ids: 2026-07, 2026-Q3, 2026-S2, 2026, or the campaign's own. Raises ValueError if naive.
    """
    if instant.tzinfo is None:
        raise ValueError(f"a naive time is in no window: {instant}")
    day = instant.astimezone(zone).date()
    if window.kind is WindowKind.CAMPAIGN:
        return _campaign(window, day, zone)
    index = (day.month - 1) // _MONTHS[window.kind]
    return _period(window.kind, day.year, index, zone)


@lru_cache(maxsize=4096)
def _period(kind: WindowKind, year: int, index: int, zone: zoneinfo.ZoneInfo) -> WindowBounds:
    """Return the period number `index`, from 0, of its year; many cases share few periods."""
    length = _MONTHS[kind]
    first = date(year, index * length + 1, 1)
    end = _first_of_month(first, months_later=length)
    return WindowBounds(_id(kind, first, index + 1), _midnight(first, zone), _midnight(end, zone))


def _campaign(window: Window, day: date, zone: zoneinfo.ZoneInfo) -> WindowBounds | None:
    if window.id is None or window.first is None or window.last is None:
        raise ValueError("a campaign has an id and dates")
    if not window.first <= day <= window.last:
        return None
    end = window.last + timedelta(days=1)
    return WindowBounds(window.id, _midnight(window.first, zone), _midnight(end, zone))


def _id(kind: WindowKind, first: date, ordinal: int) -> str:
    match kind:
        case WindowKind.MONTH:
            return f"{first.year:04}-{first.month:02}"
        case WindowKind.QUARTER:
            return f"{first.year:04}-Q{ordinal}"
        case WindowKind.SEMESTER:
            return f"{first.year:04}-S{ordinal}"
        case _:
            return f"{first.year:04}"


def _first_of_month(first: date, *, months_later: int) -> date:
    years, month = divmod(first.month - 1 + months_later, 12)
    return date(first.year + years, month + 1, 1)


def _midnight(day: date, zone: zoneinfo.ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
