"""Method and margin of a figure, and shoppers who are not among the people served."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.criteria import (
    CaseStatus,
    Criterion,
    Method,
    Part,
    PartResult,
    instruments_of,
    judge_case,
    judge_result,
    margin_of,
    method_of,
)
from shared.criteria.methods import effective_sample
from tests.unit.criteria.builders import case, judged, measure, part, wait
from tests.unit.criteria.test_shapes import at_hand
from tests.unit.worktime.calendars import ZONE

NOTA = {"kind": "number", "field": "nota", "lowest": 0, "highest": 10}


def population(event: str = "survey.answered", **changes: Any) -> dict[str, Any]:
    return {"event": event, "anchor": "occurred", **changes}


def scores(form: str = "share_within", **changes: Any) -> Part:
    fields: dict[str, Any] = {"population": population(), "value": NOTA}
    if form == "share_within":
        fields["limit"] = {"op": ">=", "value": 8}
    return part(form, **(fields | changes))


def summed(event: str) -> dict[str, Any]:
    return {
        "form": "sum",
        "population": population(event),
        "value": {"kind": "number", "field": "atendidos"},
    }


@pytest.mark.parametrize(
    ("of", "method", "instruments"),
    [
        (wait(), Method.RECORDS, ()),
        (
            scores(population=population(where={"encuesta": ["E-2", "E-1"]})),
            "encuesta",
            ("E-1", "E-2"),
        ),
        (
            wait(population=population("ticket.issued", where={"instrumento": ["CM-1"]})),
            Method.INSTRUMENT,
            ("CM-1",),
        ),
        (scores(population=population("instrument.scored")), Method.INSTRUMENT, ()),
        (
            scores(population=population("instrument.scored", method="visita")),
            Method.VISIT,
            (),
        ),
        (
            part(
                "ratio", numerator=summed("counts.reported"), denominator=summed("counts.reported")
            ),
            Method.COUNTS,
            (),
        ),
        (
            part(
                "nested_share",
                by="month",
                inner={"form": "mean", "population": population(), "value": NOTA},
                limit={"op": ">=", "value": 8},
            ),
            Method.SURVEY,
            (),
        ),
    ],
)
def test_the_population_tells_the_method(
    of: Part, method: Method, instruments: tuple[str, ...]
) -> None:
    assert method_of(of) == method
    assert instruments_of(of) == instruments


@pytest.mark.parametrize(
    ("items", "margin"),
    [(920, "3.2969"), (600, "4.0825"), (260, "6.2017"), (220, "6.7420"), (1, "100")],
)
def test_the_margin_of_a_share_is_that_of_the_offices_of_madrid(items: int, margin: str) -> None:
    """Published with one decimal as 3.3, 4.1, 6.2 and 6.7: 100 over the root of the answers."""
    assert margin_of(scores(), items) == Decimal(margin)


def test_a_margin_is_a_part_of_the_range_of_its_figure() -> None:
    """Scores from 0 to 10 lie within 10 points, from 1 to 5 within 4, net promoters within 200."""
    assert margin_of(scores("mean"), 100) == Decimal(1)
    assert margin_of(scores("mean", value=NOTA | {"lowest": 1, "highest": 5}), 100) == Decimal(
        "0.4"
    )
    assert margin_of(scores("nps"), 100) == Decimal(20)


@pytest.mark.parametrize(
    "without",
    [
        wait(),
        scores("mean", value={"kind": "number", "field": "asistentes"}),
        scores("sum"),
        scores("count", limit={"op": ">=", "value": 8}),
    ],
)
def test_what_is_no_sample_or_has_no_range_has_no_margin(without: Part) -> None:
    assert margin_of(without, 100) is None


WEIGHT = {"kind": "number", "field": "peso"}
SAYS_YES = population(where={"dice": ["si"]})


def weighted(**changes: Any) -> Part:
    """People who say yes, of all who answer, by the weight of the people they stand for."""
    numerator = {"form": "sum", "population": SAYS_YES, "value": WEIGHT}
    denominator = {"form": "sum", "population": population(), "value": WEIGHT}
    sides = {"numerator": numerator, "denominator": denominator, "margin": True}
    return part("ratio", **(sides | changes))


def judged_part(of: Part, answers: Sequence[tuple[str, str]]) -> PartResult:
    cases = [
        case(survey_answered="2026-09-07 10:00", attributes={"dice": what, "peso": weight})
        for what, weight in answers
    ]
    criterion = Criterion(parts=(of,))
    found = judge_result(criterion, at_hand(of, cases), minimum_sample=0, source_known=True)
    return found.parts[0]


@given(st.permutations([("si", "1"), ("si", "2"), ("no", "1"), ("no", "2"), ("no", "2")]))
def test_unequal_weights_make_a_sample_smaller_than_its_answers(
    answers: Sequence[tuple[str, str]],
) -> None:
    """Eight of weight: 8² ÷ (1 + 4 + 1 + 4 + 4) = 32/7, whose margin is 100 ÷ √(32/7) = 46.7707."""
    found = judged_part(weighted(), answers)
    assert (found.value, found.items, found.effective) == (Fraction(75, 2), 5, Fraction(32, 7))
    assert found.effective is not None
    assert margin_of(weighted(), found.effective) == Decimal("46.7707")


def test_answers_that_are_counted_have_one_weight() -> None:
    counted = weighted(
        numerator={"form": "count", "population": SAYS_YES},
        denominator={"form": "count", "population": population()},
    )
    found = judged_part(counted, [("si", "3"), ("no", "1"), ("no", "9"), ("no", "")])
    assert (found.value, found.effective) == (Fraction(25), Fraction(4))
    assert margin_of(counted, 4) == 50


def test_a_ratio_that_is_not_said_to_be_of_a_sample_has_no_margin() -> None:
    found = judged_part(weighted(margin=False), [("si", "1"), ("no", "1")])
    assert found.effective is None
    assert margin_of(weighted(margin=False), 2) is None


@pytest.mark.parametrize("weights", [{}, {0: 3}, {-1: 1, 3: 3}])
def test_weights_that_are_none_leave_no_sample(weights: dict[int, int]) -> None:
    assert effective_sample(weights) is None


def test_an_answer_without_weight_is_worth_nothing_beside_others() -> None:
    assert effective_sample({0: 3, 2: 5}) == 5


def test_the_instruments_of_a_ratio_are_those_of_both_its_sides() -> None:
    asked, answered = (population(where={"encuesta": [code]}) for code in ("E-2", "E-1"))
    both = weighted(
        numerator={"form": "count", "population": asked},
        denominator={"form": "count", "population": answered},
        margin=False,
    )
    assert instruments_of(both) == ("E-1", "E-2")


@given(st.dictionaries(st.integers(1, 10**9), st.integers(1, 50), min_size=1, max_size=9))
def test_a_sample_is_never_worth_more_than_its_answers(weights: dict[int, int]) -> None:
    found = effective_sample(weights)
    assert found is not None
    assert 1 <= found <= sum(weights.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"numerator": {"form": "count", "population": SAYS_YES}},
        {"numerator": {"form": "sum", "population": SAYS_YES, "value": WEIGHT | {"field": "otro"}}},
        {"numerator": {"form": "sum", "population": population("a.b"), "value": WEIGHT}},
        {
            "denominator": {
                "form": "sum",
                "population": population(where={"zona": ["norte"]}),
                "value": WEIGHT,
            }
        },
    ],
)
def test_only_a_part_of_the_same_answers_has_a_margin(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="only a part of the same answers has a margin"):
        weighted(**changes)


def test_nothing_has_no_margin() -> None:
    assert margin_of(scores(), 0) is None


def test_a_shopper_is_not_among_the_people_served() -> None:
    """One shopper's wait of 40 minutes would move a share of 95 %."""
    served = case(ticket_issued="2026-09-07 10:00", ticket_called="2026-09-07 10:10")
    shopper = case(
        ticket_issued="2026-09-07 10:00",
        ticket_called="2026-09-07 10:40",
        attributes={"instrumento": "CM-1"},
    )
    everybody = wait()
    assert judged(everybody, served).status is CaseStatus.MET
    assert judge_case(measure(everybody), shopper, None, zone=ZONE, complete_through=None) is None
    shoppers = wait(population=population("ticket.issued", where={"instrumento": ["CM-1"]}))
    assert judged(shoppers, shopper).status is CaseStatus.FAILED
    assert judge_case(measure(shoppers), served, None, zone=ZONE, complete_through=None) is None
