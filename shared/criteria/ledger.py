"""The incremental judge: verdicts case by case, and the counts that they add up to.

It is the evaluator's state without its store: whatever the order of facts, repeats and
corrections, it holds the counts that a fresh look at all cases would make. A verdict replaced by
another is subtracted and the other added; partial ledgers of the same criterion add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.criteria.case import judge_case
from shared.criteria.model import Criterion, Measure, measures_of
from shared.criteria.outages import instant
from shared.criteria.values import Outage
from shared.criteria.verdict import (
    BEYOND,
    Case,
    CaseVerdict,
    Cells,
    Tally,
    WindowBounds,
)
from shared.criteria.windows import Windows, windows_between
from shared.worktime.prepared import PreparedCalendar


@dataclass(frozen=True, slots=True)
class Bench:
    """What the cases of one promise are judged by. `calendars` has one for each measure."""

    criterion: Criterion
    windows: Windows
    calendars: Sequence[PreparedCalendar | None]


@dataclass(frozen=True, slots=True)
class Placed:
    """A verdict under one measure, and a window in which it counts: None while it is in none."""

    measure: int
    window: WindowBounds | None
    verdict: CaseVerdict


Key = tuple[str, int, str]
"""Window, measure, cell."""


@dataclass(slots=True)
class Ledger:
    """Counts by window, measure and cell, and the verdicts of each case that they are made of."""

    tallies: dict[Key, Tally] = field(default_factory=dict)
    cases: dict[str, tuple[Placed, ...]] = field(default_factory=dict)

    def take(self, case: str, placed: tuple[Placed, ...]) -> None:
        """Put the verdicts of a case in the place of those before."""
        for each in self.cases.get(case, ()):
            self._add(each, Tally() - Tally.of(each.verdict))
        for each in placed:
            self._add(each, Tally.of(each.verdict))
        self.cases[case] = placed

    def _add(self, placed: Placed, tally: Tally) -> None:
        if placed.window is None:
            return
        key = (placed.window.id, placed.measure, placed.verdict.cell)
        total = self.tallies.get(key, Tally()) + tally
        self.tallies[key] = total
        if total == Tally():
            del self.tallies[key]

    def cells(self, window: str, measures: int) -> list[Cells]:
        """Return the counts of a window, as judge_result takes them."""
        found: list[dict[str, Tally]] = [{} for _ in range(measures)]
        for (name, measure, cell), tally in self.tallies.items():
            if name == window:
                found[measure][cell] = tally
        return list[Cells](found)


def combined(ledgers: Sequence[Ledger]) -> Mapping[Key, Tally]:
    """Return the counts of partial ledgers together: each writer keeps its own."""
    total: dict[Key, Tally] = {}
    for ledger in ledgers:
        for key, tally in ledger.tallies.items():
            total[key] = total.get(key, Tally()) + tally
    return {key: tally for key, tally in total.items() if tally != Tally()}


def judged(bench: Bench, case: Case, *, known: datetime | None) -> tuple[Placed, ...]:
    """Return the verdicts on a case under every measure, each in every window it counts in."""
    return tuple(
        Placed(number, window, verdict)
        for number, measure in enumerate(measures_of(bench.criterion))
        if (verdict := _verdict(bench, number, measure, case, known)) is not None
        for window in places_of(measure, verdict, bench.windows, known=known)
    )


def _verdict(
    bench: Bench, number: int, measure: Measure, case: Case, known: datetime | None
) -> CaseVerdict | None:
    calendar = bench.calendars[number]
    return judge_case(measure, case, calendar, zone=bench.windows.zone, complete_through=known)


def places_of(
    measure: Measure,
    verdict: CaseVerdict,
    windows: Windows,
    *,
    known: datetime | None,
) -> tuple[WindowBounds | None, ...]:
    """Return the windows in which a case counts; (None,) while it has no place, () outside all.

    An outage counts in every window that it touches, an open one as far as is known.
    """
    anchor = verdict.anchor_instant
    if anchor is None:
        return (None,)
    span = verdict.span
    if span is not None and isinstance(getattr(measure.figure, "value", None), Outage):
        until = instant(span[1] - 1) if span[1] != BEYOND else known or anchor
        return windows_between(windows.window, anchor, max(anchor, until), windows.zone)
    found = windows.at(anchor)
    return () if found is None else (found,)
