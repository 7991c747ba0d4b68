from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.criteria import (
    Band,
    CaseStatus,
    CaseVerdict,
    Counts,
    Criterion,
    NotEvaluated,
    Part,
    PartResult,
    Result,
    Tally,
    Verdict,
    added,
    is_every_case,
    judge_result,
)
from tests.unit.criteria.builders import (
    case,
    counter,
    counts,
    happening,
    judged,
    result_of,
    session,
    setting,
    wait,
)
from tests.unit.worktime.calendars import local

MINUTE = 60_000_000


def share_of(met: int, failed: int, *, pending: int = 0) -> Result:
    return result_of(wait(), tallies=(Tally(met=met, failed=failed, pending=pending),))


def judge_part(part: Part, tally: Tally, *, minimum_sample: int, final: bool = False) -> PartResult:
    (judged_part,) = result_of(
        part, tallies=(tally,), minimum_sample=minimum_sample, final=final
    ).parts
    return judged_part


@pytest.mark.parametrize(
    ("met", "failed", "verdict", "band"),
    [
        (9, 1, Verdict.MET, Band.GREEN),
        (899_999, 100_001, Verdict.NOT_MET, Band.AMBER),
        (80_001, 19_999, Verdict.NOT_MET, Band.AMBER),
        (8, 2, Verdict.NOT_MET, Band.RED),
        (0, 1, Verdict.NOT_MET, Band.RED),
    ],
)
def test_a_share_is_compared_exactly(met: int, failed: int, verdict: Verdict, band: Band) -> None:
    result = share_of(met, failed)
    assert (result.verdict, result.band, result.reason) == (verdict, band, None)
    assert result.value == Fraction(100 * met, met + failed)
    assert result.parts[0].numerator == met
    assert result.parts[0].denominator == met + failed


def test_two_thirds_are_not_66_point_67_percent() -> None:
    part = wait(target={"op": ">=", "value": Decimal("66.67")})
    assert judge_part(part, Tally(met=2, failed=1), minimum_sample=0).verdict is Verdict.NOT_MET


def test_a_tail_can_be_promised_from_above() -> None:
    # Transport consortia (row 14): over 30 s in at most 1 % of the calls.
    part = wait(limit={"op": ">", "value": 30}, target={"op": "<=", "value": 1})
    assert judge_part(part, Tally(met=1, failed=99), minimum_sample=0).verdict is Verdict.MET
    assert judge_part(part, Tally(met=2, failed=98), minimum_sample=0).verdict is Verdict.NOT_MET


def test_pending_and_excluded_cases_are_in_the_population_and_not_in_the_share() -> None:
    result = share_of(9, 1, pending=100)
    assert result.value == 90
    tally = Tally(met=9, failed=1, pending=100, excluded={"turno_duplicado": 7})
    assert (tally.population, tally.decided) == (117, 10)


@pytest.mark.parametrize(
    ("tally", "source_known", "final", "reason"),
    [
        (Tally(), True, True, NotEvaluated.NO_DEMAND),
        (Tally(excluded={"turno_duplicado": 3}), True, True, NotEvaluated.NO_DEMAND),
        (Tally(), False, False, NotEvaluated.SILENT_SOURCE),
        (Tally(met=50), False, True, NotEvaluated.SILENT_SOURCE),
        (Tally(pending=3), True, False, NotEvaluated.PENDING_CASES),
        (Tally(met=29), True, True, NotEvaluated.SMALL_SAMPLE),
        (Tally(met=30), True, True, None),
        (Tally(met=30), False, False, None),
        (Tally(met=30, pending=4), True, True, NotEvaluated.PENDING_CASES),
        (Tally(met=30, pending=4), True, False, None),
        (Tally(met=30, pending=3), True, True, None),
    ],
)
def test_a_missing_verdict_has_a_reason(
    tally: Tally, source_known: bool, final: bool, reason: NotEvaluated | None
) -> None:
    result = judge_result(
        Criterion(parts=(wait(),)),
        counts(tally),
        minimum_sample=30,
        source_known=source_known,
        final=final,
    )
    assert result.reason is reason
    assert (result.verdict is Verdict.NOT_EVALUATED) == (reason is not None)
    assert (result.band is Band.GREY) == (reason is not None)


def test_a_reason_from_outside_leaves_the_figures_and_takes_the_verdict() -> None:
    result = judge_result(
        Criterion(parts=(wait(),)),
        counts(Tally(met=9, failed=1)),
        minimum_sample=0,
        source_known=True,
        impediment=NotEvaluated.CARTA_SUSPENDED,
    )
    assert (result.verdict, result.reason) == (
        Verdict.NOT_EVALUATED,
        NotEvaluated.CARTA_SUSPENDED,
    )
    assert result.value == 90


MET, NOT_MET, EMPTY = Tally(met=20), Tally(met=10, failed=10), Tally()


@pytest.mark.parametrize(
    ("tallies", "verdict", "reason"),
    [
        ((MET, MET), Verdict.MET, None),
        ((MET, NOT_MET), Verdict.NOT_MET, None),
        ((EMPTY, NOT_MET), Verdict.NOT_MET, None),
        ((MET, EMPTY), Verdict.NOT_EVALUATED, NotEvaluated.NO_DEMAND),
    ],
)
def test_a_conjunction_needs_all_its_parts(
    tallies: tuple[Tally, ...], verdict: Verdict, reason: NotEvaluated | None
) -> None:
    both = Criterion(parts=(wait(), wait(limit={"op": "<=", "value": 30})))
    result = judge_result(both, counts(*tallies), minimum_sample=0, source_known=True)
    assert (result.verdict, result.reason, result.value) == (verdict, reason, None)
    assert [part.tally for part in result.parts] == list(tallies)


def test_each_part_needs_its_tally() -> None:
    with pytest.raises(ValueError, match="1 measures, 0 cells"):
        judge_result(
            Criterion(parts=(wait(),)), Counts(setting(0), []), minimum_sample=0, source_known=True
        )


@pytest.mark.parametrize(
    ("total_minutes", "verdict", "band"),
    [
        (600, Verdict.MET, Band.GREEN),
        (601, Verdict.NOT_MET, Band.AMBER),
        (900, Verdict.NOT_MET, Band.RED),
    ],
)
def test_a_mean_is_compared_in_the_unit_of_its_clock(
    total_minutes: int, verdict: Verdict, band: Band
) -> None:
    tally = Tally(met=100, amount_sum=total_minutes * MINUTE, amount_count=100, pending=3)
    part = judge_part(counter(), tally, minimum_sample=100, final=True)
    assert (part.verdict, part.band) == (verdict, band)
    assert part.value == Fraction(total_minutes, 100)
    assert part.numerator == total_minutes
    assert part.denominator == 100


def test_every_case_means_a_hundred_percent() -> None:
    assert is_every_case(wait(target={"op": ">=", "value": 100}))
    assert not is_every_case(wait(target={"op": ">=", "value": Decimal("99.9")}))
    assert not is_every_case(counter())
    assert not is_every_case(wait(target=None))


numbers = st.integers(0, 1000)
tallies = st.builds(
    Tally,
    met=numbers,
    failed=numbers,
    pending=numbers,
    excluded=st.dictionaries(st.sampled_from("abc"), st.integers(1, 50)),
    overdue_open=numbers,
    amount_sum=st.integers(0, 10**15),
    amount_count=numbers,
)


@given(tallies, tallies, tallies)
def test_tallies_add_in_any_order_and_subtract(a: Tally, b: Tally, c: Tally) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert (a + b) - b == a
    assert a + Tally() == a
    assert (a + b).population == a.population + b.population


def test_cells_add_up_one_by_one_and_empty_ones_are_gone() -> None:
    left = {"a": Tally(met=1), "b": Tally(failed=1), "c": Tally()}
    right = {"b": Tally(failed=1), "d": Tally(pending=2)}
    assert added(left, right) == {
        "a": Tally(met=1),
        "b": Tally(failed=2),
        "d": Tally(pending=2),
    }
    taken_back = {"a": Tally() - Tally(met=1)}
    assert added({"a": Tally(met=1)}, taken_back) == {}


@given(tallies, st.integers(0, 100))
def test_one_more_kept_case_never_turns_met_into_not_met(tally: Tally, target: int) -> None:
    part = wait(target={"op": ">=", "value": target})
    before = judge_part(part, tally, minimum_sample=0)
    after = judge_part(part, tally + Tally(met=1), minimum_sample=0)
    assert not (before.verdict is Verdict.MET and after.verdict is Verdict.NOT_MET)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), max_size=30))
def test_every_case_of_the_population_is_in_exactly_one_column(
    cases: list[tuple[int, bool, bool]],
) -> None:
    verdicts = [verdict_of(minutes, has_stop, is_double) for minutes, has_stop, is_double in cases]
    for part_tally in (sum_of(verdicts), sum_of(list(reversed(verdicts)))):
        assert part_tally.population == len(cases)
        statuses = [verdict.status for verdict in verdicts]
        assert part_tally.met == statuses.count(CaseStatus.MET)
        assert part_tally.overdue_open <= part_tally.failed
    assert sum_of(verdicts) == sum_of(list(reversed(verdicts)))


def verdict_of(minutes: int, has_stop: bool, is_double: bool) -> CaseVerdict:
    a_case = case(ticket_issued="2026-07-06 10:00")
    if has_stop:
        stop = local("2026-07-06 10:00") + timedelta(minutes=minutes)
        a_case = happening(a_case, "ticket.called", stop)
    if is_double:
        a_case = a_case._replace(exclusions=frozenset({"turno_duplicado"}))
    return judged(wait(), a_case, known=f"2026-07-06 10:{minutes:02}")


def sum_of(verdicts: list[CaseVerdict]) -> Tally:
    return sum((Tally.of(verdict) for verdict in verdicts), Tally())


def test_a_case_enters_the_tally_with_what_it_took() -> None:
    late = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:40")
    assert Tally.of(judged(wait(), late)) == Tally(failed=1, amount_sum=40 * MINUTE, amount_count=1)
    double = case(ticket_issued="2026-07-06 10:00", exclusions=frozenset({"turno_duplicado"}))
    assert Tally.of(judged(wait(), double)) == Tally(excluded={"turno_duplicado": 1})
    open_case = case(appointment_started="2026-07-06 10:00")
    assert Tally.of(judged(session(), open_case, known="2026-07-06 10:49")) == Tally(pending=1)
