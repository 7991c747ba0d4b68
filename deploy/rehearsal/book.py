"""What was done, what was seen, how long it took."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- {act}: written by make rehearsal -->"
END: Final = "<!-- end of {act} -->"


class RehearsalError(Exception):
    """Something was not as it has to be; the words say what."""


@dataclass(slots=True)
class Step:
    """One line of the table; what was seen is told while it goes on."""

    what: str
    seen: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def see(self, text: str) -> None:
        """Note what was seen."""
        self.seen.append(text)
        print(f"    {text}", flush=True)


@dataclass(slots=True)
class Book:
    """All steps, in order."""

    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, what: str) -> Iterator[Step]:
        """Time what happens inside; where it raises, the step is not in the book."""
        print(f"\n{what}", flush=True)
        step, began = Step(what), time.monotonic()
        yield step
        step.seconds = time.monotonic() - began
        print(f"    {step.seconds:.0f} s", flush=True)
        self.steps.append(step)

    def table(self) -> str:
        """Return the steps as a table of Markdown."""
        lines = ["| step | seen | seconds |", "|---|---|---|"]
        for step in self.steps:
            seen = "<br>".join(text.replace("|", "\\|") for text in step.seen)
            lines.append(f"| {step.what} | {seen} | {step.seconds:.0f} |")
        return "\n".join(lines)

    def write(self, page: Path, act: str, head: str) -> None:
        """Put the table into the page, between the two marks of the act."""
        begin, end = BEGIN.format(act=act), END.format(act=act)
        marked = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
        block = f"{begin}\n{head}\n\n{self.table()}\n{end}"
        text, places = marked.subn(lambda _: block, page.read_text(encoding="utf-8"))
        if not places:
            raise RehearsalError(f"{page} has no place for {act}")
        page.write_text(text, encoding="utf-8")
