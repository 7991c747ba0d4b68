"""The written instants of a case under a clock, whole: start, stop, elapsed, bound, due."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.criteria import Case, term_of
from shared.criteria.timing import (
    ConstantTerm,
    Timing,
    constant_term,
    ends_with_a_day,
    instant_of,
    is_day_early,
    is_less_than_months,
    timing_of,
)
from shared.criteria.values import Clock, Instant, Limit
from shared.criteria.vocabulary import Op
from shared.worktime import Unit
from tests.unit.criteria.builders import GENERAL, case, measure, wait
from tests.unit.worktime.calendars import ZONE, local

SECOND = 1_000_000
MINUTE = 60 * SECOND
# Monday noon.
BEGAN = "2026-07-06 12:00"
START = local(BEGAN)


def clock(unit: str, **fields: Any) -> Clock:
    told = {"start": {"event": "request.received"}, "stop": {"event": "request.resolved"}}
    return Clock.model_validate({**told, "unit": unit, "calendar": "HAB-GRAL", **fields})


def limit(op: str, value: str) -> Limit:
    return Limit(op=Op(op), value=Decimal(value))


def timed(of: Clock, held: Limit | None, resolved: str | None = None, **changes: Any) -> Timing:
    told = {} if resolved is None else {"request_resolved": resolved}
    a_case = case(request_received=BEGAN, **told, **changes)
    return timing_of(of, held, a_case, GENERAL, zone=ZONE)


# The short way and the long way


def both(of: Clock, held: Limit, a_case: Case) -> Timing:
    short = constant_term(of, held)
    assert short is not None
    found = timing_of(of, held, a_case, None, zone=ZONE)
    quick = short.timing(a_case.events)
    assert (quick, type(quick.elapsed)) == (found, type(found.elapsed))
    return found


def test_a_limit_in_minutes_is_due_so_many_after_the_start() -> None:
    minutes, fifteen = clock("min"), limit("<=", "15")
    due, bound = local("2026-07-06 12:15"), Decimal(15 * MINUTE)
    waiting = Timing(START, None, has_limit=True, bound=bound, due=due, overdue_from=due)
    assert both(minutes, fifteen, case(request_received=BEGAN)) == waiting
    for stop, taken in (("12:10", 10 * MINUTE), ("12:00", 0), ("11:59", None)):
        resolved = f"2026-07-06 {stop}"
        ended = case(request_received=BEGAN, request_resolved=resolved)
        expected = waiting._replace(stop=local(resolved), elapsed=taken)
        assert both(minutes, fifteen, ended) == expected
        assert expected.is_backwards is (taken is None)
    unbegun = case(request_resolved=BEGAN)
    assert both(minutes, fifteen, unbegun) == Timing(None, START)
    assert not Timing(None, START).is_backwards
    assert not waiting.is_backwards


def test_without_a_limit_only_what_elapsed_is_known() -> None:
    ended = timed(clock("min"), None, "2026-07-06 12:10")
    assert ended == Timing(START, local("2026-07-06 12:10"), elapsed=10 * MINUTE)
    assert timed(clock("min"), None) == Timing(START, None)


@pytest.mark.parametrize(
    ("op", "value", "most"),
    [
        ("<=", "2", 2 * SECOND),
        ("<", "2", 2 * SECOND - 1),
        # One and a half microseconds.
        ("<=", "0.0000015", 1),
        ("<", "0.0000015", 1),
    ],
)
def test_the_longest_time_that_keeps_a_limit_is_a_whole_one(op: str, value: str, most: int) -> None:
    seconds, held = clock("s"), limit(op, value)
    bound = Decimal(value) * SECOND
    length = timedelta(microseconds=int(bound))
    assert constant_term(seconds, held) == ConstantTerm(seconds, bound, length, most)


def test_a_limit_of_another_size_for_each_case_is_not_constant() -> None:
    hours, seconds = clock("h"), clock("s")
    season = {"first": "01-01", "last": "03-31", "value": 5}
    for of, held in (
        (hours, None),
        (hours, limit(">=", "2")),
        (hours, limit(">", "2")),
        (seconds, Limit(op=Op.AT_MOST, own_due=True)),
        (seconds, Limit.model_validate({"op": "<=", "value": 9, "seasons": [season]})),
        (clock("h", from_due=True), limit("<=", "2")),
        (clock("h_habil"), limit("<=", "2")),
        (clock("dia_natural"), limit("<=", "2")),
    ):
        assert constant_term(of, held) is None


# Days, months and hours that stand still


def test_a_term_in_days_has_its_end_and_whole_days() -> None:
    three = limit("<=", "3")
    due = local("2026-07-10")
    waiting = Timing(START, None, has_limit=True, bound=Decimal(3), due=due, overdue_from=due)
    assert timed(clock("dia_habil"), three) == waiting
    resolved = "2026-07-08 09:00"
    ended = waiting._replace(stop=local(resolved), elapsed=2)
    assert timed(clock("dia_habil"), three, resolved) == ended
    # Less than three days are over with the second.
    below = timed(clock("dia_habil"), limit("<", "3"))
    assert below.due == below.overdue_from == local("2026-07-09")
    # Where the day of the start counts, all is a day sooner.
    sooner = local("2026-07-09")
    first_day = clock("dia_habil", start_rule="start_day")
    assert timed(first_day, three, resolved) == ended._replace(
        due=sooner, overdue_from=sooner, elapsed=3
    )
    assert timed(clock("mes"), limit("<=", "2"), resolved) == ended._replace(
        bound=Decimal(2), due=local("2026-09-08"), overdue_from=local("2026-09-08"), elapsed=1
    )


def test_a_date_set_beforehand_is_day_0_and_what_comes_before_it_took_nothing() -> None:
    agreed = clock("dia_natural", from_due=True, start_rule="start_day")
    due = local("2026-07-07")
    resolved = "2026-07-04 10:00"
    early = Timing(START, local(resolved), True, Decimal(0), due, due, 0)
    assert timed(agreed, limit("<=", "0"), resolved) == early
    assert not early.is_backwards


def test_what_is_used_up_at_closing_time_is_exceeded_at_the_opening() -> None:
    told = {
        # Four open hours from noon: 16:00. Six: Monday's closing, exceeded only on Tuesday.
        "<= 4": ("2026-07-06 16:00", "2026-07-06 16:00"),
        "<= 6": ("2026-07-06 18:00", "2026-07-07 09:00"),
        # Less than six hours ends with the sixth, and Tuesday's opening is too late.
        "< 6": ("2026-07-06 18:00", "2026-07-06 18:00"),
        # Lasting six hours is reached at closing; more than six, a moment after the opening.
        ">= 6": ("2026-07-06 18:00", "2026-07-06 18:00"),
        "> 6": ("2026-07-06 18:00", "2026-07-07 09:00:00.000001"),
        ">= 0": ("2026-07-06 12:00", "2026-07-06 12:00"),
    }
    for written, (due, overdue_from) in told.items():
        held = limit(*written.split())
        bound = (held.value or Decimal(0)) * 60 * MINUTE
        expected = Timing(START, None, True, bound, local(due), local(overdue_from))
        assert timed(clock("h_habil"), held) == expected, written


def test_a_lower_limit_is_passed_at_its_first_moment() -> None:
    told = {
        # Tuesday is day 1: two days have elapsed from Wednesday on, more than two from Thursday.
        ">= 2 dia_habil": "2026-07-08 00:00",
        "> 2 dia_habil": "2026-07-09 00:00",
        ">= 1.5 dia_habil": "2026-07-08 00:00",
        ">= 0 dia_habil": BEGAN,
        ">= 1 mes": "2026-07-07 00:00",
        ">= 0.5 min": "2026-07-06 12:00:30",
        ">= 0.0000000083 min": "2026-07-06 12:00:00.000001",
    }
    for written, first in told.items():
        op, value, unit = written.split()
        assert timed(clock(unit), limit(op, value)).overdue_from == local(first), written


def test_the_day_on_which_a_lower_limit_starts_is_the_clocks() -> None:
    first_day = clock("dia_habil", start_rule="start_day")
    assert timed(first_day, limit(">=", "2")).overdue_from == local("2026-07-07")
    assert timed(first_day, limit(">", "2")).overdue_from == local("2026-07-08")


# Limits of the case itself


def test_the_instant_promised_to_a_case_is_its_due() -> None:
    own = Limit(op=Op.AT_MOST, own_due=True)
    promised = local("2026-07-08 10:00")
    assert timed(clock("min"), own, own_due=promised) == Timing(
        START, None, has_limit=True, due=promised, overdue_from=promised
    )
    assert timed(clock("min"), own) == Timing(START, None, has_limit=False)


def test_a_case_may_name_its_limit_by_a_code_or_a_number() -> None:
    by_code = Limit.model_validate({"op": "<=", "by": "tipo", "values": {"a": 2, "b": 3}})
    legal = Limit.model_validate({"op": "<=", "field": "plazo", "factor": "0.5"})
    days = clock("dia_habil")
    known = [
        timed(days, by_code, attributes={"tipo": "b"}).bound,
        timed(days, by_code, place={"tipo": "a"}).bound,
        timed(days, legal, attributes={"plazo": "7.5"}).bound,
    ]
    assert known == [Decimal(3), Decimal(2), Decimal("3.75")]
    # A legal term is the emitter's to say: a code of the place is none.
    for held, changes in (
        (by_code, {"attributes": {"tipo": "c"}}),
        (by_code, {}),
        (legal, {"place": {"plazo": "7"}}),
        (legal, {"attributes": {"plazo": "siete"}}),
    ):
        resolved = "2026-07-08 09:00"
        unknown = Timing(START, local(resolved), has_limit=False, elapsed=2)
        assert timed(days, held, resolved, **changes) == unknown


# Instants


def test_an_instant_is_an_event_the_first_of_some_or_the_last_of_all() -> None:
    early, late = local("2026-07-06 10:00"), local("2026-07-06 11:00")
    events = {"a": late, "b": early}
    assert instant_of(Instant(event="a"), events) == late
    assert instant_of(Instant(event="c"), events) is None
    assert instant_of(Instant(first_of=("a", "b", "c")), events) == early
    assert instant_of(Instant(first_of=("c", "d")), events) is None
    assert instant_of(Instant(max_of=("a", "b")), events) == late
    assert instant_of(Instant(max_of=("a", "c")), events) is None


def test_days_and_months_end_with_a_day() -> None:
    ending = {unit for unit in Unit if ends_with_a_day(unit)}
    assert ending == {Unit.WORKING_DAY, Unit.CALENDAR_DAY, Unit.MONTH}


def test_only_less_than_some_months_has_no_whole_number_that_is_its_last() -> None:
    strict = {
        (op, unit)
        for op in Op
        for unit in (Unit.MONTH, Unit.WORKING_DAY)
        if is_less_than_months(op, clock(unit.value))
    }
    assert strict == {(Op.LESS, Unit.MONTH)}


def test_a_day_early_is_a_local_day_before_the_one_that_was_set() -> None:
    exact = clock("dia_natural", from_due=True, exact_day=True)
    # Set for 1 in the morning: 23:59 of the day before is the same day in UTC.
    set_for, eve = local("2026-07-06 01:00"), local("2026-07-05 23:59")
    assert is_day_early(exact, Timing(set_for, eve), ZONE)
    assert not is_day_early(exact, Timing(set_for, local("2026-07-06 00:00")), ZONE)
    # Set for 23:00, which is the day after in UTC.
    late = local("2026-07-06 23:00")
    assert not is_day_early(exact, Timing(late, local("2026-07-06 10:00")), ZONE)
    assert not is_day_early(exact, Timing(set_for, None), ZONE)
    assert not is_day_early(exact, Timing(None, eve), ZONE)
    assert not is_day_early(clock("dia_natural", from_due=True), Timing(set_for, eve), ZONE)


def test_a_seasonal_limit_is_that_of_the_local_day_of_the_start() -> None:
    summer = {"first": "07-06", "last": "07-06", "value": 60}
    seasonal = Limit.model_validate({"op": "<=", "value": 15, "seasons": [summer]})
    held = replace(measure(wait()), limit=seasonal)
    assert held.clock is not None
    for issued, minutes in (("2026-07-06 23:59", 60), ("2026-07-05 23:59", 15)):
        told = case(ticket_issued=issued)
        assert timing_of(held.clock, seasonal, told, None, zone=ZONE).bound == minutes * MINUTE
        counted = term_of(held, told, ZONE, None)
        assert counted is not None
        assert counted.limit == minutes
