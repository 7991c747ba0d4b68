"""When the next copy is due."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from ops.backup.running import due
from ops.backup.settings import BackupSettings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(hour: int, minute: int = 0, *, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        (None, NOW),
        (at(3, 31), at(3, 30, day=24)),
        (at(3, 29), NOW),
        (at(11, 0), at(3, 30, day=24)),
        (at(3, 30, day=22), NOW),
        (at(3, 30), at(3, 30, day=24)),
    ],
)
def test_the_next_copy_is_due_at_the_hour_or_at_once_where_one_was_missed(
    newest: datetime | None, expected: datetime
) -> None:
    settings = BackupSettings(dir=Path("/none"), at=time(3, 30))
    assert due(newest, NOW, settings) == expected
