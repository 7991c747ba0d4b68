"""Whether one case kept what it is held to under one measure, by written instants alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from shared.criteria.case_judge import CaseJudge
from shared.criteria.model import Availability, Measure, Nps, Percentile, Schedule
from shared.criteria.outages import microseconds
from shared.criteria.schedule import cell_and_end
from shared.criteria.times import ConstantTimes, Times
from shared.criteria.timing import constant_term
from shared.criteria.values import NUMBER_SCALE, Clock, Limit, Number, Outage
from shared.criteria.verdict import (
    BEYOND,
    PLANNED,
    Case,
    CaseReason,
    CaseStatus,
    CaseVerdict,
    Span,
)
from shared.criteria.vocabulary import Anchor
from shared.worktime.prepared import PreparedCalendar

_PROMOTERS, _DETRACTORS = 9 * NUMBER_SCALE, 6 * NUMBER_SCALE


def prepare(measure: Measure, calendar: PreparedCalendar | None, *, zone: ZoneInfo) -> CaseJudge:
    """Return the judge of a measure's cases; prepare once, ask often.

    `calendar` is the one that `measure.calendar` names; `zone` is the municipality's. Raises
    ValueError where occurrences are expected by a calendar and there is none.
    """
    value = getattr(measure.figure, "value", None)
    if isinstance(measure.figure, Schedule):
        return _Occurrences(measure, measure.figure, calendar, zone)
    if isinstance(value, Clock):
        constant = constant_term(value, measure.limit)
        if constant is None:
            return Times(measure, value, calendar, zone)
        return ConstantTimes(measure, value, calendar, zone, constant)
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
