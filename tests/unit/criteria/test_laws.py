"""What holds of every result, whatever is promised and whatever happened."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.criteria import (
    Case,
    CaseStatus,
    Counts,
    Criterion,
    Part,
    Result,
    Setting,
    Tally,
    Verdict,
    Window,
    Windows,
    judge_case,
    judge_result,
    measures_of,
    unit_of,
    window_of,
)
from shared.criteria.ledger import Bench, Ledger, combined, judged
from shared.criteria.vocabulary import Op
from tests.unit.criteria.builders import GENERAL
from tests.unit.criteria.strategies import JULY, cases, criteria, share
from tests.unit.worktime.calendars import ZONE

MONTH = Window.model_validate({"kind": "month"})
KNOWN = JULY + timedelta(days=60)
AUGUST = window_of(MONTH, JULY + timedelta(days=40), ZONE)
slow = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def with_targets(criterion: Criterion, op: str, value: int) -> Criterion:
    """Return it with a target in the unit of each figure, so that there is a verdict."""
    parts = [
        {"figure": part.figure, "target": {"op": op, "value": value, "unit": unit_of(part.figure)}}
        if unit_of(part.figure)
        else {"figure": part.figure, "target": {"op": op, "value": value}}
        for part in criterion.parts
    ]
    return Criterion.model_validate({"parts": parts})


promises = st.builds(
    with_targets, criteria, st.sampled_from(["<=", "<", ">=", ">"]), st.integers(1, 100)
)
facts = st.lists(cases(), max_size=10).map(lambda told: list(enumerate(told)))
"""Numbered cases."""


def bench(criterion: Criterion) -> Bench:
    calendars = [GENERAL if measure.calendar else None for measure in measures_of(criterion)]
    return Bench(criterion, Windows(MONTH, ZONE), calendars)


def result(criterion: Criterion, told: Sequence[tuple[int, Case]], *, writers: int = 1) -> Result:
    """Judge August by what `told` says, the last word on a case being the one that counts."""
    by = bench(criterion)
    ledgers = [Ledger() for _ in range(writers)]
    for number, case in told:
        ledgers[number % writers].take(str(number), judged(by, case, known=KNOWN))
    assert AUGUST is not None
    whole = Ledger(dict(combined(ledgers)))
    counts = Counts(
        Setting(AUGUST, ZONE, by.calendars, KNOWN), whole.cells(AUGUST.id, len(by.calendars))
    )
    return judge_result(criterion, counts, minimum_sample=2, source_known=True, final=True)


@slow
@given(promises, facts, st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_order_of_the_facts_and_who_counts_them_change_nothing(
    criterion: Criterion, told: list[tuple[int, Case]], writers: int, random: Random
) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)
    assert result(criterion, shuffled, writers=writers) == result(criterion, told)


@slow
@given(promises, facts, st.data())
def test_a_repeated_fact_changes_nothing(
    criterion: Criterion, told: list[tuple[int, Case]], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=5)) if told else []
    assert result(criterion, [*told, *again]) == result(criterion, told)


@slow
@given(promises, facts, cases())
def test_a_correction_there_and_back_gives_the_first_result_again(
    criterion: Criterion, told: list[tuple[int, Case]], other: Case
) -> None:
    there = [(number, other) for number, _ in told]
    assert result(criterion, [*told, *there, *told]) == result(criterion, told)


@slow
@given(promises, facts)
def test_the_counts_of_a_window_add_up_to_its_population(
    criterion: Criterion, told: list[tuple[int, Case]]
) -> None:
    by = bench(criterion)
    expected = [
        sum(
            placed.window == AUGUST and placed.measure == population
            for _, case in told
            for placed in judged(by, case, known=KNOWN)
        )
        for population in populations(criterion)
    ]
    found = [part.tally for part in result(criterion, told).parts]
    columns = [
        tally.met + tally.failed + tally.pending + sum(tally.excluded.values()) for tally in found
    ]
    assert columns == [tally.population for tally in found] == expected


def populations(criterion: Criterion) -> list[int]:
    """Return the measure whose cases each part counts: of a ratio, its denominator's."""
    owners = {measure.part: place for place, measure in enumerate(measures_of(criterion))}
    return list(owners.values())


@slow
@given(
    share.map(lambda figure: Part.model_validate({"figure": figure})),
    st.sampled_from([Op.AT_LEAST, Op.MORE]),
    st.integers(0, 100),
    facts,
    cases(),
)
def test_one_more_case_that_keeps_a_share_never_breaks_it(
    of: Part, op: Op, value: int, told: list[tuple[int, Case]], more: Case
) -> None:
    criterion = with_targets(Criterion(parts=(of,)), op, value)
    (measure,) = measures_of(criterion)
    calendar = GENERAL if measure.calendar else None
    verdict = judge_case(measure, more, calendar, zone=ZONE, complete_through=KNOWN)
    if verdict is None or verdict.status is not CaseStatus.MET:
        return
    before = result(criterion, told)
    after = result(criterion, [*told, (len(told), more)])
    assert (before.verdict, after.verdict) != (Verdict.MET, Verdict.NOT_MET)
    assert after.parts[0].tally - before.parts[0].tally in (Tally(), Tally.of(verdict))
