"""What is said of a running promise, form by form; the numbers are worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from shared.contracts.results import (
    Forecast,
    Outlook,
    PartResult,
    Prospect,
    Uncounted,
    Verdict,
    VolumeBasis,
)
from shared.criteria import Criterion, Part
from shared.outlooks import declared_for, forecast_sentence, headline, sentences
from tests.unit.criteria.builders import answer, counter, part, session, wait


def outlook(due: int, failed: int | None, still: int, prospect: str, **told: Any) -> Outlook:
    fields: dict[str, Any] = {
        "due": due,
        "failed": failed,
        "open": still,
        "prospect": Prospect(prospect),
    }
    return Outlook(**fields | told)


def published(form: str, op: str, target: int, unit: str = "%", **changes: Any) -> PartResult:
    fields: dict[str, Any] = {
        "form": form,
        "met": 0,
        "failed": 0,
        "pending": 0,
        "overdue_open": 0,
        "numerator": 0,
        "denominator": 0,
        "items": 0,
        "target": Decimal(target),
        "target_op": op,
        "unit": unit,
        "verdict": Verdict.NOT_EVALUATED,
        "reason": "sin_demanda",
    }
    return PartResult(**{**fields, **changes})


def said(of: Part, told: Outlook, **changes: Any) -> str:
    assert of.target is not None
    target = of.target
    made = published(
        of.figure.form, target.op.value, int(target.value), target.unit, outlook=told, **changes
    )
    return plain(headline(made, of))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


TEN_DAYS = answer(limit={"op": "<=", "value": 10})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            outlook(40, 2, 12, "open", may_fail=2),
            "Quedan 12 casos abiertos; si 3 más pasan de 10 días hábiles, no se cumple, "
            "salvo que casos nuevos lo compensen.",
        ),
        (
            outlook(40, 0, 12, "open", may_fail=0),
            "Quedan 12 casos abiertos; si uno pasa de 10 días hábiles, no se cumple, "
            "salvo que casos nuevos lo compensen.",
        ),
        (
            outlook(9, 1, 1, "open", may_fail=0),
            "Queda 1 caso abierto; si pasa de 10 días hábiles, no se cumple, "
            "salvo que casos nuevos lo compensen.",
        ),
        (
            outlook(40, 1, 2, "safe", may_fail=2),
            "Quedan 2 casos abiertos; pase lo que pase, con lo conocido se cumple. "
            "Los que lleguen después pueden cambiarlo.",
        ),
        (
            outlook(40, 1, 0, "safe", may_fail=0),
            "No quedan casos abiertos; pase lo que pase, con lo conocido se cumple. "
            "Los que lleguen después pueden cambiarlo.",
        ),
        (
            outlook(7, 2, 2, "behind", may_fail=0, best="700/9"),
            "Con los casos conocidos no alcanza, aunque todos los abiertos salgan bien: "
            "quedaría en 77.8 %. Solo casos nuevos pueden compensarlo.",
        ),
        (
            outlook(7, 2, 1, "behind", may_fail=0, best="75"),
            "Con los casos conocidos no alcanza, aunque el que está abierto salga bien: "
            "quedaría en 75 %. Solo casos nuevos pueden compensarlo.",
        ),
        (
            outlook(7, 2, 0, "behind", may_fail=0),
            "Con los casos conocidos no alcanza. Solo casos nuevos pueden compensarlo.",
        ),
        (outlook(7, 2, 0, "lost", may_fail=0), "Ya no puede cumplirse en este periodo."),
        (
            outlook(7, 2, 0, "secured", may_fail=0),
            "Ya se cumple, pase lo que pase en lo que resta del periodo.",
        ),
        (outlook(0, 0, 0, "open", may_fail=0), "Aún no hay casos en el periodo."),
    ],
)
def test_a_share_says_how_many_open_cases_break_it(told: Outlook, words: str) -> None:
    assert said(TEN_DAYS, told) == words


@pytest.mark.parametrize(
    ("of", "clause"),
    [
        (wait(), "si 2 más pasan de 15 minutos"),
        (wait(limit={"op": "<", "value": 15}), "si 2 más llegan a 15 minutos"),
        (session(), "si 2 más quedan por debajo de 50 minutos"),
        (session(limit={"op": ">", "value": 50}), "si 2 más no pasan de 50 minutos"),
        (wait(limit={"op": "<=", "own_due": True}), "si 2 más no cumplen"),
        (wait(target={"op": "<=", "value": 5}), "si 2 más cuentan"),
    ],
)
def test_a_limit_is_said_in_its_own_words(of: Part, clause: str) -> None:
    told = said(of, outlook(9, 1, 3, "open", may_fail=1))
    unless = "salvo que casos nuevos lo compensen"
    assert told == f"Quedan 3 casos abiertos; {clause}, no se cumple, {unless}."


def test_a_percentile_says_its_target_as_the_limit_of_a_case() -> None:
    target = {"op": "<=", "value": 15, "unit": "min"}
    figure = counter(target=target).figure.model_dump(mode="json")
    of = Part.model_validate({"figure": figure | {"form": "percentile", "p": 90}, "target": target})
    told = said(of, outlook(9, 0, 3, "open", may_fail=1))
    assert told == (
        "Quedan 3 casos abiertos; si 2 pasan de 15 minutos, no se cumple, "
        "salvo que casos nuevos lo compensen."
    )


def test_what_no_new_case_can_make_up_for_is_said_plainly() -> None:
    every = wait(target={"op": ">=", "value": 100})
    told = outlook(9, 0, 3, "open", may_fail=0)
    assert said(every, told) == "Quedan 3 casos abiertos; si uno pasa de 15 minutos, no se cumple."
    target = {"op": "<=", "value": 15, "unit": "min"}
    figure = counter(target=target).figure.model_dump(mode="json")
    worst = {"figure": figure | {"form": "percentile", "p": 100}, "target": target}
    assert said(Part.model_validate(worst), told) == (
        "Quedan 3 casos abiertos; si uno pasa de 15 minutos, no se cumple."
    )


def test_dates_that_are_owed_and_net_promoters_have_words_of_their_own() -> None:
    dates = published("deadline", ">=", 90, outlook=outlook(3, 1, 2, "open", may_fail=0))
    assert (
        headline(dates, None)
        == "Quedan 2 fechas por llegar; si una más no llega a tiempo, no se cumple."
    )
    one = published("deadline", ">=", 90, outlook=outlook(3, 1, 1, "open", may_fail=0))
    assert headline(one, None) == "Queda 1 fecha por llegar; si no llega a tiempo, no se cumple."
    answers = published("nps", ">=", 30, "puntos", outlook=outlook(3, None, 9, "open", may_fail=2))
    assert (
        headline(answers, None) == "Quedan 9 respuestas abiertas; si 3 son de 0 a 6, no se cumple, "
        "salvo que respuestas nuevas lo compensen."
    )


def test_what_the_open_must_average_is_rounded_to_the_safe_side() -> None:
    told = outlook(5, None, 3, "open", uncounted=Uncounted.AMOUNTS, needed="16/3")
    assert said(counter(), told) == (
        "Quedan 3 casos abiertos; para cumplir deben promediar 5.33 minutos o menos."
    )
    more = published("mean", ">", 8, "puntos", outlook=told)
    assert plain(headline(more, None)) == (
        "Quedan 3 casos abiertos; para cumplir deben promediar más de 5.34 puntos."
    )


@pytest.mark.parametrize(
    ("form", "op", "distance", "prospect", "words"),
    [
        ("count", ">=", "3", "behind", "Faltan 3 talleres para la meta."),
        ("sum", ">=", "5/2", "open", "Faltan 2.5 talleres para la meta."),
        ("count", "<=", "2", "safe", "Hasta la meta quedan 2 talleres; lo que la pase incumple."),
        ("ratio", "<=", "7/2", "open", "Hasta la meta quedan 3.5 casos; lo que la pase incumple."),
        (
            "ratio",
            ">=",
            "-1",
            "safe",
            "Con lo conocido se alcanza la meta; lo que llegue después puede cambiarlo.",
        ),
    ],
)
def test_a_total_says_how_far_it_is_from_its_target(
    form: str, op: str, distance: str, prospect: str, words: str
) -> None:
    told = outlook(3, None, 0, prospect, distance=distance)
    assert plain(headline(published(form, op, 9, "talleres", outlook=told), None)) == words


def test_an_availability_says_how_much_longer_the_service_may_be_out() -> None:
    of = part(
        "availability",
        population={"event": "outage.started", "anchor": "occurred"},
        value={"kind": "outage", "stop": "outage.ended", "unit": "h"},
        target={"op": ">=", "value": 99},
    )
    told = outlook(2, None, 0, "open", uncounted=Uncounted.TIME, distance="13/6")
    assert said(of, told) == (
        "El servicio puede faltar 2.16 horas más en este periodo sin incumplir."
    )


def test_everything_that_is_known_is_told_and_a_forecast_is_called_one() -> None:
    forecast = Forecast(
        due=40,
        failed=2,
        open=60,
        may_fail=8,
        prospect=Prospect.OPEN,
        expected=100,
        basis=VolumeBasis.LAST_YEAR,
        window="2025-09",
    )
    made = published(
        "share_within",
        ">=",
        90,
        outlook=outlook(40, 2, 12, "open", may_fail=3),
        forecast=forecast,
    )
    assert sentences(made, TEN_DAYS) == (
        "Ya cuentan 40 casos, 2 en contra.",
        "Quedan 12 casos abiertos; si 4 más pasan de 10 días hábiles, no se cumple, "
        "salvo que casos nuevos lo compensen.",
        "Pronóstico: si llegan 100 casos, como en el mismo periodo del año anterior (2025-09), "
        "de los 60 que faltan pueden fallar hasta 8.",
    )


@pytest.mark.parametrize(
    ("form", "prospect", "told", "words"),
    [
        ("share_within", "safe", {"may_fail": 9}, "se cumple de todos modos."),
        ("share_within", "lost", {}, "no alcanza aunque los 9 que faltan salgan bien."),
        ("count", "behind", {}, "no alcanza."),
        ("mean", "open", {"needed": "8"}, "los 9 que faltan deben promediar 8 puntos o más."),
    ],
)
def test_a_forecast_says_what_as_many_cases_would_make(
    form: str, prospect: str, told: dict[str, Any], words: str
) -> None:
    forecast = Forecast(
        due=1,
        open=9,
        prospect=Prospect(prospect),
        expected=10,
        basis=VolumeBasis.PREVIOUS,
        window="2026-08",
        **told,
    )
    now = outlook(1, None, 0, "open", may_fail=0)
    made = published(form, ">=", 8, "puntos", outlook=now, forecast=forecast)
    *_, last = sentences(made, None)
    start = "Pronóstico: si llegan 10 casos, como en el periodo anterior (2026-08), "
    assert plain(last) == start + words


def test_a_declared_volume_is_told_as_one() -> None:
    forecast = Forecast(
        due=1,
        open=9,
        prospect=Prospect.SAFE,
        expected=10,
        basis=VolumeBasis.DECLARED,
        window="2026-09",
    )
    now = outlook(1, None, 0, "open", may_fail=0)
    made = published("share_within", ">=", 8, outlook=now, forecast=forecast)
    assert plain(forecast_sentence(made, None)) == (
        "Si llegan 10 casos, como espera la carta, se cumple de todos modos."
    )


def test_nothing_is_said_of_what_runs_no_more() -> None:
    closed = published("share_within", ">=", 90)
    assert sentences(closed, None) == ()
    assert headline(closed, None) == ""
    assert forecast_sentence(closed, None) == ""


def test_a_part_is_told_by_what_is_promised_in_its_place_if_it_is_the_same_form() -> None:
    made = [published("share_within", ">=", 90), published("mean", "<=", 6, "min")]
    assert declared_for(made, Criterion(parts=(TEN_DAYS, TEN_DAYS))) == [TEN_DAYS, None]
    assert declared_for(made, Criterion(parts=(TEN_DAYS,))) == [TEN_DAYS, None]
    assert declared_for(made, None) == [None, None]
