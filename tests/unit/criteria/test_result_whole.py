"""All that a result says, not only its verdict; and each reason for which there is none."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from shared.criteria import (
    Band,
    Counts,
    Criterion,
    Evidence,
    NotEvaluated,
    Part,
    PartResult,
    Reference,
    Result,
    Tally,
    Verdict,
    broken,
    figures_of,
    is_every_case,
    judge_result,
)
from tests.unit.criteria.builders import GENERAL, counter, counts, part, result_of, setting, wait
from tests.unit.criteria.test_outlook import counted, lasted, monthly
from tests.unit.criteria.test_shapes import daily, fewer, followed, p, portal, visits
from tests.unit.worktime.calendars import local

MET, NOT_MET, NOT_EVALUATED = Verdict
SMALL_SAMPLE, PENDING_CASES = NotEvaluated.SMALL_SAMPLE, NotEvaluated.PENDING_CASES
SILENT, NO_DEMAND = NotEvaluated.SILENT_SOURCE, NotEvaluated.NO_DEMAND


def judged(of: Part, *tallies: Tally, **changes: Any) -> PartResult:
    (only,) = result_of(of, tallies=tallies, **changes).parts
    return only


def test_a_share_shows_its_cases_and_what_they_were_compared_with() -> None:
    """17 of 20 are 85 %: more than the 80 that are unacceptable, less than the 90 promised."""
    tally = Tally(met=17, failed=3, pending=1, excluded={"turno_duplicado": 2})
    assert judged(wait(), tally) == PartResult(
        verdict=NOT_MET,
        reason=None,
        value=Fraction(85),
        band=Band.AMBER,
        numerator=Fraction(17),
        denominator=Fraction(20),
        items=20,
        tally=tally,
        bound=Fraction(90),
        unacceptable=Fraction(80),
    )


def test_too_small_a_sample_is_shown_and_not_judged() -> None:
    tally = Tally(met=17, failed=3)
    assert judged(wait(), tally, minimum_sample=21) == PartResult(
        verdict=NOT_EVALUATED,
        reason=SMALL_SAMPLE,
        value=Fraction(85),
        band=Band.GREY,
        numerator=Fraction(17),
        denominator=Fraction(20),
        items=20,
        tally=tally,
        bound=Fraction(90),
        unacceptable=Fraction(80),
    )


def test_a_ratio_shows_the_cases_of_both_sides() -> None:
    quantity = counted("<=", 0).figure.model_dump(mode="json")
    target = {"op": ">=", "value": 75}
    of = part("ratio", numerator=quantity, denominator=quantity, target=target, margin=True)
    above, below = Tally(met=3, failed=1), Tally(met=4, failed=2)
    assert judged(of, above, below) == PartResult(
        verdict=MET,
        reason=None,
        value=Fraction(75),
        band=Band.GREEN,
        numerator=Fraction(3),
        denominator=Fraction(4),
        items=6,
        tally=below,
        bound=Fraction(75),
        unacceptable=None,
        above=above,
        effective=Fraction(6),
    )


def test_a_count_needs_no_sample_and_shows_its_cases() -> None:
    few = visits({"op": "<=", "value": 2, "unit": "errores", "unacceptable": 3})
    assert judged(few, Tally(met=3, failed=4), minimum_sample=99) == PartResult(
        verdict=NOT_MET,
        reason=None,
        value=Fraction(3),
        band=Band.RED,
        numerator=Fraction(3),
        denominator=Fraction(1),
        items=7,
        tally=Tally(met=3, failed=4),
        bound=Fraction(2),
        unacceptable=Fraction(3),
    )


def test_what_lies_beyond_every_value_has_none_and_is_judged() -> None:
    beyond = Tally(failed=1, overdue_open=1, spread={(2**63 - 1, 2**63 - 1): 1})
    found = judged(p(100), lasted(1) + beyond)
    assert (found.verdict, found.value, found.items) == (NOT_MET, None, 2)


def test_what_no_source_reports_has_no_value() -> None:
    none = visits({"op": "<=", "value": 2, "unit": "errores"})
    found = judged(none, Tally(), evidence=[Evidence(reported=False)])
    assert (found.verdict, found.reason, found.value, found.band, found.bound) == (
        NOT_EVALUATED,
        NotEvaluated.NO_SOURCE,
        None,
        Band.GREY,
        Fraction(2),
    )


@pytest.mark.parametrize(
    ("op", "unacceptable", "met", "band"),
    [
        (">=", 80, 81, Band.AMBER),
        (">=", 80, 80, Band.RED),
        (">=", None, 89, Band.RED),
        ("<=", 95, 94, Band.AMBER),
        ("<=", 95, 95, Band.RED),
    ],
)
def test_a_missed_target_is_red_from_what_is_unacceptable(
    op: str, unacceptable: int | None, met: int, band: Band
) -> None:
    of = wait(target={"op": op, "value": 90, "unacceptable": unacceptable})
    assert judged(of, Tally(met=met, failed=100 - met)).band is band


@pytest.mark.parametrize(
    ("tally", "source_known", "final", "reason"),
    [
        # While it runs, and a source is silent: only what there is nothing of has no verdict.
        (Tally(pending=3), False, False, PENDING_CASES),
        (Tally(excluded={"desistida": 3}), False, False, SILENT),
        (Tally(excluded={"desistida": 3}), True, False, NO_DEMAND),
        (Tally(met=1), False, False, None),
        # At the cut-off a silence comes before cases that are still open, and these before nothing.
        (Tally(pending=3), False, True, SILENT),
        (Tally(pending=3), True, True, PENDING_CASES),
        (Tally(pending=1), True, True, PENDING_CASES),
        (Tally(met=9, failed=1, pending=1), True, True, PENDING_CASES),
        (Tally(met=9, failed=1, pending=1), False, True, SILENT),
    ],
)
def test_a_silence_an_open_case_and_an_empty_window_each_have_their_turn(
    tally: Tally, source_known: bool, final: bool, reason: NotEvaluated | None
) -> None:
    assert judged(wait(), tally, source_known=source_known, final=final).reason is reason


def test_nothing_counted_in_a_running_window_is_a_silence_of_its_source() -> None:
    none = visits({"op": "<=", "value": 0, "unit": "errores"})
    assert judged(none, Tally(), source_known=False).reason is SILENT
    assert judged(none, Tally(), source_known=True).verdict is MET
    assert judged(none, Tally(excluded={"duplicado": 1}), source_known=False).verdict is MET


def test_a_window_is_judged_at_its_cut_off_only_where_it_is_said() -> None:
    tally = Tally(met=9, failed=1, pending=1)
    found = judge_result(
        Criterion(parts=(wait(),)), counts(tally), minimum_sample=0, source_known=True
    )
    assert found.verdict is MET


def test_groups_count_their_days_and_show_the_cases_of_all() -> None:
    """Six minutes and twelve are within ten on one day of two; the third had no case."""
    minute = 60_000_000
    cells = {
        "2026-07-01": Tally(met=3, amount_sum=18 * minute, amount_count=3),
        "2026-07-02": Tally(met=1, amount_sum=12 * minute, amount_count=1),
        "2026-07-03": Tally(excluded={"desistida": 1}),
    }
    told = Counts(setting(), [cells])
    found = judge_result(Criterion(parts=(daily(),)), told, minimum_sample=2, source_known=True)
    (only,) = found.parts
    assert (only.verdict, only.value, only.items) == (MET, Fraction(50), 2)
    assert (only.numerator, only.denominator) == (Fraction(1), Fraction(2))
    assert only.tally == Tally(
        met=4, amount_sum=30 * minute, amount_count=4, excluded={"desistida": 1}
    )
    few = judge_result(Criterion(parts=(daily(),)), told, minimum_sample=3, source_known=True)
    assert few.reason is SMALL_SAMPLE


def test_a_silence_does_not_unsettle_a_total_that_was_reached() -> None:
    enough = visits({"op": ">=", "value": 2, "unit": "visitas"})
    silent = [Evidence(silent=Fraction(1, 2))]
    assert judged(enough, Tally(met=2), final=True, evidence=silent).verdict is MET
    assert judged(enough, Tally(met=1), final=True, evidence=silent).reason is SILENT


def test_a_ratio_over_an_outage_that_goes_on_is_pending() -> None:
    """Nothing is decided below, though the outage already lasts."""
    outages = {
        "form": "sum",
        "population": {"event": "outage.started", "anchor": "occurred"},
        "value": {"kind": "outage", "stop": "outage.ended", "unit": "min"},
    }
    of = part("ratio", numerator=outages, denominator=outages, target={"op": ">=", "value": 1})
    start = int(local("2026-07-06").timestamp()) * 1_000_000
    lasting = Tally(pending=1, spread={(start, 2**63 - 1): 1})
    ended = Tally(met=1, spread={(start, start + 60_000_000): 1})
    assert judged(of, ended, lasting).reason is PENDING_CASES
    assert judged(of, ended, ended).value == 100


# Several parts


def amber(**changes: Any) -> Part:
    return wait(target={"op": ">=", "value": 90, "unacceptable": 10, **changes})


KEPT, MISSED = Tally(met=10), Tally(met=5, failed=5)


def test_a_conjunction_shows_its_worst_band_and_no_value_of_its_own() -> None:
    """One part at 50 % is red, for 80 is unacceptable; the other amber, for 10 is."""
    for parts in ((wait(), amber()), (amber(), wait())):
        found = result_of(*parts, tallies=(MISSED, MISSED))
        assert found == Result(NOT_MET, None, None, Band.RED, found.parts)
    found = result_of(wait(), amber(), tallies=(KEPT, MISSED))
    assert found == Result(NOT_MET, None, None, Band.AMBER, found.parts)
    found = result_of(wait(), amber(), tallies=(KEPT, KEPT))
    assert found == Result(MET, None, None, Band.GREEN, found.parts)


def test_each_part_is_measured_in_the_hours_of_its_own_calendar() -> None:
    """A Monday from 8 to 11: three hours out, of which two are office hours."""
    start = int(local("2026-07-06 08:00").timestamp()) * 1_000_000
    out = Tally(met=1, spread={(start, start + 3 * 3600 * 1_000_000): 1})
    outage = {"kind": "outage", "stop": "outage.ended"}
    always = portal(value=outage | {"unit": "h"})
    in_office = portal(value=outage | {"unit": "h_habil", "calendar": "HAB-GRAL"})
    for parts, calendars, hours in (
        ((always, in_office), [None, GENERAL], [3, 2]),
        ((in_office, always), [GENERAL, None], [2, 3]),
    ):
        around = replace(setting(2), calendars=calendars)
        figures = figures_of(Criterion(parts=parts), Counts(around, [{"": out}] * 2))
        assert [each.denominator - each.numerator for each in figures] == hours


def test_the_first_part_without_a_verdict_gives_its_reason() -> None:
    found = result_of(wait(), wait(), amber(), tallies=(KEPT, Tally(), Tally(pending=1)))
    assert found == Result(NOT_EVALUATED, NO_DEMAND, None, Band.GREY, found.parts)


def test_the_only_part_gives_the_result_its_value() -> None:
    found = result_of(wait(), tallies=(MISSED,))
    assert found == Result(NOT_MET, None, Fraction(50), Band.RED, found.parts)
    found = result_of(wait(), tallies=(KEPT,), impediment=NotEvaluated.CARTA_SUSPENDED)
    assert found == Result(
        NOT_EVALUATED, NotEvaluated.CARTA_SUSPENDED, Fraction(100), Band.GREY, found.parts
    )


def test_parts_that_only_inform_decide_nothing_unless_there_is_no_other() -> None:
    informs = visits(None)
    found = result_of(informs, wait(), tallies=(Tally(met=1), KEPT))
    assert (found.verdict, found.band) == (MET, Band.GREEN)
    found = result_of(informs, informs, tallies=(Tally(met=1), Tally(met=1)))
    assert (found.verdict, found.reason) == (NOT_EVALUATED, NotEvaluated.INFORMATIVE)


def test_each_part_follows_its_own_figure_of_the_earlier_window() -> None:
    """Last year three complaints and then eight; this year the same, at most half as many."""
    half = fewer(value="0.5", unacceptable="0.75")
    criterion = Criterion(parts=(visits(None), fewer(), half))
    before = counts(Tally(met=1), Tally(met=3), Tally(met=8))
    told = counts(Tally(met=1), Tally(met=3), Tally(met=5))
    found = judge_result(
        criterion,
        Counts(told.setting, told.cells, {Reference.LAST_YEAR: before}),
        minimum_sample=0,
        source_known=True,
    )
    assert [(each.bound, each.unacceptable, each.verdict) for each in found.parts] == [
        (None, None, NOT_EVALUATED),
        (Fraction(3), None, MET),
        (Fraction(4), Fraction(6), NOT_MET),
    ]
    assert found.parts[2].band is Band.AMBER


def test_an_earlier_window_of_nothing_is_a_target_of_nothing_unless_that_is_excluded() -> None:
    unsaid = fewer(zero_reference="not_evaluated")
    assert followed(unsaid, 1, 1).verdict is MET
    assert followed(unsaid, 1, 0).reason is NotEvaluated.ZERO_REFERENCE
    assert followed(fewer(), 1, 0).verdict is NOT_MET
    # A mean of nobody is no target at all.
    target = {"op": "<=", "value": 1, "unit": "min", "reference": "previous"}
    mean = counter(target=target)
    nobody = Counts(
        setting(), [{"": lasted(1)}], {Reference.PREVIOUS: Counts(setting(), [{"": Tally()}])}
    )
    found = judge_result(Criterion(parts=(mean,)), nobody, minimum_sample=0, source_known=True)
    assert (found.reason, found.parts[0].bound) == (NotEvaluated.NO_REFERENCE, None)


@pytest.mark.parametrize("number", [1, 3])
def test_there_is_evidence_for_each_part_or_for_none(number: int) -> None:
    for evidence in (Evidence(), Evidence(known=(11,), missing=(1,))):
        with pytest.raises(ValueError, match="argument"):
            result_of(wait(), wait(), tallies=(KEPT, KEPT), evidence=[evidence] * number)


# What cannot be kept any more


@pytest.mark.parametrize(
    "target",
    [
        {"op": "<=", "value": 100},
        {"op": ">", "value": 100},
        {"op": ">=", "value": 100, "reference": "previous"},
    ],
)
def test_only_a_fixed_hundred_percent_is_every_case(target: dict[str, Any]) -> None:
    assert not is_every_case(wait(target=target))
    assert not is_every_case(counter(target=target | {"unit": "min"}))


def test_what_is_owed_is_broken_by_one_failure_only_where_all_of_it_is_promised() -> None:
    for op, goal, is_broken in ((">=", 100, True), (">=", 60, False), ("<=", 100, False)):
        of = Criterion(parts=(monthly(op, goal),))
        empty = Counts(setting(known="2026-07-20"), [{}])
        assert broken(of, empty, minimum_sample=99) is is_broken
        in_time = Counts(setting(known="2026-07-20"), [{"2026-07-01": Tally(met=1)}])
        assert not broken(of, in_time, minimum_sample=0)


def test_one_broken_part_breaks_the_promise() -> None:
    every = wait(target={"op": ">=", "value": 100})
    both = Criterion(parts=(wait(), every))
    assert broken(both, counts(MISSED, MISSED), minimum_sample=0)
    assert not broken(both, counts(MISSED, KEPT), minimum_sample=0)


def test_a_count_is_broken_beyond_its_upper_limit_and_a_share_never_by_what_it_is_now() -> None:
    few = Criterion(parts=(visits({"op": "<=", "value": 2, "unit": "errores"}),))
    assert not broken(few, counts(Tally(met=2)), minimum_sample=0)
    assert broken(few, counts(Tally(met=3)), minimum_sample=0)
    small = Criterion(parts=(wait(target={"op": "<=", "value": 10}),))
    assert not broken(small, counts(KEPT), minimum_sample=0)
