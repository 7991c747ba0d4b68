"""Each difference between a printed text and what is judged, as its author reads it."""

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
)
from shared.worktime import Unit
from tests.unit.criteria.builders import answer, counter, part, wait
from tests.unit.criteria.test_outlook import scored
from tests.unit.criteria.test_shapes import (
    ANSWERED,
    ISSUED,
    SCORE,
    daily,
    fewer,
    on_date,
    owed,
    p,
    portal,
)

ERROR, WARNING = Severity.ERROR, Severity.WARNING
PATHS = {
    "límite": "limit",
    "unidad": "unit",
    "proporción": "share",
    "estadístico": "statistic",
    "ventana": "window",
    "contenido": "content",
}


def wrong(message: str) -> Problem:
    return Problem((PATHS[message.partition(":")[0]],), message, ERROR)


def doubtful(message: str) -> Problem:
    return Problem((PATHS[message.partition(":")[0]],), message, WARNING)


def compared(text: str, *parts: Part, window: str = "quarter", **changes: Any) -> list[Problem]:
    criterion = Criterion(parts=parts)
    return list(compare_text(text, criterion, Window.model_validate({"kind": window}), **changes))


THREE_DAYS = answer()
"""Three working days in 90 % of the cases."""
HALF_AN_HOUR = wait(limit={"op": "<=", "value": 30}, target={"op": ">=", "value": 80})


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("En 3 días hábiles en 90 % de los casos.", []),
        (
            "En 3 días en 90 %.",
            [doubtful("unidad: el texto no dice qué días son: se evalúa con 3 días hábiles")],
        ),
        (
            "En 3 días naturales en 90 %.",
            [wrong("unidad: el texto dice 3 días naturales y el criterio evalúa 3 días hábiles")],
        ),
        (
            "En 3 horas, o 3 meses, en 90 %.",
            [wrong("unidad: el texto dice 3 horas o 3 meses y el criterio evalúa 3 días hábiles")],
        ),
        # One of the two is what is judged.
        ("En 3 días hábiles (3 días naturales) en 90 %.", []),
        (
            "En 5 días hábiles en 90 %.",
            [wrong("límite: el texto dice 5 días hábiles y el criterio evalúa 3 días hábiles")],
        ),
        (
            "En 5 días o 1 mes en 90 %.",
            [wrong("límite: el texto dice 5 días o 1 mes y el criterio evalúa 3 días hábiles")],
        ),
        # Hours are no days: they may speak of something else.
        (
            "En 5 horas en 90 %.",
            [doubtful("límite: el texto no menciona 3 días hábiles, que se evalúa")],
        ),
        ("En 3 pasos y 5 horas en 90 %.", []),
        ("El 3 en 90 %.", []),
        ("Pronto, en 90 %.", [doubtful("límite: el texto no menciona el 3 que se evalúa")]),
    ],
)
def test_a_limit_is_said_with_its_number_and_its_unit(text: str, problems: list[Problem]) -> None:
    assert compared(text, THREE_DAYS) == problems


def test_where_one_of_several_limits_is_said_the_others_are_only_missing() -> None:
    both = (wait(), HALF_AN_HOUR)
    assert compared("15 minutos en 90 %, 30 minutos en 80 %.", *both) == []
    assert compared("15 minutos en 90 % u 80 %.", *both) == [
        doubtful("límite: el texto no menciona 30 minutos, que se evalúa")
    ]
    assert compared("20 minutos en 90 % u 80 %.", *both) == [
        wrong("límite: el texto dice 20 minutos y el criterio evalúa 15 minutos"),
        wrong("límite: el texto dice 20 minutos y el criterio evalúa 30 minutos"),
    ]
    assert compared("Pronto, en 90 % u 80 %.", *both) == [
        doubtful("límite: el texto no menciona el 15 que se evalúa"),
        doubtful("límite: el texto no menciona el 30 que se evalúa"),
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "15 minutos en 95 %; 30 minutos en 80 %.",
            [wrong("proporción: el texto dice 95 % y el criterio evalúa 90 %")],
        ),
        (
            "15 minutos en 95 %; 30 minutos en 85 %.",
            [wrong("proporción: el texto dice 95 % u 85 % y el criterio evalúa 90 %")],
        ),
        (
            "15 minutos; 30 minutos.",
            [
                doubtful("proporción: el texto no menciona el 90 que se evalúa"),
                doubtful("proporción: el texto no menciona el 80 que se evalúa"),
            ],
        ),
        # Another percentage, beside all that are promised, may speak of something else.
        ("15 minutos en 90 %; 30 minutos en 80 %; 5 % de descuento.", []),
        ("15 minutos en nueve de cada diez casos (90); 30 minutos en 80.", []),
    ],
)
def test_a_share_is_said(text: str, problems: list[Problem]) -> None:
    assert compared(text, wait(), HALF_AN_HOUR) == problems


def test_all_need_not_be_said_and_what_is_no_share_is_none() -> None:
    every = wait(target={"op": ">=", "value": 100})
    assert compared("En 15 minutos.", every) == []
    nearly = wait(target={"op": ">=", "value": "99.9"})
    assert compared("En 15 minutos.", nearly) == [
        doubtful("proporción: el texto no menciona el 99.9 que se evalúa")
    ]
    assert compared("En 20 minutos.", p(95)) == [
        doubtful("proporción: el texto no menciona el 95 que se evalúa")
    ]
    # A percentage of last year's figure, a noun's number, a mean: none of them is a share.
    assert compared("Menos que el año anterior.", fewer(value="0.9")) == []
    promoters = part(
        "nps",
        population=ANSWERED,
        value=SCORE,
        target={"op": ">=", "value": 40, "unit": "puntos"},
    )
    assert compared("15 minutos en 40 %.", wait(), promoters) == [
        doubtful("proporción: el texto no menciona el 90 que se evalúa")
    ]
    assert compared("En 99 % del tiempo.", portal()) == []
    assert compared("En 98 % del tiempo.", portal()) == [
        wrong("proporción: el texto dice 98 % y el criterio evalúa 99 %")
    ]


@pytest.mark.parametrize(
    ("of", "said", "missing"),
    [
        (scored(">=", 8), "8 de 10 en promedio", "límite: el texto no menciona el 8 que se evalúa"),
        (
            part(
                "sum",
                population=ANSWERED,
                value={"kind": "number", "field": "horas"},
                target={"op": ">=", "value": 1500, "unit": "horas"},
            ),
            "1,500 de servicio",
            "límite: el texto no menciona el 1,500 que se evalúa",
        ),
        (
            part(
                "share_within",
                population=ANSWERED,
                value=SCORE,
                limit={"op": ">=", "value": 8},
                target={"op": ">=", "value": 100},
            ),
            "todas con 8",
            "límite: el texto no menciona el 8 que se evalúa",
        ),
        (
            part(
                "count",
                population=ISSUED,
                target={"op": ">=", "value": 12, "unit": "talleres"},
            ),
            "12 talleres",
            "límite: el texto no menciona el 12 que se evalúa",
        ),
    ],
)
def test_a_number_without_a_unit_of_time_is_said_too(of: Part, said: str, missing: str) -> None:
    assert compared(f"Daremos {said}.", of) == []
    assert doubtful(missing) in compared("Daremos lo mejor.", of)


MEAN_UNSAID = (
    "estadístico: el texto promete {} sin decir que es un promedio y el criterio evalúa el "
    "promedio; diga «en promedio», o evalúe cada caso"
)
CASE_BY_CASE = "estadístico: el texto habla de un promedio y el criterio evalúa caso por caso"


def test_a_mean_is_said_and_nothing_else_is_called_one() -> None:
    assert compared("En 6 minutos.", counter()) == [wrong(MEAN_UNSAID.format("6 minutos"))]
    assert compared("6 minutos, 7 horas.", counter()) == [wrong(MEAN_UNSAID.format("6 minutos"))]
    assert compared("En 6 minutos en promedio.", counter()) == []
    assert compared("A los 6.", counter()) == []
    # Beside a share, which is of cases; and a mean of scores promises no time.
    assert compared("6 minutos; 15 minutos en 90 %.", counter(), wait()) == []
    assert compared("8 de 10 en 5 minutos.", scored(">=", 8)) == []
    assert compared("15 minutos en promedio en 90 %.", wait()) == [wrong(CASE_BY_CASE)]
    assert compared("En 50 % de los días, 10 minutos en promedio.", daily()) == []


@pytest.mark.parametrize(
    ("text", "of", "window", "problems"),
    [
        ("Cada mes.", wait(), "month", []),
        ("Cada año.", wait(), "year", []),
        ("Cada semestre.", wait(), "semester", []),
        (
            "Al mes.",
            wait(),
            "quarter",
            [doubtful("ventana: el texto habla de los meses y se evalúa por los trimestres")],
        ),
        (
            "Cada mes o cada año.",
            daily(by="week"),
            "quarter",
            [
                doubtful(
                    "ventana: el texto habla de los años o los meses "
                    "y se evalúa por las semanas o los trimestres"
                )
            ],
        ),
        # What recurs in the window, or is cut within it, is spoken of as well.
        ("Al mes.", owed(every="month"), "quarter", []),
        ("Al mes.", daily(by="month"), "quarter", []),
        ("Al mes o al trimestre.", wait(), "quarter", []),
    ],
)
def test_another_period_is_another_window(
    text: str, of: Part, window: str, problems: list[Problem]
) -> None:
    assert compared(text, of, window=window, generated=True) == problems


def test_a_campaign_has_no_period_to_differ_from() -> None:
    campaign = Window.model_validate(
        {"kind": "campaign", "id": "x", "first": "2026-01-01", "last": "2026-03-31"}
    )
    of = Criterion(parts=(wait(),))
    assert compare_text("15 minutos en 90 % al mes.", of, campaign) == ()


def test_what_no_event_can_tell_is_named() -> None:
    text = "En 15 minutos y de forma amable, en 90 %."
    told = doubtful(
        "contenido: «de forma amable» no se puede medir con eventos; solo una revisión puede "
        "decidirlo: prométalo aparte, con una lista de verificación"
    )
    assert compared(text, wait()) == [told]
    assert compared(text, wait(), generated=True) == []


def test_a_formula_says_how_and_need_not_say_how_many() -> None:
    assert compared("casos a tiempo ÷ casos", wait(), generated=True) == []
    assert compared("casos de ≤ 20 minutos ÷ casos", wait(), generated=True) == [
        wrong("límite: el texto dice 20 minutos y el criterio evalúa 15 minutos")
    ]


def test_each_looked_up_value_and_season_is_a_limit() -> None:
    looked_up = wait(limit={"op": "<=", "by": "prioridad", "values": {"alta": 2, "normal": 4}})
    assert compared("2 minutos (alta) o 5 (normal) en 90 %.", looked_up) == [
        doubtful("límite: el texto no menciona 4 minutos, que se evalúa")
    ]
    seasons = [{"first": "12-01", "last": "01-10", "value": 25}]
    seasonal = wait(limit={"op": "<=", "value": 15, "seasons": seasons})
    assert compared("15 minutos en 90 %.", seasonal) == [
        doubtful("límite: el texto no menciona 25 minutos, que se evalúa")
    ]


def test_none_of_a_thing_and_no_tolerance_need_no_number_and_no_time_does() -> None:
    assert compared("El día acordado.", on_date()) == []
    none = part("count", population=ISSUED, target={"op": "<=", "value": 0, "unit": "errores"})
    assert compared("Nunca nos equivocamos.", none) == []
    zero = part(
        "share_within",
        population=ANSWERED,
        value=SCORE,
        limit={"op": ">", "value": 0},
        target={"op": ">=", "value": 100},
    )
    assert compared("Todas aprueban.", zero) == []
    assert compared("De inmediato en 90 %.", wait(limit={"op": "<=", "value": 0})) == [
        doubtful("límite: el texto no menciona el 0 que se evalúa")
    ]


TURNED = "límite: el texto dice «{}» y el criterio pide tiempos más largos; el signo sería <="


def test_a_promise_of_short_times_is_not_kept_by_long_ones() -> None:
    text = "En 15 minutos o menos en 90 %."
    long = wait(limit={"op": ">=", "value": 15})
    turned = wrong(TURNED.format("o menos"))
    assert compared(text, long) == [turned]
    assert compared(text, long, generated=True) == [turned]
    slow = counter(target={"op": ">=", "value": 15, "unit": "min"})
    assert compared("En promedio 15 minutos o menos.", slow) == [turned]
    # Where one part asks for short times, the text may speak of that one.
    assert compared(text, long, wait()) == []
    # A number, a figure without a target, a share that must stay small: none of them is meant.
    assert compared("15 minutos o menos.", scored(">=", 15)) == []
    informs = wait(limit={"op": ">=", "value": 15}, target=None)
    assert compared("15 minutos o menos.", informs) == []
    few = wait(limit={"op": ">=", "value": 15}, target={"op": "<=", "value": 90})
    assert compared(text, few) == []


# What a number is a number of


def test_the_number_of_cases_beyond_a_limit_is_no_time() -> None:
    few = part(
        "count",
        population=ISSUED,
        value={
            "kind": "duration",
            "start": {"event": "ticket.issued"},
            "stop": {"event": "ticket.called"},
            "unit": "min",
        },
        limit={"op": ">", "value": 30},
        target={"op": "<=", "value": 3, "unit": "casos"},
    )
    assert compared("Pocas esperas de 30 minutos.", few) == []
    (problem,) = beyond_duty(Criterion(parts=(few,)), (Decimal(2), Unit.MINUTE))
    assert problem.message.endswith(" de 2 minutos y el compromiso de 30 minutos")


def test_the_share_of_a_group_is_said_as_a_share() -> None:
    of = daily(
        inner=wait(population=ISSUED).figure.model_dump(mode="json"),
        limit={"op": ">=", "value": 60},
    )
    assert compared("15 minutos en 60 % de cada día, en 50 % de los días.", of) == []
    assert compared("15 minutos en 70 % de cada día, en 50 % de los días.", of) == [
        wrong("proporción: el texto dice 70 % y el criterio evalúa 60 %")
    ]
    assert compared("25 minutos en 60 % de cada día, en 50 % de los días.", of) == [
        wrong("límite: el texto dice 25 minutos y el criterio evalúa 15 minutos")
    ]
    assert beyond_duty(Criterion(parts=(of,)), (Decimal(20), Unit.MINUTE)) == ()


def test_the_mean_of_a_group_is_a_limit() -> None:
    assert compared("En 50 % de los días, 20 minutos en promedio.", daily()) == [
        wrong("límite: el texto dice 20 minutos y el criterio evalúa 10 minutos")
    ]


def test_a_ratio_says_the_limits_of_its_sides() -> None:
    left = {
        "form": "count",
        "population": {"event": "call.abandoned", "anchor": "occurred"},
        "value": {
            "kind": "duration",
            "start": {"event": "call.queued"},
            "stop": {"event": "call.abandoned"},
            "unit": "s",
        },
        "limit": {"op": ">", "value": 10},
    }
    calls = {"form": "count", "population": {"event": "call.queued", "anchor": "occurred"}}
    of = part("ratio", numerator=left, denominator=calls, target={"op": "<", "value": 3})
    assert compared("Menos de 3 % cuelga después de 10 segundos.", of) == []
    assert compared("Menos de 3 % cuelga después de 20 segundos.", of) == [
        wrong("límite: el texto dice 20 segundos y el criterio evalúa 10 segundos")
    ]
