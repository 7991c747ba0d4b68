"""Each form in its own words: the whole sentence and formula, as the public reads them."""

from typing import Any

import pytest

from shared.criteria import Criterion, Part, Window, formula_text, public_sentence
from tests.unit.criteria.builders import part, wait
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
)

QUARTER = Window.model_validate({"kind": "quarter"})
TIME = {"kind": "duration", **CLOCK}
OUTAGE = {"kind": "outage", "stop": "outage.ended", "unit": "min"}
OUTAGES = {"event": "outage.started", "anchor": "occurred"}
CLASSES = {"event": "class.ended", "anchor": "occurred"}
WAITED = "el tiempo desde que toma su turno hasta que le llamamos a ventanilla"
LEFT_OUT = "No se cuentan abandonos antes del límite ni turnos duplicados. "
BUT = "; sin contar abandonos antes del límite, turnos duplicados"


def said(of: Part) -> str:
    """Return the sentence without the window, with which all of them end."""
    sentence = public_sentence(Criterion(parts=(of,)), QUARTER)
    judged = "evalúa" if of.target is not None else "publica"
    assert sentence.endswith(f" Se {judged} cada trimestre.")
    return sentence.removesuffix(f" Se {judged} cada trimestre.")


def number(name: str) -> dict[str, Any]:
    return {"kind": "number", "field": name}


def total(name: str) -> dict[str, Any]:
    return {"form": "sum", "population": CLASSES, "value": number(name)}


def scored(form: str, **fields: Any) -> dict[str, Any]:
    return {"form": form, "population": ANSWERED, "value": SCORE, **fields}


STATISTICS = [
    (
        part(
            "nps",
            population=ANSWERED | {"where": {"encuesta": ["E"], "canal": ["web"]}},
            value=SCORE,
            target={"op": ">=", "value": 40, "unacceptable": 20, "unit": "puntos"},
        ),
        "El índice de recomendación neta (porcentaje que califica 9 o 10 menos porcentaje que "
        "califica de 0 a 6 (canal: web)) será de 40 puntos o más; inaceptable: 20 puntos o menos.",
        "% de respuestas de 9 y 10 − % de respuestas de 0 a 6 (casos ocurridos en el periodo; "
        "encuesta: E; canal: web); inaceptable ≤ 20 puntos",
    ),
    (
        part(
            "sum",
            population=CLASSES | {"where": {"sede": ["norte"]}},
            value=number("horas"),
            target={"op": ">=", "value": 1500, "unit": "horas"},
        ),
        "La suma de «horas», cada vez que termina una clase (sede: norte) será de 1,500 o más.",
        "suma de «horas» cuando termina una clase (casos ocurridos en el periodo; sede: norte)",
    ),
    (
        part(
            "sum",
            population=ISSUED,
            value=TIME,
            target={"op": "<=", "value": 90, "unit": "min"},
        ),
        f"En total, {WAITED} será de 90 minutos o menos.",
        "suma de los tiempos (casos ocurridos en el periodo)",
    ),
    (
        part(
            "sum",
            population=OUTAGES,
            value=OUTAGE,
            target={"op": "<", "value": 1, "unit": "min"},
        ),
        "En total, el tiempo sin servicio será de menos de 1 minuto.",
        "suma de los cortes (casos ocurridos en el periodo)",
    ),
    (
        part(
            "count",
            population=ANSWERED,
            value=SCORE,
            limit={"op": ">=", "value": 9},
            target={"op": ">=", "value": 30, "unit": "veces"},
        ),
        "El número de veces que se contesta la encuesta con calificación de 9 o más será de "
        "30 veces o más.",
        "veces que se contesta la encuesta, con calificación ≥ 9 (casos ocurridos en el periodo)",
    ),
    (
        part(
            "count",
            population=ISSUED,
            value=TIME,
            limit={"op": ">", "value": 30},
            target={"op": "<=", "value": 3, "unit": "casos"},
        ),
        "El número de veces que toma su turno con un tiempo desde que toma su turno hasta que le "
        "llamamos a ventanilla de más de 30 minutos será de 3 casos o menos.",
        "veces que toma su turno, con tiempo > 30 minutos (casos ocurridos en el periodo)",
    ),
    (
        # Without a noun of its own, a count is a bare number.
        part("count", population=CLASSES, target={"op": ">=", "value": 12}),
        "El número de veces que termina una clase será de 12 o más.",
        "veces que termina una clase (casos ocurridos en el periodo)",
    ),
    (
        part(
            "ratio",
            numerator=total("horas"),
            denominator=total("horas_debidas"),
            target={"op": ">=", "value": 95},
        ),
        "La suma de «horas», cada vez que termina una clase, en proporción a la suma de «horas "
        "debidas», cada vez que termina una clase, será de 95 % o más.",
        "suma de «horas» cuando termina una clase ÷ suma de «horas debidas» cuando termina una "
        "clase × 100",
    ),
    (
        part(
            "mean",
            population=ANSWERED,
            value=SCORE,
            target={"op": ">=", "value": "8.5", "unit": "puntos"},
        ),
        "En promedio, la calificación (nota, de 0 a 10) será de 8.5 o más.",
        "suma de las calificaciones ÷ respuestas válidas (casos ocurridos en el periodo)",
    ),
    (
        part(
            "mean",
            population=ANSWERED,
            value=number("asistentes"),
            target={"op": ">", "value": 8, "unit": "personas"},
        ),
        "En promedio, el dato «asistentes» será de más de 8.",
        "suma de «asistentes» ÷ casos (casos ocurridos en el periodo)",
    ),
    (
        p(50),
        f"En la mitad de los casos, {WAITED} será de 20 minutos o menos.",
        "percentil 50 de los tiempos (rango más cercano), en minutos "
        "(casos ocurridos en el periodo)",
    ),
    (
        p(100),
        f"En el caso más tardado, {WAITED} será de 20 minutos o menos.",
        "percentil 100 de los tiempos (rango más cercano), en minutos "
        "(casos ocurridos en el periodo)",
    ),
    (
        p(95),
        f"En 95 % de los casos, {WAITED} será de 20 minutos o menos.",
        "percentil 95 de los tiempos (rango más cercano), en minutos "
        "(casos ocurridos en el periodo)",
    ),
    (
        part(
            "percentile",
            p=90,
            population=ANSWERED,
            value=SCORE,
            target={"op": ">=", "value": 8, "unit": "puntos"},
        ),
        "En 90 % de los casos, la calificación (nota, de 0 a 10) será de 8 o más.",
        "percentil 90 de las calificaciones (rango más cercano) (casos ocurridos en el periodo)",
    ),
]
SHARES = [
    (
        part(
            "share_within",
            population=ANSWERED,
            value=SCORE,
            limit={"op": ">=", "value": 8},
            target={"op": ">=", "value": 75},
        ),
        "En al menos 75 % de las respuestas, la calificación (nota, de 0 a 10) será de 8 o más.",
        "respuestas ≥ 8 ÷ casos ocurridos en el periodo × 100",
    ),
    (
        part(
            "share_within",
            population=ANSWERED,
            value=SCORE,
            limit={"op": ">=", "value": 8},
        ),
        "La proporción de las respuestas en las que la calificación (nota, de 0 a 10) será de 8 o "
        "más se publica sin meta.",
        "respuestas ≥ 8 ÷ casos ocurridos en el periodo × 100",
    ),
    (
        part(
            "share_within",
            population={"event": "visit.done", "anchor": "occurred"},
            value=SCORE,
            limit={"op": ">=", "value": 8},
            target={"op": ">=", "value": 75},
        ),
        "En al menos 75 % de los casos en que hacemos la visita, la calificación (nota, de 0 a 10) "
        "será de 8 o más.",
        "respuestas ≥ 8 ÷ casos ocurridos en el periodo (en que hacemos la visita) × 100",
    ),
    (
        wait(target=None),
        f"La proporción de los casos en los que {WAITED} será de 15 minutos o menos se publica "
        f"sin meta. {LEFT_OUT}".rstrip(),
        f"casos con tiempo ≤ 15 minutos ÷ casos cuyo plazo venció en el periodo × 100{BUT}",
    ),
    (
        wait(target={"op": "<", "value": "5.5"}),
        f"En menos de 5.5 % de los casos, {WAITED} será de 15 minutos o menos. {LEFT_OUT}".rstrip(),
        f"casos con tiempo ≤ 15 minutos ÷ casos cuyo plazo venció en el periodo × 100{BUT}",
    ),
    (
        wait(
            target={
                "op": "<=",
                "value": "1.1",
                "reference": "last_year",
                "zero_reference": "not_evaluated",
            }
        ),
        f"La proporción de los casos en los que {WAITED} será de 15 minutos o menos no superará "
        "110 % de la cifra del mismo periodo del año anterior (si esa fue cero, no se evalúa). "
        f"{LEFT_OUT}".rstrip(),
        f"casos con tiempo ≤ 15 minutos ÷ casos cuyo plazo venció en el periodo × 100{BUT}",
    ),
    (
        wait(
            limit={
                "op": "<=",
                "value": 15,
                "seasons": [{"first": "12-01", "last": "01-10", "value": 25}],
            },
            target={"op": ">", "value": 50},
        ),
        f"En más de 50 % de los casos, {WAITED} será de 15 minutos o menos (del 1 de diciembre al "
        f"10 de enero, 25 minutos). {LEFT_OUT}".rstrip(),
        "casos con tiempo ≤ 15 minutos (del 1 de diciembre al 10 de enero, 25 minutos) ÷ casos "
        f"cuyo plazo venció en el periodo × 100{BUT}",
    ),
    (
        wait(limit={"op": "<=", "own_due": True}, target={"op": "<=", "value": 9}),
        "En no más de 9 % de los casos, a más tardar en la fecha prometida a cada persona, le "
        f"llamamos a ventanilla. {LEFT_OUT}".rstrip(),
        "casos con fin a más tardar en la fecha prometida ÷ casos cuyo plazo venció en el periodo "
        f"× 100{BUT}",
    ),
    (
        on_date(),
        "En todos los casos en que se agenda la visita, hacemos la visita a más tardar el día en "
        "que llega la fecha acordada para la visita.",
        "casos con retraso ≤ 0 días naturales ÷ casos cuyo plazo venció en el periodo (en que se "
        "agenda la visita) × 100; calendario «HAB-GRAL»",
    ),
]
DAYS = "En al menos 50 % de los días con servicio, "
GROUPS = [
    (
        daily(),
        f"{DAYS}en promedio, {WAITED} será de 10 minutos o menos.",
        "días con (suma de los tiempos ÷ casos medidos, en minutos (casos ocurridos en el "
        "periodo)) ≤ 10 minutos ÷ días con servicio × 100",
    ),
    (
        daily(by=None, attribute="sede"),
        "En al menos 50 % de los grupos con servicio, según sede, en promedio, "
        f"{WAITED} será de 10 minutos o menos.",
        "grupos según sede con (suma de los tiempos ÷ casos medidos, en minutos (casos ocurridos "
        "en el periodo)) ≤ 10 minutos ÷ grupos según sede con servicio × 100",
    ),
    (
        daily(by="week", target=None),
        f"La proporción de las semanas con servicio en las que en promedio, {WAITED} será de "
        "10 minutos o menos se publica sin meta.",
        "semanas con (suma de los tiempos ÷ casos medidos, en minutos (casos ocurridos en el "
        "periodo)) ≤ 10 minutos ÷ semanas con servicio × 100",
    ),
    (
        daily(inner=scored("nps"), limit={"op": ">=", "value": 40}),
        f"{DAYS}el índice de recomendación neta (porcentaje que califica 9 o 10 menos porcentaje "
        "que califica de 0 a 6) será de 40 puntos o más.",
        "días con (% de respuestas de 9 y 10 − % de respuestas de 0 a 6 (casos ocurridos en el "
        "periodo)) ≥ 40 puntos ÷ días con servicio × 100",
    ),
    (
        daily(
            inner=scored("share_within", limit={"op": ">=", "value": 8}),
            limit={"op": ">=", "value": 80},
        ),
        f"{DAYS}la proporción de las respuestas en las que la calificación (nota, de 0 a 10) será "
        "de 8 o más será de 80 % o más.",
        "días con (respuestas ≥ 8 ÷ casos ocurridos en el periodo × 100) ≥ 80 % "
        "÷ días con servicio × 100",
    ),
    (
        daily(inner={"form": "count", "population": ISSUED}, limit={"op": ">=", "value": 1}),
        f"{DAYS}el número de veces que toma su turno será de 1 o más.",
        "días con (veces que toma su turno (casos ocurridos en el periodo)) ≥ 1 "
        "÷ días con servicio × 100",
    ),
    (
        daily(inner=scored("mean"), limit={"op": ">=", "value": 8}),
        f"{DAYS}en promedio, la calificación (nota, de 0 a 10) será de 8 o más.",
        "días con (suma de las calificaciones ÷ respuestas válidas (casos ocurridos en el "
        "periodo)) ≥ 8 ÷ días con servicio × 100",
    ),
]
AVAILABLE = "La disponibilidad del servicio, sin contar mantenimientos avisados,"
SERVED = "(tiempo de servicio − interrupciones) ÷ tiempo de servicio × 100, en horario"
OUTSIDE = "; sin contar mantenimientos avisados"
SERVICE = [
    (
        portal(),
        f"{AVAILABLE} será de 99 % del tiempo de servicio o más.",
        f"{SERVED} las 24 horas{OUTSIDE}",
    ),
    (
        portal(target={"op": ">=", "value": 100}),
        f"{AVAILABLE} será de 100 % del tiempo de servicio.",
        f"{SERVED} las 24 horas{OUTSIDE}",
    ),
    (
        portal(target=None, value=OUTAGE | {"unit": "min_habil", "calendar": "HAB-GRAL"}),
        f"{AVAILABLE} se publica sin meta.",
        f"{SERVED} HAB-GRAL{OUTSIDE}",
    ),
    (
        portal(population=OUTAGES),
        "La disponibilidad del servicio será de 99 % del tiempo de servicio o más.",
        f"{SERVED} las 24 horas",
    ),
]


@pytest.mark.parametrize(("of", "sentence", "formula"), [*STATISTICS, *SHARES, *GROUPS, *SERVICE])
def test_a_form_is_said_and_computed_in_words_of_its_own(
    of: Part, sentence: str, formula: str
) -> None:
    assert said(of) == sentence
    assert formula_text(of) == formula


@pytest.mark.parametrize(
    ("recurrence", "when", "periods"),
    [
        (
            {"every": "month", "working_day": 5, "time": "18:00"},
            "En todos los meses, {} el 5.º día hábil, a las 18:00.",
            "los meses",
        ),
        (
            {"every": "quarter", "month": 2},
            "En todos los trimestres, {} el último día de su 2.º mes.",
            "los trimestres",
        ),
        (
            {"every": "quarter", "month": 3, "working_day": 1},
            "En todos los trimestres, {} el 1.º día hábil de su 3.º mes.",
            "los trimestres",
        ),
        (
            {"every": "semester", "day": 1},
            "En todos los semestres, {} el día 1.",
            "los semestres",
        ),
        (
            {"every": "year", "month": 1, "day": 30},
            "En todos los años, {} el día 30 de enero.",
            "los años",
        ),
        (
            {"every": "week", "working_day": 2},
            "En todas las semanas, {} el 2.º día hábil.",
            "las semanas",
        ),
    ],
)
def test_what_is_owed_says_by_when(recurrence: dict[str, Any], when: str, periods: str) -> None:
    assert said(owed(**recurrence)) == when.format("publicamos el documento a más tardar")
    assert formula_text(owed(**recurrence)) == (
        f"ocurrencias a tiempo ÷ {periods} del periodo × 100; calendario «HAB-GRAL»"
    )


def test_what_is_owed_each_day_names_the_calendar_of_its_days() -> None:
    daily_ = owed(every="day", time="09:30")
    days = "los días que cuentan en el calendario «HAB-GRAL»"
    assert said(daily_) == (
        f"En todos {days}, publicamos el documento a más tardar ese mismo día, a las 09:30."
    )
    assert formula_text(daily_) == f"ocurrencias a tiempo ÷ {days} del periodo × 100"


def test_what_is_owed_without_a_target_is_a_proportion() -> None:
    weekly = owed(every="week").model_copy(update={"target": None})
    assert said(weekly) == (
        "La proporción de las semanas en las que publicamos el documento a más tardar el último "
        "día se publica sin meta."
    )
