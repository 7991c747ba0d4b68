"""Each fault of a declared criterion, whole: where it is, how grave, and what its author reads."""

from decimal import Decimal
from typing import Any

import pytest

from shared.criteria import (
    Criterion,
    Part,
    Problem,
    Severity,
    beyond_duty,
    is_blank,
    lint,
    loosened,
)
from shared.worktime import Unit
from tests.unit.criteria.builders import answer, counter, measure, part, wait
from tests.unit.criteria.test_shapes import ISSUED, on_date, owed, portal, visits

ERROR, WARNING = Severity.ERROR, Severity.WARNING


def linted(*parts: Part, events: dict[str, str] | None = None) -> tuple[Problem, ...]:
    return lint(Criterion(parts=parts), calendars=["HAB-GRAL"], events=events or {})


def timed(start: str, stop: str, **population: Any) -> Part:
    clock = {"start": {"event": start}, "stop": {"event": stop}, "unit": "min"}
    return wait(population={"event": start, "anchor": "due"} | population, clock=clock)


def test_a_calendar_that_does_not_exist_is_an_error_of_its_part() -> None:
    (problem,) = lint(Criterion(parts=(wait(), answer())), calendars=["HAB-RC"])
    assert problem == Problem(("parts", 1, "calendar"), "no existe el calendario «HAB-GRAL»", ERROR)
    assert linted(answer()) == ()


def test_a_clock_that_starts_and_stops_at_once_is_an_error() -> None:
    assert linted(timed("ticket.issued", "ticket.issued")) == (
        Problem(("parts", 0, "stop"), "el reloj empieza y termina con lo mismo", ERROR),
    )


def test_a_condition_that_admits_no_value_is_an_error_of_that_condition() -> None:
    population = {"where": {"servicio": [], "sede": ["norte"]}}
    assert linted(timed("ticket.issued", "ticket.called", **population)) == (
        Problem(("parts", 0, "where", "servicio"), "ningún valor de «servicio» se admite", ERROR),
    )


def wordless(kind: str, hint: str = "") -> Problem:
    message = (
        f"la frase pública mostraría «{kind}»: ese evento no tiene nombre en palabras; "
        f"dígalo en «eventos» de la carta{hint}"
    )
    return Problem(("parts", 0, "event"), message, WARNING)


def test_an_event_without_words_is_told_once_with_the_one_that_it_may_have_meant() -> None:
    # "ticket.isued" is nearer to ticket.issued than to ticket.served.
    near = wordless("ticket.isued", "; ¿quiso decir «ticket.issued»?")
    assert linted(timed("ticket.isued", "ticket.called")) == (near,)
    # Nothing is near enough: case.closed is another word.
    assert linted(timed("ticket.issued", "pase.sellado")) == (wordless("pase.sellado"),)
    # The two sides of a ratio speak of the same event.
    above = {"form": "count", "population": {"event": "pase.sellado", "anchor": "occurred"}}
    ratio = part("ratio", numerator=above, denominator=above, target={"op": ">=", "value": 1})
    assert linted(ratio) == (wordless("pase.sellado"),)


def test_a_pause_that_was_misspelt_is_told_and_one_of_their_own_is_not() -> None:
    fields = {
        "start": {"event": "ticket.issued"},
        "stop": {"event": "ticket.called"},
        "unit": "min",
        "pauses": ["prevencion", "obra_propia", "prevension"],
    }
    message = "la pausa «prevension» no se conoce; ¿quiso decir «prevencion»?"
    assert linted(wait(clock=fields)) == (Problem(("parts", 0, "pauses"), message, WARNING),)


def test_a_carta_s_own_words_are_words_and_may_be_what_was_meant() -> None:
    own = {"pase.sellado": "sellamos su pase"}
    assert linted(timed("ticket.issued", "pase.sellado"), events=own) == ()
    near = wordless("pase.selado", "; ¿quiso decir «pase.sellado»?")
    assert linted(timed("ticket.issued", "pase.selado"), events=own) == (near,)


def test_the_words_of_a_time_are_those_of_its_population_its_start_and_its_stop() -> None:
    assert measure(on_date()).kinds == {"visit.scheduled", "visit.scheduled_for", "visit.done"}
    stops = {"first_of": ["buzon.answered", "buzon.demorado"]}
    clock = {"start": {"event": "buzon.submitted"}, "stop": stops, "unit": "min"}
    of = wait(population={"event": "buzon.submitted", "anchor": "due"}, clock=clock)
    assert linted(of) == (wordless("buzon.demorado"),)


CLOSED_ONLY = Problem(
    ("parts", 0, "anchor"),
    "solo cuenta los casos concluidos: los más viejos, aún abiertos, no aparecen; "
    "con «ancla: due» cuentan al vencer",
    WARNING,
)
SERVED_ONLY = "la población es de los casos en que {}: los que siguen esperando nunca cuentan"


def test_cases_that_are_still_open_are_hidden_where_only_closed_ones_count() -> None:
    clock = {
        "start": {"event": "ticket.issued"},
        "stop": {"event": "ticket.called"},
        "unit": "min",
    }
    closed = {"event": "ticket.issued", "anchor": "closed"}
    served = {"event": "ticket.called", "anchor": "occurred"}
    assert linted(wait(population=closed, clock=clock)) == (CLOSED_ONLY,)
    assert linted(counter(population=closed, clock=clock)) == (CLOSED_ONLY,)
    message = SERVED_ONLY.format("le llamamos a ventanilla")
    only_served = Problem(("parts", 0, "population"), message, WARNING)
    assert linted(wait(population=served, clock=clock)) == (only_served,)
    own = {"ticket.called": "decimos su número"}
    message = SERVED_ONLY.format("decimos su número")
    only_called = Problem(("parts", 0, "population"), message, WARNING)
    assert linted(wait(population=served, clock=clock), events=own) == (only_called,)
    # A mean is of those who were served; and one who enters by the start is not yet served.
    assert linted(counter(population=served, clock=clock)) == ()
    assert linted(wait(population=ISSUED, clock=clock)) == ()


def test_what_has_no_target_and_what_is_kept_by_no_news_is_said_of_its_part() -> None:
    informs = Problem(("parts", 1), "no tiene meta: se publica y no se evalúa", WARNING)
    assert linted(wait(), visits(None)) == (informs,)
    no_news = Problem(
        ("parts", 0),
        "un periodo sin casos se da por cumplido solo si la fuente da señal de vida; "
        "declare de qué sistema viene",
        WARNING,
    )
    assert linted(visits({"op": "<=", "value": 2, "unit": "errores"})) == (no_news,)
    assert linted(visits({"op": ">=", "value": 2, "unit": "visitas"})) == ()
    assert linted(wait(target={"op": "<=", "value": 1}), owed(every="month"), portal()) == ()


def test_faults_of_what_is_measured_come_before_those_of_what_is_promised() -> None:
    both = timed("ticket.issued", "ticket.issued", anchor="occurred")
    found = linted(both.model_copy(update={"target": None}))
    assert [problem.path for problem in found] == [("parts", 0, "stop"), ("parts", 0)]


# Against the law


def slack(legal: str, promised: str, unit: str = "minutos") -> tuple[Problem, ...]:
    message = (
        f"no promete más que la ley: el plazo legal es de {legal} {unit} "
        f"y el compromiso de {promised} {unit}"
    )
    return (Problem(("limit",), message, WARNING),)


def test_a_term_that_the_law_gives_already_is_no_promise() -> None:
    one, two = (
        Criterion(parts=(wait(),)),
        Criterion(parts=(wait(), counter(), wait(limit={"op": "<=", "value": 30}))),
    )
    assert beyond_duty(one, (Decimal(16), Unit.MINUTE)) == ()
    assert beyond_duty(one, (Decimal(15), Unit.MINUTE)) == slack("15", "15")
    assert beyond_duty(one, (Decimal(15), Unit.SECOND)) == ()
    assert beyond_duty(two, (Decimal(20), Unit.MINUTE)) == slack("20", "30")
    assert beyond_duty(two, (Decimal(6), Unit.MINUTE)) == (
        *slack("6", "15"),
        *slack("6", "6"),
        *slack("6", "30"),
    )


# Against the version before


def eased(*places: tuple[int, str, str, str]) -> tuple[Problem, ...]:
    names = {"target": "la meta", "limit": "el límite"}
    return tuple(
        Problem(
            ("parts", number, place),
            f"{names[place]} se relaja: de {old} a {new}; "
            "diga el motivo en el acta; el cambio queda a la vista con su fecha",
            WARNING,
        )
        for number, place, old, new in places
    )


def held(limit: dict[str, Any], target: dict[str, Any]) -> Part:
    return wait(limit=limit, target=target)


AT_MOST_15, AT_LEAST_90 = {"op": "<=", "value": 15}, {"op": ">=", "value": 90}


@pytest.mark.parametrize(
    ("limit", "target", "told"),
    [
        ({"op": "<=", "value": 20}, {"op": ">=", "value": 85}, "both"),
        ({"op": "<=", "value": 10}, {"op": ">=", "value": 85}, "target"),
        ({"op": "<=", "value": 20}, {"op": ">=", "value": 95}, "limit"),
        ({"op": "<=", "value": 20}, {"op": ">=", "value": 90}, "limit"),
        ({"op": "<=", "value": 15}, {"op": ">=", "value": 85}, "target"),
        ({"op": "<=", "value": 15}, {"op": ">=", "value": 90}, ""),
        # What is compared otherwise, or follows something else, is no looser by its number.
        ({"op": "<", "value": 20}, {"op": ">", "value": 85}, ""),
        ({"op": "<=", "field": "plazo", "factor": 9}, {"op": ">=", "value": 90}, ""),
    ],
)
def test_a_new_version_says_where_it_asks_for_less(
    limit: dict[str, Any], target: dict[str, Any], told: str
) -> None:
    before = Criterion(parts=(counter(), held(AT_MOST_15, AT_LEAST_90)))
    after = Criterion(parts=(counter(), held(limit, target)))
    all_ = {"target": (1, "target", "90", "85"), "limit": (1, "limit", "15", "20")}
    expected = all_ if told == "both" else {told: all_[told]} if told else {}
    assert loosened(before, after) == eased(*expected.values())


def test_an_upper_target_is_eased_upwards_and_a_lower_limit_downwards() -> None:
    before, after = (
        Criterion(parts=(held({"op": ">=", "value": limit}, {"op": "<=", "value": target}),))
        for limit, target in ((50, 5), (40, 6))
    )
    assert loosened(before, after) == eased((0, "target", "5", "6"), (0, "limit", "50", "40"))
    assert loosened(after, before) == ()


def test_what_had_no_limit_for_each_case_has_none_to_ease() -> None:
    clock = {
        "start": {"event": "ticket.issued"},
        "stop": {"event": "ticket.called"},
        "unit": "min",
    }
    all_, late = (
        Criterion(parts=(part("count", population=ISSUED, **held_),))
        for held_ in ({}, {"clock": clock, "limit": {"op": ">", "value": 30}})
    )
    assert loosened(all_, late) == loosened(late, all_) == ()


def test_a_part_more_or_less_is_compared_with_none() -> None:
    one, two = Criterion(parts=(wait(),)), Criterion(parts=(wait(), wait(limit=AT_MOST_15)))
    assert loosened(one, two) == loosened(two, one) == ()


@pytest.mark.parametrize("text", ["–", " . ", "N/D", "PENDIENTE", "Elija una opción", "-?."])
def test_what_a_form_was_filled_with_is_a_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["X", "x-", "no pendiente", "turnos"])
def test_a_word_is_no_blank(text: str) -> None:
    assert not is_blank(text)
