"""Which windows a promise has had by now, and when it gets the next."""

from datetime import date, datetime, timedelta

from services.evaluator.domain.catalogue import Promise
from shared.criteria import WindowBounds

_MICROSECOND = timedelta(microseconds=1)


def windows_until(promise: Promise, now: datetime, *, most: int) -> list[WindowBounds]:
    """Return the windows since the version came into force, the running one last."""
    window = promise.window_at(_within(promise, now))
    windows: list[WindowBounds] = []
    while window is not None and len(windows) < most:
        if _local_day(promise, window.end - _MICROSECOND) < promise.carta.valid_from:
            break
        windows.append(window)
        window = promise.window_at(window.start - _MICROSECOND)
    return windows[::-1]


def next_window_at(promise: Promise, now: datetime) -> datetime | None:
    """Return when it may get a window that `windows_until` does not have now; None if never."""
    if _has_ended(promise, now):
        return None
    window = promise.window_at(now)
    if window is not None:
        return window.end
    first = promise.compromiso.window.first  # of a campaign that has not begun
    return None if first is None else _local(promise, first, hour=0)


def _within(promise: Promise, now: datetime) -> datetime:
    """Return `now`, or the last moment in force of a version (or of a campaign) that has ended."""
    last = _last_day(promise)
    return _local(promise, last, hour=12) if last and _has_ended(promise, now) else now


def _has_ended(promise: Promise, now: datetime) -> bool:
    last = _last_day(promise)
    return last is not None and _local_day(promise, now) > last


def _last_day(promise: Promise) -> date | None:
    return promise.compromiso.window.last or promise.carta.valid_to


def _local(promise: Promise, day: date, *, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=promise.zone)


def _local_day(promise: Promise, instant: datetime) -> date:
    return instant.astimezone(promise.zone).date()
