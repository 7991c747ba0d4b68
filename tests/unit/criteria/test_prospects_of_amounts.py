"""The outlook of what is made of amounts, whole: every number in it is worked out by hand."""

from fractions import Fraction
from typing import Any

import pytest

from shared.criteria import BEYOND, PLANNED, Cells, Outlook, Part, Prospect, Tally, Uncounted
from tests.unit.criteria.builders import counter, part
from tests.unit.criteria.test_outlook import (
    MINUTE,
    PENDING,
    POPULATION,
    counted,
    scored,
    scoring,
    took,
)
from tests.unit.criteria.test_prospects import outlook, outlook_in
from tests.unit.criteria.test_shapes import daily
from tests.unit.worktime.calendars import local

SECURED, SAFE, OPEN, BEHIND, LOST = Prospect
AMOUNTS = Uncounted.AMOUNTS


def averaged(due: int, opened: int, prospect: Prospect, **told: Fraction | None) -> Outlook:
    return Outlook(due, None, opened, prospect, uncounted=AMOUNTS, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("of", "tally", "expected"),
    [
        # 13 points in two answers; two more bring 0 to 20, and must bring 19 to make it 32 of 4.
        (
            scored(">=", 8),
            scoring(6) + scoring(7) + Tally(pending=2),
            averaged(2, 2, OPEN, needed=Fraction(19, 2), best=Fraction(33, 4)),
        ),
        (
            scored("<=", 8),
            scoring(6) + scoring(7) + Tally(pending=2),
            averaged(2, 2, OPEN, needed=Fraction(19, 2), best=Fraction(13, 4)),
        ),
        # On a scale from 1 to 5, three more bring 3 to 15: from 10 to 22 in five answers.
        (
            scored(">=", 4, lowest=1, highest=5),
            scoring(3) + scoring(4) + Tally(pending=3),
            averaged(2, 3, OPEN, needed=Fraction(13, 3), best=Fraction(22, 5)),
        ),
        (
            scored(">=", 2, lowest=1, highest=5),
            scoring(3) + scoring(4) + Tally(pending=3),
            averaged(2, 3, SAFE, needed=Fraction(1), best=Fraction(22, 5)),
        ),
        (
            scored("<", 2, lowest=1, highest=5),
            scoring(3) + scoring(4) + Tally(pending=3),
            averaged(2, 3, BEHIND, needed=Fraction(1), best=Fraction(2)),
        ),
        (scored(">=", 7), scoring(6) + scoring(7), averaged(2, 0, BEHIND, best=Fraction(13, 2))),
        (scored(">=", 7), Tally(), averaged(0, 0, OPEN)),
    ],
)
def test_a_mean_of_scores_lies_between_the_ends_of_its_scale(
    of: Part, tally: Tally, expected: Outlook
) -> None:
    assert outlook(of, tally) == expected


TWO_WAIT = took(2 * MINUTE) + Tally(pending=2, overdue_open=1)
"""One took two minutes; one of the two open has taken more than the six of the target."""


@pytest.mark.parametrize(
    ("op", "tally", "expected"),
    [
        # At best the overdue one ends a microsecond too late and the other at once.
        (
            "<=",
            TWO_WAIT,
            averaged(1, 2, OPEN, needed=Fraction(8), best=Fraction(480000001, 180000000)),
        ),
        # "Less than six" is missed at six.
        ("<", TWO_WAIT, averaged(1, 2, OPEN, needed=Fraction(8), best=Fraction(8, 3))),
        (
            "<=",
            took(14 * MINUTE) + Tally(pending=1, overdue_open=1),
            averaged(1, 1, BEHIND, needed=Fraction(-2), best=Fraction(1200000001, 120000000)),
        ),
        # Under a lower limit time only helps, and there is no end to it.
        (">=", TWO_WAIT, averaged(1, 2, OPEN, needed=Fraction(8))),
        (
            ">=",
            took(18 * MINUTE) + Tally(pending=2, overdue_open=1),
            averaged(1, 2, SAFE, needed=Fraction(0)),
        ),
        ("<=", took(6 * MINUTE), averaged(1, 0, SAFE, best=Fraction(6))),
    ],
)
def test_a_mean_of_times_has_no_upper_end_while_a_case_is_open(
    op: str, tally: Tally, expected: Outlook
) -> None:
    assert outlook(counter(target={"op": op, "value": 6, "unit": "min"}), tally) == expected


def hours(form: str, op: str, goal: int, **scale: int) -> Part:
    value = {"kind": "number", "field": "horas", **scale}
    target = {"op": op, "value": goal, "unit": "horas"}
    return part(form, population=POPULATION, value=value, target=target)


def test_a_mean_of_numbers_without_a_scale_is_open_to_both_sides() -> None:
    of = hours("mean", "<=", 3)
    assert outlook(of, scoring(9) + PENDING) == averaged(1, 1, OPEN, needed=Fraction(-3))
    assert outlook(of, scoring(9)) == averaged(1, 0, BEHIND, best=Fraction(9))
    assert outlook(of, scoring(3)) == averaged(1, 0, SAFE, best=Fraction(3))


@pytest.mark.parametrize(
    ("op", "goal", "pending", "expected"),
    [
        ("<=", 12, 1, averaged(1, 1, OPEN, distance=Fraction(3))),
        ("<=", 12, 0, averaged(1, 0, SAFE, distance=Fraction(3))),
        ("<=", 8, 1, averaged(1, 1, LOST, distance=Fraction(-1))),
        (">=", 12, 1, averaged(1, 1, OPEN, distance=Fraction(3))),
        (">=", 12, 0, averaged(1, 0, BEHIND, distance=Fraction(3))),
        (">=", 9, 1, averaged(1, 1, SECURED, distance=Fraction(0))),
    ],
)
def test_a_sum_that_only_rises_is_for_good_beyond_its_target(
    op: str, goal: int, pending: int, expected: Outlook
) -> None:
    assert outlook(hours("sum", op, goal), scoring(9) + Tally(pending=pending)) == expected


@pytest.mark.parametrize(
    ("op", "goal", "pending", "prospect"),
    [(">=", 9, 0, SAFE), (">=", 9, 1, OPEN), ("<=", 8, 0, BEHIND), ("<=", 8, 1, OPEN)],
)
def test_a_sum_that_may_fall_is_for_good_nowhere(
    op: str, goal: int, pending: int, prospect: Prospect
) -> None:
    of = hours("sum", op, goal, lowest=-9, highest=9)
    assert outlook(of, scoring(9) + Tally(pending=pending)).prospect is prospect


def down(start: str, end: str | None, *, open_cases: int = 0) -> Tally:
    first = int(local(start).timestamp()) * 1_000_000
    last = BEYOND if end is None else int(local(end).timestamp()) * 1_000_000
    return Tally(met=1 - open_cases, pending=open_cases, spread={(first, last): 1})


MORNING = down("2026-07-06 08:00", "2026-07-06 11:00")
"""A Monday: two of its three hours are office hours."""
NO_END = down("2026-07-31 17:00", None, open_cases=1)
"""One office hour until all that is known, the night before the first of August."""


def down_for(op: str, minutes: int) -> dict[str, Any]:
    return {
        "form": "sum",
        "population": {"event": "outage.started", "anchor": "occurred"},
        "value": {
            "kind": "outage",
            "stop": "outage.ended",
            "unit": "min_habil",
            "calendar": "HAB-GRAL",
        },
        "target": {"op": op, "value": minutes, "unit": "min_habil"},
    }


def test_outages_in_office_hours_add_up_within_them() -> None:
    of = part(**down_for("<=", 150))
    assert outlook(of, MORNING) == averaged(1, 0, SAFE, distance=Fraction(30))
    # Another sixty minutes by now, and they go on.
    assert outlook(of, MORNING + NO_END) == averaged(1, 1, LOST, distance=Fraction(-30))


@pytest.mark.parametrize(
    ("op", "goal", "prospect", "distance", "best"),
    [
        (">=", 80, OPEN, Fraction(1, 5), 100),
        (">=", 50, SAFE, Fraction(-1), 100),
        (">", 100, BEHIND, Fraction(1), 100),
        ("<=", 80, OPEN, Fraction(1, 5), 50),
        ("<=", 100, SAFE, Fraction(1), 50),
        ("<", 50, BEHIND, Fraction(-1), 50),
    ],
)
def test_of_a_ratio_both_sides_are_open(
    op: str, goal: int, prospect: Prospect, distance: Fraction, best: int
) -> None:
    """Three of four; with one open above and two below, from 3 of 6 to 4 of 4."""
    above, below = Tally(met=3, pending=1), Tally(met=4, pending=2)
    quantity = counted("<=", 0).figure.model_dump(mode="json")
    target = {"op": op, "value": goal}
    of = part("ratio", numerator=quantity, denominator=quantity, target=target)
    assert outlook(of, above, below) == Outlook(
        due=4,
        failed=None,
        open=3,
        prospect=prospect,
        uncounted=Uncounted.TWO_POPULATIONS,
        distance=distance,
        best=Fraction(best),
    )


def served(op: str, goal: int) -> Part:
    sum_ = down_for(op, goal)
    return part(
        "availability",
        population=sum_["population"],
        value=sum_["value"],
        target={"op": op, "value": goal},
    )


@pytest.mark.parametrize(
    ("op", "goal", "cells", "expected"),
    [
        # Without weekends, the week of July and the 16th of September 60 days of 9 hours are owed,
        # 42 of them from August on. One per cent of 540 hours are 324 minutes.
        (">=", 99, {"": MORNING}, (1, 0, OPEN, 324 - 120, Fraction(53800, 540))),
        (">=", 99, {"": MORNING + NO_END}, (1, 1, OPEN, 324 - 180, Fraction(53700, 540))),
        # 538 - 378 hours are certain already: 29.6 %.
        (">=", 29, {"": MORNING}, (1, 0, SECURED, 23004 - 120, Fraction(53800, 540))),
        ("<=", 99, {"": MORNING}, (1, 0, OPEN, 324 - 120, Fraction(16000, 540))),
        ("<=", 29, {"": MORNING}, (1, 0, LOST, 23004 - 120, Fraction(16000, 540))),
        # Where all was planned, nothing was owed.
        (
            ">=",
            99,
            {PLANNED: down("2026-06-01", "2026-12-01")},
            (1, 0, OPEN, 0, None),
        ),
    ],
)
def test_of_an_availability_all_service_time_is_known(
    op: str, goal: int, cells: Cells, expected: tuple[int, int, Prospect, int, Fraction | None]
) -> None:
    due, opened, prospect, distance, best = expected
    assert outlook_in(served(op, goal), cells) == Outlook(
        due=due,
        failed=None,
        open=opened,
        prospect=prospect,
        uncounted=Uncounted.TIME,
        distance=Fraction(distance),
        best=best,
    )


def test_a_group_of_outages_is_measured_in_its_own_hours() -> None:
    inner = down_for("<=", 150)
    inner.pop("target")
    of = daily(by=None, attribute="linea", inner=inner, limit={"op": "<=", "value": 150})
    found = outlook_in(of, {"a": MORNING, "b": MORNING + NO_END})
    assert (found.due, found.failed, found.open) == (2, 1, 0)
