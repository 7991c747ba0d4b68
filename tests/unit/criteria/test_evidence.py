"""What is known of cases that never came in, and when a verdict stands all the same."""

from fractions import Fraction
from typing import Any

import pytest

from shared.criteria import (
    Criterion,
    Evidence,
    Method,
    NotEvaluated,
    Part,
    Result,
    Tally,
    Verdict,
    judge_result,
)
from shared.criteria.evidence import doubts_verdict
from shared.criteria.vocabulary import Op
from shared.criteria.words import measured_with
from tests.unit.criteria.builders import counter, counts, measure, part, wait
from tests.unit.criteria.test_shapes import daily, owed, portal, visits

INCIDENT, SILENT = NotEvaluated.MEASUREMENT_INCIDENT, NotEvaluated.SILENT_SOURCE
NOTHING, LITTLE = Fraction(0), Fraction(1, 1000)


def told(of: Part, *tallies: Tally, evidence: Evidence, **changes: Any) -> Result:
    how: dict[str, Any] = {"minimum_sample": 0, "source_known": True, "final": True} | changes
    return judge_result(Criterion(parts=(of,)), counts(*tallies), evidence=[evidence], **how)


def lost(known: int, missing: int, **changes: Any) -> Evidence:
    return Evidence(known=(known,), missing=(missing,), **changes)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (0, None),
        # 95 of 105 are 90.5 % at worst; 95 of 106 are 89.6 %: the lost cases could have turned it.
        (5, None),
        (6, INCIDENT),
    ],
)
def test_a_share_stands_while_the_lost_cases_could_not_have_turned_it(
    missing: int, reason: NotEvaluated | None
) -> None:
    found = told(wait(), Tally(met=95, failed=5), evidence=lost(100 + missing, missing))
    assert found.reason is reason
    assert found.value == 95
    assert found.parts[0].tally == Tally(met=95, failed=5)


def test_a_broken_share_stands_while_the_lost_cases_could_not_have_saved_it() -> None:
    # 50 of 100, and 70 of 120 at best.
    found = told(wait(), Tally(met=50, failed=50), evidence=lost(120, 20))
    assert found.verdict is Verdict.NOT_MET


@pytest.mark.parametrize(("missing", "reason"), [(10, None), (11, INCIDENT)])
def test_where_no_bounds_are_known_nine_tenths_must_have_been_measured(
    missing: int, reason: NotEvaluated | None
) -> None:
    minute = 60_000_000
    took = Tally(met=1, amount_sum=minute, amount_count=1)
    kept = Tally(met=1, amount_sum=minute, amount_count=1)
    assert told(counter(), took, evidence=lost(100, missing)).reason is reason
    # Of groups too: nobody knows in which of them a lost case belongs.
    assert told(daily(), kept, evidence=lost(100, missing)).reason is reason


def test_each_side_of_a_ratio_must_have_been_measured() -> None:
    side = {"form": "count", "population": {"event": "visit.done", "anchor": "occurred"}}
    ratio = part("ratio", numerator=side, denominator=side, target={"op": ">=", "value": 95})
    both = (Tally(met=100), Tally(met=100))
    for missing, reason in (((0, 0), None), ((0, 9), INCIDENT), ((9, 0), None)):
        evidence = Evidence(known=(200, 200), missing=missing)
        assert told(ratio, *both, evidence=evidence).reason is reason
    assert not Evidence(known=(100, 100), missing=(10, 11)).measured_enough
    assert Evidence(known=(100, 0), missing=(10, 0)).measured_enough
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        _ = Evidence(known=(100, 100), missing=(10,)).measured_enough


def test_doubts_are_for_the_cut_off() -> None:
    evidence = lost(200, 100, silent=Fraction(1, 2))
    running = told(wait(), Tally(met=95, failed=5), evidence=evidence, final=False)
    assert running.verdict is Verdict.MET


def test_lost_cases_tell_more_than_a_silence() -> None:
    both = lost(200, 100, silent=Fraction(1, 2))
    assert told(wait(), Tally(met=95, failed=5), evidence=both).reason is INCIDENT
    silence = Evidence(silent=Fraction(1, 2))
    assert told(wait(), Tally(met=95, failed=5), evidence=silence).reason is SILENT
    # What was lost could not have turned it; the silence still could.
    some = lost(101, 1, silent=Fraction(1, 2))
    assert told(wait(), Tally(met=95, failed=5), evidence=some).reason is SILENT


@pytest.mark.parametrize(
    ("of", "op", "is_met", "silent", "is_doubtful"),
    [
        # A share can go either way: silent for a tenth of its hours, and no more.
        (wait(), Op.AT_LEAST, True, Fraction(1, 10), False),
        (wait(), Op.AT_LEAST, True, Fraction(1, 10) + LITTLE, True),
        (wait(), Op.AT_LEAST, False, Fraction(1, 10) + LITTLE, True),
        # A count only rises: enough visits stay enough, too few may have been more.
        (visits(None), Op.AT_LEAST, True, Fraction(1), False),
        (visits(None), Op.AT_LEAST, False, LITTLE, True),
        (visits(None), Op.MORE, False, NOTHING, False),
        # No errors may have been some; too many stay too many.
        (visits(None), Op.AT_MOST, True, LITTLE, True),
        (visits(None), Op.LESS, False, Fraction(1), False),
        # A document that is missing may have been published; one that came has come.
        (owed(every="month"), Op.AT_LEAST, False, LITTLE, True),
        (owed(every="month"), Op.AT_LEAST, True, Fraction(1), False),
        # An outage that nobody told can only have made it worse.
        (portal(), Op.AT_LEAST, True, LITTLE, True),
        (portal(), Op.AT_LEAST, False, Fraction(1), False),
    ],
)
def test_a_silence_unsettles_what_it_could_have_turned(
    of: Part, op: Op, is_met: bool, silent: Fraction, is_doubtful: bool
) -> None:
    assert doubts_verdict(of.figure, op, is_met=is_met, silent=silent) is is_doubtful


def summed(**scale: int) -> Part:
    value = {"kind": "number", "field": "puntos", **scale}
    return part("sum", population={"event": "visit.done", "anchor": "occurred"}, value=value)


def test_only_a_sum_that_cannot_fall_is_sure_of_what_it_has_reached() -> None:
    silent = Fraction(1)
    for sure in (summed(lowest=0, highest=5), summed(lowest=1, highest=5)):
        assert not doubts_verdict(sure.figure, Op.AT_LEAST, is_met=True, silent=silent)
    unsure = summed(lowest=-1, highest=5)
    assert doubts_verdict(unsure.figure, Op.AT_LEAST, is_met=True, silent=silent)


def test_what_no_source_reports_has_no_verdict_until_a_case_comes() -> None:
    none = Evidence(reported=False)
    nothing = visits({"op": "<=", "value": 0, "unit": "errores"})
    found = told(nothing, Tally(), evidence=none)
    assert (found.reason, found.value) == (NotEvaluated.NO_SOURCE, None)
    assert told(nothing, Tally(), evidence=Evidence()).verdict is Verdict.MET
    assert told(nothing, Tally(met=1), evidence=none).verdict is Verdict.NOT_MET
    # What a calendar expects is no case.
    monthly = owed(every="month")
    assert told(monthly, Tally(), evidence=none).reason is NotEvaluated.NO_SOURCE


def test_the_events_that_a_source_must_report_are_those_that_bring_and_measure_a_case() -> None:
    clock = {
        "start": {"first_of": ["call.queued", "chat.opened"]},
        "stop": {"event": "call.answered"},
        "unit": "min",
    }
    assert measure(wait(clock=clock)).kinds == {
        "ticket.issued",
        "call.queued",
        "chat.opened",
        "call.answered",
    }
    assert measure(portal()).kinds == {"outage.started", "outage.ended"}
    assert measure(visits(None)).kinds == {"visit.done"}
    assert measure(owed(every="month")).kinds == {"document.published"}


def test_the_method_is_said_with_its_instruments() -> None:
    assert measured_with(Method.SURVEY, ("E-1", "E-2")) == "encuesta (E-1, E-2)"
    assert measured_with(Method.RECORDS, ()) == "los registros de cada caso"
