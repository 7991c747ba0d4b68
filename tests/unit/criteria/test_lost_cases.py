"""Cases that never came, and sources that fell silent: when they leave a verdict in doubt."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.criteria import (
    Criterion,
    Evidence,
    NotEvaluated,
    Part,
    Result,
    Tally,
    Verdict,
    judge_result,
)
from tests.unit.criteria.builders import answer, counts, part, wait

NUMBERS = st.integers(0, 30)
EVERY_CASE: dict[str, Any] = {"target": {"op": ">=", "value": 100}}
AVAILABLE = part(
    "availability",
    population={"event": "outage.started", "anchor": "occurred"},
    value={"kind": "outage", "stop": "outage.ended", "unit": "h"},
    target={"op": ">=", "value": 99},
)


def workshops(op: str) -> Part:
    """Ten of them, at least or at most."""
    return part(
        "count",
        population={"event": "class.started", "anchor": "occurred"},
        target={"op": op, "value": 10, "unit": "talleres"},
    )


def judged(of: Part, tally: Tally, *, final: bool = True, **evidence: Any) -> Result:
    return judge_result(
        Criterion(parts=(of,)),
        counts(tally),
        minimum_sample=0,
        source_known=True,
        final=final,
        evidence=[Evidence(**evidence)],
    )


def lost(of: Part, tally: Tally, missing: int, **more: Any) -> Result:
    known = tally.population + missing
    return judged(of, tally, known=[known], missing=[missing], **more)


def test_half_a_day_lost_cannot_read_95_percent() -> None:
    """95 of 100 met keeps 90 %; ten lost cases that all failed would leave 86 %."""
    result = lost(wait(), Tally(met=95, failed=5), 10)
    assert (result.verdict, result.reason) == (
        Verdict.NOT_EVALUATED,
        NotEvaluated.MEASUREMENT_INCIDENT,
    )
    assert result.value == 95


def test_lost_cases_that_could_not_turn_the_verdict_leave_it() -> None:
    """99 of 100 met: with five failed ones beside, 94 % still keep 90 %."""
    assert lost(wait(), Tally(met=99, failed=1), 5).verdict is Verdict.MET
    assert lost(wait(), Tally(met=10, failed=90), 5).verdict is Verdict.NOT_MET


def test_what_one_part_lost_leaves_the_others_alone() -> None:
    """The first part lost ten of 110, the second none: only the first could read otherwise."""
    result = judge_result(
        Criterion(parts=(wait(), answer())),
        counts(Tally(met=95, failed=5), Tally(met=9, failed=1)),
        minimum_sample=0,
        source_known=True,
        final=True,
        evidence=[Evidence(known=[110], missing=[10]), Evidence(known=[10], missing=[0])],
    )
    assert [(part.verdict, part.reason) for part in result.parts] == [
        (Verdict.NOT_EVALUATED, NotEvaluated.MEASUREMENT_INCIDENT),
        (Verdict.MET, None),
    ]


def test_one_lost_case_leaves_every_case_open_and_a_failed_one_closed() -> None:
    promise = wait(**EVERY_CASE)
    assert lost(promise, Tally(met=999), 1).reason is NotEvaluated.MEASUREMENT_INCIDENT
    assert lost(promise, Tally(met=998, failed=1), 1).verdict is Verdict.NOT_MET


def test_what_runs_is_not_doubted_yet() -> None:
    assert lost(wait(), Tally(met=95, failed=5), 10, final=False).verdict is Verdict.MET


@given(met=NUMBERS, failed=NUMBERS, pending=NUMBERS, missing=NUMBERS)
def test_a_verdict_stands_exactly_where_no_outcome_of_the_lost_cases_turns_it(
    met: int, failed: int, pending: int, missing: int
) -> None:
    result = lost(wait(), Tally(met=met, failed=failed, pending=pending), missing)
    ends = set()
    for kept in range(pending + missing + 1):
        total = met + failed + pending + missing
        ends.add(total > 0 and Fraction(100 * (met + kept), total) >= 90)
    if met + failed == 0:
        assert result.verdict is Verdict.NOT_EVALUATED
    else:
        assert (result.verdict is Verdict.NOT_EVALUATED) == (len(ends) == 2)


@pytest.mark.parametrize(("missing", "is_judged"), [(0, True), (10, True), (11, False)])
def test_a_mean_needs_nine_tenths_of_the_known_cases(missing: int, is_judged: bool) -> None:
    """Nothing bounds what lost scores were; nine tenths exactly are enough."""
    tally = Tally(met=100 - missing, amount_sum=9_000_000, amount_count=100 - missing)
    result = judged(answer(), tally, known=[100], missing=[missing])
    assert (result.reason is not NotEvaluated.MEASUREMENT_INCIDENT) == is_judged


@pytest.mark.parametrize(("silent", "is_judged"), [("1/10", True), ("11/100", False)])
def test_a_share_needs_its_source_awake_for_nine_tenths_of_the_time(
    silent: str, is_judged: bool
) -> None:
    result = judged(wait(), Tally(met=100), silent=Fraction(silent))
    assert (result.reason is None) == is_judged
    assert is_judged or result.reason is NotEvaluated.SILENT_SOURCE


def test_any_silence_unsettles_an_availability_that_was_kept() -> None:
    assert judged(AVAILABLE, Tally()).verdict is Verdict.MET
    result = judged(AVAILABLE, Tally(), silent=Fraction(1, 1000))
    assert (result.verdict, result.reason) == (
        Verdict.NOT_EVALUATED,
        NotEvaluated.SILENT_SOURCE,
    )


def test_silence_cannot_harm_a_count_that_was_reached_nor_save_a_broken_one() -> None:
    """More facts only raise a count."""
    enough = workshops(">=")
    assert judged(enough, Tally(met=10), silent=Fraction(1, 2)).verdict is Verdict.MET
    assert judged(enough, Tally(met=9), silent=Fraction(1, 99)).reason is NotEvaluated.SILENT_SOURCE
    few = workshops("<=")
    assert judged(few, Tally(met=11), silent=Fraction(1, 2)).verdict is Verdict.NOT_MET
    assert judged(few, Tally(met=10), silent=Fraction(1, 99)).reason is NotEvaluated.SILENT_SOURCE


def test_what_nothing_reports_on_has_no_figure_and_says_so() -> None:
    for final in (False, True):
        result = judged(AVAILABLE, Tally(), reported=False, final=final)
        assert (result.reason, result.value) == (NotEvaluated.NO_SOURCE, None)
    assert judged(wait(), Tally(met=5), reported=False).verdict is Verdict.MET
