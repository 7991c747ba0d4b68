"""What every judge of cases shares: population, conditions, the start that decides the version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.criteria.contests import contested
from shared.criteria.model import Measure
from shared.criteria.values import INSTRUMENT
from shared.criteria.verdict import Case, CaseVerdict
from shared.criteria.windows import cell_of
from shared.worktime.prepared import PreparedCalendar


class CaseJudge(ABC):
    """Judges the cases of one measure by one version of its calendar.

    A verdict is told with `calendar`, the version that it was reached by, also where it takes none.
    """

    def __init__(self, measure: Measure, calendar: PreparedCalendar | None, zone: ZoneInfo) -> None:
        population, clock = measure.figure.population, measure.clock
        self.measure = measure
        self.calendar = calendar
        self.zone = zone
        self.event = population.event
        self._anchor = population.anchor
        self._where = tuple(population.where.items())
        self._is_of_instruments = population.is_of_instruments
        self._exclude = population.exclude
        self._starts = () if clock is None or clock.from_due else clock.start.kinds
        self._start = self._starts[0] if len(self._starts) == 1 else None
        self._has_cells = measure.attribute is not None or measure.by is not None

    def verdict(self, case: Case, known: datetime | None) -> CaseVerdict | None:
        """Return the verdict on a case, or None where it is not in the measure's population.

        `known` is the instant up to and including which everything the source had to say is
        known; None when nothing is known. Raises ValueError when a calendar is needed and missing.
        """
        occurred = case.events.get(self.event)
        if occurred is None:
            return None
        if INSTRUMENT in case.attributes and not self._is_of_instruments:
            return None
        for name, values in self._where:
            if case.code(name) not in values:
                return None
        return self._judge(case, occurred, known)

    def started_at(self, case: Case) -> datetime | None:
        """Return when the case came under the promise: that decides which version judges it.

        It is the start of its clock, or else when the case entered the population.
        """
        events = case.events
        if self._start is not None and (start := events.get(self._start)) is not None:
            return start
        starts = [events[kind] for kind in self._starts if kind in events]
        return min(starts) if starts else events.get(self.event)

    @abstractmethod
    def _judge(self, case: Case, occurred: datetime, known: datetime | None) -> CaseVerdict:
        """Return the verdict on a case of the population, which it entered when it `occurred`."""

    def _named(self, case: Case) -> str | None:
        """Return an accepted contest, or the first exclusion of the list that the emitter named."""
        if not case.exclusions:
            return None
        named = (name for name in self._exclude if name in case.exclusions)
        return contested(case.exclusions) or next(named, None)

    def _cell(self, case: Case, anchor: datetime | None) -> str:
        if not self._has_cells:
            return ""
        measure = self.measure
        if measure.attribute is not None:
            return case.code(measure.attribute) or ""
        if measure.by is None or anchor is None:
            return ""
        return cell_of(measure.by, anchor, self.zone)
