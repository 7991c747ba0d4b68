"""Wall-clock time; use cases take `now` as an argument instead of asking here."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)
