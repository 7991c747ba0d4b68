"""Whether a loop that runs for ever still turns: a hung one says nothing by itself."""

import time

TURNS_WITHIN_SECONDS = 60.0


class Pulse:
    """When a loop last turned, by the monotonic clock."""

    def __init__(self) -> None:
        self._beaten_at = time.monotonic()

    def beat(self) -> None:
        """Note a turn."""
        self._beaten_at = time.monotonic()

    def seconds(self) -> float:
        """Return how long ago the last turn was."""
        return time.monotonic() - self._beaten_at

    def fault(self) -> str | None:
        """Return for how long the loop has not turned, if that is too long; else None."""
        seconds = self.seconds()
        return f"not turned for {seconds:.0f} s" if seconds > TURNS_WITHIN_SECONDS else None
