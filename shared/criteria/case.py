"""Whether one case kept one part of a criterion, by written instants alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from shared.criteria.contests import contested
from shared.criteria.model import Anchor, Clock, Instant, Limit, Mean, Op, Population, Share
from shared.criteria.verdict import Case, CaseReason, CaseStatus, CaseVerdict
from shared.worktime.model import MICROSECONDS, OPEN_UNITS, Pause, StartRule, Unit
from shared.worktime.prepared import CalendarExhaustedError, PreparedCalendar
from shared.worktime.terms import due_instant, elapsed, kept_until

_LAST_MOMENT: Final = timedelta(microseconds=1)
_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")
"""How an emitter may write a limit of its own; few digits keep the product with a factor exact."""
_UPPER_LIMITS: Final = (Op.AT_MOST, Op.LESS)


def judge_case(
    part: Share | Mean,
    case: Case,
    calendar: PreparedCalendar | None,
    *,
    complete_through: datetime | None,
) -> CaseVerdict | None:
    """Return the verdict on a case, or None where it is not in the part's population.

    `calendar` is the one that the clock names. `complete_through` is the instant up to and
    including which everything the source had to say is known; None when nothing is known.
    Raises ValueError when the clock needs a calendar and there is none.
    """
    occurred = case.events.get(part.population.event)
    if occurred is None or not _matches(part.population, case.attributes):
        return None
    try:
        timing = _timing(part, case, calendar)
    except CalendarExhaustedError:
        timing = _Timing(start=occurred, stop=None, has_limit=False)
    status, reason = _status(part, case, timing, occurred=occurred, known=complete_through)
    return CaseVerdict(
        status=status,
        reason=reason,
        anchor_instant=_anchor(part, timing, occurred=occurred, status=status),
        due=timing.due,
        overdue_from=timing.overdue_from,
        elapsed=timing.elapsed,
        overdue_open=reason == CaseReason.OVERDUE_OPEN,
    )


@dataclass(frozen=True, slots=True)
class CaseTerm:
    """The term of one case under one part, as a person would count it."""

    start: datetime
    stop: datetime | None
    limit: Decimal
    unit: Unit
    start_rule: StartRule | None
    pauses: tuple[Pause, ...]


def term_of(part: Share | Mean, case: Case) -> CaseTerm | None:
    """Return the term; None where its clock has not started, or where nothing is to be counted.

    "Less than 8 days" is counted as 7.
    """
    clock = part.clock
    start, stop = _instant_of(clock.start, case.events), _instant_of(clock.stop, case.events)
    if start is None or (isinstance(part, Share) and part.limit.own_due):
        return None
    limit = part.target.value if isinstance(part, Mean) else _limit(part.limit, case.attributes)
    op = part.target.op if isinstance(part, Mean) else part.limit.op
    if limit is None:
        return None
    if stop is not None and stop < start:
        stop = None
    pauses = _pauses(clock, case, stop)
    counted = _counted(op, limit, clock.unit)
    return CaseTerm(start, stop, counted, clock.unit, clock.start_rule, pauses)


@dataclass(frozen=True, slots=True)
class _Timing:
    """The instants of a case under one part. `bound` is the limit in the unit of `elapsed`."""

    start: datetime | None
    stop: datetime | None
    has_limit: bool = True
    bound: Decimal | None = None
    due: datetime | None = None
    overdue_from: datetime | None = None
    elapsed: int | None = None

    @property
    def is_backwards(self) -> bool:
        return self.start is not None and self.stop is not None and self.stop < self.start


def _matches(population: Population, attributes: Mapping[str, str]) -> bool:
    return all(attributes.get(name) in values for name, values in population.where.items())


def _timing(part: Share | Mean, case: Case, calendar: PreparedCalendar | None) -> _Timing:
    clock = part.clock
    start, stop = _instant_of(clock.start, case.events), _instant_of(clock.stop, case.events)
    if start is None:
        return _Timing(start=None, stop=stop)
    pauses = _pauses(clock, case, None if stop is None or stop < start else stop)
    taken = None
    if stop is not None and stop >= start:
        taken = elapsed(start, stop, clock.unit, calendar, pauses, start_rule=clock.start_rule)
    if isinstance(part, Share) and part.limit.own_due:
        due = case.own_due
        return _Timing(
            start=start,
            stop=stop,
            has_limit=due is not None,
            due=due,
            overdue_from=due,
            elapsed=taken,
        )
    limit = part.target.value if isinstance(part, Mean) else _limit(part.limit, case.attributes)
    if limit is None:
        return _Timing(start=start, stop=stop, has_limit=False, elapsed=taken)
    bound = limit * MICROSECONDS.get(clock.unit, 1)
    op = part.target.op if isinstance(part, Mean) else part.limit.op
    term = _Term(clock, op, limit, start, pauses, calendar)
    due = term.due()
    return _Timing(
        start=start,
        stop=stop,
        bound=bound,
        due=due,
        overdue_from=term.overdue_from(due),
        elapsed=taken,
    )


def _instant_of(instant: Instant, events: Mapping[str, datetime]) -> datetime | None:
    if instant.event is not None:
        return events.get(instant.event)
    known = [events[kind] for kind in instant.kinds if kind in events]
    if instant.first_of:
        return min(known, default=None)
    return max(known) if len(known) == len(instant.max_of) else None


def _pauses(clock: Clock, case: Case, stop: datetime | None) -> tuple[Pause, ...]:
    """Return the admitted pauses; the stop ends those that are open and hides later ones.

    A pause that ends before it starts is a fault of its source and pauses nothing.
    """
    return tuple(
        Pause(pause.start, _earlier(pause.end, stop))
        for pause in case.pauses
        if pause.reason in clock.pauses
        and (pause.end is None or pause.start <= pause.end)
        and (stop is None or pause.start <= stop)
    )


def _earlier(end: datetime | None, stop: datetime | None) -> datetime | None:
    if end is None or stop is None:
        return end or stop
    return min(end, stop)


def _limit(limit: Limit, attributes: Mapping[str, str]) -> Decimal | None:
    """Return the limit of this case in the clock's unit; None where its attributes give none."""
    if limit.value is not None:
        return limit.value
    if limit.by is not None:
        return limit.values.get(attributes.get(limit.by, ""))
    written = attributes.get(limit.field or "", "")
    if limit.factor is None or not _NUMBER.fullmatch(written):
        return None
    return Decimal(written) * limit.factor


def _counted(op: Op, limit: Decimal, unit: Unit) -> Decimal:
    """Return the last whole day, or month, that is in time; a duration is what it is."""
    if op is Op.LESS and unit not in MICROSECONDS:
        return Decimal(max(0, math.ceil(limit) - 1))
    return limit


@dataclass(frozen=True, slots=True)
class _Term:
    """The term of one case, as due_instant and kept_until take it."""

    clock: Clock
    op: Op
    limit: Decimal
    start: datetime
    pauses: tuple[Pause, ...]
    calendar: PreparedCalendar | None

    def due(self) -> datetime | None:
        """Return when the term is used up: "less than 8 days" ends with the seventh."""
        clock = self.clock
        limit = _counted(self.op, self.limit, clock.unit)
        return due_instant(
            self.start, limit, clock.unit, self.calendar, self.pauses, start_rule=clock.start_rule
        )

    def overdue_from(self, due: datetime | None) -> datetime | None:
        """Return from when an open case is overdue; a lower limit is never overdue."""
        if self.op not in _UPPER_LIMITS:
            return None
        if self.op is Op.LESS or not (self.pauses or self.clock.unit in OPEN_UNITS):
            return due
        return kept_until(
            self.start,
            self.limit,
            self.clock.unit,
            self.calendar,
            self.pauses,
            start_rule=self.clock.start_rule,
        )


def _status(
    part: Share | Mean,
    case: Case,
    timing: _Timing,
    *,
    occurred: datetime,
    known: datetime | None,
) -> tuple[CaseStatus, str | None]:
    named = _exclusion(part, case, timing)
    if named is not None:
        return CaseStatus.EXCLUDED, named
    if timing.start is None:
        if known is not None and occurred <= known:
            return CaseStatus.EXCLUDED, CaseReason.NO_START
        return CaseStatus.PENDING, CaseReason.WAITING_FOR_START
    if timing.stop is None:
        return _open_status(part, timing, known)
    if isinstance(part, Mean) or _is_kept(part, timing):
        return CaseStatus.MET, None
    return CaseStatus.FAILED, None


def _exclusion(part: Share | Mean, case: Case, timing: _Timing) -> str | None:
    """Return an accepted contest, the first listed exclusion that applies, or a fault in the data.

    Leaving before the limit is computed here: an emitter does not know the limit.
    """
    decided = contested(case.exclusions)
    if decided is not None:
        return decided
    for name in part.population.exclude:
        if name == CaseReason.LEFT_BEFORE_DUE:
            if _left_before_due(case, timing):
                return name
        elif name in case.exclusions:
            return name
    if timing.is_backwards:
        return CaseReason.STOP_BEFORE_START
    return None if timing.has_limit else CaseReason.UNKNOWN_LIMIT


def _left_before_due(case: Case, timing: _Timing) -> bool:
    left = case.abandoned_at
    if left is None or timing.due is None or left >= timing.due:
        return False
    return timing.stop is None or left < timing.stop


def _open_status(
    part: Share | Mean, timing: _Timing, known: datetime | None
) -> tuple[CaseStatus, CaseReason]:
    """An open case is overdue only where its source is known complete through that instant.

    In a share it has failed; in a mean there is nothing to add up yet, so it stays pending.
    """
    if timing.due is None:
        return CaseStatus.PENDING, CaseReason.PAUSED
    overdue_from = timing.overdue_from
    if overdue_from is None or known is None or known < overdue_from:
        return CaseStatus.PENDING, CaseReason.OPEN
    status = CaseStatus.FAILED if isinstance(part, Share) else CaseStatus.PENDING
    return status, CaseReason.OVERDUE_OPEN


def _is_kept(part: Share, timing: _Timing) -> bool:
    if timing.bound is None or timing.elapsed is None:
        return timing.stop is not None and timing.due is not None and timing.stop <= timing.due
    return part.limit.op.holds(Decimal(timing.elapsed), timing.bound)


def _anchor(
    part: Share | Mean, timing: _Timing, *, occurred: datetime, status: CaseStatus
) -> datetime | None:
    """Return the instant that places the case; the population's event where that will never come.

    A term that ends with the 30th of September belongs to September: its end, the midnight that
    follows, is exclusive, so the last moment before it places the case.
    """
    instant = _anchor_of(part, timing, occurred)
    if instant is None and (timing.start is None or status is CaseStatus.EXCLUDED):
        return occurred
    return instant


def _anchor_of(part: Share | Mean, timing: _Timing, occurred: datetime) -> datetime | None:
    match part.population.anchor:
        case Anchor.OCCURRED:
            return occurred
        case Anchor.OPENED:
            return timing.start
        case Anchor.CLOSED:
            return timing.stop
        case Anchor.DUE:
            ends_with_a_day = part.clock.unit not in MICROSECONDS and timing.bound is not None
            return timing.due - _LAST_MOMENT if timing.due and ends_with_a_day else timing.due
