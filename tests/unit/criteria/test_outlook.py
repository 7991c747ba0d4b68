"""What a running window can still become, against every way in which its open cases can end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.criteria import (
    BEYOND,
    PLANNED,
    Counts,
    Criterion,
    Outlook,
    Part,
    Prospect,
    Reference,
    Setting,
    Tally,
    Uncounted,
    at_risk,
    figures_of,
    forecasts_of,
    judge_result,
    outlooks_of,
    worst_of,
)
from tests.unit.criteria.builders import counter, part, session, setting, wait
from tests.unit.worktime.calendars import local

MINUTE = 60_000_000
RUNNING = "2026-08-01"
MET, FAILED, PENDING = Tally(met=1), Tally(failed=1), Tally(pending=1)
KEPT = (Prospect.SECURED, Prospect.SAFE)
MISSED = (Prospect.BEHIND, Prospect.LOST)
OPS = st.sampled_from(["<=", "<", ">=", ">"])
FEW = st.integers(0, 4)
POPULATION = {"event": "survey.answered", "anchor": "occurred"}


@dataclass(frozen=True)
class Ending:
    """One way in which an open case can end; `against` the promise or not."""

    tally: Tally
    against: bool = False


def running(*tallies: Tally, known: str | None = RUNNING) -> Counts:
    return Counts(setting(len(tallies), known=known), [{"": tally} for tally in tallies])


def outlook(of: Part, *tallies: Tally, known: str | None = RUNNING) -> Outlook:
    (found,) = outlooks_of(Criterion(parts=(of,)), running(*tallies, known=known))
    assert found is not None
    return found


def is_kept(of: Part, *tallies: Tally) -> bool | None:
    (figure,) = figures_of(Criterion(parts=(of,)), running(*tallies))
    assert of.target is not None
    if figure.value is None:
        return None
    return of.target.op.holds(figure.value, Fraction(of.target.value))


def ends(decided: Tally, endings: Sequence[Sequence[Ending]]) -> Iterator[tuple[Tally, int]]:
    """Yield the counts of every end, and how many of the open went against the promise."""
    for chosen in product(*endings):
        total = sum((ending.tally for ending in chosen), decided)
        yield total, sum(ending.against for ending in chosen)


def check(of: Part, decided: Tally, endings: Sequence[Sequence[Ending]], found: Outlook) -> None:
    """Compare with every end: what may fail, and whether the open cases decide."""
    results = [(is_kept(of, total), against) for total, against in ends(decided, endings)]
    kept = [against for holds, against in results if holds]
    if all(holds is None for holds, _ in results):
        assert found.prospect is Prospect.OPEN
        return
    assert (found.prospect in KEPT) == (len(kept) == len(results))
    assert (found.prospect in MISSED) == (not kept)
    if found.may_fail is not None:
        assert found.may_fail == max(kept, default=0)


def kept_or_failed(*, wants_more: bool) -> tuple[Ending, Ending]:
    return Ending(MET, not wants_more), Ending(FAILED, wants_more)


@given(OPS, st.integers(0, 100), FEW, FEW, FEW)
def test_with_as_many_failures_a_share_is_still_kept_and_with_one_more_it_is_not(
    op: str, goal: int, met: int, failed: int, pending: int
) -> None:
    of = wait(target={"op": op, "value": goal})
    decided = Tally(met=met, failed=failed)
    found = outlook(of, decided + Tally(pending=pending))
    assert (found.due, found.open) == (met + failed, pending)
    assert found.failed == (failed if op.startswith(">") else met)
    either = kept_or_failed(wants_more=op.startswith(">"))
    check(of, decided, [either] * pending, found)


@given(OPS, st.sampled_from([1, 50, 60, 90, 100]), st.lists(st.sampled_from([3, 5, 9])), FEW)
def test_a_percentile_is_a_share_of_items_on_the_good_side_of_its_target(
    op: str, p: int, minutes: list[int], pending: int
) -> None:
    target = {"op": op, "value": 5, "unit": "min"}
    of = counter(target=target).model_dump(mode="json")["figure"]
    of = Part.model_validate({"figure": of | {"form": "percentile", "p": p}, "target": target})
    decided = sum((lasted(each) for each in minutes), Tally())
    assert of.target is not None
    endings = [
        Ending(lasted(each), not of.target.op.holds(Fraction(each), Fraction(5)))
        for each in (4, 5, 6)
    ]
    check(of, decided, [endings] * pending, outlook(of, decided + Tally(pending=pending)))


def lasted(minutes: int) -> Tally:
    amount = minutes * MINUTE
    return Tally(met=1, amount_sum=amount, amount_count=1, spread={(amount, amount): 1})


def test_an_open_case_past_the_target_is_beyond_every_value_of_a_percentile() -> None:
    of = slowest(100)
    overdue = Tally(failed=1, overdue_open=1, spread={(BEYOND, BEYOND): 1})
    found = outlook(of, lasted(3) + overdue + PENDING)
    assert (found.due, found.failed, found.open) == (2, 1, 1)
    assert found.prospect is Prospect.LOST


def test_only_the_worst_case_is_lost_by_one_that_took_too_long() -> None:
    assert outlook(slowest(100), lasted(9)).prospect is Prospect.LOST
    assert outlook(slowest(99), lasted(9)).prospect is Prospect.BEHIND


def slowest(p: int) -> Part:
    target = {"op": "<=", "value": 5, "unit": "min"}
    figure = counter(target=target).figure.model_dump(mode="json")
    return Part.model_validate(
        {"figure": figure | {"form": "percentile", "p": p}, "target": target}
    )


def counted(op: str, goal: int, *, unit: str = "talleres") -> Part:
    fields = {
        "population": {"event": "class.first_session", "anchor": "occurred"},
        "value": {"kind": "number", "field": "nota", "lowest": 0, "highest": 10},
        "limit": {"op": ">=", "value": 8},
    }
    return part("count", **fields, target={"op": op, "value": goal, "unit": unit})


@given(OPS, st.integers(0, 6), FEW, FEW, FEW)
def test_a_count_says_how_many_of_the_open_may_fail_and_how_far_it_is_from_its_target(
    op: str, goal: int, met: int, failed: int, pending: int
) -> None:
    of, decided = counted(op, goal), Tally(met=met, failed=failed)
    found = outlook(of, decided + Tally(pending=pending))
    assert found.distance == goal - met
    either = kept_or_failed(wants_more=op.startswith(">"))
    if met + failed + pending or op.startswith(">"):
        check(of, decided, [either] * pending, found)
    else:
        assert found.prospect is Prospect.OPEN


@given(OPS, st.integers(-100, 100), st.lists(st.sampled_from([-1, 0, 1]), max_size=4), FEW)
def test_net_promoters_say_how_many_of_the_open_may_be_detractors(
    op: str, goal: int, answers: list[int], pending: int
) -> None:
    value = {"kind": "number", "field": "nota", "lowest": 0, "highest": 10}
    of = part("nps", population=POPULATION, value=value, target={"op": op, "value": goal})
    decided = sum(map(promoting, answers), Tally())
    bad = -1 if op.startswith(">") else 1
    endings = [Ending(promoting(each), each == bad) for each in (-1, 0, 1)]
    found = outlook(of, decided + Tally(pending=pending))
    assert found.failed is None
    check(of, decided, [endings] * pending, found)


def promoting(points: int) -> Tally:
    return Tally(met=1, amount_sum=points * 10_000, amount_count=1)


@given(OPS, st.integers(0, 10), st.lists(st.integers(0, 10), max_size=4), FEW)
def test_a_mean_of_scores_is_bounded_by_its_scale(
    op: str, goal: int, scores: list[int], pending: int
) -> None:
    of = scored(op, goal)
    decided = sum(map(scoring, scores), Tally())
    found = outlook(of, decided + Tally(pending=pending))
    assert (found.failed, found.may_fail, found.uncounted) == (None, None, Uncounted.AMOUNTS)
    check(of, decided, [[Ending(scoring(each)) for each in (0, 4, 10)]] * pending, found)
    if pending:
        assert found.needed is not None
        total = decided.amount_sum + found.needed * 10_000 * pending
        assert total / (len(scores) + pending) == goal * 10_000


def scored(op: str, goal: int, **scale: int) -> Part:
    value = {"kind": "number", "field": "nota"} | (scale or {"lowest": 0, "highest": 10})
    return part(
        "mean",
        population=POPULATION,
        value=value,
        target={"op": op, "value": goal, "unit": "puntos"},
    )


def scoring(score: int) -> Tally:
    return Tally(met=1, amount_sum=score * 10_000, amount_count=1)


@given(OPS, st.lists(st.sampled_from([0, 2, 6, 9]), max_size=3), st.integers(0, 2), FEW)
def test_a_mean_of_times_knows_that_an_overdue_case_took_longer_than_its_target(
    op: str, minutes: list[int], overdue: int, waiting: int
) -> None:
    of = counter(target={"op": op, "value": 6, "unit": "min"})
    decided = sum(map(took, [each * MINUTE for each in minutes]), Tally())
    if op.startswith(">"):
        overdue = 0  # under a lower limit nothing is overdue
    still_open = Tally(pending=overdue + waiting, overdue_open=overdue)
    past = 6 * MINUTE + (op == "<=")
    forever = 10**4 * MINUTE
    endings = [[Ending(took(past)), Ending(took(forever))]] * overdue
    endings += [[Ending(took(0)), Ending(took(forever))]] * waiting
    check(of, decided, endings, outlook(of, decided + still_open))


def took(amount: int) -> Tally:
    return Tally(met=1, amount_sum=amount, amount_count=1)


def test_numbers_without_a_scale_have_no_end() -> None:
    of = part(
        "mean",
        population=POPULATION,
        value={"kind": "number", "field": "horas"},
        target={"op": "<=", "value": 3, "unit": "horas"},
    )
    assert outlook(of, scoring(9) + PENDING).prospect is Prospect.OPEN
    assert outlook(of, scoring(9)).prospect is Prospect.BEHIND
    assert outlook(of, scoring(3)).prospect is Prospect.SAFE


@given(OPS, st.integers(0, 12), FEW, st.integers(0, 1))
def test_a_sum_says_how_much_may_be_added_or_is_missing(
    op: str, goal: int, hours: int, pending: int
) -> None:
    of = part(
        "sum",
        population=POPULATION,
        value={"kind": "number", "field": "horas"},
        target={"op": op, "value": goal, "unit": "horas"},
    )
    decided = scoring(hours)
    found = outlook(of, decided + Tally(pending=pending))
    assert found.distance == goal - hours
    assert found.uncounted is Uncounted.AMOUNTS
    later = [is_kept(of, decided + scoring(more)) for more in (0, 100)]
    if all(later) and op.startswith(">"):
        assert found.prospect is Prospect.SECURED
    elif not any(later):
        assert found.prospect is Prospect.LOST
    elif pending:
        assert found.prospect is Prospect.OPEN
    else:
        assert found.prospect is (Prospect.SAFE if later[0] else Prospect.BEHIND)


def test_a_sum_that_can_fall_is_never_certain() -> None:
    of = part(
        "sum",
        population=POPULATION,
        value={"kind": "number", "field": "saldo", "lowest": -10, "highest": 10},
        target={"op": "<=", "value": 3, "unit": "puntos"},
    )
    assert outlook(of, scoring(4)).prospect is Prospect.BEHIND


SIDE = st.tuples(FEW, st.integers(0, 3))


@given(OPS, st.sampled_from([0, 50, 100, 150]), SIDE, SIDE)
def test_a_ratio_is_bounded_by_the_open_cases_of_both_populations(
    op: str, goal: int, numerator: tuple[int, int], denominator: tuple[int, int]
) -> None:
    (above, open_above), (below, open_below) = numerator, denominator
    quantity = counted("<=", 0).figure.model_dump(mode="json")
    of = part("ratio", numerator=quantity, denominator=quantity, target={"op": op, "value": goal})
    found = outlook(
        of, *(Tally(met=n, pending=p) for n, p in ((above, open_above), (below, open_below)))
    )
    assert (found.due, found.open) == (below, open_above + open_below)
    assert (found.may_fail, found.uncounted) == (None, Uncounted.TWO_POPULATIONS)
    assert found.distance == Fraction(goal * below, 100) - above
    if not below:
        assert found.prospect is Prospect.OPEN
        return
    results = [
        is_kept(of, Tally(met=above + more), Tally(met=below + less))
        for more, less in product(range(open_above + 1), range(open_below + 1))
    ]
    assert (found.prospect in KEPT) == all(results)
    assert (found.prospect in MISSED) == (not any(results))


DAYS = ("2026-07-01", "2026-07-02", "2026-07-03")
counted_days = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), max_size=3
)


def each_day(op: str, goal: int, **inner: Any) -> Part:
    figure = inner or {**wait().figure.model_dump(mode="json")}
    return part(
        "nested_share",
        by="day",
        inner=figure,
        limit={"op": ">=", "value": 50},
        target={"op": op, "value": goal},
    )


def by_day(of: Part, tallies: Sequence[Tally]) -> Counts:
    cells = dict(zip(DAYS, tallies, strict=False))
    return Counts(setting(known=RUNNING), [cells])


@given(OPS, st.sampled_from([0, 33, 50, 90, 100]), counted_days)
def test_groups_are_open_while_their_cases_can_turn_them(
    op: str, goal: int, days: list[tuple[int, int, int]]
) -> None:
    of = each_day(op, goal)
    criterion = Criterion(parts=(of,))
    tallies = [Tally(met=met, failed=failed, pending=pending) for met, failed, pending in days]
    (found,) = outlooks_of(criterion, by_day(of, tallies))
    assert found is not None
    either = kept_or_failed(wants_more=True)
    ways = [
        [total for total, _ in ends(replace(tally, pending=0), [either] * tally.pending)]
        for tally in tallies
    ]
    results: list[tuple[bool, int]] = []
    undecided = {n for n, totals in enumerate(ways) if len(set(map(day_kept, totals))) > 1}
    for chosen in product(*ways):
        (figure,) = figures_of(criterion, by_day(of, chosen))
        if figure.value is None:
            assert found.prospect is Prospect.OPEN
            return
        assert of.target is not None
        bad = [bool(day_kept(total)) != op.startswith(">") for total in chosen]
        against = sum(bad[n] for n in undecided)
        results.append((of.target.op.holds(figure.value, Fraction(goal)), against))
    kept = [against for holds, against in results if holds]
    assert (found.prospect in KEPT) == (len(kept) == len(results))
    assert (found.prospect in MISSED) == (not kept)
    assert found.open == len(undecided)
    assert found.may_fail == max(kept, default=0)


def day_kept(tally: Tally) -> bool | None:
    return tally.met * 2 >= tally.decided if tally.decided else None


@pytest.mark.parametrize(
    ("op", "met", "failed"), [(">=", 2, 0), (">=", 1, 1), ("<=", 1, 0), ("<=", 2, 1)]
)
def test_a_day_whose_count_is_secured_or_lost_is_decided(op: str, met: int, failed: int) -> None:
    """At least two, or at most one, of each day: no open case is left to change it."""
    inner = counted(op, 0).figure.model_dump(mode="json")
    bound = 2 if op == ">=" else 1
    figure = {"inner": inner, "limit": {"op": op, "value": bound}}
    of = part("nested_share", by="day", target={"op": ">=", "value": 90}, **figure)
    (found,) = outlooks_of(Criterion(parts=(of,)), by_day(of, [Tally(met=met)]))
    assert found is not None
    assert (found.due, found.failed, found.open) == (1, failed, 0)


def test_a_day_that_was_missed_can_still_turn_until_all_is_known() -> None:
    of = each_day(">=", 100)
    (found,) = outlooks_of(Criterion(parts=(of,)), by_day(of, [FAILED]))
    assert found is not None
    assert found.prospect is Prospect.BEHIND


def monthly(op: str, goal: int) -> Part:
    return part(
        "deadline",
        population={"event": "bulletin.published", "anchor": "occurred"},
        recurrence={"every": "month", "calendar": "HAB-GRAL", "day": 10},
        target={"op": op, "value": goal},
    )


MONTHS = ("2026-07-01", "2026-08-01", "2026-09-01")


@given(OPS, st.sampled_from([0, 33, 34, 66, 67, 100]), st.integers(0, 3), st.lists(st.booleans()))
def test_of_what_is_owed_all_is_known_beforehand(
    op: str, goal: int, passed: int, came: list[bool]
) -> None:
    of = monthly(op, goal)
    criterion = Criterion(parts=(of,))
    known = ("2026-07-02", "2026-07-20", "2026-08-20", "2026-09-20")[passed]
    happened = {month: MET for month, is_in in zip(MONTHS[:passed], came, strict=False) if is_in}
    (found,) = outlooks_of(criterion, Counts(setting(known=known), [happened]))
    assert found is not None
    assert (found.due, found.open) == (passed, 3 - passed)
    results = []
    for chosen in product((True, False), repeat=3 - passed):
        later = {month: MET for month, is_in in zip(MONTHS[passed:], chosen, strict=True) if is_in}
        (figure,) = figures_of(criterion, Counts(setting(known="2026-10-01"), [happened | later]))
        assert figure.value is not None
        assert of.target is not None
        bad = chosen.count(not op.startswith(">"))
        results.append((of.target.op.holds(figure.value, Fraction(goal)), bad))
    kept = [bad for holds, bad in results if holds]
    assert (found.prospect is Prospect.SECURED) == (len(kept) == len(results))
    assert (found.prospect is Prospect.LOST) == (not kept)
    assert found.may_fail == max(kept, default=0)


def available(op: str, goal: str) -> Part:
    return part(
        "availability",
        population={"event": "outage.started", "anchor": "occurred", "exclude": ["aviso"]},
        value={"kind": "outage", "stop": "outage.ended", "unit": "h"},
        target={"op": op, "value": goal},
    )


@pytest.mark.parametrize(
    ("op", "goal", "hours_out", "distance", "prospect"),
    [
        # 92 days of 24 hours are 2,208; 1 % of them 22.08.
        (">=", "99", 20, "2.08", Prospect.OPEN),
        (">=", "99", 23, "-0.92", Prospect.LOST),
        (">=", "50", 0, "1104", Prospect.OPEN),
        (">=", "33", 0, "1479.36", Prospect.SECURED),
        (">", "99", 22, "0.08", Prospect.OPEN),
        ("<=", "99", 23, "-0.92", Prospect.SECURED),
    ],
)
def test_an_availability_says_how_much_longer_the_service_may_be_out(
    op: str, goal: str, hours_out: int, distance: str, prospect: Prospect
) -> None:
    """Known through the 1st of August: 31 days of 92 have passed, so 33 % is certain."""
    of = available(op, goal)
    (found,) = outlooks_of(
        Criterion(parts=(of,)), Counts(no_hours(RUNNING), [{"": out(hours_out)}])
    )
    assert found is not None
    assert found.uncounted is Uncounted.TIME
    assert found.distance == Fraction(distance)
    assert found.prospect is prospect


def no_hours(known: str) -> Setting:
    return setting(known=known, calendar=None)


def out(hours: int, *, first: str = "2026-07-02") -> Tally:
    start = int(local(first).timestamp()) * 1_000_000
    return Tally(met=1, spread={(start, start + hours * 60 * MINUTE): 1})


def test_a_planned_interruption_to_come_leaves_the_service_time_and_an_endless_one_does_not() -> (
    None
):
    of = available(">=", "99")
    planned = out(208, first="2026-09-01")
    (found,) = outlooks_of(Criterion(parts=(of,)), Counts(no_hours(RUNNING), [{PLANNED: planned}]))
    assert found is not None
    assert found.distance == 20
    begun = int(local("2026-07-31").timestamp()) * 1_000_000
    endless = Tally(spread={(begun, BEYOND): 1})
    (found,) = outlooks_of(Criterion(parts=(of,)), Counts(no_hours(RUNNING), [{PLANNED: endless}]))
    assert found is not None
    assert found.distance == Fraction("21.84")


# Cases yet to come

FUTURES = st.lists(st.sampled_from([MET, FAILED]), max_size=12)


@given(OPS, st.sampled_from([0, 20, 90, 100]), FEW, FEW, FUTURES)
def test_what_is_secured_or_lost_no_case_to_come_can_change(
    op: str, goal: int, met: int, failed: int, future: list[Tally]
) -> None:
    for of in (wait(target={"op": op, "value": goal}), counted(op, goal // 20)):
        found = outlook(of, Tally(met=met, failed=failed))
        later = is_kept(of, sum(future, Tally(met=met, failed=failed)))
        if found.prospect is Prospect.SECURED:
            assert later
        if found.prospect is Prospect.LOST:
            assert not later


@pytest.mark.parametrize(
    ("op", "goal", "tally", "prospect"),
    [
        (">=", 100, FAILED, Prospect.LOST),
        (">=", 99, FAILED, Prospect.BEHIND),
        ("<=", 0, MET, Prospect.LOST),
        ("<=", 1, MET, Prospect.BEHIND),
        ("<", 0, FAILED, Prospect.LOST),
        (">=", 100, MET, Prospect.SAFE),
    ],
)
def test_one_failure_loses_only_what_was_promised_to_everybody(
    op: str, goal: int, tally: Tally, prospect: Prospect
) -> None:
    assert outlook(wait(target={"op": op, "value": goal}), tally).prospect is prospect


@given(OPS, st.sampled_from([5, 20, 90, 99]), FEW, FEW)
def test_what_is_behind_or_safe_cases_to_come_can_change(
    op: str, goal: int, met: int, failed: int
) -> None:
    of = wait(target={"op": op, "value": goal})
    decided = Tally(met=met, failed=failed)
    found = outlook(of, decided)
    turned = [is_kept(of, decided + more) for more in (Tally(met=1000), Tally(failed=1000))]
    if found.prospect in (Prospect.SAFE, Prospect.BEHIND):
        assert sorted(map(bool, turned)) == [False, True]


def test_once_everything_is_known_nothing_is_yet_to_come() -> None:
    assert outlook(wait(), Tally(met=9, failed=1)).prospect is Prospect.SAFE
    known = "2026-10-01"
    assert outlook(wait(), Tally(met=9, failed=1), known=known).prospect is Prospect.SECURED
    assert outlook(wait(), Tally(met=8, failed=2), known=known).prospect is Prospect.LOST
    assert outlook(wait(), Tally(met=8, pending=2), known=known).prospect is Prospect.OPEN


@given(OPS, st.integers(0, 100), FEW, FEW, st.integers(0, 8))
def test_a_forecast_is_the_outlook_with_the_expected_cases_open(
    op: str, goal: int, met: int, failed: int, expected: int
) -> None:
    of = wait(target={"op": op, "value": goal})
    found = forecast(of, Tally(met=met, failed=failed, pending=1), expected=expected)
    assert found is not None
    coming = max(0, expected - met - failed - 1)
    assert found == outlook(of, Tally(met=met, failed=failed, pending=1 + coming))


def forecast(
    of: Part, *tallies: Tally, expected: int | None, known: str | None = RUNNING
) -> Outlook | None:
    criterion, counts = Criterion(parts=(of,)), running(*tallies, known=known)
    outlooks = outlooks_of(criterion, counts)
    (found,) = forecasts_of(criterion, counts, outlooks=outlooks, expected=[expected])
    return found


def test_a_mean_that_is_to_come_must_average_what_is_left() -> None:
    found = forecast(scored(">=", 8), scoring(6) + scoring(7), expected=10)
    assert found is not None
    # Eighty points for ten answers; thirteen are there, eight answers must bring 67.
    assert found.needed == Fraction(67, 8)


def test_so_many_answers_to_come_may_be_detractors() -> None:
    """One promoter of nine expected: five more of them and three detractors give 33."""
    value = {"kind": "number", "field": "nota", "lowest": 0, "highest": 10}
    of = part("nps", population=POPULATION, value=value, target={"op": ">=", "value": 33})
    found = forecast(of, promoting(1), expected=9)
    assert found is not None
    assert (found.open, found.may_fail, found.needed) == (8, 3, Fraction(197, 8))


@pytest.mark.parametrize(
    "of",
    [
        each_day(">=", 90),
        monthly(">=", 90),
        available(">=", "99"),
        part(
            "sum",
            population=POPULATION,
            value={"kind": "number", "field": "horas"},
            target={"op": ">=", "value": 5, "unit": "horas"},
        ),
    ],
    ids=["groups", "schedule", "availability", "sum"],
)
def test_a_number_of_cases_says_nothing_of_amounts_groups_and_what_is_owed(of: Part) -> None:
    assert forecast(of, Tally(), expected=10) is None


def test_there_is_no_forecast_without_a_volume_or_into_a_window_that_is_over() -> None:
    assert forecast(wait(), MET, expected=None) is None
    assert forecast(wait(), MET, expected=10, known="2026-10-01") is None
    assert forecast(wait(target=None), MET, expected=10) is None


# Several parts, and what there is nothing to say of


def test_the_prospect_of_a_conjunction_is_that_of_its_worst_part() -> None:
    criterion = Criterion(parts=(wait(), counter(), session(target=None)))
    found = outlooks_of(criterion, running(Tally(met=1), Tally(met=1, pending=1), FAILED))
    assert [None if each is None else each.prospect for each in found] == [
        Prospect.SAFE,
        Prospect.OPEN,
        None,
    ]
    assert worst_of(found) is Prospect.OPEN
    assert worst_of([None]) is None


def test_a_target_that_follows_an_earlier_window_needs_one() -> None:
    of = wait(target={"op": ">=", "value": 1, "unit": "%", "reference": "previous"})
    criterion = Criterion(parts=(of,))
    counts = running(Tally(met=5, failed=1, pending=4))
    assert outlooks_of(criterion, counts) == (None,)
    followed = replace(counts, earlier={Reference.PREVIOUS: running(Tally(met=8, failed=2))})
    (found,) = outlooks_of(criterion, followed)
    assert found is not None
    assert found.may_fail == 1
    assert found.best == 90


def test_an_earlier_window_of_nothing_may_be_no_target_to_be_held_to() -> None:
    target = {"op": "<=", "value": 1, "unit": "%", "reference": "previous"}
    before = {Reference.PREVIOUS: running(Tally(failed=10))}
    counts = replace(running(Tally(failed=5, pending=4)), earlier=before)
    (held,) = outlooks_of(Criterion(parts=(wait(target=target),)), counts)
    assert held is not None
    unsaid = wait(target=target | {"zero_reference": "not_evaluated"})
    assert outlooks_of(Criterion(parts=(unsaid,)), counts) == (None,)


def test_an_open_case_past_a_limit_of_its_own_says_nothing_of_a_target_that_moves() -> None:
    moving = {"op": "<=", "value": 1, "unit": "razón", "reference": "previous"}
    criterion = Criterion(parts=(counter(target=moving),))
    counts = running(took(MINUTE) + Tally(pending=1, overdue_open=1))
    followed = replace(counts, earlier={Reference.PREVIOUS: running(took(MINUTE))})
    (found,) = outlooks_of(criterion, followed)
    assert found is not None
    assert found.prospect is Prospect.OPEN


# At risk


def risky(of: Part, tally: Tally, *, expected: int | None = None, minimum_sample: int = 0) -> bool:
    criterion, counts = Criterion(parts=(of,)), running(tally)
    result = judge_result(
        criterion, counts, minimum_sample=minimum_sample, source_known=True, final=False
    )
    outlooks = outlooks_of(criterion, counts)
    told = forecasts_of(criterion, counts, outlooks=outlooks, expected=[expected])
    return at_risk(criterion, result, is_broken=False, forecasts=told)


def test_a_running_window_is_at_risk_when_it_would_end_badly() -> None:
    assert risky(wait(), Tally(met=8, failed=2))
    assert not risky(wait(), Tally(met=9, failed=1))
    assert not risky(wait(), Tally(met=8, failed=2), minimum_sample=11)
    assert not risky(wait(), Tally(pending=5))
    assert not risky(wait(target=None), Tally(met=8, failed=2))


def test_what_is_broken_or_breaks_with_its_first_case_is_not_at_risk() -> None:
    every = wait(target={"op": ">=", "value": 100})
    assert not risky(every, FAILED)
    criterion, counts = Criterion(parts=(wait(),)), running(FAILED)
    result = judge_result(criterion, counts, minimum_sample=0, source_known=True)
    assert not at_risk(criterion, result, is_broken=True)
    assert at_risk(criterion, result, is_broken=False)


def test_a_total_that_is_to_be_reached_is_at_risk_only_by_a_forecast() -> None:
    """On its first day no window has its workshops yet; that says nothing."""
    of = counted(">=", 4)
    assert not risky(of, MET)
    assert not risky(of, MET, expected=4)
    assert risky(of, MET, expected=3)
