"""The pieces of sentences and formulas, each in its exact words."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from shared.criteria import (
    Clock,
    Criterion,
    Instant,
    Limit,
    Number,
    Op,
    Outage,
    Part,
    Period,
    Population,
    Recurrence,
    Target,
    Window,
    formula_text,
    phrases,
    public_sentence,
)
from tests.unit.criteria.builders import counter, part, wait
from tests.unit.criteria.test_shapes import ANSWERED, CLOCK, SCORE, daily, owed, p, portal, visits

QUARTER = Window.model_validate({"kind": "quarter"})
OWN = {"ticket.issued": "toma su ficha"}
WAIT = Clock.model_validate(CLOCK)
DAYS = Clock.model_validate(CLOCK | {"unit": "dia_habil", "calendar": "HAB-GRAL"})
DATED = Clock.model_validate(CLOCK | {"from_due": True})
SCALE = Number(field="nota", lowest=Decimal(0), highest=Decimal(10))
HOURS = Number.model_validate({"field": "horas_dadas"})
DOWN = Outage.model_validate({"stop": "outage.ended", "unit": "h"})


def population(**changes: Any) -> Population:
    return Population.model_validate({"event": "ticket.issued", "anchor": "due"} | changes)


def test_conditions_are_named_and_those_that_the_reader_knows_only_in_formulas() -> None:
    where = {"carta": ["CC-1"], "tipo": ["queja", "reclamacion"], "sede_propia": ["norte"]}
    of = population(where=where)
    assert phrases.where(of) == " (tipo: queja o reclamación; sede propia: norte)"
    assert phrases.conditions(of) == ("carta: CC-1; tipo: queja o reclamación; sede propia: norte")
    known = {"carta": ["x"], "encuesta": ["y"], "instrumento": ["z"]}
    assert phrases.where(population(where=known)) == ""
    assert phrases.conditions(population()) == ""


@pytest.mark.parametrize(
    ("event", "value", "said"),
    [
        ("ticket.issued", WAIT, ""),
        ("ticket.called", WAIT, "en que le llamamos a ventanilla"),
        ("ticket.issued", None, ""),
        ("outage.started", DOWN, ""),
        ("survey.answered", SCALE, ""),
        ("ticket.issued", SCALE, "en que toma su ficha"),
    ],
)
def test_what_brings_a_case_in_is_said_where_it_is_not_the_start(
    event: str, value: Any, said: str
) -> None:
    assert phrases.entered(population(event=event), value, OWN) == said


def test_what_is_left_out_follows_a_semicolon() -> None:
    assert phrases.without(population()) == ""
    assert phrases.without(population(exclude=["duplicado", "rara_vez"])) == (
        "; sin contar duplicados, rara vez"
    )


def test_what_stops_the_clock_says_until_when_it_may() -> None:
    assert phrases.pauses(WAIT) == ""
    fields = CLOCK | {"pauses": ["prevencion", "obra"], "pause_terms": {"obra": 1}}
    assert phrases.pauses(Clock.model_validate(fields)) == (
        "el tiempo se detiene mientras usted completa lo que le pedimos o dura la pausa «obra» "
        "(solo si empieza a más tardar 1 minuto después del inicio)"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unit": "dia_habil"}, "el primer día que cuenta es el día hábil siguiente al inicio"),
        ({"unit": "dia_natural"}, ""),
        ({"unit": "min"}, ""),
        ({"unit": "mes"}, ""),
        (
            {"unit": "dia_natural", "start_rule": "start_day"},
            "el día del inicio cuenta como el primero",
        ),
        (
            {"unit": "dia_habil", "start_rule": "start_day"},
            "el día del inicio cuenta como el primero",
        ),
        ({"unit": "min", "start_rule": "start_day"}, ""),
        ({"unit": "dia_habil", "from_due": True}, ""),
    ],
)
def test_a_count_of_days_says_with_which_it_begins(changes: dict[str, Any], said: str) -> None:
    clock = Clock.model_validate(CLOCK | {"calendar": "HAB-GRAL"} | changes)
    assert phrases.first_day(clock) == said


def test_an_instant_is_one_event_the_first_or_the_last_of_several() -> None:
    both = ("ticket.issued", "ticket.called")
    assert phrases.instant(Instant(event="ticket.issued"), OWN) == "toma su ficha"
    assert phrases.instant(Instant(first_of=both), OWN) == (
        "ocurre lo primero de esto: toma su ficha o le llamamos a ventanilla"
    )
    assert phrases.instant(Instant(max_of=both), OWN) == (
        "ocurre lo último de esto: toma su ficha o le llamamos a ventanilla"
    )
    assert phrases.instant(Instant(max_of=both[:1]), OWN) == "toma su ficha"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (WAIT, "el tiempo desde que toma su ficha hasta que le llamamos a ventanilla"),
        (DATED, "el retraso desde que toma su ficha hasta que le llamamos a ventanilla"),
        (DOWN, "el tiempo sin servicio"),
        (HOURS, "el dato «horas dadas»"),
        (SCALE, "la calificación (nota, de 0 a 10)"),
    ],
)
def test_what_is_measured_has_its_article(value: Any, said: str) -> None:
    assert phrases.measured(value, OWN) == said


@pytest.mark.parametrize(
    ("of", "noun", "said"),
    [
        (WAIT, "", "2 minutos"),
        (WAIT, "casos", "2 minutos"),
        (DOWN, "", "2 horas"),
        (SCALE, "puntos", "2"),
        (None, "talleres", "2 talleres"),
        (None, "", "2"),
    ],
)
def test_an_amount_has_the_unit_of_its_value_or_else_a_noun(of: Any, noun: str, said: str) -> None:
    assert phrases.amount(Decimal(2), of, noun) == said


@pytest.mark.parametrize(
    ("op", "value", "said"),
    [
        (Op.AT_MOST, 0, "2 €"),
        (Op.AT_MOST, 1, "2 € o menos"),
        (Op.LESS, 0, "menos de 2 €"),
        (Op.AT_LEAST, 0, "2 € o más"),
        (Op.MORE, 1, "más de 2 €"),
    ],
)
def test_at_most_nothing_is_nothing(op: Op, value: int, said: str) -> None:
    assert phrases.bounded(op, Decimal(value), "2 €") == said


SEASONS = [
    {"first": "12-01", "last": "01-10", "value": 25},
    {"first": "07-01", "last": "07-31", "value": 1},
]


@pytest.mark.parametrize(
    ("limit", "of", "said", "sign"),
    [
        ({"op": "<=", "value": 15}, WAIT, "15 minutos o menos", "≤ 15 minutos"),
        ({"op": "<=", "value": 0}, WAIT, "0 minutos", "≤ 0 minutos"),
        ({"op": ">", "value": 15}, None, "más de 15 pasos", "> 15 pasos"),
        (
            {"op": "<", "value": 15, "seasons": SEASONS},
            WAIT,
            "menos de 15 minutos (del 1 de diciembre al 10 de enero, 25 minutos) "
            "(del 1 de julio al 31 de julio, 1 minuto)",
            "< 15 minutos (del 1 de diciembre al 10 de enero, 25 minutos) "
            "(del 1 de julio al 31 de julio, 1 minuto)",
        ),
        (
            {"op": "<=", "value": 15, "seasons": SEASONS[:1]},
            None,
            "15 pasos o menos (del 1 de diciembre al 10 de enero, 25 pasos)",
            "≤ 15 pasos (del 1 de diciembre al 10 de enero, 25 pasos)",
        ),
        (
            {"op": "<=", "by": "tipo_de_caso", "values": {"muy_alta": 0, "otra": 4}},
            None,
            "0 pasos (tipo de caso: muy alta) o 4 pasos o menos (tipo de caso: otra)",
            "≤ el límite según tipo de caso",
        ),
        (
            {"op": "<=", "by": "tipo", "values": {"a": 2, "b": 4}},
            WAIT,
            "2 minutos o menos (tipo: a) o 4 minutos o menos (tipo: b)",
            "≤ el límite según tipo",
        ),
        (
            {"op": "<", "field": "plazo_legal", "factor": "0.5"},
            WAIT,
            "menos de 50 % de su plazo legal",
            "< 0.5 × plazo legal",
        ),
    ],
)
def test_a_limit_is_said_and_written_with_a_sign(
    limit: dict[str, Any], of: Any, said: str, sign: str
) -> None:
    given = Limit.model_validate(limit)
    assert phrases.limit(given, of, "pasos") == said
    assert phrases.sign_of(given, of, "pasos") == sign


def target(**changes: Any) -> Target:
    return Target.model_validate({"op": "<=", "value": 1, "reference": "previous"} | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "no superará la cifra del periodo anterior"),
        (
            {"op": ">=", "value": "1.05"},
            "no bajará de 105 % de la cifra del periodo anterior",
        ),
        (
            {"op": "<", "reference": "last_year", "zero_reference": "not_evaluated"},
            "será menor que la cifra del mismo periodo del año anterior "
            "(si esa fue cero, no se evalúa)",
        ),
        ({"op": ">", "value": 2}, "será mayor que 200 % de la cifra del periodo anterior"),
    ],
)
def test_a_target_may_follow_an_earlier_window(changes: dict[str, Any], said: str) -> None:
    assert phrases.followed(target(**changes)) == said


@pytest.mark.parametrize(
    ("op", "value", "unacceptable", "worst"),
    [
        (">=", 90, None, None),
        (">=", 90, 80, (Op.AT_MOST, Decimal(80))),
        (">=", 90, 90, (Op.LESS, Decimal(90))),
        (">", 90, 90, (Op.AT_MOST, Decimal(90))),
        ("<=", 5, 9, (Op.AT_LEAST, Decimal(9))),
        ("<=", 5, 5, (Op.MORE, Decimal(5))),
        ("<", 5, 5, (Op.AT_LEAST, Decimal(5))),
    ],
)
def test_what_is_unacceptable_begins_beyond_the_target(
    op: str, value: int, unacceptable: int | None, worst: tuple[Op, Decimal] | None
) -> None:
    of = Target.model_validate({"op": op, "value": value, "unacceptable": unacceptable})
    assert phrases.worst_of(of) == worst


ANSWERS = {"form": "count", "population": ANSWERED}
RATIO = part("ratio", numerator=ANSWERS, denominator=ANSWERS)


@pytest.mark.parametrize(
    ("of", "nouns"),
    [
        (wait(), ("caso", "casos")),
        (counter(population={"event": "survey.answered", "anchor": "opened"}), ("caso", "casos")),
        (part("mean", population=ANSWERED, value=SCORE), ("respuesta", "respuestas")),
        (p(50), ("caso", "casos")),
        (daily(), ("día con servicio", "días con servicio")),
        (daily(by="week"), ("semana con servicio", "semanas con servicio")),
        (daily(by=None, attribute="sede"), ("grupo con servicio", "grupos con servicio")),
        (owed(every="month"), ("fecha esperada", "fechas esperadas")),
        (RATIO, ("caso", "casos")),
        (portal(), None),
        (visits(None), None),
    ],
)
def test_a_minimum_sample_counts_what_the_figure_rests_on(
    of: Part, nouns: tuple[str, str] | None
) -> None:
    assert phrases.sampled(of.figure) == nouns


def test_a_bound_of_nothing_in_particular_has_no_noun() -> None:
    eight = Limit.model_validate({"op": ">=", "value": 8})
    assert phrases.limit(eight, None) == "8 o más"
    assert phrases.sign_of(eight, None) == "≥ 8"
    assert phrases.amount(Decimal(8), None) == "8"


def test_one_of_a_sample_is_singular() -> None:
    nouns = ("caso", "casos")
    assert [phrases.sample(number, nouns) for number in (1, 2, 1500)] == [
        "1 caso",
        "2 casos",
        "1,500 casos",
    ]


def test_small_words_agree() -> None:
    assert phrases.in_which("las semanas") == "las semanas en las que"
    assert phrases.in_which("los días") == "los días en los que"
    assert phrases.to("el número") == "al número"
    assert phrases.to("la suma") == "a la suma"
    assert phrases.to("elote") == "a elote"
    assert phrases.capitalised("en 8 días") == "En 8 días"
    assert phrases.day(date(2026, 3, 1)) == "1 de marzo de 2026"
    assert phrases.noun_of(wait().figure) == "%"
    assert phrases.noun_of(counter().figure) == ""
    assert phrases.noun_of(part("nps", population=ANSWERED, value=SCORE).figure) == "puntos"


def test_days_that_recur_are_those_of_their_calendar() -> None:
    daily_ = Recurrence(every=Period.DAY, calendar="HAB-GRAL")
    assert phrases.occasions(daily_) == "los días que cuentan en el calendario «HAB-GRAL»"
    assert phrases.occasions(Recurrence(every=Period.YEAR, calendar="HAB-GRAL")) == "los años"


# In whole sentences and formulas


def said(of: Part) -> str:
    sentence = public_sentence(Criterion(parts=(of,)), QUARTER)
    return sentence.removesuffix(" Se evalúa cada trimestre.")


RECEIVED = {"event": "request.received", "anchor": "occurred"}
ON_TIME = {
    "population": RECEIVED,
    "value": {
        "kind": "duration",
        "start": {"event": "request.received"},
        "stop": {"event": "request.resolved"},
        "unit": "dia_natural",
        "calendar": "HAB-GRAL",
    },
    "limit": {"op": "<=", "own_due": True},
}


def test_a_count_may_hold_each_case_to_its_own_date() -> None:
    kept = part("count", **ON_TIME, target={"op": ">=", "value": 30, "unit": "casos"})
    assert said(kept) == (
        "El número de veces que recibimos su solicitud y resolvemos su solicitud a más tardar en "
        "la fecha prometida será de 30 casos o más."
    )
    assert formula_text(kept) == (
        "veces que recibimos su solicitud, con fin a más tardar en la fecha prometida "
        "(casos ocurridos en el periodo; calendario «HAB-GRAL»)"
    )


def test_only_a_time_is_counted_by_its_own_date() -> None:
    with pytest.raises(ValidationError, match="only a time ends at an instant promised"):
        part("count", population=ANSWERED, value=SCORE, limit={"op": "<=", "own_due": True})


def test_each_side_of_a_ratio_says_its_period_its_conditions_and_its_calendar() -> None:
    asked = {"event": "visit.requested", "anchor": "occurred"}
    narrowed = RECEIVED | {"anchor": "due", "where": {"tipo": ["obra"]}, "exclude": ["duplicado"]}
    clock = ON_TIME["value"]
    held = {"form": "count", "population": narrowed, "value": clock}
    ratio = part(
        "ratio",
        numerator=held | {"limit": {"op": "<=", "value": 3}},
        denominator={"form": "count", "population": asked},
        target={"op": ">=", "value": 90},
    )
    assert formula_text(ratio) == (
        "(veces que recibimos su solicitud, con tiempo ≤ 3 días naturales, casos cuyo plazo venció "
        "en el periodo; tipo: obra; sin contar duplicados; calendario «HAB-GRAL») ÷ "
        "veces que nos piden una visita × 100"
    )
