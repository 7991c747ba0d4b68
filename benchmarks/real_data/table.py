"""Results as the rows of a table, from the evaluator's answer or from `resultados.csv`."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from benchmarks.real_data.plain_figures import Expected, Key


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One figure. `share` is in percent with four places, empty where no case was decided.

    `margin` is that of a sample, in points, empty where there is none.
    """

    data_set: str
    compromiso: str
    unit: str
    window: str
    numerator: int
    denominator: int
    pending: int
    excluded: str
    share: str
    verdict: str
    margin: str = ""


def excluded_text(excluded: dict[str, int]) -> str:
    """Return exclusions by name as `name=count`, sorted, separated by spaces."""
    return " ".join(f"{name}={count}" for name, count in sorted(excluded.items()))


def rows_of(data_set: str, results: Iterable[dict[str, Any]]) -> list[Row]:
    """Return the rows of results as the evaluator gives them."""
    return sorted(
        Row(
            data_set=data_set,
            compromiso=result["compromiso"],
            unit=result["unit"],
            window=result["window"]["id"],
            numerator=part["numerator"],
            denominator=part["denominator"],
            pending=part["pending"],
            excluded=excluded_text(part["excluded"]),
            share="" if part["value"] is None else str(part["value"]),
            verdict=result["verdict"],
            margin=part["margin"] or "",
        )
        for result in results
        for part in result["parts"]
    )


def as_expected(row: Row) -> Expected:
    """Return the figure as it is computed from the file."""
    return Expected(
        *(row.numerator, row.denominator, row.pending),
        *(row.excluded, row.share, row.verdict, row.margin),
    )


def different(
    rows: Iterable[Row], computed: Mapping[Key, Expected]
) -> list[tuple[Key, Expected | None, Expected | None]]:
    """Return what differs from what was computed: key, ours, computed; None for a missing one."""
    ours = {(row.compromiso, row.unit, row.window): as_expected(row) for row in rows}
    keys = sorted(ours.keys() | computed.keys())
    return [
        (key, ours.get(key), computed.get(key))
        for key in keys
        if ours.get(key) != computed.get(key)
    ]


def as_csv(rows: Sequence[Row]) -> str:
    """Return the table as CSV."""
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow([field.name for field in fields(Row)])
    writer.writerows(astuple(row) for row in rows)
    return output.getvalue()
