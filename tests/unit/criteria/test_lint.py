"""The real defects of real cartas (domain reference 3.4), each caught by its own words."""

from decimal import Decimal
from typing import Any

import pytest

from shared.criteria import (
    Criterion,
    Part,
    Problem,
    Severity,
    Window,
    beyond_duty,
    compare_text,
    is_blank,
    lint,
    loosened,
)
from shared.worktime import Unit
from tests.unit.criteria.builders import answer, counter, part, wait

QUARTER = Window.model_validate({"kind": "quarter"})
ERROR, WARNING = Severity.ERROR, Severity.WARNING


def compared(text: str, *parts: Part, **changes: Any) -> list[tuple[str, Severity]]:
    found = compare_text(text, Criterion(parts=parts), QUARTER, **changes)
    return [(str(problem.path[0]), problem.severity) for problem in found]


def linted(*parts: Part) -> list[Problem]:
    return list(lint(Criterion(parts=parts), calendars={"HAB-GRAL"}))


def test_the_limit_of_the_text_is_the_limit_that_is_judged() -> None:
    # Madrid kept 180 days in the text after the limit had moved to 100 (row 5).
    moved = answer(limit={"op": "<=", "value": 100})
    (problem,) = compare_text(
        "Revisaremos 90 % en 180 días hábiles.", Criterion(parts=(moved,)), QUARTER
    )
    assert problem.severity is ERROR
    assert problem.message == (
        "límite: el texto dice 180 días hábiles y el criterio evalúa 100 días hábiles"
    )
    assert compared("Revisaremos 90 % en 100 días hábiles.", moved) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("En 3 días hábiles en 90 % de los casos.", []),
        ("En 3 días en 90 % de los casos.", [("unit", WARNING)]),
        ("En 3 días naturales en 90 % de los casos.", [("unit", ERROR)]),
        ("En 3 horas en 90 % de los casos.", [("unit", ERROR)]),
        ("En tres días hábiles en 90 % de los casos.", []),
        ("En 3 d.h. en 90 % de los casos.", []),
        ("En 3 días hábiles en 95 % de los casos.", [("share", ERROR)]),
        ("En 3 días hábiles.", [("share", WARNING)]),
        ("En 3 días hábiles en promedio en 90 % de los casos.", [("statistic", ERROR)]),
        ("En 3 días hábiles en 90 % de los casos al mes.", [("window", WARNING)]),
        (
            "En 3 días hábiles en 90 % de los casos, con las medidas tomadas.",
            [("content", WARNING)],
        ),
    ],
)
def test_each_difference_is_named(text: str, found: list[tuple[str, Severity]]) -> None:
    assert compared(text, answer()) == found


def test_a_limit_of_no_time_is_another_limit_than_that_of_the_text() -> None:
    nothing = wait(limit={"op": "<=", "value": 0})
    (problem,) = compare_text(
        "Le llamamos en 15 minutos en 90 % de los casos.", Criterion(parts=(nothing,)), QUARTER
    )
    said = "límite: el texto dice 15 minutos y el criterio evalúa 0 minutos"
    assert (problem.severity, problem.message) == (ERROR, said)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("En 15 minutos o menos en al menos 90 % de los casos.", [("limit", ERROR)]),
        ("En no más de 15 minutos en 90 % de los casos.", [("limit", ERROR)]),
        ("En menos de 15 minutos en 90 % de los casos.", [("limit", ERROR)]),
        ("A más tardar en 15 minutos en 90 % de los casos.", [("limit", ERROR)]),
        ("Dura 15 minutos en al menos 90 % de los casos.", []),
        ("Avisamos a más tardar 15 minutos antes, en 90 % de los casos.", []),
        ("Con 15 minutos de anticipación, no más de eso, en 90 % de los casos.", []),
        ("Dura no menos de 15 minutos en 90 % de los casos.", []),
    ],
)
def test_a_promise_of_short_times_is_not_kept_by_long_ones(
    text: str, found: list[tuple[str, Severity]]
) -> None:
    assert compared(text, wait(limit={"op": ">=", "value": 15})) == found
    assert compared(text, wait(limit={"op": "<=", "value": 15})) == []


def test_a_tail_told_from_above_may_say_at_most() -> None:
    tail = wait(limit={"op": ">", "value": 30}, target={"op": "<=", "value": 1})
    assert compared("No más de 1 % espera más de 30 minutos.", tail) == []


def test_a_mean_must_be_called_one() -> None:
    # CLM 012 (row 32): "in under 18 s", claimed as met because the mean was 13 s.
    calls = counter(target={"op": "<", "value": 18, "unit": "min"})
    assert compared("Contestaremos en menos de 18 minutos.", calls) == [("statistic", ERROR)]
    assert compared("Contestaremos en promedio en menos de 18 minutos.", calls) == []


def test_a_formula_need_not_name_the_share() -> None:
    assert compared("casos de ≤ 3 d.h. ÷ casos × 100", answer(), generated=True) == []
    assert compared("casos de ≤ 5 d.h. ÷ casos", answer(), generated=True) == [("limit", ERROR)]


def test_half_of_the_cases_is_half_of_them() -> None:
    median = part(
        "percentile",
        p=50,
        population={"event": "a.b", "anchor": "occurred"},
        clock={"start": {"event": "a.b"}, "stop": {"event": "a.c"}, "unit": "min"},
        target={"op": "<=", "value": 5, "unit": "min"},
    )
    assert compared("La mitad en 5 minutos.", median) == []


def test_one_of_several_limits_that_is_not_said_is_a_warning() -> None:
    both = (wait(), wait(limit={"op": "<=", "value": 30}, target={"op": ">=", "value": 100}))
    assert compared("15 minutos en 90 % de los casos.", *both) == [("limit", WARNING)]


def test_a_population_of_closed_cases_hides_the_oldest_open_ones() -> None:
    # Madrid Salud (row 4): legitimate, and always said.
    closed = wait(population={"event": "ticket.issued", "anchor": "closed"})
    served = wait(population={"event": "ticket.called", "anchor": "occurred"})
    for kind, words in ((closed, "casos concluidos"), (served, "nunca cuentan")):
        (problem,) = linted(kind)
        assert (problem.severity, words in problem.message) == (WARNING, True)
    assert linted(wait()) == []


def test_a_tail_told_from_above_needs_no_warning_for_open_cases_count_in_it() -> None:
    tail = wait(limit={"op": ">", "value": 30}, target={"op": "<=", "value": 1})
    assert linted(tail) == []


def test_an_event_without_words_would_be_printed_by_its_code() -> None:
    population = {"event": "ticket.issued", "anchor": "occurred"}
    clock = {"start": {"event": "ticket.issued"}, "stop": {"event": "pase.sellado"}, "unit": "min"}
    (problem,) = linted(wait(population=population, clock=clock))
    assert (problem.severity, "mostraría «pase.sellado»" in problem.message) == (WARNING, True)


def test_no_news_is_no_success_by_itself_and_no_target_is_said() -> None:
    population = {"event": "visit.done", "anchor": "occurred"}
    few = part("count", population=population, target={"op": "<=", "value": 0, "unit": "x"})
    none = part("count", population=population)
    assert ["señal de vida" in problem.message for problem in linted(few)] == [True]
    assert ["no tiene meta" in problem.message for problem in linted(none)] == [True]


@pytest.mark.parametrize(
    ("before", "after", "is_looser"),
    [
        ({"target": {"op": ">=", "value": 95}}, {"target": {"op": ">=", "value": 90}}, True),
        ({"target": {"op": ">=", "value": 90}}, {"target": {"op": ">=", "value": 95}}, False),
        ({"limit": {"op": "<=", "value": 15}}, {"limit": {"op": "<=", "value": 20}}, True),
        ({"limit": {"op": "<=", "value": 15}}, {"limit": {"op": "<=", "value": 10}}, False),
        ({"limit": {"op": ">=", "value": 50}}, {"limit": {"op": ">=", "value": 40}}, True),
        ({}, {}, False),
        ({"limit": {"op": "<=", "value": 9}}, {"limit": {"op": "<", "value": 20}}, False),
    ],
)
def test_asking_for_less_is_legitimate_and_told(
    before: dict[str, Any], after: dict[str, Any], is_looser: bool
) -> None:
    # Madrid, museums (row 9): 1,500 visits, then 1,000.
    old, new = (Criterion(parts=(wait(**each),)) for each in (before, after))
    found = loosened(old, new)
    assert bool(found) is is_looser
    assert all(p.severity is WARNING and "motivo" in p.message for p in found)


def test_a_limit_that_the_text_does_not_say_at_all_is_a_warning() -> None:
    (problem,) = compare_text(
        "En 90 % de los casos le llamaremos pronto.", Criterion(parts=(wait(),)), QUARTER
    )
    assert problem == Problem(
        ("limit",), "límite: el texto no menciona el 15 que se evalúa", WARNING
    )


@pytest.mark.parametrize("target", [None, {"op": "<=", "value": 90}])
def test_a_target_that_cannot_be_compared_is_no_looser_one(target: dict[str, Any] | None) -> None:
    other, held = (Criterion(parts=(each,)) for each in (wait(target=target), wait()))
    assert loosened(other, held) == ()
    assert loosened(held, other) == ()


def test_another_form_is_no_looser_one() -> None:
    assert loosened(Criterion(parts=(wait(),)), Criterion(parts=(counter(),))) == ()


def test_a_promise_says_more_than_the_law() -> None:
    three_days = Criterion(parts=(answer(),))
    assert beyond_duty(three_days, (Decimal(4), Unit.WORKING_DAY)) == ()
    assert beyond_duty(three_days, (Decimal(3), Unit.CALENDAR_DAY)) == ()
    (problem,) = beyond_duty(three_days, (Decimal(3), Unit.WORKING_DAY))
    assert "no promete más que la ley" in problem.message


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("", True),
        (" - ", True),
        ("?", True),
        ("Seleccione una opción", True),
        ("Por definir", True),
        ("sistema_turnos", False),
    ],
)
def test_a_default_left_in_its_place_is_a_blank(text: str, blank: bool) -> None:
    assert is_blank(text) is blank
