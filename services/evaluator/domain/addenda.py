"""What a later edition of a closed window changed in its counts, name by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.results import Moved, PartResult

_COUNTS = ("met", "failed", "pending", "overdue_open")


def moved(before: Sequence[Mapping[str, Any]], after: Sequence[PartResult]) -> tuple[Moved, ...]:
    """Return every count that differs, part by part; `before` are the parts as they were published.

    A part that was not there before had nothing in it.
    """
    found: list[Moved] = []
    for number, part in enumerate(after):
        was = _named(before[number]) if number < len(before) else {}
        now = _named(part.model_dump())
        found += (
            Moved(part=number + 1, count=name, before=was.get(name, 0), after=now.get(name, 0))
            for name in sorted(was.keys() | now.keys())
            if was.get(name, 0) != now.get(name, 0)
        )
    return tuple(found)


def _named(part: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts of one part by name; those of an exclusion by `excluded.` and its name."""
    excluded = {f"excluded.{name}": number for name, number in part["excluded"].items()}
    return {name: part[name] for name in _COUNTS} | excluded
