"""The log of kills as a Markdown table: what is in it need not be run again."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from tests.chaos.table import EQUAL, Table

LOG: Final = Path(__file__).with_name("log.md")
COLUMNS: Final = (
    *("day", "code", "seed", "target", "kills", "in open transactions", "after events"),
    *("facts", "verdicts", "breaches", "actions", "mails (repeated)", "compared"),
)
HEAD: Final = """\
# Kills

Written by `make chaos`; one line for each target of a run. A run kills -9 at seeded instants of
live traffic and compares all that was decided (facts, verdicts, results, breaches, statements,
actions, mails, catalogue, the portal's copies) with an undisturbed run of the same seed; both
balances must hold, no mail be missing, a repeated mail be equal to the last byte. *After events*:
how many events had been acknowledged when each kill fell; in brackets the service and table at
which a transaction was open.

"""


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


class Log(Table):
    """The table of this module."""

    def __init__(self, path: Path = LOG) -> None:
        super().__init__(path, columns=COLUMNS, head=HEAD)

    def add(self, lines: Iterable[Line]) -> None:
        """Write what was run."""
        self.write(map(astuple, lines))

    def done(self, target: str) -> Done:
        rows = [row for row in self.lines() if row[3] == target and row[-1] == EQUAL]
        return Done(sum(int(row[4]) for row in rows), sum(int(row[5]) for row in rows))
