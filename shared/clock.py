"""Wall-clock time; use cases take `now` as an argument instead of asking here.

Services judge by instants that other services wrote, so they must agree on the time. Each follows
the clock of its PostgreSQL: where this machine's is wrong, or is set while we run, nobody is
accused too early and no deadline waits.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

AGREES_WITHIN: Final = timedelta(seconds=2)
"""As close to the clock that is followed, this machine's own is right enough, and runs evenly."""


@dataclass(frozen=True, slots=True)
class _Followed:
    """What the other clock showed (UTC) at an instant of the one that nobody sets, in seconds."""

    showed: datetime
    at: float

    def shows(self) -> datetime:
        return self.showed + timedelta(seconds=time.monotonic() - self.at)


_followed: _Followed | None = None


def machine_now() -> datetime:
    """Return the instant that this machine's clock shows, in UTC."""
    return datetime.now(UTC)


def utc_now() -> datetime:
    """Return the current instant in UTC, by the clock that is followed where there is one."""
    machine = machine_now()
    if _followed is None:
        return machine
    shown = _followed.shows()
    return machine if abs(machine - shown) <= AGREES_WITHIN else shown


def utc_milliseconds() -> int:
    """Return `utc_now` as Kafka stamps records: milliseconds since 1970."""
    return int(utc_now().timestamp() * 1000)


def follow(showed: datetime, at: float) -> None:
    """Follow a clock that showed this (UTC) when `time.monotonic()` was `at`."""
    global _followed
    _followed = _Followed(showed, at)
