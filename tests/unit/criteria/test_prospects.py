"""The outlook of each form of figure, whole: every number in it is worked out by hand."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from shared.criteria import (
    Cells,
    Counts,
    Criterion,
    Outlook,
    Part,
    Prospect,
    Tally,
    at_risk,
    forecasts_of,
    judge_result,
    outlooks_of,
    worst_of,
)
from tests.unit.criteria.builders import counter, part, setting, wait
from tests.unit.criteria.test_outlook import (
    MINUTE,
    PENDING,
    POPULATION,
    RUNNING,
    counted,
    each_day,
    lasted,
    monthly,
    promoting,
    scored,
    scoring,
    took,
)
from tests.unit.criteria.test_shapes import daily

SECURED, SAFE, OPEN, BEHIND, LOST = Prospect


def outlook_in(of: Part, *cells: Cells, known: str = RUNNING) -> Outlook:
    counts = Counts(setting(len(cells), known=known), cells)
    (found,) = outlooks_of(Criterion(parts=(of,)), counts)
    assert found is not None
    return found


def outlook(of: Part, *tallies: Tally, **changes: str) -> Outlook:
    return outlook_in(of, *({"": tally} for tally in tallies), **changes)


@pytest.mark.parametrize(
    ("goal", "tally", "expected"),
    [
        # 90 % of 20 are 18, so two may fail, of which one has; at best 19 of 20 are kept.
        (">= 90", (17, 1, 2), (18, 1, 2, OPEN, 1, Fraction(95))),
        # More than 18 are 19.
        ("> 90", (17, 1, 2), (18, 1, 2, OPEN, 0, Fraction(95))),
        # 90 % of 21 are 18.9: at least 19, inclusive or not.
        (">= 90", (17, 1, 3), (18, 1, 3, OPEN, 1, Fraction(2000, 21))),
        ("> 90", (17, 1, 3), (18, 1, 3, OPEN, 1, Fraction(2000, 21))),
        # Of ten one may fail: two have.
        (">= 90", (1, 2, 7), (3, 2, 7, BEHIND, 0, Fraction(80))),
        (">= 90", (0, 2, 2), (2, 2, 2, BEHIND, 0, Fraction(50))),
        # Both of the open may fail: 18 of 20 are kept.
        (">= 90", (18, 0, 2), (18, 0, 2, SAFE, 2, Fraction(100))),
        (">= 100", (9, 1, 0), (10, 1, 0, LOST, 0, Fraction(90))),
        (">= 90", (0, 0, 0), (0, 0, 0, OPEN, 0, None)),
        # What must stay small is broken by those that keep the limit: two of 20 may, one does.
        ("<= 10", (1, 17, 2), (18, 1, 2, OPEN, 1, Fraction(5))),
        ("< 10", (1, 17, 2), (18, 1, 2, OPEN, 0, Fraction(5))),
        # 10 % of 21 are 2.1: at most two, inclusive or not.
        ("<= 10", (1, 17, 3), (18, 1, 3, OPEN, 1, Fraction(100, 21))),
        ("< 10", (1, 17, 3), (18, 1, 3, OPEN, 1, Fraction(100, 21))),
        ("<= 0", (1, 3, 0), (4, 1, 0, LOST, 0, Fraction(25))),
        ("<= 1", (1, 3, 0), (4, 1, 0, BEHIND, 0, Fraction(25))),
    ],
)
def test_of_a_share_so_many_of_the_open_may_fail(
    goal: str, tally: tuple[int, int, int], expected: tuple[int, int, int, Prospect, int, Any]
) -> None:
    met, failed, pending = tally
    due, against, opened, prospect, may_fail, best = expected
    op, value = goal.split()
    found = outlook(
        wait(target={"op": op, "value": value}), Tally(met=met, failed=failed, pending=pending)
    )
    assert found == Outlook(due, against, opened, prospect, may_fail=may_fail, best=best)


def percentile(p: int, op: str) -> Part:
    """A percentile of minutes, held to five of them."""
    target = {"op": op, "value": 5, "unit": "min"}
    figure = counter(target=target).figure.model_dump(mode="json")
    return Part.model_validate(
        {"figure": figure | {"form": "percentile", "p": p}, "target": target}
    )


TWO_OPEN = lasted(3) + lasted(9) + lasted(9) + Tally(pending=2)
"""The first of five within five minutes, two beyond, two open."""
MANY = Tally(met=100, spread={(3 * MINUTE, 3 * MINUTE): 100})


@pytest.mark.parametrize(
    ("p", "op", "tally", "expected"),
    [
        # The 50th percentile of five is the third smallest: two may take longer, and two have.
        (50, "<=", TWO_OPEN, Outlook(3, 2, 2, OPEN, may_fail=0)),
        # The 40th is the second smallest: three may.
        (40, "<=", TWO_OPEN, Outlook(3, 2, 2, OPEN, may_fail=1)),
        # All five must be in time, or four of them.
        (90, "<=", TWO_OPEN, Outlook(3, 2, 2, BEHIND, may_fail=0)),
        (80, "<=", TWO_OPEN, Outlook(3, 2, 2, BEHIND, may_fail=0)),
        (100, "<=", TWO_OPEN, Outlook(3, 2, 2, LOST, may_fail=0)),
        # At least five minutes: two may lie below the third smallest, and one does.
        (50, ">=", TWO_OPEN, Outlook(3, 1, 2, OPEN, may_fail=1)),
        (80, ">=", TWO_OPEN, Outlook(3, 1, 2, SAFE, may_fail=2)),
        (20, ">=", TWO_OPEN, Outlook(3, 1, 2, BEHIND, may_fail=0)),
        # The greatest can still grow with a case to come.
        (100, ">=", lasted(3), Outlook(1, 1, 0, BEHIND, may_fail=0)),
        # One of a hundred and one is the slowest of them.
        (100, "<=", MANY + lasted(9), Outlook(101, 1, 0, LOST, may_fail=0)),
        (50, "<=", lasted(5), Outlook(1, 0, 0, SAFE, may_fail=0)),
        (50, "<", lasted(5), Outlook(1, 1, 0, BEHIND, may_fail=0)),
    ],
)
def test_of_a_percentile_so_many_of_the_open_may_lie_beyond(
    p: int, op: str, tally: Tally, expected: Outlook
) -> None:
    assert outlook(percentile(p, op), tally) == expected


SOME = Tally(met=3, failed=2, pending=4)


@pytest.mark.parametrize(
    ("op", "goal", "expected"),
    [
        # Seven if all four that are open count.
        (">=", 6, Outlook(5, 2, 4, OPEN, may_fail=1, distance=Fraction(3), best=Fraction(7))),
        (">", 6, Outlook(5, 2, 4, OPEN, may_fail=0, distance=Fraction(3), best=Fraction(7))),
        (">=", 7, Outlook(5, 2, 4, OPEN, may_fail=0, distance=Fraction(4), best=Fraction(7))),
        (">=", 8, Outlook(5, 2, 4, BEHIND, may_fail=0, distance=Fraction(5), best=Fraction(7))),
        (">=", 3, Outlook(5, 2, 4, SECURED, may_fail=4, distance=Fraction(0), best=Fraction(7))),
        # Three have come that must stay few.
        ("<=", 6, Outlook(5, 3, 4, OPEN, may_fail=3, distance=Fraction(3), best=Fraction(3))),
        ("<", 6, Outlook(5, 3, 4, OPEN, may_fail=2, distance=Fraction(3), best=Fraction(3))),
        ("<=", 7, Outlook(5, 3, 4, SAFE, may_fail=4, distance=Fraction(4), best=Fraction(3))),
        ("<=", 2, Outlook(5, 3, 4, LOST, may_fail=0, distance=Fraction(-1), best=Fraction(3))),
    ],
)
def test_of_a_count_so_many_of_the_open_may_fail(op: str, goal: int, expected: Outlook) -> None:
    assert outlook(counted(op, goal), SOME) == expected


PROMOTED = promoting(1) + promoting(1) + promoting(1) + promoting(-1) + Tally(pending=4)
"""Three promoters, a detractor, and four open: a net of 2, from which 8 answers give 25."""


@pytest.mark.parametrize(
    ("op", "goal", "expected"),
    [
        # 50 of 8 answers are a net of 4: three promoters and one detractor bring the 2 missing.
        (">=", 50, Outlook(4, None, 4, OPEN, may_fail=1, needed=Fraction(50))),
        (">", 50, Outlook(4, None, 4, OPEN, may_fail=0, needed=Fraction(50))),
        (">=", 80, Outlook(4, None, 4, BEHIND, may_fail=0, needed=Fraction(110))),
        (">=", -25, Outlook(4, None, 4, SAFE, may_fail=4, needed=Fraction(-100))),
        # At most 50: three more promoters are too many unless the fourth is a detractor.
        ("<=", 50, Outlook(4, None, 4, OPEN, may_fail=3, needed=Fraction(50))),
        ("<", 50, Outlook(4, None, 4, OPEN, may_fail=2, needed=Fraction(50))),
        ("<=", -50, Outlook(4, None, 4, BEHIND, may_fail=0, needed=Fraction(-150))),
    ],
)
def test_of_net_promoters_so_many_of_the_open_may_be_detractors(
    op: str, goal: int, expected: Outlook
) -> None:
    value = {"kind": "number", "field": "nota", "lowest": 0, "highest": 10}
    of = part("nps", population=POPULATION, value=value, target={"op": op, "value": goal})
    assert outlook(of, PROMOTED) == expected


def test_net_promoters_of_nobody_need_nothing() -> None:
    value = {"kind": "number", "field": "nota", "lowest": 0, "highest": 10}
    of = part("nps", population=POPULATION, value=value, target={"op": ">=", "value": 1})
    assert outlook(of, Tally()) == Outlook(0, None, 0, OPEN, may_fail=0)


def days(*tallies: Tally) -> Cells:
    return {f"2026-07-{number:02}": tally for number, tally in enumerate(tallies, 1)}


def test_groups_count_as_decided_or_open_by_their_own_outlook() -> None:
    """Half of each day: on the first nobody came, then two are kept, two missed, two open."""
    kept, missed, turning = Tally(met=1), Tally(failed=1), Tally(met=1, pending=2)
    cells = days(Tally(), kept, missed, turning, kept, missed, turning)
    # Of six days three must be kept: three may be missed, and two are.
    assert outlook_in(each_day(">=", 50), cells) == Outlook(
        due=4, failed=2, open=2, prospect=OPEN, may_fail=1, best=Fraction(400, 6)
    )


def test_a_group_whose_only_cases_are_overdue_is_missed() -> None:
    waiting = Tally(pending=1, overdue_open=1)
    assert outlook_in(daily(), days(waiting)) == Outlook(
        due=1, failed=1, open=0, prospect=BEHIND, may_fail=0, best=Fraction(0)
    )


def test_a_group_is_held_to_the_limit_of_its_season() -> None:
    seasons = [{"first": "07-02", "last": "07-02", "value": 12}]
    of = daily(limit={"op": "<=", "value": 10, "seasons": seasons})
    eleven = took(11 * MINUTE)
    found = outlook_in(of, days(eleven, eleven))
    assert (found.due, found.failed) == (2, 1)
    by_office = daily(by=None, attribute="sede", limit=of.figure.limit)  # type: ignore[union-attr]
    assert outlook_in(by_office, {"norte": eleven}).failed == 1


def test_a_group_may_be_held_to_nothing() -> None:
    inner = {"form": "count", "population": {"event": "information.wrong", "anchor": "occurred"}}
    of = daily(inner=inner, limit={"op": "<=", "value": 0})
    found = outlook_in(of, days(Tally(met=1), Tally(met=2), Tally(failed=1)))
    assert (found.due, found.failed, found.open) == (3, 2, 0)


def test_of_what_is_owed_the_open_months_are_those_to_come() -> None:
    of = monthly(">=", 60)
    # Three months are owed: two must be kept, one may be missed.
    came = outlook_in(of, {"2026-07-01": Tally(met=1)}, known="2026-07-20")
    assert came == Outlook(1, 0, 2, OPEN, may_fail=1, best=Fraction(100))
    missed = outlook_in(of, {}, known="2026-08-20")
    assert missed == Outlook(2, 2, 1, LOST, may_fail=0, best=Fraction(100, 3))
    kept = {"2026-07-01": Tally(met=1), "2026-08-01": Tally(met=1)}
    assert outlook_in(of, kept, known="2026-08-20") == Outlook(
        2, 0, 1, SECURED, may_fail=1, best=Fraction(100)
    )


def test_a_window_is_over_when_it_is_known_through_its_end() -> None:
    for known, prospect in (("2026-09-30 23:59:59.999999", SAFE), ("2026-10-01", SECURED)):
        assert outlook(wait(), Tally(met=1), known=known).prospect is prospect


NPS = part(
    "nps",
    population=POPULATION,
    value={"kind": "number", "field": "nota", "lowest": 0, "highest": 10},
    target={"op": ">=", "value": 20},
)


@pytest.mark.parametrize(
    ("of", "come"),
    [
        (wait(), Tally(met=2, failed=1)),
        (percentile(60, "<="), lasted(3) + lasted(3) + lasted(9)),
        (counted(">=", 6), Tally(met=2, failed=1)),
        (counted("<=", 6), Tally(met=2, failed=1)),
        (NPS, promoting(1) + promoting(0) + promoting(-1)),
        (scored(">=", 6), scoring(5) + scoring(6) + scoring(4)),
    ],
    ids=["share", "percentile", "lower count", "upper count", "nps", "mean"],
)
def test_what_is_expected_and_has_not_come_counts_as_open(of: Part, come: Tally) -> None:
    """Nine are expected and four have come, one of which is open: five more."""
    counts = Counts(setting(known=RUNNING), [{"": come + PENDING}])
    criterion = Criterion(parts=(of,))
    told = outlooks_of(criterion, counts)
    (found,) = forecasts_of(criterion, counts, outlooks=told, expected=[9])
    assert found == outlook(of, come + Tally(pending=6))
    (found,) = forecasts_of(criterion, counts, outlooks=told, expected=[4])
    assert (found,) == told
    (found,) = forecasts_of(criterion, counts, outlooks=told, expected=[3])
    assert (found,) == told


def test_forecasts_and_outlooks_are_those_of_each_part() -> None:
    informs, share, mean = wait(target=None), wait(), counter()
    criterion = Criterion(parts=(informs, mean, share))
    minutes, cases = took(7 * MINUTE), Tally(met=8, failed=2)
    counts = Counts(setting(3, known=RUNNING), [{"": each} for each in (cases, minutes, cases)])
    told = outlooks_of(criterion, counts)
    assert told == (None, outlook(mean, minutes), outlook(share, cases))
    assert worst_of(told) is BEHIND
    found = forecasts_of(criterion, counts, outlooks=told, expected=[99, 2, 20])
    assert found == (
        None,
        outlook(mean, minutes + PENDING),
        outlook(share, cases + Tally(pending=10)),
    )
    found = forecasts_of(criterion, counts, outlooks=told, expected=[99, None, 20])
    assert [each is None for each in found] == [True, True, False]
    for expected in ([99, 2], [99, 2, 20, 1]):
        with pytest.raises(ValueError, match="argument"):
            forecasts_of(criterion, counts, outlooks=told, expected=expected)


def test_the_worst_of_several_prospects_is_that_of_them_all() -> None:
    """From the best to the worst: secured, safe, open, behind, lost."""
    each = {prospect: Outlook(0, 0, 0, prospect) for prospect in Prospect}
    for better, worse in pairwise((SECURED, SAFE, OPEN, BEHIND, LOST)):
        assert worst_of([each[better], None, each[worse]]) is worse
        assert worst_of([each[worse], each[better]]) is worse
    assert worst_of([]) is None


def test_a_window_is_at_risk_by_any_of_its_parts_and_each_has_its_forecast() -> None:
    few, share = counted(">=", 4), wait()
    criterion = Criterion(parts=(share, few))
    counts = Counts(setting(2, known=RUNNING), [{"": Tally(met=1)}, {"": Tally(met=1)}])
    result = judge_result(criterion, counts, minimum_sample=0, source_known=True)
    assert not at_risk(criterion, result, is_broken=False)
    behind, reachable = Outlook(0, 0, 0, BEHIND), Outlook(0, 0, 0, OPEN)
    assert at_risk(criterion, result, is_broken=False, forecasts=[None, behind])
    assert not at_risk(criterion, result, is_broken=True, forecasts=[None, behind])
    # What is kept as it stands is not at risk by a forecast.
    assert not at_risk(criterion, result, is_broken=False, forecasts=[behind, reachable])
    for number in (1, 3):
        with pytest.raises(ValueError, match="argument"):
            at_risk(criterion, result, is_broken=False, forecasts=[None] * number)
