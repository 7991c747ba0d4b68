"""Faults and warnings of a catalogue file, each with its line and the author's own field path."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to correct. `line` counts from 1; `path` is empty where the file is at fault."""

    line: int
    path: str
    message: str

    def shown(self, file: str) -> str:
        """Return `file:line: path: message`, the form that editors jump to."""
        return f"{file}:{self.line}: " + (f"{self.path}: " if self.path else "") + self.message


@dataclass(slots=True)
class Report:
    """All that is wrong or doubtful in one file, gathered while reading goes on."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
