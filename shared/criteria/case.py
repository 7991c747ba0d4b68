"""Whether one case kept what it is held to under one measure, by written instants alone."""

from __future__ import annotations

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
    ends_with_a_day,
    is_day_early,
    is_less_than_months,
    timing_of,
)
from shared.criteria.values import (
    INSTRUMENT,
    NUMBER_SCALE,
    Clock,
    Limit,
    Number,
    Outage,
    Population,
)
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


def judge_case(
    measure: Measure,
    case: Case,
    calendar: PreparedCalendar | None,
    *,
    zone: ZoneInfo,
    complete_through: datetime | None,
) -> CaseVerdict | None:
    """Return the verdict on a case, or None where it is not in the measure's population.

    `calendar` is the one that `measure.calendar` names; `zone` is the municipality's.
    `complete_through` is the instant up to and including which everything the source had to say
    is known; None when nothing is known. Raises ValueError when a calendar is needed and missing.
    """
    figure = measure.figure
    occurred = case.events.get(figure.population.event)
    if occurred is None or not _matches(figure.population, case):
        return None
    if isinstance(figure, Schedule):
        return _occurrence(figure, case, occurred, calendar, zone)
    value = getattr(figure, "value", None)
    if isinstance(value, Clock):
        return _timed(measure, value, case, occurred, calendar, zone, complete_through)
    if isinstance(value, Outage):
        return _outage(measure, value, case, occurred, zone)
    return _counted(measure, value, case, occurred, zone)


def started_at(measure: Measure, case: Case) -> datetime | None:
    """Return when the case came under the promise: that decides which version judges it.

    It is the start of its clock, or else when the case entered the population.
    """
    clock = measure.clock
    known = case.events
    starts = (
        [known[kind] for kind in clock.start.kinds if kind in known]
        if clock is not None and not clock.from_due
        else []
    )
    return min(starts) if starts else known.get(measure.figure.population.event)


def _matches(population: Population, case: Case) -> bool:
    if INSTRUMENT in case.attributes and not population.is_of_instruments:
        return False
    return all(case.code(name) in values for name, values in population.where.items())


def _named(population: Population, case: Case) -> str | None:
    """Return an accepted contest, or the first exclusion of the list that the emitter named."""
    decided = contested(case.exclusions)
    if decided is not None:
        return decided
    return next((name for name in population.exclude if name in case.exclusions), None)


def _cell(measure: Measure, case: Case, anchor: datetime | None, zone: ZoneInfo) -> str:
    if measure.attribute is not None:
        return case.code(measure.attribute) or ""
    if measure.by is None or anchor is None:
        return ""
    return cell_of(measure.by, anchor, zone)


# Occurrences, outages, numbers


def _occurrence(
    figure: Schedule,
    case: Case,
    occurred: datetime,
    calendar: PreparedCalendar | None,
    zone: ZoneInfo,
) -> CaseVerdict:
    if calendar is None:
        raise ValueError("occurrences are expected by a calendar")
    cell, end = cell_and_end(figure.recurrence, occurred, calendar, zone)
    named = _named(figure.population, case)
    if named is not None:
        return CaseVerdict(CaseStatus.EXCLUDED, named, occurred, due=end, cell=cell)
    is_kept = end is None or occurred < end
    status = CaseStatus.MET if is_kept else CaseStatus.FAILED
    return CaseVerdict(status, None, occurred, due=end, cell=cell)


def _outage(
    measure: Measure, value: Outage, case: Case, occurred: datetime, zone: ZoneInfo
) -> CaseVerdict:
    stop = case.events.get(value.stop)
    population = measure.figure.population
    named = _named(population, case)
    if stop is not None and stop < occurred:
        return CaseVerdict(CaseStatus.EXCLUDED, CaseReason.STOP_BEFORE_START, occurred)
    span = (microseconds(occurred), BEYOND if stop is None else microseconds(stop))
    if named is not None:
        is_planned = isinstance(measure.figure, Availability) and named in population.exclude
        return CaseVerdict(
            CaseStatus.EXCLUDED,
            named,
            occurred,
            cell=PLANNED if is_planned else _cell(measure, case, occurred, zone),
            span=span if is_planned else None,
        )
    return CaseVerdict(
        CaseStatus.PENDING if stop is None else CaseStatus.MET,
        CaseReason.OPEN if stop is None else None,
        occurred,
        amount=None if stop is None else span[1] - span[0],
        cell=_cell(measure, case, occurred, zone),
        span=span,
    )


def _counted(
    measure: Measure, value: Number | None, case: Case, occurred: datetime, zone: ZoneInfo
) -> CaseVerdict:
    """Judge what takes no time: a score, a sum, or its mere occurrence."""
    population = measure.figure.population
    placed = case.own_due if population.anchor is Anchor.DUE else occurred
    anchor = placed or occurred
    cell = _cell(measure, case, anchor, zone)
    amount = None if value is None else value.read(case.attributes)
    reason = _named(population, case)
    if reason is None and placed is None:
        reason = CaseReason.NO_DUE
    if reason is None and value is not None and amount is None:
        has_answer = bool(case.attributes.get(value.field))
        reason = CaseReason.OFF_THE_SCALE if has_answer else CaseReason.NO_ANSWER
    if reason is None and measure.limit is not None and value is not None and amount is not None:
        return _held_number(measure, measure.limit, case, amount, anchor=anchor, cell=cell)
    if reason is not None:
        return CaseVerdict(CaseStatus.EXCLUDED, reason, anchor, cell=cell)
    if isinstance(measure.figure, Nps) and amount is not None:
        amount = _promotes(amount)
    span = (amount, amount) if _spreads(measure) and amount is not None else None
    return CaseVerdict(CaseStatus.MET, None, anchor, amount=amount, cell=cell, span=span)


def _held_number(
    measure: Measure, limit: Limit, case: Case, amount: int, *, anchor: datetime, cell: str
) -> CaseVerdict:
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


# Times


def _timed(  # noqa: PLR0917 - one value of each kind
    measure: Measure,
    clock: Clock,
    case: Case,
    occurred: datetime,
    calendar: PreparedCalendar | None,
    zone: ZoneInfo,
    known: datetime | None,
) -> CaseVerdict:
    try:
        timing = timing_of(clock, measure.limit, case, calendar, zone=zone)
    except CalendarExhaustedError:
        timing = Timing(start=occurred, stop=None, has_limit=False)
    status, reason = _status(measure, clock, case, timing, occurred, known, zone)
    anchor = _anchor(measure, clock, timing, occurred, status)
    return CaseVerdict(
        status=status,
        reason=reason,
        anchor_instant=anchor,
        due=timing.due,
        overdue_from=timing.overdue_from,
        amount=timing.elapsed,
        overdue_open=reason == CaseReason.OVERDUE_OPEN,
        cell=_cell(measure, case, anchor, zone),
        span=_span(measure, clock, timing, status) if _spreads(measure) else None,
    )


def _status(  # noqa: PLR0917 - one value of each kind
    measure: Measure,
    clock: Clock,
    case: Case,
    timing: Timing,
    occurred: datetime,
    known: datetime | None,
    zone: ZoneInfo,
) -> tuple[CaseStatus, str | None]:
    named = _exclusion(measure.figure.population, case, timing)
    if named is not None:
        return CaseStatus.EXCLUDED, named
    if timing.start is None:
        if known is not None and occurred <= known:
            return CaseStatus.EXCLUDED, CaseReason.NO_START
        return CaseStatus.PENDING, CaseReason.WAITING_FOR_START
    if timing.stop is None:
        return _open_status(measure, timing, known)
    is_held = isinstance(measure.figure, Share | Count) and measure.limit is not None
    is_broken = is_held and not _is_kept(measure.limit, clock, timing, zone)
    return CaseStatus.FAILED if is_broken else CaseStatus.MET, None


def _exclusion(population: Population, case: Case, timing: Timing) -> str | None:
    """Return an accepted contest, the first listed exclusion that applies, or a fault in the data.

    Leaving before the limit is computed here: an emitter does not know the limit.
    """
    decided = contested(case.exclusions)
    if decided is not None:
        return decided
    for name in population.exclude:
        if name == CaseReason.LEFT_BEFORE_DUE:
            if _left_before_due(case, timing):
                return name
        elif name in case.exclusions:
            return name
    if timing.is_backwards:
        return CaseReason.STOP_BEFORE_START
    return None if timing.has_limit else CaseReason.UNKNOWN_LIMIT


def _left_before_due(case: Case, timing: Timing) -> bool:
    left = case.abandoned_at
    if left is None or timing.due is None or left >= timing.due:
        return False
    return timing.stop is None or left < timing.stop


def _open_status(
    measure: Measure, timing: Timing, known: datetime | None
) -> tuple[CaseStatus, CaseReason]:
    """An open case is overdue only where its source is known complete through that instant.

    In a share it has failed, in a percentile it is beyond every value; in a mean there is nothing
    to add up yet, so it stays pending. Under a lower limit it has then lasted long enough: in a
    share it is kept, and nothing later can change that.
    """
    if timing.due is None and measure.limit is not None:
        return CaseStatus.PENDING, CaseReason.PAUSED
    overdue_from = timing.overdue_from
    if overdue_from is None or known is None or known < overdue_from:
        return CaseStatus.PENDING, CaseReason.OPEN
    if measure.limit is not None and measure.limit.op.wants_more:
        is_held = isinstance(measure.figure, Share | Count)
        return CaseStatus.MET if is_held else CaseStatus.PENDING, CaseReason.OPEN
    counts = isinstance(measure.figure, Share | Count | Percentile)
    return CaseStatus.FAILED if counts else CaseStatus.PENDING, CaseReason.OVERDUE_OPEN


def _is_kept(limit: Limit | None, clock: Clock, timing: Timing, zone: ZoneInfo) -> bool:
    if limit is None or timing.bound is None or timing.elapsed is None:
        return timing.stop is not None and timing.due is not None and timing.stop <= timing.due
    if is_less_than_months(limit.op, clock):
        return timing.stop is not None and timing.due is not None and timing.stop < timing.due
    in_time = limit.op.holds(Decimal(timing.elapsed), timing.bound)
    return in_time and not is_day_early(clock, timing, zone)


def _spreads(measure: Measure) -> bool:
    return isinstance(measure.figure, Percentile)


def _span(measure: Measure, clock: Clock, timing: Timing, status: CaseStatus) -> Span | None:
    if status is CaseStatus.FAILED:
        return (BEYOND, BEYOND)
    if status is not CaseStatus.MET or timing.elapsed is None:
        return None
    amount = timing.elapsed
    if clock.unit in MICROSECONDS:
        op = Op.AT_MOST if measure.limit is None else measure.limit.op
        up = op in (Op.AT_MOST, Op.MORE)
        amount = (amount + RESOLUTION - 1 if up else amount) // RESOLUTION * RESOLUTION
    return (amount, amount)


def _anchor(
    measure: Measure, clock: Clock, timing: Timing, occurred: datetime, status: CaseStatus
) -> datetime | None:
    """Return the instant that places the case; the population's event where that will never come.

    A term that ends with the 30th of September belongs to September: its end, the midnight that
    follows, is exclusive, so the last moment before it places the case.
    """
    instant = _anchor_of(measure.figure.population.anchor, clock, timing, occurred)
    if instant is None and (timing.start is None or status is CaseStatus.EXCLUDED):
        return occurred
    return instant


def _anchor_of(anchor: Anchor, clock: Clock, timing: Timing, occurred: datetime) -> datetime | None:
    match anchor:
        case Anchor.OCCURRED:
            return occurred
        case Anchor.OPENED:
            return timing.start
        case Anchor.CLOSED:
            return timing.stop
        case _:
            has_days = ends_with_a_day(clock.unit) and timing.bound is not None
            return timing.due - _LAST_MOMENT if timing.due and has_days else timing.due
