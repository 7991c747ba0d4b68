"""The log of rounds as a Markdown table: what is in it need not be run again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from tests.chaos.table import EQUAL, Table

LOG: Final = Path(__file__).with_name("log.md")
COLUMNS: Final = (
    *("day", "code", "seed", "fault", "where", "for", "at", "facts", "quiet after", "compared"),
    *("balances", "accused falsely", "ended by themselves"),
)
HEAD: Final = """\
# Rounds

Written by `make chaos`; one line for each fault under load. *At*: how many of the round's events
had been acknowledged when it came. *Quiet after*: seconds from its end until every window of the
round's town was judged and nothing moved. *Compared*: what all towns so far came to (facts,
verdicts, results, breaches, statements, actions, mails, catalogue, the portal's copies) with an
undisturbed run of the same events. *Accused falsely*: late cases, breaches and mails that the
undisturbed run has not. *Ended by themselves*: processes of ours that the fault did not end.

"""


@dataclass(frozen=True, slots=True)
class Line:
    """One round."""

    day: str
    code: str
    seed: int
    fault: str
    where: str
    lasted: str
    at: str
    facts: int
    quiet_after: str
    compared: str
    balances: str
    accused: int
    ended: int


class Log(Table):
    """The table of this module."""

    def __init__(self, path: Path = LOG) -> None:
        super().__init__(path, columns=COLUMNS, head=HEAD)

    def add(self, lines: Iterable[Line]) -> None:
        """Write what was run."""
        self.write(map(astuple, lines))

    def done(self) -> Counter[str]:
        """Return how many rounds of each fault came out equal."""
        return Counter(row[3] for row in self.lines() if row[9] == EQUAL)


def named(lines: Sequence[str], most: int = 3) -> str:
    """Return a cell that names the first of what differs."""
    return EQUAL if not lines else f"{len(lines)} differ: {'; '.join(lines[:most])}"[:300]
