"""What a printed text claims, read from its words."""

from decimal import Decimal

import pytest

from shared.criteria.claims import Amount, Claims, claims_of
from shared.criteria.vocabulary import Period
from shared.worktime import Unit

WORKING, NATURAL = frozenset({Unit.WORKING_DAY}), frozenset({Unit.CALENDAR_DAY})
DAYS = WORKING | NATURAL
MINUTES = frozenset({Unit.MINUTE, Unit.OPEN_MINUTE})
HOURS = frozenset({Unit.HOUR, Unit.OPEN_HOUR})


def amount(text: str) -> Amount:
    (found,) = claims_of(text).amounts
    return found


def test_a_text_claims_what_its_words_say_and_nothing_else() -> None:
    assert claims_of("Le atenderemos con gusto.") == Claims(
        amounts=(),
        shares=(),
        numbers=frozenset(),
        speaks_of_mean=False,
        content=None,
        periods=frozenset(),
        at_most=None,
    )
    assert claims_of(
        "Cada mes, al 90 % le llamamos en 15 minutos o menos en promedio, explicando el motivo"
    ) == Claims(
        amounts=(Amount("15 minutos", Decimal(15), MINUTES),),
        shares=(Decimal(90),),
        numbers=frozenset({Decimal(90), Decimal(15)}),
        speaks_of_mean=True,
        content="explicando",
        periods=frozenset({Period.MONTH}),
        at_most="o menos",
    )


def test_numbers_are_read_with_points_and_commas() -> None:
    told: list[tuple[str, set[int | str]]] = [
        ("1,500 metros", {1500}),
        ("12,345,678.9 pesos", {"12345678.9"}),
        ("8.5 de 10", {"8.5", 10}),
        ("8,5 o más", {"8.5"}),
        ("8,55 o más", {"8.55"}),
        # Three digits after a comma are thousands; four are decimals.
        ("0,1234", {"0.1234"}),
        # No number: neither thousands nor a decimal.
        ("la versión 1.2.3", set()),
        ("1,50,2", set()),
        ("la mitad de los casos", {50}),
        ("La MITAD, o 60 de ellos", {50, 60}),
    ]
    for text, numbers in told:
        assert claims_of(text).numbers == {Decimal(number) for number in numbers}, text


def test_shares_are_percentages_in_order() -> None:
    assert claims_of("el 90 % y el 7.5%, o 80 por ciento").shares == (
        Decimal(90),
        Decimal("7.5"),
        Decimal(80),
    )
    assert claims_of("el 1.2.3 %").shares == ()


def test_an_amount_of_time_has_the_units_that_its_words_may_mean() -> None:
    for text, said, value, units in (
        ("en 30 segundos", "30 segundos", 30, {Unit.SECOND}),
        ("en 30 seg.", "30 seg", 30, {Unit.SECOND}),
        ("en 6 s", "6 s", 6, {Unit.SECOND}),
        ("en quince minutos", "quince minutos", 15, MINUTES),
        ("en 5 min", "5 min", 5, MINUTES),
        ("en UNA hora", "UNA hora", 1, HOURS),
        ("en 48 hrs", "48 hrs", 48, HOURS),
        ("en 2 h", "2 h", 2, HOURS),
        ("en 1,500  minutos", "1,500 minutos", 1500, MINUTES),
        # An adjective leaves no doubt.
        ("en 30 minutos hábiles", "30 minutos hábiles", 30, {Unit.OPEN_MINUTE}),
        ("en 30 minutos naturales", "30 minutos naturales", 30, {Unit.MINUTE}),
        ("en 4 horas laborables", "4 horas laborables", 4, {Unit.OPEN_HOUR}),
        ("en 1 hora natural", "1 hora natural", 1, {Unit.HOUR}),
        ("en 3 días", "3 días", 3, DAYS),
        ("en 3 DÍAS HÁBILES", "3 DÍAS HÁBILES", 3, WORKING),
        ("en un día laborable", "un día laborable", 1, WORKING),
        ("en diez días naturales", "diez días naturales", 10, NATURAL),
        ("en 20 d. h.", "20 d. h.", 20, WORKING),
        ("en 20 d.h.", "20 d.h.", 20, WORKING),
        ("en dos meses", "dos meses", 2, {Unit.MONTH}),
        ("en 1 mes", "1 mes", 1, {Unit.MONTH}),
    ):
        assert amount(text) == Amount(said, Decimal(value), frozenset(units))


def test_only_days_without_an_adjective_are_ambiguous() -> None:
    assert amount("en 3 días").is_ambiguous_day
    for clear in ("en 3 días hábiles", "en 3 días naturales", "en 3 horas", "en 3 meses"):
        assert not amount(clear).is_ambiguous_day


@pytest.mark.parametrize("text", ["10 mesas", "1.2.3 días", "A15 minutos", "15 minutillos"])
def test_what_is_no_amount_of_time_claims_none(text: str) -> None:
    assert claims_of(text).amounts == ()


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        ("en promedio", True),
        ("Tiempo MEDIO de espera", True),
        ("los plazos medios", True),
        ("la media es de 5", True),
        ("la espera media del mes", True),
        # Other halves, means and surroundings.
        ("en media hora", False),
        ("en una hora y media", False),
        ("media jornada", False),
        ("de inmediato", False),
        ("por medios electrónicos", False),
        ("por medio de un correo", False),
        ("el medio ambiente", False),
    ],
)
def test_a_mean_is_spoken_of(text: str, *, speaks: bool) -> None:
    assert claims_of(text).speaks_of_mean is speaks


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("con las medidas adoptadas", "medidas adoptadas"),
        ("Explicando las razones", "Explicando"),
        ("de manera clara", "de manera clara"),
        ("de forma presencial", None),
    ],
)
def test_a_text_may_promise_how_and_not_only_when(text: str, content: str | None) -> None:
    assert claims_of(text).content == content


def test_periods_are_those_that_are_named() -> None:
    told = "Un informe mensual, uno por trimestre, uno al semestre y uno ANUAL"
    assert claims_of(told).periods == {Period.MONTH, Period.QUARTER, Period.SEMESTER, Period.YEAR}
    assert claims_of("cada año").periods == {Period.YEAR}
    assert claims_of("en un mes").periods == frozenset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("en 10 minutos o menos", "o menos"),
        ("en No más de 3 días", "No más de"),
        ("a más tardar el viernes", "a más tardar"),
        ("en un máximo de 2 horas", "en un máximo"),
        ("en menos de 5 minutos", "menos de"),
        # At least, or before something else.
        ("al menos de lunes a viernes", None),
        ("no menos de 50 minutos", None),
        ("a más tardar 2 días antes de la obra", None),
        ("con no más de 3 días de anticipación", None),
    ],
)
def test_a_limit_from_above_is_said(text: str, said: str | None) -> None:
    assert claims_of(text).at_most == said
