"""Where a sentence changes its words: at all and nothing, on the very day, for both sides."""

from typing import Any

import pytest

from shared.criteria import Criterion, Part, Window, WindowKind, formula_text, public_sentence
from tests.unit.criteria.builders import part, wait
from tests.unit.criteria.test_sentence import ANSWERS, QUARTER, SCORE, said


def test_a_minimum_sample_of_several_kinds_names_each() -> None:
    answers = part("share_within", population=ANSWERS, value=SCORE, limit={"op": ">=", "value": 8})
    judged = answers.model_copy(update={"target": wait().target})
    sentence = public_sentence(Criterion(parts=(wait(), judged)), QUARTER, minimum_sample=30)
    assert sentence.endswith("; cada parte, si hay al menos 30 casos o 30 respuestas.")
    # What only informs needs no sample.
    sentence = public_sentence(Criterion(parts=(wait(), answers)), QUARTER, minimum_sample=30)
    assert sentence.endswith(" Se evalúa cada trimestre; cada parte, si hay al menos 30 casos.")
    assert "30 respuestas" not in sentence


@pytest.mark.parametrize(
    ("kind", "said_"), [("month", "mes"), ("semester", "semestre"), ("year", "año")]
)
def test_a_window_is_said_by_its_period(kind: str, said_: str) -> None:
    assert said(wait(), window=Window(kind=WindowKind(kind))).endswith(f" Se evalúa cada {said_}.")


def held_to(op: str, value: int) -> Part:
    return wait(target={"op": op, "value": value})


def test_only_at_least_all_is_all() -> None:
    assert said(held_to("<=", 100)).startswith("En no más de 100 % de los casos, ")
    assert said(held_to(">", 99)).startswith("En más de 99 % de los casos, ")
    assert said(held_to("<", 100)).startswith("En menos de 100 % de los casos, ")
    outages = {"event": "outage.started", "anchor": "occurred"}
    value = {"kind": "outage", "stop": "outage.ended", "unit": "min"}
    for op, value_, bound in (
        ("<=", 100, "100 % del tiempo de servicio o menos"),
        (">=", 100, "100 % del tiempo de servicio"),
        (">=", 99, "99 % del tiempo de servicio o más"),
    ):
        target = {"op": op, "value": value_}
        of = part("availability", population=outages, value=value, target=target)
        assert said(of).startswith(f"La disponibilidad del servicio será de {bound}. ")


def test_only_a_count_that_stays_at_nothing_is_never() -> None:
    population = {"event": "information.wrong", "anchor": "occurred"}
    for op, value, words in (
        (">=", 0, "El número de veces que damos información equivocada será de 0 casos o más. "),
        ("<=", 2, "El número de veces que damos información equivocada será de 2 casos o menos. "),
        ("<=", 0, "En ningún caso damos información equivocada. "),
    ):
        target = {"op": op, "value": value, "unit": "casos"}
        assert said(part("count", population=population, target=target)).startswith(words)
    bare = {"op": "<=", "value": 3, "unit": "razón"}
    assert " será de 3 o menos. " in said(part("count", population=population, target=bare))


@pytest.mark.parametrize(
    ("unit", "limit", "exact_day", "words"),
    [
        ("dia_natural", 0, False, "a más tardar el día en que"),
        ("dia_natural", 0, True, "el mismo día en que"),
        ("dia_natural", 1, False, "a más tardar 1 día natural después de que"),
        ("min", 0, False, "a más tardar en el momento en que"),
        ("min", 5, False, "a más tardar 5 minutos después de que"),
    ],
)
def test_what_was_set_beforehand_says_how_late_is_still_in_time(
    unit: str, limit: int, exact_day: bool, words: str
) -> None:
    clock = {
        "start": {"event": "visit.scheduled_for"},
        "stop": {"event": "visit.done"},
        "unit": unit,
        "calendar": "HAB-GRAL",
        "from_due": True,
        "exact_day": exact_day,
    }
    population = {"event": "visit.scheduled_for", "anchor": "due"}
    of = wait(population=population, clock=clock, limit={"op": "<=", "value": limit})
    assert said(of).startswith(
        f"En al menos 90 % de los casos, hacemos la visita {words} llega la fecha acordada "
        "para la visita; inaceptable: 80 % o menos. "
    )


def test_a_lateness_that_changes_or_is_looked_up_is_said_as_a_time() -> None:
    clock = {
        "start": {"event": "visit.scheduled_for"},
        "stop": {"event": "visit.done"},
        "unit": "min",
        "from_due": True,
    }
    seasons = [{"first": "01-01", "last": "01-31", "value": 9}]
    for limit in (
        {"op": "<=", "value": 5, "seasons": seasons},
        {"op": "<=", "by": "tipo", "values": {"a": 5}},
        {"op": "<", "value": 5},
    ):
        assert "el retraso desde que llega la fecha" in said(wait(clock=clock, limit=limit))


def test_a_sum_that_stays_at_nothing_is_nothing() -> None:
    population = {"event": "class.ended", "anchor": "occurred"}
    value = {"kind": "number", "field": "horas"}
    target = {"op": "<=", "value": 0, "unit": "horas"}
    assert said(part("sum", population=population, value=value, target=target)) == (
        "La suma de «horas», cada vez que termina una clase será de 0. Se evalúa cada trimestre."
    )


def test_a_carta_s_own_words_are_said_in_every_form() -> None:
    own = {"class.ended": "acaba el taller", "class.started": "arranca el taller"}
    population = {"event": "class.ended", "anchor": "occurred"}
    clock = {"start": {"event": "class.started"}, "stop": {"event": "class.ended"}, "unit": "min"}
    hours = {"kind": "number", "field": "horas"}
    recurrence = {"every": "month", "calendar": "HAB-GRAL"}
    forms: list[tuple[str, dict[str, Any], str, str]] = [
        ("count", {}, "veces que acaba el taller se", "veces que acaba el taller ("),
        ("sum", {"value": hours}, "cada vez que acaba el taller se", "cuando acaba el taller ("),
        ("deadline", {"recurrence": recurrence}, "en los que acaba el taller a más", ""),
        ("mean", {"clock": clock}, "desde que arranca el taller hasta que acaba el taller", ""),
        (
            "share_within",
            {"clock": clock, "limit": {"op": "<=", "value": 9}},
            "los casos en que acaba el taller en los que el tiempo desde que arranca el taller",
            "(en que acaba el taller)",
        ),
    ]
    for form, fields, words, formula in forms:
        of = part(form, population=population, **fields)
        assert words in public_sentence(Criterion(parts=(of,)), QUARTER, events=own)
        assert formula in formula_text(of, events=own)


def test_what_a_service_leaves_out_is_said_in_its_place() -> None:
    population = {
        "event": "outage.started",
        "anchor": "occurred",
        "where": {"sede": ["norte"]},
        "exclude": ["mantenimiento_avisado", "red_ajena"],
    }
    value = {"kind": "outage", "stop": "outage.ended", "unit": "min"}
    assert said(part("availability", population=population, value=value)) == (
        "La disponibilidad del servicio (sede: norte), sin contar mantenimientos avisados, redes "
        "que no son del municipio, se publica sin meta. Se publica cada trimestre."
    )


def test_both_sides_of_a_ratio_say_together_what_both_leave_out() -> None:
    population = {"event": "visit.done", "anchor": "occurred", "exclude": ["duplicado"]}
    side = {"form": "count", "population": population}
    ratio = part("ratio", numerator=side, denominator=side, target={"op": "<=", "value": 0})
    assert said(ratio) == (
        "El número de veces que hacemos la visita, en proporción al número de veces que hacemos la "
        "visita, será de 0 %. No se cuentan duplicados. Se evalúa cada trimestre."
    )


def test_what_the_cases_of_a_group_leave_out_is_said_of_all() -> None:
    inner = wait().figure.model_dump(mode="json")
    grouped_ = part(
        "nested_share",
        by="day",
        inner=inner,
        limit={"op": ">=", "value": 80},
        target={"op": ">=", "value": 90},
    )
    assert said(grouped_).endswith(
        " No se cuentan abandonos antes del límite ni turnos duplicados. Se evalúa cada trimestre."
    )


def test_a_formula_says_who_enters_under_which_conditions_and_by_which_calendar() -> None:
    clock = {
        "start": {"event": "request.received"},
        "stop": {"event": "request.resolved"},
        "unit": "dia_habil",
        "calendar": "HAB-GRAL",
        "pauses": ["prevencion"],
    }
    population = {
        "event": "request.complete",
        "anchor": "closed",
        "where": {"tipo": ["obra"]},
        "exclude": ["duplicado"],
    }
    conditions = "en que está completa su solicitud; tipo: obra"
    counted_by = (
        "; sin contar duplicados; calendario «HAB-GRAL»; "
        "el tiempo se detiene mientras usted completa lo que le pedimos"
    )
    mean = part("mean", population=population, clock=clock)
    assert formula_text(mean) == (
        "suma de los tiempos ÷ casos medidos, en días hábiles (casos concluidos en el periodo; "
        f"{conditions}{counted_by})"
    )
    share = part("share_within", population=population, clock=clock, limit={"op": "<=", "value": 3})
    assert formula_text(share) == (
        "casos con tiempo ≤ 3 días hábiles ÷ casos concluidos en el periodo "
        f"({conditions}) × 100{counted_by}"
    )


def test_the_formula_of_what_is_owed_says_what_excuses_it() -> None:
    owed = part(
        "deadline",
        population={
            "event": "document.published",
            "anchor": "occurred",
            "where": {"sede": ["norte"]},
            "exclude": ["orden_judicial"],
        },
        recurrence={"every": "month", "calendar": "HAB-GRAL"},
    )
    assert formula_text(owed) == (
        "ocurrencias a tiempo ÷ los meses del periodo × 100; sede: norte; "
        "sin contar casos con orden judicial; calendario «HAB-GRAL»"
    )
