"""Times from start to stop, held to a limit or measured: the judges of their cases."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from shared.criteria.case_judge import CaseJudge
from shared.criteria.contests import contested
from shared.criteria.model import Count, Measure, Percentile, Share
from shared.criteria.timing import (
    ConstantTerm,
    Timing,
    ends_with_a_day,
    is_day_early,
    is_less_than_months,
    timing_of,
)
from shared.criteria.values import Clock, Limit
from shared.criteria.verdict import BEYOND, Case, CaseReason, CaseStatus, CaseVerdict, Span
from shared.criteria.vocabulary import Anchor, Op
from shared.worktime.model import MICROSECONDS
from shared.worktime.prepared import CalendarExhaustedError, PreparedCalendar

_LAST_MOMENT: Final = timedelta(microseconds=1)
_MET, _FAILED = CaseStatus.MET, CaseStatus.FAILED
_DUE, _CLOSED, _OPENED = Anchor.DUE, Anchor.CLOSED, Anchor.OPENED
RESOLUTION: Final = 1_000_000
"""Microseconds. Percentiles keep times in whole seconds, rounded to the side on which a limit of
whole seconds is kept or broken exactly as by the time itself."""


class Times(CaseJudge):
    """Times, from start to stop, held to a limit or measured."""

    def __init__(
        self,
        measure: Measure,
        clock: Clock,
        calendar: PreparedCalendar | None,
        zone: ZoneInfo,
        constant: ConstantTerm | None = None,
    ) -> None:
        super().__init__(measure, calendar, zone)
        self._clock = clock
        self._limit = measure.limit
        self._constant = constant
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


class ConstantTimes(Times):
    """Times under a limit that is the same length of time for every case.

    Most cases have begun, have ended after that, and have nothing else to them: their verdict is
    plain arithmetic of two instants. It is what the long way comes to.
    """

    def __init__(
        self,
        measure: Measure,
        clock: Clock,
        calendar: PreparedCalendar | None,
        zone: ZoneInfo,
        constant: ConstantTerm,
    ) -> None:
        super().__init__(measure, clock, calendar, zone, constant)
        is_plain = clock.start.event is not None and clock.stop.event is not None
        self._stop = clock.stop.event if is_plain and not self._spreads else None
        self._length = constant.length
        self._most = constant.most if self._holds else None

    def _judge(self, case: Case, occurred: datetime, known: datetime | None) -> CaseVerdict:
        events = case.events
        start, stop = events.get(self._start or ""), events.get(self._stop or "")
        is_plain = not case.pauses and not case.exclusions and case.abandoned_at is None
        if start is None or stop is None or stop < start or not is_plain:
            return super()._judge(case, occurred, known)
        taken, due = (stop - start) // _LAST_MOMENT, start + self._length
        is_kept = self._most is None or taken <= self._most
        anchor = self._plain_place(occurred, start, stop, due)
        return CaseVerdict(
            _MET if is_kept else _FAILED,
            None,
            anchor,
            due,
            due,
            taken,
            False,
            self._cell(case, anchor) if self._has_cells else "",
        )

    def _plain_place(
        self, occurred: datetime, start: datetime, stop: datetime, due: datetime
    ) -> datetime:
        anchor = self._anchor
        if anchor is _DUE:
            return due
        if anchor is _CLOSED:
            return stop
        return start if anchor is _OPENED else occurred


def _left_before_due(case: Case, timing: Timing) -> bool:
    left = case.abandoned_at
    if left is None or timing.due is None or left >= timing.due:
        return False
    return timing.stop is None or left < timing.stop
