"""Whether one case kept what it is held to under one measure, by written instants alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from shared.criteria.contests import contested
from shared.criteria.model import (
    Availability,
    Count,
    Measure,
    Nps,
    Percentile,
    Schedule,
    Share,
)
from shared.criteria.outages import microseconds
from shared.criteria.schedule import cell_and_end
from shared.criteria.timing import (
    Timing,
    constant_term,
    ends_with_a_day,
    is_day_early,
    is_less_than_months,
    timing_of,
)
from shared.criteria.values import INSTRUMENT, NUMBER_SCALE, Clock, Limit, Number, Outage
from shared.criteria.verdict import (
    BEYOND,
    PLANNED,
    Case,
    CaseReason,
    CaseStatus,
    CaseVerdict,
    Span,
)
from shared.criteria.vocabulary import Anchor, Op
from shared.criteria.windows import cell_of
from shared.worktime.model import MICROSECONDS
from shared.worktime.prepared import CalendarExhaustedError, PreparedCalendar

_LAST_MOMENT: Final = timedelta(microseconds=1)
_PROMOTERS, _DETRACTORS = 9 * NUMBER_SCALE, 6 * NUMBER_SCALE
RESOLUTION: Final = 1_000_000
"""Microseconds. Percentiles keep times in whole seconds, rounded to the side on which a limit of
whole seconds is kept or broken exactly as by the time itself."""


def prepare(measure: Measure, calendar: PreparedCalendar | None, *, zone: ZoneInfo) -> CaseJudge:
    """Return the judge of a measure's cases; prepare once, ask often.

    `calendar` is the one that `measure.calendar` names; `zone` is the municipality's. Raises
    ValueError where occurrences are expected by a calendar and there is none.
    """
    value = getattr(measure.figure, "value", None)
    if isinstance(measure.figure, Schedule):
        return _Occurrences(measure, measure.figure, calendar, zone)
    if isinstance(value, Clock):
        return _Times(measure, value, calendar, zone)
    if isinstance(value, Outage):
        return _Outages(measure, value, calendar, zone)
    return _Numbers(measure, value, calendar, zone)


def judge_case(
    measure: Measure,
    case: Case,
    calendar: PreparedCalendar | None,
    *,
    zone: ZoneInfo,
    complete_through: datetime | None,
) -> CaseVerdict | None:
    """Return the verdict on one case: as `CaseJudge.verdict` of the prepared measure."""
    return prepare(measure, calendar, zone=zone).verdict(case, complete_through)


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
        measure = self.measure
        if measure.attribute is not None:
            return case.code(measure.attribute) or ""
        if measure.by is None or anchor is None:
            return ""
        return cell_of(measure.by, anchor, self.zone)


class _Occurrences(CaseJudge):
    """What was to happen once a period, and did."""

    def __init__(
        self, measure: Measure, figure: Schedule, calendar: PreparedCalendar | None, zone: ZoneInfo
    ) -> None:
        super().__init__(measure, calendar, zone)
        if calendar is None:
            raise ValueError("occurrences are expected by a calendar")
        self._recurrence = figure.recurrence
        self._days = calendar

    def _judge(self, case: Case, occurred: datetime, known: datetime | None) -> CaseVerdict:
        cell, end = cell_and_end(self._recurrence, occurred, self._days, self.zone)
        named = self._named(case)
        if named is not None:
            return CaseVerdict(CaseStatus.EXCLUDED, named, occurred, due=end, cell=cell)
        is_kept = end is None or occurred < end
        status = CaseStatus.MET if is_kept else CaseStatus.FAILED
        return CaseVerdict(status, None, occurred, due=end, cell=cell)


class _Outages(CaseJudge):
    """Time without service, from its event to the stop."""

    def __init__(
        self, measure: Measure, value: Outage, calendar: PreparedCalendar | None, zone: ZoneInfo
    ) -> None:
        super().__init__(measure, calendar, zone)
        self._stop = value.stop
        self._owes_time = isinstance(measure.figure, Availability)

    def _judge(self, case: Case, occurred: datetime, known: datetime | None) -> CaseVerdict:
        stop, named = case.events.get(self._stop), self._named(case)
        if stop is not None and stop < occurred:
            return CaseVerdict(CaseStatus.EXCLUDED, CaseReason.STOP_BEFORE_START, occurred)
        span = (microseconds(occurred), BEYOND if stop is None else microseconds(stop))
        if named is not None:
            return self._excluded(named, case, occurred, span)
        return CaseVerdict(
            CaseStatus.PENDING if stop is None else CaseStatus.MET,
            CaseReason.OPEN if stop is None else None,
            occurred,
            amount=None if stop is None else span[1] - span[0],
            cell=self._cell(case, occurred),
            span=span,
        )

    def _excluded(self, named: str, case: Case, occurred: datetime, span: Span) -> CaseVerdict:
        """A planned interruption leaves the service time."""
        is_planned = self._owes_time and named in self._exclude
        return CaseVerdict(
            CaseStatus.EXCLUDED,
            named,
            occurred,
            cell=PLANNED if is_planned else self._cell(case, occurred),
            span=span if is_planned else None,
        )


class _Numbers(CaseJudge):
    """What takes no time: a score, a sum, or its mere occurrence."""

    def __init__(
        self,
        measure: Measure,
        value: Number | None,
        calendar: PreparedCalendar | None,
        zone: ZoneInfo,
    ) -> None:
        super().__init__(measure, calendar, zone)
        self._value = value
        self._limit = measure.limit
        self._promotes = isinstance(measure.figure, Nps)
        self._spreads = isinstance(measure.figure, Percentile) or measure.weighs

    def _judge(self, case: Case, occurred: datetime, known: datetime | None) -> CaseVerdict:
        placed = case.own_due if self._anchor is Anchor.DUE else occurred
        anchor = placed or occurred
        cell = self._cell(case, anchor)
        amount = None if self._value is None else self._value.read(case.attributes)
        reason = self._named(case)
        if reason is None and placed is None:
            reason = CaseReason.NO_DUE
        if reason is None and self._value is not None and amount is None:
            has_answer = bool(case.attributes.get(self._value.field))
            reason = CaseReason.OFF_THE_SCALE if has_answer else CaseReason.NO_ANSWER
        if reason is not None:
            return CaseVerdict(CaseStatus.EXCLUDED, reason, anchor, cell=cell)
        if self._limit is not None and amount is not None:
            return _held(self._limit, case, amount, anchor=anchor, cell=cell)
        if self._promotes and amount is not None:
            amount = _promotes(amount)
        span = (amount, amount) if self._spreads and amount is not None else None
        return CaseVerdict(CaseStatus.MET, None, anchor, amount=amount, cell=cell, span=span)


def _held(limit: Limit, case: Case, amount: int, *, anchor: datetime, cell: str) -> CaseVerdict:
    bound = limit.value
    if limit.by is not None:
        bound = limit.values.get(case.code(limit.by) or "")
    if limit.field is not None and limit.factor is not None:
        other = Number(field=limit.field).read(case.attributes)
        bound = None if other is None else Decimal(other) / NUMBER_SCALE * limit.factor
    if bound is None:
        return CaseVerdict(CaseStatus.EXCLUDED, CaseReason.UNKNOWN_LIMIT, anchor, cell=cell)
    is_kept = limit.op.holds(Fraction(amount, NUMBER_SCALE), Fraction(bound))
    status = CaseStatus.MET if is_kept else CaseStatus.FAILED
    return CaseVerdict(status, None, anchor, amount=amount, cell=cell)


def _promotes(score: int) -> int:
    if score >= _PROMOTERS:
        return NUMBER_SCALE
    return -NUMBER_SCALE if score <= _DETRACTORS else 0


class _Times(CaseJudge):
    """Times, from start to stop, held to a limit or measured."""

    def __init__(
        self, measure: Measure, clock: Clock, calendar: PreparedCalendar | None, zone: ZoneInfo
    ) -> None:
        super().__init__(measure, calendar, zone)
        self._clock = clock
        self._limit = measure.limit
        self._constant = constant_term(clock, measure.limit)
        self._holds = isinstance(measure.figure, Share | Count)
        self._spreads = isinstance(measure.figure, Percentile)

    def _judge(self, case: Case, occurred: datetime, known: datetime | None) -> CaseVerdict:
        timing = self._timing(case)
        status, reason = self._status(case, timing, occurred, known)
        anchor = self._place(timing, occurred, status)
        return CaseVerdict(
            status,
            reason,
            anchor,
            timing.due,
            timing.overdue_from,
            timing.elapsed,
            reason is CaseReason.OVERDUE_OPEN,
            self._cell(case, anchor),
            self._span(timing, status) if self._spreads else None,
        )

    def _timing(self, case: Case) -> Timing:
        try:
            if self._constant is not None and not case.pauses:
                return self._constant.timing(case.events)
            return timing_of(self._clock, self._limit, case, self.calendar, zone=self.zone)
        except (CalendarExhaustedError, OverflowError):
            return Timing(start=None, stop=None, has_limit=False)

    def _status(
        self, case: Case, timing: Timing, occurred: datetime, known: datetime | None
    ) -> tuple[CaseStatus, str | None]:
        named = self._exclusion(case, timing)
        if named is not None:
            return CaseStatus.EXCLUDED, named
        if timing.start is None:
            if known is not None and occurred <= known:
                return CaseStatus.EXCLUDED, CaseReason.NO_START
            return CaseStatus.PENDING, CaseReason.WAITING_FOR_START
        if timing.stop is None:
            return self._open_status(timing, known)
        if self._holds and self._limit is not None and not self._is_kept(self._limit, timing):
            return CaseStatus.FAILED, None
        return CaseStatus.MET, None

    def _exclusion(self, case: Case, timing: Timing) -> str | None:
        """Return an accepted contest, the first listed exclusion that applies, or a fault in data.

        Leaving before the limit is computed here: an emitter does not know the limit.
        """
        decided = contested(case.exclusions) if case.exclusions else None
        if decided is not None:
            return decided
        for name in self._exclude:
            if name == CaseReason.LEFT_BEFORE_DUE:
                if _left_before_due(case, timing):
                    return name
            elif name in case.exclusions:
                return name
        if timing.is_backwards:
            return CaseReason.STOP_BEFORE_START
        return None if timing.has_limit else CaseReason.UNKNOWN_LIMIT

    def _open_status(self, timing: Timing, known: datetime | None) -> tuple[CaseStatus, CaseReason]:
        """An open case is overdue only where its source is known complete through that instant.

        In a share it has failed, in a percentile it is beyond every value; in a mean there is
        nothing to add up yet, so it stays pending. Under a lower limit it has then lasted long
        enough: in a share it is kept, and nothing later can change that.
        """
        if timing.due is None and self._limit is not None:
            return CaseStatus.PENDING, CaseReason.PAUSED
        overdue_from = timing.overdue_from
        if overdue_from is None or known is None or known < overdue_from:
            return CaseStatus.PENDING, CaseReason.OPEN
        if self._limit is not None and self._limit.op.wants_more:
            return CaseStatus.MET if self._holds else CaseStatus.PENDING, CaseReason.OPEN
        counts = self._holds or self._spreads
        return CaseStatus.FAILED if counts else CaseStatus.PENDING, CaseReason.OVERDUE_OPEN

    def _is_kept(self, limit: Limit, timing: Timing) -> bool:
        """Return whether a time that has ended keeps its limit: then no pause is open either."""
        assert timing.stop is not None
        assert timing.due is not None
        assert timing.elapsed is not None
        if self._constant is not None:
            return timing.elapsed <= self._constant.most
        if timing.bound is None:
            return timing.stop <= timing.due
        if is_less_than_months(limit.op, self._clock):
            return timing.stop < timing.due
        in_time = limit.op.holds(Decimal(timing.elapsed), timing.bound)
        return in_time and not is_day_early(self._clock, timing, self.zone)

    def _span(self, timing: Timing, status: CaseStatus) -> Span | None:
        if status is CaseStatus.FAILED:
            return (BEYOND, BEYOND)
        if status is not CaseStatus.MET or timing.elapsed is None:
            return None
        amount = timing.elapsed
        if self._clock.unit in MICROSECONDS:
            op = Op.AT_MOST if self._limit is None else self._limit.op
            up = op in (Op.AT_MOST, Op.MORE)
            amount = (amount + RESOLUTION - 1 if up else amount) // RESOLUTION * RESOLUTION
        return (amount, amount)

    def _place(self, timing: Timing, occurred: datetime, status: CaseStatus) -> datetime | None:
        """Return the instant that places the case; the population's event where none will come.

        A term that ends with the 30th of September belongs to September: its end, the midnight
        that follows, is exclusive, so the last moment before it places the case.
        """
        instant = self._anchor_of(timing, occurred)
        if instant is None and (timing.start is None or status is CaseStatus.EXCLUDED):
            return occurred
        return instant

    def _anchor_of(self, timing: Timing, occurred: datetime) -> datetime | None:
        match self._anchor:
            case Anchor.OCCURRED:
                return occurred
            case Anchor.OPENED:
                return timing.start
            case Anchor.CLOSED:
                return timing.stop
            case _:
                has_days = ends_with_a_day(self._clock.unit) and timing.bound is not None
                return timing.due - _LAST_MOMENT if timing.due and has_days else timing.due


def _left_before_due(case: Case, timing: Timing) -> bool:
    left = case.abandoned_at
    if left is None or timing.due is None or left >= timing.due:
        return False
    return timing.stop is None or left < timing.stop
