"""How far the supervisor is: written by it, read by whoever waits at the terminal."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from deploy.local.paths import STATUS


class State(StrEnum):
    """Of the whole run."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done on the way up, and how long it took in seconds."""

    text: str
    seconds: float


@dataclass(slots=True)
class Status:
    """Kept as a file that is replaced as a whole, so that a reader never sees half of it."""

    state: State = State.STARTING
    demo: bool = False
    steps: list[Step] = field(default_factory=list)
    doing: str = ""
    error: str = ""
    path: Path = STATUS

    def write(self) -> None:
        content = {name: value for name, value in asdict(self).items() if name != "path"}
        partial = self.path.with_suffix(".part")
        partial.write_text(json.dumps(content))
        partial.replace(self.path)

    def enter(self, state: State, error: str = "") -> None:
        self.state, self.error, self.doing = state, error, ""
        self.write()

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Name what is being done, and keep its duration when it is."""
        self.doing = text
        self.write()
        began = time.monotonic()
        yield
        self.steps.append(Step(text, round(time.monotonic() - began, 1)))
        self.doing = ""
        self.write()


def read(path: Path = STATUS) -> Status | None:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    steps = [Step(**step) for step in content.pop("steps")]
    return Status(**{**content, "state": State(content["state"])}, steps=steps, path=path)
