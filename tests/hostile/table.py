"""docs/hostile-input.md: how each intake took what was sent to it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.over_http import Counts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hostile-input.md"
MEGABYTE = 1024 * 1024
HEAD = """\
# Hostile input

`make hostile` sends {number:,} seeded bad inputs (seed {seed}) to every intake of the running
services and writes this page; `make test` sends some of them. No answer was a fault of the
server's, no service stopped, every refusal names what is wrong and where it can be told where,
records refused from Kafka are kept for replay with a dead letter each, the counts of
`measurements balance` and `evaluator recompute` hold, and after each intake an event of another
source came to its verdict.

Spoiled are real payloads of other systems and the contracts' own examples: JSON and UTF-8 that
break off, wrong types, huge numbers and texts, nesting up to 20,000 levels, members twice, NUL
and half characters, impossible dates, zones that are none, odd encodings, broken and swollen gzip
files, wrong content types, ambiguous lengths. There is no intake for webhooks of other systems as
they are: their payloads go to `/v1/events`. One record on Kafka has a line for each service that
reads it. *Taken* is what is no fault (a member that is dropped, a correction of nothing, an
unknown header). Schemathesis asks each HTTP API what follows from its own description, with a
credential and without, beside the {number:,}: the table has the status of its answers.

| intake | outcome | number |
|---|---|---|
"""


@dataclass(slots=True)
class Table:
    """Outcomes by intake, and the memory of each service before them, in bytes."""

    seed: int
    counts: Counts = field(default_factory=Counter)
    sent: int = 0
    before: dict[str, int] = field(default_factory=dict)

    def add(self, counts: Counts, sent: int) -> None:
        self.counts += counts
        self.sent += sent

    def write(self, after: dict[str, int]) -> None:
        lines = [
            f"| {intake} | {outcome} | {number:,} |"
            for (intake, outcome), number in sorted(self.counts.items())
        ]
        memory = [
            f"| {name} | {before // MEGABYTE} | {after[name] // MEGABYTE} |"
            for name, before in sorted(self.before.items())
        ]
        head = HEAD.format(number=self.sent, seed=self.seed)
        text = (
            head
            + "\n".join(lines)
            + "\n\n| service | MB resident before | after |\n|---|---|---|\n"
        )
        PAGE.write_text(text + "\n".join(memory) + "\n", encoding="utf-8")
