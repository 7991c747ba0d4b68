"""Every figure from counts that add up by hand, and what it could still become."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from shared.criteria import BEYOND, PLANNED, Part, Setting, Tally, Window, window_of
from shared.criteria.figures import FigureValue, figure_of, service_left
from shared.criteria.outages import microseconds
from shared.criteria.verdict import Span
from tests.unit.criteria.builders import GENERAL, part, setting, wait
from tests.unit.criteria.test_shapes import ANSWERED, SCORE, daily, owed, portal
from tests.unit.criteria.test_windows import WARSAW
from tests.unit.worktime.calendars import local, natural

MINUTE = 60_000_000
MONTH = Window.model_validate({"kind": "month"})
SEPTEMBER = setting(window=MONTH)
ISSUED = {"event": "ticket.issued", "anchor": "occurred"}
MINUTES = wait().figure.model_dump()["value"]
NOTHING = Tally()


def figure(of: Part, tally: Tally, around: Setting = SEPTEMBER) -> FigureValue:
    return figure_of(of, [{"": tally}], around)


def test_a_share_lies_between_all_pending_failed_and_all_kept() -> None:
    share = wait()
    told = Tally(met=3, failed=1, pending=4, excluded={"x": 9})
    assert figure(share, told) == FigureValue(
        Fraction(75), Fraction(3), Fraction(4), 4, told, Fraction(75, 2), Fraction(175, 2)
    )
    waiting = Tally(pending=2)
    assert figure(share, waiting) == FigureValue(
        None, Fraction(0), Fraction(0), 0, waiting, Fraction(0), Fraction(100)
    )
    assert figure(share, NOTHING) == FigureValue(None, Fraction(0), Fraction(0), 0, NOTHING)


def test_a_mean_is_that_of_what_was_measured_and_has_no_bounds_while_cases_wait() -> None:
    mean = part("mean", population=ISSUED, value=MINUTES)
    told = Tally(met=4, amount_sum=30 * MINUTE, amount_count=4)
    exact = Fraction(15, 2)
    assert figure(mean, told) == FigureValue(
        exact, Fraction(30), Fraction(4), 4, told, exact, exact
    )
    waiting = replace(told, pending=1)
    assert figure(mean, waiting) == FigureValue(exact, Fraction(30), Fraction(4), 4, waiting)
    assert figure(mean, NOTHING) == FigureValue(None, Fraction(0), Fraction(0), 0, NOTHING)


def test_net_promoters_are_points_of_a_hundred() -> None:
    # Three promoters, one detractor, one in between: 60 % less 20 %.
    told = Tally(met=5, amount_sum=20_000, amount_count=5)
    nps = part("nps", population=ANSWERED, value=SCORE)
    assert figure(nps, told) == FigureValue(
        Fraction(40), Fraction(200), Fraction(5), 5, told, Fraction(40), Fraction(40)
    )


def ranked(p: int | str) -> Part:
    return part("percentile", p=p, population=ISSUED, value=MINUTES)


def spread(**minutes: int) -> dict[Span, int]:
    """How many cases took m0, m20 … minutes, or lie beyond every value."""
    amounts = {name: BEYOND if name == "beyond" else int(name[1:]) * MINUTE for name in minutes}
    return {(amounts[name],) * 2: count for name, count in minutes.items()}


def test_pending_cases_of_a_percentile_took_nothing_at_best_and_for_ever_at_worst() -> None:
    told = Tally(
        met=2,
        failed=2,
        pending=2,
        amount_sum=20 * MINUTE,
        amount_count=2,
        spread=spread(m0=1, m20=1, beyond=2),
    )
    beyond = Fraction(BEYOND, MINUTE)
    # The second of four; the third of six, of which three took nothing, or four are beyond.
    assert figure(ranked(50), told) == FigureValue(
        Fraction(20), Fraction(20), Fraction(4), 4, told, Fraction(0), beyond
    )
    # The third of four, the fifth of six.
    assert figure(ranked(75), told) == FigureValue(
        beyond, Fraction(20), Fraction(4), 4, told, beyond, beyond, is_beyond=True
    )
    assert figure(ranked(50), NOTHING) == FigureValue(None, Fraction(0), Fraction(0), 0, NOTHING)


@pytest.mark.parametrize(("p", "lowest", "highest"), [(40, 20, 20), (25, 0, 20), (75, 20, 30)])
def test_one_pending_case_is_one_rank(p: int, lowest: int, highest: int) -> None:
    told = Tally(met=3, pending=1, spread=spread(m20=2, m30=1))
    found = figure(ranked(p), told)
    assert (found.lowest, found.highest) == (Fraction(lowest), Fraction(highest))


def test_what_half_of_two_do_not_exceed_is_the_first_and_what_more_do_not_the_second() -> None:
    told = Tally(met=2, spread=spread(m20=1, m30=1))
    assert figure(ranked(50), told).value == 20
    assert figure(ranked("50.5"), told).value == 30


def test_a_count_is_at_least_what_was_met_and_at_most_all_that_wait_as_well() -> None:
    told = Tally(met=2, failed=1, pending=3)
    count = part("count", population=ISSUED)
    assert figure(count, told) == FigureValue(
        Fraction(2), Fraction(2), Fraction(1), None, told, Fraction(2), Fraction(5)
    )
    assert figure(count, NOTHING) == FigureValue(
        Fraction(0), Fraction(0), Fraction(1), None, NOTHING, Fraction(0), Fraction(0)
    )


def test_a_sum_is_exact_and_open_while_cases_wait() -> None:
    total = part("sum", population=ANSWERED, value=SCORE)
    told = Tally(met=2, amount_sum=25_000, amount_count=2)
    assert figure(total, told) == FigureValue(
        Fraction(5, 2), Fraction(5, 2), Fraction(1), None, told, Fraction(5, 2), Fraction(5, 2)
    )
    waiting = replace(told, pending=1)
    assert figure(total, waiting) == FigureValue(
        Fraction(5, 2), Fraction(5, 2), Fraction(1), None, waiting
    )


# Time without service


def down(unit: str = "h") -> dict[str, Any]:
    hours = {"calendar": "HAB-GRAL"} if unit == "h_habil" else {}
    return {
        "form": "sum",
        "population": {"event": "outage.started", "anchor": "occurred"},
        "value": {"kind": "outage", "stop": "outage.ended", "unit": unit, **hours},
    }


def out(*spans: tuple[str, str]) -> Tally:
    """Outages by their local start and end."""
    told = {(at(start), at(end)): 1 for start, end in spans}
    return Tally(met=len(told), spread=told)


def at(moment: str) -> int:
    return BEYOND if moment == "goes on" else microseconds(local(moment))


# From Monday 16:00 to Tuesday 10:00; the office is open from 9 to 18.
NIGHT = out(("2026-09-07 16:00", "2026-09-08 10:00"))


def test_outages_add_up_around_the_clock_or_in_open_hours() -> None:
    for unit, hours in (("h", Fraction(18)), ("h_habil", Fraction(3))):
        total = Part.model_validate({"figure": down(unit)})
        assert figure(total, NIGHT) == FigureValue(
            hours, hours, Fraction(1), None, NIGHT, hours, hours
        )


@pytest.mark.parametrize(
    ("known", "hours"),
    [(None, 0), ("2026-08-20", 0), ("2026-09-07 20:00", 4), ("2026-10-20", 18)],
)
def test_time_without_service_is_counted_as_far_as_is_known(known: str | None, hours: int) -> None:
    total = Part.model_validate({"figure": down()})
    assert figure(total, NIGHT, setting(window=MONTH, known=known)).value == hours


# Ratios


def ratio(above: dict[str, Any], below: dict[str, Any], **fields: Any) -> Part:
    return part("ratio", numerator=above, denominator=below, **fields)


def divided(of: Part, above: Tally, below: Tally, around: Setting | None = None) -> FigureValue:
    return figure_of(of, [{"": above}, {"": below}], around or setting(2, window=MONTH))


COUNT = {"form": "count", "population": ISSUED}
WEIGHTS = {"form": "sum", "population": ANSWERED, "value": SCORE}


def test_a_ratio_lies_between_its_least_of_the_most_and_its_most_of_the_least() -> None:
    above, below = Tally(met=3, pending=1), Tally(met=4, pending=2)
    assert divided(ratio(COUNT, COUNT), above, below) == FigureValue(
        Fraction(75), Fraction(3), Fraction(4), 4, below, Fraction(50), Fraction(100), above=above
    )


def test_a_ratio_of_nothing_has_no_value_and_one_of_what_waits_no_bounds() -> None:
    above, waiting = Tally(met=3), Tally(pending=2)
    assert divided(ratio(COUNT, COUNT), above, waiting) == FigureValue(
        None, Fraction(3), Fraction(0), 0, waiting, above=above
    )
    summed = Tally(met=1, pending=1, amount_sum=40_000, amount_count=1)
    below = Tally(met=8)
    assert divided(ratio(WEIGHTS, COUNT), summed, below) == FigureValue(
        Fraction(50), Fraction(4), Fraction(8), 8, below, above=summed
    )


def test_what_weighs_leaves_an_effective_sample_only_where_a_margin_is_asked_for() -> None:
    # Weights 1, 1 and 2: 4² / (1 + 1 + 4).
    weights = {(10_000, 10_000): 2, (20_000, 20_000): 1}
    below = Tally(met=3, amount_sum=40_000, amount_count=3, spread=weights)
    above = Tally(met=2, amount_sum=30_000, amount_count=2)
    plain = FigureValue(
        Fraction(75), Fraction(3), Fraction(4), 3, below, Fraction(75), Fraction(75), above=above
    )
    assert divided(ratio(WEIGHTS, WEIGHTS), above, below) == plain
    sampled = ratio(WEIGHTS, WEIGHTS, margin=True)
    assert divided(sampled, above, below) == replace(plain, effective=Fraction(8, 3))
    counted = divided(ratio(COUNT, COUNT, margin=True), Tally(met=3), Tally(met=4, failed=1))
    assert counted.effective == 5


def test_each_side_of_a_ratio_has_the_hours_of_its_own_calendar() -> None:
    """The open hours that were lost, in percent of all the hours that were lost."""
    lost = ratio(down("h_habil"), down("h_habil"))
    around = replace(setting(2, window=MONTH), calendars=[GENERAL, natural()])
    assert divided(lost, NIGHT, NIGHT, around).value == Fraction(300, 18)
    turned = replace(around, calendars=[natural(), GENERAL])
    assert divided(lost, NIGHT, NIGHT, turned).value == Fraction(1800, 3)


# Groups


def groups(*cells: Tally, of: Part, around: Setting = SEPTEMBER) -> FigureValue:
    """The figure of days of September from the 1st, in order."""
    told = {f"2026-09-{day:02}": cell for day, cell in enumerate(cells, 1)}
    return figure_of(of, [told], around)


def mean_of(minutes: int, *, pending: int = 0) -> Tally:
    return Tally(met=1, pending=pending, amount_sum=minutes * MINUTE, amount_count=1)


def test_a_group_without_a_measured_item_is_none_unless_one_waits() -> None:
    days = (mean_of(10), mean_of(11), Tally(excluded={"x": 1}), Tally(pending=2), Tally(pending=1))
    total = Tally(met=2, pending=3, excluded={"x": 1}, amount_sum=21 * MINUTE, amount_count=2)
    # One of two; of four in the end, one or three.
    assert groups(*days, of=daily()) == FigureValue(
        Fraction(50), Fraction(1), Fraction(2), 2, total, Fraction(25), Fraction(75)
    )
    assert groups(of=daily()) == FigureValue(None, Fraction(0), Fraction(0), 0, NOTHING)


SHARE_BY_DAY = {"inner": wait().figure.model_dump(), "limit": {"op": ">=", "value": 60}}


def test_a_group_that_can_turn_is_kept_at_best_and_failed_at_worst() -> None:
    days = (
        Tally(met=2, failed=1, pending=1),  # 67 %; 50 to 75
        Tally(met=2, failed=2, pending=1),  # 50 %; 40 to 60
        Tally(met=4, failed=1, pending=1),  # 80 %; 67 to 83
        Tally(met=1, failed=3, pending=1),  # 25 %; 20 to 40
    )
    found = groups(*days, of=daily(**SHARE_BY_DAY))
    assert (found.value, found.lowest, found.highest) == (Fraction(50), Fraction(25), Fraction(75))


def test_what_waits_beside_a_mean_does_not_leave_its_group_open() -> None:
    found = groups(mean_of(10, pending=1), mean_of(11, pending=1), of=daily())
    assert (found.value, found.lowest, found.highest) == (Fraction(50), Fraction(50), Fraction(50))


def test_a_day_on_which_nothing_was_counted_is_no_group() -> None:
    counted = daily(inner=COUNT, limit={"op": ">=", "value": 0})
    found = groups(Tally(excluded={"x": 1}), Tally(pending=1), Tally(met=1), of=counted)
    assert (found.sample, found.value) == (1, Fraction(100))


def test_a_group_may_be_held_to_nothing_at_all() -> None:
    counted = daily(inner=COUNT, limit={"op": "<=", "value": 0})
    assert groups(Tally(failed=1), Tally(met=1), of=counted).value == 50


def test_the_outages_of_a_group_count_in_open_hours() -> None:
    short = daily(inner=down("h_habil"), limit={"op": "<=", "value": 3})
    assert groups(NIGHT, of=short).value == 100
    assert groups(NIGHT, of=short, around=replace(SEPTEMBER, calendars=[natural()])).value == 0
    # One that goes on was measured as well, as far as it went.
    going = replace(out(("2026-09-07 16:00", "goes on")), met=0, pending=1)
    assert groups(going, of=short).sample == 1


def test_a_seasonal_limit_looks_at_the_day_of_a_group_or_of_the_window() -> None:
    # Two cases a day in the autumn, else one; in Warsaw it begins on the 31st of August in UTC.
    autumn = {"first": "09-01", "last": "09-03", "value": 2}
    limit = {"op": ">=", "value": 1, "seasons": [autumn]}
    by_desk = daily(by=None, attribute="mesa", inner=COUNT, limit=limit)
    window = window_of(MONTH, local("2026-09-07"), WARSAW)
    assert window is not None
    abroad = replace(SEPTEMBER, zone=WARSAW, window=window)
    told = [{"7": Tally(met=1), "8": Tally(met=2)}]
    assert figure_of(by_desk, told, abroad).value == figure_of(by_desk, told, SEPTEMBER).value == 50
    by_day = daily(inner=COUNT, limit=limit)
    assert groups(*[Tally(met=1)] * 4, of=by_day).value == 25


# Availability, and what is owed


def test_availability_is_of_the_service_time_without_what_was_planned() -> None:
    # September has 43,200 minutes; 600 were planned, and 60 of 180 without service among them.
    planned = replace(out(("2026-09-08 00:00", "2026-09-08 10:00")), met=0, excluded={"aviso": 1})
    lost = out(("2026-09-07 10:00", "2026-09-07 12:00"), ("2026-09-08 09:00", "2026-09-08 10:00"))
    cells = {"": lost, PLANNED: planned}
    total = Tally(met=2, excluded={"aviso": 1}, spread={**lost.spread, **planned.spread})
    kept = Fraction(100 * 42_480, 42_600)
    assert figure_of(portal(), [cells], setting(window=MONTH, calendar=None)) == FigureValue(
        kept, Fraction(42_480), Fraction(42_600), None, total, kept, kept
    )


def test_of_no_service_time_nothing_can_be_said() -> None:
    unknown = setting(window=MONTH, known=None)
    assert figure(portal(), NIGHT, unknown) == FigureValue(
        None, Fraction(0), Fraction(0), None, NIGHT
    )


def test_the_service_of_open_hours_alone_is_promised() -> None:
    hours = {**portal().figure.model_dump()["value"], "unit": "h_habil", "calendar": "HAB-GRAL"}
    # 21 working days of nine hours: the 16th is a holiday. Three of these hours were lost.
    found = figure(portal(value=hours), NIGHT)
    assert (found.numerator, found.denominator) == (Fraction(186), Fraction(189))


def test_the_service_that_is_left_knows_what_is_planned_and_not_what_will_fail() -> None:
    """Known through the 10th: 9 days have passed, 21 are to come."""
    around = setting(window=MONTH, known="2026-09-10")
    lost = out(("2026-09-09 23:00", "goes on"), ("2026-09-01 00:00", "2026-09-01 02:00"))
    planned = out(
        ("2026-09-01 01:00", "2026-09-01 02:00"),  # within an outage
        ("2026-09-09 23:30", "goes on"),  # as far as is known
        ("2026-09-20 00:00", "2026-09-20 05:00"),  # to come
    )
    minutes = (43_200 - 60 - 30 - 300, 60 + 30, 21 * 1440 - 300)
    cells = {"": lost, PLANNED: planned}
    assert service_left(cells, around, None) == tuple(each * MINUTE for each in minutes)
    assert service_left({}, around, None) == (43_200 * MINUTE, 0, 21 * 1440 * MINUTE)


def test_the_service_that_is_left_is_that_of_open_hours() -> None:
    # Known through Tuesday the 8th at noon: of 189 hours, 5 days and 3 hours have passed.
    around = setting(window=MONTH, known="2026-09-08 12:00")
    hour = 60 * MINUTE
    found = service_left({"": NIGHT}, around, GENERAL)
    assert found == (189 * hour, 3 * hour, (189 - 5 * 9 - 3) * hour)


def test_what_is_owed_counts_once_a_period_whether_or_not_anything_came() -> None:
    # By the fifth working day of each week: the 4th, 11th, 25th; the 20th ends one of four.
    weekly = owed(every="week", working_day=5)
    cells = [{"2026-08-31": Tally(met=2)}]
    waiting = setting(window=MONTH, known="2026-09-11 23:59:59.999999")
    told = Tally(met=1, pending=3)
    assert figure_of(weekly, cells, waiting) == FigureValue(
        Fraction(100), Fraction(1), Fraction(1), 1, told, Fraction(25), Fraction(100)
    )
    over = setting(window=MONTH, known="2026-09-12")
    told = Tally(met=1, failed=1, pending=2, overdue_open=1)
    assert figure_of(weekly, cells, over) == FigureValue(
        Fraction(50), Fraction(1), Fraction(2), 2, told, Fraction(25), Fraction(75)
    )
    with pytest.raises(ValueError, match="expected by a calendar"):
        figure_of(weekly, cells, replace(over, calendars=[None]))
