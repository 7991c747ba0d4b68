"""The last change between summer and winter time where there still is one, to live through it."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.chaos.town import BEGAN, Town
from tests.support import clocks

ZONE: Final = "America/Tijuana"
"""Border municipalities follow the United States; the rest of Mexico gave it up in 2022."""
EVERY: Final = 5
"""One run in so many lives through a change."""
AHEAD: Final = timedelta(minutes=4)
"""From the start of the servers to the change: it falls into one of the first rounds."""
HOUR: Final = timedelta(hours=1)


def last_change(before: datetime, zone: str = ZONE) -> datetime:
    """Return the last whole hour (UTC) at which the zone's offset changed."""
    place = ZoneInfo(zone)
    at = before.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while at.astimezone(place).utcoffset() == (at - HOUR).astimezone(place).utcoffset():
        at -= HOUR
    return at


def lives_through_a_change(seed: int) -> bool:
    return seed % EVERY == 0 and clocks.library() is not None


def clock_of(seed: int) -> timedelta:
    """Return how far a run's clocks are ahead of the machine's."""
    if not lives_through_a_change(seed):
        return timedelta()
    return last_change(BEGAN) - AHEAD - datetime.now(UTC)


def town_at(clock: timedelta) -> Town:
    """Return what a run's towns are like: their zone, and the time there."""
    return Town(zone=ZONE, now=BEGAN + clock) if clock else Town()
