"""How late the tasks of the wall clock are: one that fails or hangs says nothing by itself."""

import time

from prometheus_client import CollectorRegistry, Gauge


class Lateness:
    """When each task should have ended well again, by the clock that nobody sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._due: dict[str, float] = {}
        self._late = Gauge(
            "cartas_task_late_seconds",
            "How long ago a task of the wall clock should have ended well; 0: it is in time.",
            ["task"],
            registry=registry,
        )

    def expect(self, task: str, within_seconds: float) -> None:
        """Expect the task to have ended well, or again, in so many seconds."""
        if task not in self._due:
            self._late.labels(task).set_function(lambda: self.of(task))
        self._due[task] = time.monotonic() + within_seconds

    def of(self, task: str) -> float:
        """Return by how many seconds the task is late."""
        return max(0.0, time.monotonic() - self._due[task])
