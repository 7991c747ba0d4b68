"""What one transaction changes, gathered event by event and written once."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.evaluator.domain.addenda import Replaced
from services.evaluator.domain.judging import Judgement
from services.evaluator.domain.results import Subject
from services.evaluator.store.cases import CaseKey
from services.evaluator.store.redatings import Redating
from services.evaluator.store.tallies import (
    NOTHING,
    CohortCounts,
    CountKey,
    Counts,
    WindowKey,
)
from shared.contracts import hot
from shared.criteria import CaseStatus, RunningTally, Tally


class Arrival(NamedTuple):
    """A case at a revision, and when Kafka took the event that made it so; the event's trace."""

    data: hot.CaseData
    received_at: datetime | None = None
    traceparent: str | None = None

    @property
    def key(self) -> CaseKey:
        """Municipality and case."""
        return (self.data.municipality, self.data.case)


@dataclass(frozen=True, slots=True)
class Moment:
    """A case failed under an every-case promise, and what the transaction had counted by then.

    A breach is found event by event: a later event of the same batch may take the failure back.
    """

    case: str
    counted: CohortCounts
    received_at: datetime | None
    traceparent: str | None


@dataclass(slots=True)
class RunningCounts:
    """The counts of one version and measure of a window in the making."""

    cells: dict[str, RunningTally] = field(default_factory=dict)
    historical: int = 0

    def add(self, judgement: Judgement, *, sign: int) -> None:
        """Add a verdict; with `sign` -1 take it away."""
        tally = self.cells.get(judgement.cell)
        if tally is None:
            tally = self.cells[judgement.cell] = RunningTally()
        tally.add(judgement, sign=sign)
        if judgement.historical:
            self.historical += sign

    def counts(self) -> Counts:
        """Return what they have come to, without the cells that came to nothing."""
        tallies = {cell: running.tally() for cell, running in self.cells.items()}
        return Counts({c: t for c, t in tallies.items() if t != Tally()}, self.historical)


@dataclass(slots=True)
class Changes:
    """Cases, counts to add, windows that must exist, moments of failure.

    `received_through`: when the newest of the facts was received. `judged`: which cases have other
    verdicts now. `statuses`: how many verdicts of each were reached.
    """

    cases: dict[CaseKey, Arrival] = field(default_factory=dict)
    judged: set[CaseKey] = field(default_factory=set)
    statuses: Counter[CaseStatus] = field(default_factory=Counter)
    counts: dict[WindowKey, dict[tuple[int, int], RunningCounts]] = field(default_factory=dict)
    subjects: dict[WindowKey, Subject] = field(default_factory=dict)
    moments: dict[WindowKey, list[Moment]] = field(default_factory=dict)
    replacements: list[Replaced] = field(default_factory=list)
    redated: list[Redating] = field(default_factory=list)
    received_through: datetime | None = None

    def received(self, at: datetime) -> None:
        """Note when a fact was received."""
        self.received_through = max(at, self.received_through or at)

    def replaced(self, change: Replaced) -> None:
        """Take a verdict out of the counts of its window, and put the other into its own."""
        town = change.data.municipality
        if change.old is not None:
            self._count(town, change.old, sign=-1)
        if change.new is not None:
            self._count(town, change.new, sign=+1)
        self.replacements.append(change)

    def _count(self, municipality: str, judgement: Judgement, *, sign: int) -> None:
        """Add a verdict to the counts of its window, or take it away."""
        if judgement.window_id is None:
            return
        window = (municipality, judgement.compromiso, judgement.unit, judgement.window_id)
        counts = self.counts.setdefault(window, {})
        place = (judgement.carta_version, judgement.part)
        running = counts.get(place)
        if running is None:
            running = counts[place] = RunningCounts()
        running.add(judgement, sign=sign)

    def counted(self, window: WindowKey) -> CohortCounts:
        """Return what was added to each version and measure of a window so far."""
        return {place: each.counts() for place, each in self.counts.get(window, {}).items()}

    def to_add(self) -> dict[CountKey, Counts]:
        """Return the changes of counts; that of a window with a moment even where it is nought.

        It will have to be published: a breach may have been said that holds no more.
        """
        return {
            (window, version, part): counts
            for window, places in self.counts.items()
            for (version, part), running in places.items()
            if (counts := running.counts()) != NOTHING or window in self.moments
        }
