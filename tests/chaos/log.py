"""The log of kills as a Markdown table: what is in it need not be run again."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

LOG: Final = Path(__file__).with_name("log.md")
COLUMNS: Final = (
    *("day", "code", "seed", "target", "kills", "in open transactions", "after events"),
    *("facts", "verdicts", "breaches", "actions", "mails (repeated)", "compared"),
)
HEAD: Final = f"""\
# Kills

Written by `make chaos`; one line for each target of a run. A run kills -9 at seeded instants of
live traffic and compares all that was decided (facts, verdicts, results, breaches, statements,
actions, mails, catalogue, the portal's copies) with an undisturbed run of the same seed; both
balances must hold, no mail be missing, a repeated mail be equal to the last byte. *After events*:
how many events had been acknowledged when each kill fell; in brackets the service and table at
which a transaction was open.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
"""
EQUAL: Final = "equal"


@dataclass(frozen=True, slots=True)
class Line:
    """One target of one run."""

    day: str
    code: str
    seed: int
    target: str
    kills: int
    inside: int
    instants: str
    events: int
    judged: int
    breaches: int
    actions: int
    mails: str
    compared: str


@dataclass(frozen=True, slots=True)
class Done:
    """How often a target was killed in runs that came out equal."""

    kills: int = 0
    inside: int = 0


class Log:
    """The table in a file."""

    def __init__(self, path: Path = LOG) -> None:
        self.path = path

    def lines(self) -> list[list[str]]:
        """Return the cells of every line, as text."""
        if not self.path.exists():
            return []
        rows = self.path.read_text(encoding="utf-8").splitlines()
        cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
        return [row for row in cells if len(row) == len(Line.__slots__) and row[2].isdigit()]

    def add(self, lines: Sequence[Line]) -> None:
        if not self.path.exists():
            self.path.write_text(HEAD, encoding="utf-8")
        with self.path.open("a", encoding="utf-8") as out:
            for line in lines:
                out.write(f"| {' | '.join(map(str, astuple(line)))} |\n")

    def done(self, target: str) -> Done:
        rows = [row for row in self.lines() if row[3] == target and row[-1] == EQUAL]
        return Done(sum(int(row[4]) for row in rows), sum(int(row[5]) for row in rows))

    def next_seed(self) -> int:
        return max((int(row[2]) for row in self.lines()), default=0) + 1
