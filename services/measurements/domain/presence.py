"""Which minutes a source spoke of: what silence is later found from."""

from datetime import UTC, date, datetime
from typing import Final

MINUTES_OF_DAY: Final = 1440
_DIGITS: Final = MINUTES_OF_DAY // 4


def minute_of(instant: datetime) -> tuple[date, int]:
    """Return the UTC day of an instant, and its minute as a bit, the day's first the lowest."""
    moment = instant.astimezone(UTC)
    return moment.date(), 1 << (60 * moment.hour + moment.minute)


def as_text(minutes: int) -> str:
    """Return them as they travel: hexadecimal, the day's last minute first."""
    return f"{minutes:0{_DIGITS}x}"
