"""Clocks of single processes, by libfaketime; the machine's own is never touched."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

LIBRARY: Final = "faketime/libfaketime.so.1"
FOLDERS: Final = ("usr/lib/*-linux-gnu", "usr/lib64", "usr/lib", "usr/local/lib")
NOT_INSTALLED: Final = "libfaketime is not installed"


@lru_cache
def library() -> Path | None:
    """Return libfaketime of the Debian package `faketime`, or None."""
    found = [path for folder in FOLDERS for path in Path("/").glob(f"{folder}/{LIBRARY}")]
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Clock:
    """What a process takes for the time: the machine's clock and what `file` says, in seconds.

    What is written there holds a second later. To wait takes as long as ever.
    """

    file: Path

    def set(self, ahead: timedelta) -> None:
        partial = self.file.with_suffix(".part")
        partial.write_text(f"{ahead.total_seconds():+.0f}\n")
        partial.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        """What a process is to be started with."""
        assert library() is not None, NOT_INSTALLED
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
