"""Counts that grow: a million verdicts added one by one, each in constant time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.evaluator.domain.judging import Judgement
from shared.criteria import RunningTally, Tally

Place = tuple[str, str, str, int, int, str]
"""Compromiso, unit, window, carta version, measure, cell."""


@dataclass(slots=True)
class _Total:
    running: RunningTally = field(default_factory=RunningTally)
    historical: int = 0


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
        total.running.add(judgement)
        total.historical += judgement.historical

    def counted(self) -> Iterator[tuple[Place, Tally, int]]:
        """Yield each place with its counts, and how many of them came through an import."""
        for place, total in self._places.items():
            yield place, total.running.tally(), total.historical
