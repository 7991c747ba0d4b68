"""The figures as a page of docs: a section for each data set, its promises side by side.

The page says nothing of when it was made: it changes when a figure does.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from benchmarks.real_data.data_sets import DataSet
from benchmarks.real_data.marks import Difference
from benchmarks.real_data.marks import as_markdown as marks_as_markdown
from benchmarks.real_data.table import Row

INTRODUCTION = """\
# Figures of the real data sets

Written by `make real-data`, which also computes each figure again from the file with plain Python
and ends in failure where one differs; each also stands in `resultados.csv`. The promises are ours
unless it says otherwise: see `benchmarks/real_data/*.yaml`. A cell says the figure (a share in
percent where nothing else is said), of how many, the verdict, and what was left out by which name.
The files, their terms and their faults are described with the data.
"""


def page(sections: Iterable[str]) -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *sections])


def section(data_set: DataSet, rows: Sequence[Row], found: Sequence[Difference] = ()) -> str:
    """Return what the page says of one data set; every row is of it."""
    sums = [_summed_up(name, rows) for name in data_set.summed_up]
    rows = [row for row in rows if row.compromiso not in data_set.summed_up]
    columns = sorted({row.compromiso for row in rows})
    cells = {(row.unit, row.window, row.compromiso): _cell(row) for row in rows}
    lines = [f"## {data_set.name}", "", data_set.notes, ""]
    lines += [_line("unit", "window", *columns), _line(*["---"] * (len(columns) + 2))]
    lines += [
        _line(unit, window, *(cells.get((unit, window, column), "") for column in columns))
        for unit, window in sorted({(row.unit, row.window) for row in rows})
    ]
    lines += ["", *sums]
    if found:
        lines += ["", "Where our verdict is not the city's mark:", "", marks_as_markdown(found)]
    return "\n".join(lines).rstrip() + "\n"


def _summed_up(compromiso: str, rows: Sequence[Row]) -> str:
    verdicts = Counter(row.verdict for row in rows if row.compromiso == compromiso)
    said = ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))
    return f"`{compromiso}`: {verdicts.total()} figures ({said}), each in `resultados.csv`."


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(row: Row) -> str:
    margin = f" ± {row.margin}" if row.margin else ""
    share = f"{row.share}{margin} of {row.denominator}" if row.share else ""
    pending = f"pending={row.pending}" if row.pending else ""
    return " ".join(part for part in (share, row.verdict, pending, row.excluded) if part)
