from typing import Any

import pytest
from pydantic import ValidationError

from shared.criteria import Criterion, Limit, Problem, Window, lint
from tests.unit.criteria.builders import answer, counter, wait


def test_a_criterion_survives_the_wire() -> None:
    criterion = Criterion(parts=(wait(), answer(), counter()))
    assert Criterion.model_validate_json(criterion.model_dump_json()) == criterion


@pytest.mark.parametrize(
    ("limit", "fault"),
    [
        ({"op": "<="}, "exactly one"),
        ({"op": "<=", "value": 1, "own_due": True}, "exactly one"),
        ({"op": "<=", "by": "prioridad"}, "by and values"),
        ({"op": "<=", "field": "plazo_legal"}, "field and factor"),
        ({"op": "<", "own_due": True}, "compared with <="),
        ({"op": "<", "value": 0}, "less than 0"),
        ({"op": "<=", "value": -1}, "greater than or equal to 0"),
        ({"op": "<=", "value": "NaN"}, "finite"),
        ({"op": "<=", "value": "1e400"}, "no more than 10 digits"),
        ({"op": "<=", "value": 1_000_001}, "less than or equal"),
        ({"op": "=", "value": 1}, "Input should be"),
    ],
)
def test_a_limit_has_exactly_one_form(limit: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Limit.model_validate(limit)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"target": {"op": ">=", "value": 101}}, "percentage"),
        ({"target": {"op": ">=", "value": 9, "unit": "min"}}, "the target is in min"),
        ({"target": {"op": ">=", "value": 90, "unacceptable": 95}}, "better than the target"),
        ({"target": {"op": "<=", "value": 10, "unacceptable": 5}}, "better than the target"),
        ({"population": {"event": "a", "anchor": "later"}}, "anchor"),
        (
            {"clock": {"start": {"event": "a"}, "stop": {"event": "b"}, "unit": "dia_habil"}},
            "needs a calendar",
        ),
        ({"clock": {"start": {}, "stop": {"event": "b"}, "unit": "min"}}, "exactly one of event"),
    ],
)
def test_a_share_that_cannot_be_judged_is_refused(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        wait(**change)


def test_the_worst_acceptable_value_may_be_the_target_itself() -> None:
    assert wait(target={"op": ">=", "value": 100, "unacceptable": 100})


def test_a_mean_and_its_target_are_in_the_same_unit() -> None:
    with pytest.raises(ValidationError, match="the target is in %"):
        counter(target={"op": "<=", "value": 6})
    with pytest.raises(ValidationError, match="nothing is due"):
        counter(population={"event": "ticket.served", "anchor": "due"})


DATED = {"kind": "campaign", "id": "x", "first": "2026-01-01", "last": "2026-01-31"}


@pytest.mark.parametrize(
    "window",
    [
        *({key: value for key, value in DATED.items() if key != left} for left in list(DATED)[1:]),
        DATED | {"last": "2025-12-31"},
    ],
)
def test_a_campaign_needs_its_name_and_its_dates(window: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a campaign needs an id and a first day not after"):
        Window.model_validate(window)


def test_a_campaign_may_last_one_day() -> None:
    assert Window.model_validate(DATED | {"last": "2026-01-01"})


@pytest.mark.parametrize("field", list(DATED)[1:])
def test_no_other_window_has_dates_of_its_own(field: str) -> None:
    with pytest.raises(ValidationError, match="only a campaign has an id and dates of its own"):
        Window.model_validate({"kind": "month", field: DATED[field]})


def test_an_unknown_calendar_is_found_where_it_is_named() -> None:
    criterion = Criterion(parts=(wait(), answer()))
    assert lint(criterion, calendars={"HAB-GRAL"}) == ()
    assert lint(criterion, calendars=()) == (
        Problem(("parts", 1, "calendar"), "no existe el calendario «HAB-GRAL»"),
    )


def test_a_promise_that_measures_nothing_is_found() -> None:
    same = {"start": {"event": "visit.done"}, "stop": {"event": "visit.done"}, "unit": "min"}
    nobody = {"event": "visit.done", "anchor": "due", "where": {"fila": []}}
    problems = lint(Criterion(parts=(wait(clock=same, population=nobody),)), calendars=())
    assert [problem.path[2:] for problem in problems] == [
        ("stop",),
        ("where", "fila"),
    ]
