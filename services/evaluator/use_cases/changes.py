"""What one transaction changes, gathered event by event and written once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.judging import Judgement
from services.evaluator.domain.results import Subject
from services.evaluator.store.cases import CaseKey
from services.evaluator.store.redatings import Redating
from services.evaluator.store.tallies import NOTHING, CohortCounts, CountKey, Counts
from services.evaluator.store.windows import WindowKey
from shared.contracts import hot
from shared.criteria import CaseStatus, RunningTally, Share, Tally, is_every_case


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

    def cell(self, name: str) -> RunningTally:
        """Return the counts of one cell."""
        tally = self.cells.get(name)
        if tally is None:
            tally = self.cells[name] = RunningTally()
        return tally

    def add(self, judgement: Judgement, *, sign: int) -> None:
        """Add a verdict; with `sign` -1 take it away."""
        self.cell(judgement.cell).add(judgement, sign=sign)
        if judgement.historical:
            self.historical += sign

    def counts(self) -> Counts:
        """Return what they have come to, without the cells that came to nothing."""
        tallies = {cell: running.tally() for cell, running in self.cells.items()}
        return Counts({c: t for c, t in tallies.items() if t != Tally()}, self.historical)


@dataclass(frozen=True, slots=True)
class Cell:
    """Where alike verdicts count: a cell of a measure of a version in a window; what they set off.

    `hurries`: a failure is a late case. `is_owed`: a failure breaks the window.
    """

    window: WindowKey
    subject: Subject
    running: RunningCounts
    tally: RunningTally
    hurries: bool
    is_owed: bool

    def add(self, judgement: Judgement) -> None:
        """Count a verdict."""
        self.tally.add(judgement)
        if judgement.historical:
            self.running.historical += 1


CellKey = tuple[int, int, str, str, str]
"""Identity of the promise, measure, unit, window id, cell."""


@dataclass(slots=True)
class Changes:
    """Cases, counts to add, windows that must exist, moments of failure.

    `received_through`: when the newest of the facts was received. `judged`: which cases have other
    verdicts now. `reached`: as what. `unpromised`: cases that nothing is promised about. `late`:
    those said to be late.
    """

    cases: dict[CaseKey, Arrival] = field(default_factory=dict)
    judged: set[CaseKey] = field(default_factory=set)
    reached: list[CaseStatus] = field(default_factory=list)
    unpromised: int = 0
    late: int = 0
    cells: dict[CellKey, Cell] = field(default_factory=dict)
    counts: dict[WindowKey, dict[tuple[int, int], RunningCounts]] = field(default_factory=dict)
    subjects: dict[WindowKey, Subject] = field(default_factory=dict)
    moments: dict[WindowKey, list[Moment]] = field(default_factory=dict)
    replacements: list[tuple[hot.CaseData, Judgement | None, Judgement | None]] = field(
        default_factory=list
    )
    redated: list[Redating] = field(default_factory=list)
    received_through: datetime | None = None

    def received(self, at: datetime) -> None:
        """Note when a fact was received."""
        through = self.received_through
        if through is None or through < at:
            self.received_through = at

    def replaced(self, data: hot.CaseData, old: Judgement | None, new: Judgement | None) -> None:
        """Note that one verdict takes the place of another; what was counted counts no more."""
        self.replacements.append((data, old, new))
        if old is not None:
            self._take_out(data.municipality, old)
        if new is not None:
            self.reached.append(new.status)

    def _take_out(self, town: str, judgement: Judgement) -> None:
        if judgement.window_id is not None:
            window = (town, judgement.compromiso, judgement.unit, judgement.window_id)
            self._running(window, judgement).add(judgement, sign=-1)

    def open_cell(
        self, window: WindowKey, judgement: Judgement, promise: Promise, subject: Subject
    ) -> Cell:
        """Return where such verdicts count; `subject` is the window as it is held to."""
        running = self._running(window, judgement)
        deciding, measure = subject.promise, promise.measures[judgement.part]
        is_share = isinstance(promise.part_of(judgement.part).figure, Share)
        has_part = judgement.part < len(deciding.measures)
        return Cell(
            window,
            subject,
            running,
            running.cell(judgement.cell),
            hurries=is_share and measure.clock is not None,
            is_owed=has_part and is_every_case(deciding.part_of(judgement.part)),
        )

    def _running(self, window: WindowKey, judgement: Judgement) -> RunningCounts:
        counts = self.counts.setdefault(window, {})
        place = (judgement.carta_version, judgement.part)
        running = counts.get(place)
        if running is None:
            running = counts[place] = RunningCounts()
        return running

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
