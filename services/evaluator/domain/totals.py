"""Counts that grow: a million verdicts added one by one, each in constant time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.evaluator.domain.judging import Judgement
from shared.criteria import CaseStatus, Span, Tally

Place = tuple[str, str, str, int, int, str]
"""Compromiso, unit, window, carta version, measure, cell."""


@dataclass(slots=True)
class _Total:
    """A tally that can be changed; adding to a Tally itself copies all that it holds."""

    statuses: dict[CaseStatus, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    spread: dict[Span, int] = field(default_factory=dict)
    overdue_open: int = 0
    amount_sum: int = 0
    amount_count: int = 0
    historical: int = 0

    def add(self, judgement: Judgement) -> None:
        status, span = judgement.status, judgement.span
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.overdue_open += judgement.overdue_open
        self.historical += judgement.historical
        if status is CaseStatus.EXCLUDED:
            reason = str(judgement.reason)
            self.excluded[reason] = self.excluded.get(reason, 0) + 1
        elif status is not CaseStatus.PENDING and judgement.amount is not None:
            self.amount_sum += judgement.amount
            self.amount_count += 1
        if span is not None:
            self.spread[span] = self.spread.get(span, 0) + 1

    def tally(self) -> Tally:
        return Tally(
            met=self.statuses.get(CaseStatus.MET, 0),
            failed=self.statuses.get(CaseStatus.FAILED, 0),
            pending=self.statuses.get(CaseStatus.PENDING, 0),
            excluded=self.excluded,
            overdue_open=self.overdue_open,
            amount_sum=self.amount_sum,
            amount_count=self.amount_count,
            spread=self.spread,
        )


@dataclass(slots=True)
class Totals:
    """The counts of every window of a municipality; a verdict without a window counts in none."""

    _places: dict[Place, _Total] = field(default_factory=dict)

    def add(self, judgement: Judgement) -> None:
        """Count one verdict where it belongs."""
        if judgement.window_id is None:
            return
        place = (
            judgement.compromiso,
            judgement.unit,
            judgement.window_id,
            judgement.carta_version,
            judgement.part,
            judgement.cell,
        )
        total = self._places.get(place)
        if total is None:
            total = self._places[place] = _Total()
        total.add(judgement)

    def counted(self) -> Iterator[tuple[Place, Tally, int]]:
        """Yield each place with its counts, and how many of them came through an import."""
        for place, total in self._places.items():
            yield place, total.tally(), total.historical
