"""What one transaction changes, gathered event by event and written once."""

from dataclasses import dataclass, field
from datetime import datetime

from services.evaluator.domain.addenda import Replaced
from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.judging import Judgement, VerdictKey
from services.evaluator.domain.results import Subject, window_of_result
from services.evaluator.store.cases import CaseKey, StoredCase
from services.evaluator.store.redatings import Redating
from services.evaluator.store.tallies import (
    NOTHING,
    CohortCounts,
    CountKey,
    Counts,
    NewWindow,
    WindowKey,
)
from shared.criteria import RunningTally, Tally, WindowBounds


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
    """Cases, verdicts (None: gone), counts to add, windows to make, moments of failure.

    `received_through`: when the newest of the facts was received.
    """

    cases: dict[CaseKey, StoredCase] = field(default_factory=dict)
    verdicts: dict[tuple[CaseKey, VerdictKey], Judgement | None] = field(default_factory=dict)
    counts: dict[WindowKey, dict[tuple[int, int], RunningCounts]] = field(default_factory=dict)
    windows: dict[WindowKey, NewWindow] = field(default_factory=dict)
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

    def open_window(self, key: WindowKey, promise: Promise, bounds: WindowBounds) -> None:
        """Make the window known, with what statements say about it."""
        closes_at = promise.closes_at(bounds)
        self.windows[key] = NewWindow(
            key=key,
            carta=promise.carta.carta,
            carta_version=promise.carta.version,
            starts_at=bounds.start,
            ends_at=bounds.end,
            closes_at=closes_at,
        )
        window = window_of_result(
            bounds.id, promise, start=bounds.start, end=bounds.end, closes_at=closes_at
        )
        self.subjects[key] = Subject(promise, key[2], window)
