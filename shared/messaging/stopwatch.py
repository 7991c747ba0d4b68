"""Where a loop's time goes, part by part: what an operator and the benchmarks look at first."""

import time
from typing import Self

from prometheus_client import Summary


class Stopwatch:
    """Gives each part of a loop's turn the time since the part before it ended."""

    def __init__(self, seconds: Summary, loop: str) -> None:
        self._seconds = seconds
        self._loop = loop
        self._parts: dict[str, Summary] = {}
        self._since = time.perf_counter()

    def beside(self) -> Self:
        """Return one of the same loop that begins here, for what goes on beside the rest of it."""
        other = type(self)(self._seconds, self._loop)
        other._parts = self._parts
        return other

    def lap(self, part: str) -> None:
        """End `part` here, which began where the last one ended."""
        now = time.perf_counter()
        series = self._parts.get(part)
        if series is None:
            series = self._parts[part] = self._seconds.labels(self._loop, part)
        series.observe(now - self._since)
        self._since = now
