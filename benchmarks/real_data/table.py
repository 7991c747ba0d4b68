"""Results as the rows of a table, from the evaluator's answer or from `resultados.csv`."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One figure. `share` is in percent with four places, empty where no case was decided."""

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
        )
        for result in results
        for part in result["parts"]
    )


def as_csv(rows: Sequence[Row]) -> str:
    """Return the table as CSV."""
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow([field.name for field in fields(Row)])
    writer.writerows(astuple(row) for row in rows)
    return output.getvalue()
