"""What stops a clock, and the term of a case as a person would count it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from shared.criteria import Measure, term_of
from shared.criteria.timing import CaseTerm, Timing
from shared.worktime import Pause, StartRule, Unit
from tests.unit.criteria.builders import GENERAL, answer, case, measure, paused
from tests.unit.criteria.test_timing import BEGAN, MINUTE, START, clock, limit, timed
from tests.unit.worktime.calendars import ZONE, local

PAUSING = clock("dia_habil", pauses=["prevencion"])
THREE = limit("<=", "3")


def test_a_pause_moves_the_end_by_the_dates_that_it_touches() -> None:
    day = {number: f"2026-07-{number:02} 10:00" for number in range(1, 15)}
    for reason, asked, answered, due in (
        # The dates that a pause touches do not count: Tuesday; Tuesday and Wednesday.
        ("prevencion", day[7], "2026-07-07 11:00", "2026-07-11"),
        ("prevencion", day[7], day[8], "2026-07-14"),
        ("prevencion", day[7], day[7], "2026-07-11"),
        # Faults of the source, reasons of others, and what came before pause nothing.
        ("prevencion", day[8], day[7], "2026-07-10"),
        ("vacaciones", day[7], "2026-07-07 11:00", "2026-07-10"),
        ("prevencion", day[2], day[3], "2026-07-10"),
        ("prevencion", day[7], None, None),
    ):
        found = timed(PAUSING, THREE, pauses=(paused(reason, asked, answered),))
        end = None if due is None else local(due)
        assert (found.due, found.overdue_from) == (end, end), (reason, asked, answered)


def test_the_stop_ends_its_pauses_and_hides_what_comes_after() -> None:
    resolved = "2026-07-08 10:00"

    def due(asked: str, answered: str | None) -> Any:
        pause = paused("prevencion", asked, answered)
        return timed(PAUSING, THREE, resolved, pauses=(pause,)).due

    # Tuesday and Wednesday are paused, until the stop at most.
    assert due("2026-07-07 10:00", None) == local("2026-07-14")
    assert due("2026-07-07 10:00", "2026-07-09 10:00") == local("2026-07-14")
    assert due("2026-07-07 10:00", "2026-07-07 12:00") == local("2026-07-11")
    # With the stop, or after it.
    assert due("2026-07-08 10:00", None) == local("2026-07-11")
    assert due("2026-07-08 10:00:00.000001", None) == local("2026-07-10")


def test_a_backward_stop_ends_no_pause() -> None:
    pause = paused("prevencion", "2026-07-07 10:00", "2026-07-07 11:00")
    found = timed(PAUSING, THREE, "2026-07-06 11:00", pauses=(pause,))
    assert (found.due, found.elapsed) == (local("2026-07-11"), None)


def test_a_pause_takes_its_time_from_hours_and_from_days_by_the_clocks_rule() -> None:
    pauses = (paused("prevencion", "2026-07-06 12:05", "2026-07-06 12:25"),)
    minutes = clock("min", pauses=["prevencion"])
    due = local("2026-07-06 12:35")
    stop = local("2026-07-06 12:30")
    assert timed(minutes, limit("<=", "15"), "2026-07-06 12:30", pauses=pauses) == Timing(
        START, stop, True, Decimal(15 * MINUTE), due, due, 10 * MINUTE
    )
    # Used up as a pause begins: exceeded only when that ends.
    five = timed(minutes, limit("<=", "5"), pauses=pauses)
    assert (five.due, five.overdue_from) == (local("2026-07-06 12:05"), local("2026-07-06 12:25"))
    lasting = timed(minutes, limit(">", "5"), pauses=pauses)
    assert lasting.overdue_from == local("2026-07-06 12:25:00.000001")
    # Monday is day 1; Tuesday is paused.
    first_day = clock("dia_habil", pauses=["prevencion"], start_rule="start_day")
    on_tuesday = (paused("prevencion", "2026-07-07 12:05", "2026-07-07 12:25"),)
    found = timed(first_day, THREE, pauses=on_tuesday)
    assert (found.due, found.overdue_from) == (local("2026-07-10"), local("2026-07-10"))


def test_a_pause_stops_the_clock_where_it_began_within_its_own_term() -> None:
    for term, asked, is_in_time in (
        ("1 dia_habil", "2026-07-07 23:59", True),
        ("1 dia_habil", "2026-07-08 00:00", False),
        ("2 h", "2026-07-06 14:00", True),
        ("2 h", "2026-07-06 14:00:00.000001", False),
        # With the start, or before it.
        ("0 h", BEGAN, True),
        ("0 h", "2026-07-06 11:00", True),
        ("0 h", "2026-07-06 12:00:00.000001", False),
    ):
        value, unit = term.split()
        of = clock(unit, pauses=["prevencion"], pause_terms={"prevencion": value})
        found = timed(of, limit("<=", "3"), pauses=(paused("prevencion", asked, None),))
        assert (found.due is None) is is_in_time, (term, asked)


def test_the_term_to_pause_is_counted_as_the_clock_counts() -> None:
    fields = {"pauses": ["prevencion"], "pause_terms": {"prevencion": 1}}
    first_day = clock("dia_habil", start_rule="start_day", **fields)
    on_tuesday = (paused("prevencion", "2026-07-07 10:00", None),)
    assert timed(first_day, THREE, pauses=on_tuesday).due == local("2026-07-09")
    assert timed(clock("dia_habil", **fields), THREE, pauses=on_tuesday).due is None


# The term as a person would count it


def term(of: Measure, **changes: Any) -> CaseTerm | None:
    return term_of(of, case(request_received=BEGAN, **changes), ZONE, GENERAL)


def test_the_term_of_a_case_is_what_its_end_is_counted_from() -> None:
    held = measure(answer())
    plain = CaseTerm(
        start=START,
        stop=None,
        limit=Decimal(3),
        unit=Unit.WORKING_DAY,
        start_rule=None,
        pauses=(),
        below=False,
    )
    assert term(held) == plain
    below = measure(answer(limit={"op": "<", "value": 3}))
    assert term(below) == replace(plain, below=True)
    pause = paused("prevencion", "2026-07-07 10:00", None)
    stop = local("2026-07-08 10:00")
    ended = replace(plain, stop=stop, pauses=(Pause(pause.start, stop),))
    assert term(held, request_resolved="2026-07-08 10:00", pauses=(pause,)) == ended
    # A stop before its start ended nothing.
    running = replace(plain, pauses=(Pause(pause.start, None),))
    assert term(held, request_resolved="2026-07-06 11:00", pauses=(pause,)) == running
    at_once = term(held, request_resolved=BEGAN)
    assert at_once == replace(plain, stop=START)


def test_a_pause_that_was_asked_too_late_is_not_of_the_term() -> None:
    fields = answer().figure.model_dump()["value"] | {"pause_terms": {"prevencion": 1}}
    held = measure(answer(clock=fields))
    in_time = paused("prevencion", "2026-07-07 10:00", "2026-07-07 11:00")
    too_late = paused("prevencion", "2026-07-08 10:00", "2026-07-08 11:00")
    found = term(held, pauses=(in_time, too_late))
    assert found is not None
    assert found.pauses == (Pause(in_time.start, in_time.end),)


def test_what_has_no_length_has_no_term_to_count() -> None:
    own = measure(answer(limit={"op": "<=", "own_due": True}))
    assert term(own, own_due=local("2026-07-08")) is None
    legal = measure(answer(limit={"op": "<=", "field": "plazo", "factor": 1}))
    assert term(legal) is None
    assert term_of(measure(answer()), case(), ZONE, GENERAL) is None
    unheld = replace(measure(answer()), limit=None)
    assert term(unheld) is None


def test_the_term_from_a_date_set_beforehand_starts_on_the_day_after() -> None:
    fields = answer().figure.model_dump()["value"] | {"from_due": True}
    found = term(measure(answer(clock=fields)))
    assert found is not None
    assert found.start_rule is StartRule.NEXT_COUNTING_DAY
