"""The written instants of a case under a clock: start, stop, what has elapsed, when it is due."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from shared.criteria.model import Measure
from shared.criteria.values import Clock, Instant, Limit
from shared.criteria.verdict import Case, CasePause
from shared.criteria.vocabulary import Op
from shared.worktime.model import MICROSECONDS, OPEN_UNITS, Pause, StartRule, Unit
from shared.worktime.prepared import PreparedCalendar
from shared.worktime.terms import due_below, due_instant, elapsed, kept_until

_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")
"""How an emitter may write a limit of its own; few digits keep the product with a factor exact."""

_INSTANT: Final = timedelta(microseconds=1)


class Timing(NamedTuple):
    """The instants of a case under one clock. `bound` is the limit in the unit of `elapsed`.

    `has_limit` is false where a limit is asked for and the case gives none.
    """

    start: datetime | None
    stop: datetime | None
    has_limit: bool = True
    bound: Decimal | None = None
    due: datetime | None = None
    overdue_from: datetime | None = None
    elapsed: int | None = None

    @property
    def is_backwards(self) -> bool:
        """Whether it stopped before it started, a fault of the data: what is early took nothing."""
        return self.start is not None and self.stop is not None and self.elapsed is None


@dataclass(frozen=True, slots=True)
class ConstantTerm:
    """A limit that is the same length of time for every case: plain arithmetic of instants.

    It is what `timing_of` comes to for a case without pauses. `most` is the longest time, in
    microseconds, that keeps the limit.
    """

    clock: Clock
    bound: Decimal
    length: timedelta
    most: int

    def timing(self, events: Mapping[str, datetime]) -> Timing:
        """Return the instants of a case without pauses."""
        start, stop = instant_of(self.clock.start, events), instant_of(self.clock.stop, events)
        if start is None:
            return Timing(None, stop)
        taken = None if stop is None or stop < start else (stop - start) // _INSTANT
        due = start + self.length
        return Timing(start, stop, True, self.bound, due, due, taken)


def constant_term(clock: Clock, limit: Limit | None) -> ConstantTerm | None:
    """Return the term of a measure whose limit is an upper one, in time that never stands still."""
    if limit is None or limit.value is None or limit.seasons or limit.op.wants_more:
        return None
    if clock.unit not in MICROSECONDS or clock.unit in OPEN_UNITS or clock.from_due:
        return None
    bound = limit.value * MICROSECONDS[clock.unit]
    whole = math.floor(bound)
    most = math.ceil(bound) - 1 if limit.op is Op.LESS else whole
    return ConstantTerm(clock, bound, timedelta(microseconds=whole), most)


def timing_of(
    clock: Clock,
    limit: Limit | None,
    case: Case,
    calendar: PreparedCalendar | None,
    *,
    zone: ZoneInfo,
) -> Timing:
    """Return the instants of the case. Raises CalendarExhaustedError for a term beyond calendars.

    `zone` tells the local day on which a seasonal limit looks. Raises ValueError when the clock
    needs a calendar and there is none.
    """
    start, stop = instant_of(clock.start, case.events), instant_of(clock.stop, case.events)
    if start is None:
        return Timing(start=None, stop=stop)
    is_backwards = stop is not None and stop < start
    is_early = is_backwards and clock.from_due
    ended = None if is_backwards and not is_early else stop
    pauses = _pauses(clock, case, start, ended, calendar)
    taken = 0 if is_early else None
    if stop is not None and not is_backwards:
        rule = _start_rule(clock)
        taken = elapsed(start, stop, clock.unit, calendar, pauses, start_rule=rule)
    known = Timing(start=start, stop=stop, elapsed=taken)
    return known if limit is None else _held_to(known, limit, clock, case, pauses, calendar, zone)


@dataclass(frozen=True, slots=True)
class CaseTerm:
    """The term of one case under one measure, as a person would count it."""

    start: datetime
    stop: datetime | None
    limit: Decimal
    unit: Unit
    start_rule: StartRule | None
    pauses: tuple[Pause, ...]
    below: bool


def term_of(
    measure: Measure, case: Case, zone: ZoneInfo, calendar: PreparedCalendar | None
) -> CaseTerm | None:
    """Return the term; None where its clock has not started, or where nothing is to be counted."""
    clock, limit = measure.clock, measure.limit
    if clock is None or limit is None or limit.own_due:
        return None
    start, stop = instant_of(clock.start, case.events), instant_of(clock.stop, case.events)
    if start is None:
        return None
    value = _limit(limit, case, start, zone)
    if value is None:
        return None
    if stop is not None and stop < start:
        stop = None
    pauses = _pauses(clock, case, start, stop, calendar)
    below = limit.op is Op.LESS
    return CaseTerm(start, stop, value, clock.unit, _start_rule(clock), pauses, below)


def instant_of(instant: Instant, events: Mapping[str, datetime]) -> datetime | None:
    """Return when it was, by the events that are known; None while it has not come."""
    if instant.event is not None:
        return events.get(instant.event)
    known = [events[kind] for kind in instant.kinds if kind in events]
    if instant.first_of:
        return min(known, default=None)
    return max(known) if len(known) == len(instant.max_of) else None


def _held_to(  # noqa: PLR0917 - one value of each kind
    known: Timing,
    limit: Limit,
    clock: Clock,
    case: Case,
    pauses: tuple[Pause, ...],
    calendar: PreparedCalendar | None,
    zone: ZoneInfo,
) -> Timing:
    assert known.start is not None
    if limit.own_due:
        due = case.own_due
        return known._replace(has_limit=due is not None, due=due, overdue_from=due)
    value = _limit(limit, case, known.start, zone)
    if value is None:
        return known._replace(has_limit=False)
    term = _Term(clock, limit.op, value, known.start, pauses, calendar)
    due = term.due()
    bound = value * MICROSECONDS.get(clock.unit, 1)
    return known._replace(bound=bound, due=due, overdue_from=term.overdue_from(due))


def _start_rule(clock: Clock) -> StartRule | None:
    """The day of a date set beforehand is day 0: a tolerance of 0 days ends with it."""
    return StartRule.NEXT_COUNTING_DAY if clock.from_due else clock.start_rule


def _pauses(
    clock: Clock,
    case: Case,
    start: datetime,
    stop: datetime | None,
    calendar: PreparedCalendar | None,
) -> tuple[Pause, ...]:
    """Return the admitted pauses; the stop ends those that are open and hides later ones.

    A pause that ends before it starts is a fault of its source and pauses nothing; so does one
    that began after its own term.
    """
    return tuple(
        Pause(pause.start, _earlier(pause.end, stop))
        for pause in case.pauses
        if pause.reason in clock.pauses
        and (pause.end is None or pause.start <= pause.end)
        and (stop is None or pause.start <= stop)
        and _began_in_time(pause, clock, start, calendar)
    )


def _began_in_time(
    pause: CasePause, clock: Clock, start: datetime, calendar: PreparedCalendar | None
) -> bool:
    """Return whether the pause began within its own term, which no other pause lengthens."""
    term = clock.pause_terms.get(pause.reason)
    if term is None:
        return True
    asked, rule = max(start, pause.start), _start_rule(clock)
    waited = elapsed(start, asked, clock.unit, calendar, start_rule=rule)
    return waited <= term * MICROSECONDS.get(clock.unit, 1)


def _earlier(end: datetime | None, stop: datetime | None) -> datetime | None:
    if end is None or stop is None:
        return end or stop
    return min(end, stop)


def _limit(limit: Limit, case: Case, start: datetime, zone: ZoneInfo) -> Decimal | None:
    """Return the limit of this case in the clock's unit; None where its attributes give none."""
    if limit.value is not None:
        return limit.value_on(start.astimezone(zone).date())
    if limit.by is not None:
        return limit.values.get(case.code(limit.by) or "")
    written = case.attributes.get(limit.field or "", "")
    if limit.factor is None or not _NUMBER.fullmatch(written):
        return None
    return Decimal(written) * limit.factor


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
        clock, run = self.clock, due_below if self.op is Op.LESS else due_instant
        rule = _start_rule(clock)
        return run(self.start, self.limit, clock.unit, self.calendar, self.pauses, start_rule=rule)

    def overdue_from(self, due: datetime | None) -> datetime | None:
        """Return from when an open case is overdue; under a lower limit, from when it is kept."""
        if self.op.wants_more:
            return self._passed_from()
        if self.op is Op.LESS or not (self.pauses or self.clock.unit in OPEN_UNITS):
            return due
        return kept_until(
            self.start,
            self.limit,
            self.clock.unit,
            self.calendar,
            self.pauses,
            start_rule=_start_rule(self.clock),
        )

    def _passed_from(self) -> datetime | None:
        """Return the first instant at which so much has elapsed that a lower limit is kept.

        Of days and months, n have elapsed once the term of n - 1 has ended.
        """
        clock, size = self.clock, MICROSECONDS.get(self.clock.unit)
        whole = math.ceil(self.limit * (size or 1))
        if self.op is Op.AT_LEAST and whole == 0:
            return self.start
        limit: Fraction | Decimal = self.limit
        if self.op is Op.AT_LEAST:
            limit = Fraction(whole - 1) if size is None else Fraction(whole, size)
        run = kept_until if self.op is Op.MORE else due_instant
        rule = _start_rule(clock)
        end = run(self.start, limit, clock.unit, self.calendar, self.pauses, start_rule=rule)
        is_after = end is not None and size is not None and self.op is Op.MORE
        return end + _INSTANT if is_after and end is not None else end


def is_less_than_months(op: Op, clock: Clock) -> bool:
    """Return whether the limit is strict in months, of which no whole number is the last."""
    return op is Op.LESS and clock.unit is Unit.MONTH


def is_day_early(clock: Clock, timing: Timing, zone: ZoneInfo) -> bool:
    """Return whether the stop fell on a local day before the one that was set."""
    if not clock.exact_day or timing.start is None or timing.stop is None:
        return False
    return timing.stop.astimezone(zone).date() < timing.start.astimezone(zone).date()


def ends_with_a_day(unit: Unit) -> bool:
    """Return whether a term in the unit ends at a midnight, which is exclusive."""
    return unit not in MICROSECONDS
