"""A log of what was run as a Markdown table: what is in it need not be run again."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

EQUAL: Final = "equal"


class Table:
    """The table in a file, under the title and the explanation that it begins with."""

    def __init__(self, path: Path, *, columns: tuple[str, ...], head: str) -> None:
        self.path = path
        self._columns = columns
        self._head = f"{head}| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"

    def lines(self) -> list[list[str]]:
        """Return the cells of every line, as text."""
        if not self.path.exists():
            return []
        rows = self.path.read_text(encoding="utf-8").splitlines()
        cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
        return [row for row in cells if len(row) == len(self._columns) and row[2].isdigit()]

    def write(self, lines: Iterable[Sequence[object]]) -> None:
        """Write lines, cell by cell, under those that are there; the third cell is the seed."""
        if not self.path.exists():
            self.path.write_text(self._head, encoding="utf-8")
        with self.path.open("a", encoding="utf-8") as out:
            for line in lines:
                out.write(f"| {' | '.join(map(str, line))} |\n")

    def next_seed(self) -> int:
        """Return the seed after the highest that was run."""
        return max((int(row[2]) for row in self.lines()), default=0) + 1
