"""What no criterion can mean is refused where it is declared, in words for its author."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from shared.criteria import (
    Criterion,
    Limit,
    Measure,
    Op,
    Part,
    has_spread,
    measures_of,
    moves_with_time,
    scale_of,
)
from tests.unit.criteria.builders import answer, counter, measure, part, wait
from tests.unit.criteria.test_shapes import (
    ANSWERED,
    CLOCK,
    ISSUED,
    SCORE,
    daily,
    on_date,
    owed,
    p,
    portal,
    visits,
)

TIME = {"kind": "duration", **CLOCK}
JANUARY = {"first": "01-01", "last": "01-31", "value": 0}
CLOSED = {"event": "survey.answered", "anchor": "closed"}


@pytest.mark.parametrize(
    ("form", "fields", "fault"),
    [
        (
            "share_within",
            {"population": ANSWERED, "value": SCORE, "limit": {"op": "<=", "own_due": True}},
            "only a time ends at an instant promised to the case",
        ),
        ("mean", {"population": CLOSED, "value": SCORE}, "what is not timed is anchored where it"),
        ("count", {"population": CLOSED | {"anchor": "opened"}}, "what is not timed is anchored"),
        ("count", {"population": ISSUED, "value": TIME}, "value and limit go together"),
        (
            "count",
            {"population": ISSUED, "limit": {"op": "<=", "value": 9}},
            "value and limit go together",
        ),
        (
            "nps",
            {"population": ANSWERED, "value": SCORE | {"lowest": 1}},
            "on a scale from 0 to 10",
        ),
        (
            "nps",
            {"population": ANSWERED, "value": SCORE | {"highest": 5}},
            "on a scale from 0 to 10",
        ),
        ("mean", {"population": ANSWERED, "value": SCORE | {"lowest": None}}, "both ends"),
        ("mean", {"population": ANSWERED, "value": SCORE | {"highest": None}}, "both ends"),
        ("mean", {"population": ANSWERED, "value": SCORE | {"lowest": 10}}, "a scale rises"),
        ("mean", {"population": ANSWERED, "value": SCORE | {"lowest": 11}}, "a scale rises"),
    ],
)
def test_a_statistic_that_cannot_be_computed_is_refused(
    form: str, fields: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValidationError, match=fault):
        part(form, **fields)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"by": None}, "exactly one of by and attribute"),
        ({"attribute": "sede"}, "exactly one of by and attribute"),
        ({"limit": {"op": "<=", "field": "plazo", "factor": 1}}, "held to a fixed value"),
    ],
)
def test_groups_are_told_apart_in_one_way_and_held_to_one_value(
    changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValidationError, match=fault):
        daily(**changes)


@pytest.mark.parametrize(
    ("recurrence", "fault"),
    [
        ({"every": "month", "day": 5, "working_day": 3}, "not both"),
        ({"every": "week", "day": 5}, "belongs to months"),
        ({"every": "week", "month": 1}, "belongs to months"),
        ({"every": "day", "day": 5}, "belongs to months"),
        ({"every": "day", "working_day": 1}, "what recurs each day needs no day"),
        ({"every": "month", "month": 2}, "within its period"),
        ({"every": "quarter", "month": 4}, "within its period"),
        ({"every": "semester", "month": 7}, "within its period"),
        ({"every": "year", "month": 13}, "less than or equal to 12"),
    ],
)
def test_a_day_that_its_period_does_not_have_is_refused(
    recurrence: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValidationError, match=fault):
        owed(**recurrence)


@pytest.mark.parametrize(
    "recurrence",
    [
        {"every": "week", "working_day": 2},
        {"every": "month", "month": 1},
        {"every": "quarter", "month": 3},
        {"every": "semester", "month": 6},
        {"every": "year", "month": 12, "day": 31},
    ],
)
def test_the_last_month_of_a_period_is_in_it(recurrence: dict[str, Any]) -> None:
    assert owed(**recurrence)


def test_what_is_owed_counts_where_it_occurred() -> None:
    with pytest.raises(ValidationError, match="anchored where it occurred"):
        part(
            "deadline",
            population={"event": "document.published", "anchor": "due"},
            recurrence={"every": "month", "calendar": "HAB-GRAL"},
        )


@pytest.mark.parametrize(
    ("target", "is_refused"),
    [
        ({"op": ">=", "value": 0}, False),
        ({"op": ">=", "value": 100, "unacceptable": 0}, False),
        ({"op": ">=", "value": "100.01"}, True),
        ({"op": "<=", "value": 100, "unacceptable": 101}, True),
        ({"op": ">=", "value": -1}, True),
        ({"op": ">=", "value": 0, "unacceptable": -1}, True),
        # A factor of the window before is no percentage.
        ({"op": ">=", "value": 120, "reference": "previous"}, False),
    ],
)
def test_the_target_of_a_share_lies_between_nothing_and_all(
    target: dict[str, Any], is_refused: bool
) -> None:
    if is_refused:
        with pytest.raises(ValidationError, match="a percentage from 0 to 100"):
            wait(target=target)
    else:
        assert wait(target=target)


@pytest.mark.parametrize(
    ("limit", "fault"),
    [
        ({"op": "<=", "values": {"alta": 1}, "value": 1}, "by and values go together"),
        ({"op": "<=", "value": 1, "factor": 1}, "field and factor go together"),
        ({"op": ">=", "own_due": True}, "compared with <="),
        (
            {"op": "<=", "by": "a", "values": {"x": 1}, "seasons": [JANUARY]},
            "seasons go with a value",
        ),
        ({"op": "<", "value": 1, "seasons": [JANUARY]}, "nothing takes less than 0"),
        ({"op": "<", "by": "a", "values": {"x": 1, "y": 0}}, "nothing takes less than 0"),
    ],
)
def test_a_limit_that_says_two_things_is_refused(limit: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Limit.model_validate(limit)


def test_only_a_date_set_beforehand_is_kept_to_the_day() -> None:
    with pytest.raises(ValidationError, match="only a date set beforehand"):
        wait(clock=CLOCK | {"exact_day": True})


@pytest.mark.parametrize(
    ("unit", "fault"),
    [("dia_habil", "not dia_habil"), ("mes", "not mes"), ("min_habil", "needs a calendar")],
)
def test_outages_add_up_in_time_and_not_in_dates(unit: str, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        portal(value={"kind": "outage", "stop": "outage.ended", "unit": unit})


# What a criterion asks of its judge


def test_figures_move_with_time_where_service_passes_or_something_is_owed() -> None:
    downtime = part(
        "sum",
        population={"event": "outage.started", "anchor": "occurred"},
        value={"kind": "outage", "stop": "outage.ended", "unit": "min"},
    )
    for moving in (owed(every="month"), portal(), downtime):
        assert moves_with_time(Criterion(parts=(wait(), moving)))
    assert not moves_with_time(Criterion(parts=(wait(), counter(), visits(None))))


def test_percentiles_and_outages_keep_more_than_counts() -> None:
    assert has_spread(measure(p(50)))
    assert has_spread(measure(portal()))
    assert not any(has_spread(measure(each)) for each in (wait(), counter(), visits(None)))
    assert not has_spread(measure(owed(every="month")))


def test_amounts_are_whole_microseconds_dates_or_ten_thousandths() -> None:
    of_forms = [counter(), portal(), on_date(), part("mean", population=ANSWERED, value=SCORE)]
    assert [scale_of(measure(each).figure) for each in of_forms] == [
        60_000_000,
        60_000_000,
        1,
        10_000,
    ]
    assert [scale_of(measure(each).figure) for each in (visits(None), owed(every="month"))] == [
        1,
        1,
    ]


def held(of: Part) -> Limit | None:
    (only,) = measures_of(Criterion(parts=(of,)))
    assert isinstance(only, Measure)
    return only.limit


@pytest.mark.parametrize(
    ("target", "limit"),
    [
        ({"op": "<=", "value": 6, "unit": "min"}, Limit(op=Op.AT_MOST, value=Decimal(6))),
        ({"op": "<=", "value": 0, "unit": "min"}, Limit(op=Op.AT_MOST, value=Decimal(0))),
        # Nothing takes less than nothing: no case can be late for it.
        ({"op": "<", "value": 0, "unit": "min"}, None),
        ({"op": "<=", "value": -1, "unit": "min"}, None),
        ({"op": "<=", "value": 2, "unit": "min", "reference": "previous"}, None),
        (None, None),
    ],
)
def test_the_target_of_a_mean_of_times_makes_an_open_case_late(
    target: dict[str, Any] | None, limit: Limit | None
) -> None:
    assert held(counter(target=target)) == limit


def test_the_target_of_a_share_or_of_a_mean_of_scores_holds_no_case() -> None:
    scores = part("mean", population=ANSWERED, value=SCORE, target={"op": ">=", "value": 7})
    assert held(scores) is None
    assert held(wait()) == Limit(op=Op.AT_MOST, value=Decimal(15))


def test_the_limit_of_a_group_s_mean_makes_an_open_case_late() -> None:
    assert held(daily()) == Limit(op=Op.AT_MOST, value=Decimal(10))


@pytest.mark.parametrize(
    ("form", "margin", "weighs"),
    [("sum", True, True), ("sum", False, False), ("count", True, False)],
)
def test_only_the_summed_weights_of_a_sample_weigh(form: str, margin: bool, weighs: bool) -> None:
    whole: dict[str, Any] = {"form": form, "population": ANSWERED}
    if form == "sum":
        whole["value"] = {"kind": "number", "field": "factor"}
    # All answers are a part of all answers.
    ratio = part("ratio", numerator=whole, denominator=whole, margin=margin)
    assert [measure(ratio, number).weighs for number in (0, 1)] == [False, weighs]


def test_each_measure_names_the_calendar_of_its_cases() -> None:
    hours = {"kind": "outage", "stop": "outage.ended", "unit": "min_habil", "calendar": "VENT"}
    named = [owed(every="month"), answer(), portal(value=hours), on_date(), wait(), visits(None)]
    assert [measure(each).calendar for each in named] == [
        "HAB-GRAL",
        "HAB-GRAL",
        "VENT",
        "HAB-GRAL",
        None,
        None,
    ]
