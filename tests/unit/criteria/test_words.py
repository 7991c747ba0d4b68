"""Spanish words and how they are joined."""

from decimal import Decimal

import pytest

from shared.criteria import Method, words
from shared.worktime import Unit


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1500.50", "1,500.5"),
        ("1500", "1,500"),
        ("1000000", "1,000,000"),
        ("30.00", "30"),
        ("0.05", "0.05"),
        ("100", "100"),
        ("1E+3", "1,000"),
        ("-2.5", "-2.5"),
    ],
)
def test_numbers_are_written_the_mexican_way(amount: str, written: str) -> None:
    assert words.number(Decimal(amount)) == written


@pytest.mark.parametrize(
    ("amount", "unit", "written"),
    [
        ("1", Unit.WORKING_DAY, "1 día hábil"),
        ("1.0", Unit.HOUR, "1 hora"),
        ("0", Unit.MINUTE, "0 minutos"),
        ("2", Unit.MONTH, "2 meses"),
        ("0.5", Unit.OPEN_HOUR, "0.5 horas hábiles"),
    ],
)
def test_one_of_a_unit_is_singular(amount: str, unit: Unit, written: str) -> None:
    assert words.duration(Decimal(amount), unit) == written


def test_a_unit_has_its_plural() -> None:
    assert [words.plural_of(unit) for unit in (Unit.SECOND, Unit.MONTH)] == ["segundos", "meses"]


@pytest.mark.parametrize(
    ("said", "joined"),
    [
        ([], ""),
        (["queja"], "queja"),
        (["queja", "sugerencia"], "queja o sugerencia"),
        (["queja", "sugerencia", "otro"], "queja, sugerencia u otro"),
        (["días", "Horas"], "días u Horas"),
        (["mañana", "hoy"], "mañana u hoy"),
        (["visita", "huerto"], "visita o huerto"),
        (["una", "óptima"], "una u óptima"),
        # Numbers are read aloud: ocho, ochenta, once; but dieciocho, ciento diez.
        (["7", "8"], "7 u 8"),
        (["95 %", "85 %"], "95 % u 85 %"),
        (["10 días", "11 días"], "10 días u 11 días"),
        (["10,000", "11,000"], "10,000 u 11,000"),
        (["17", "18"], "17 o 18"),
        (["100", "110"], "100 o 110"),
    ],
)
def test_o_is_u_before_what_is_read_with_an_o_in_front(said: list[str], joined: str) -> None:
    assert words.alternatives(said) == joined


@pytest.mark.parametrize(
    ("said", "joined"),
    [([], ""), (["a"], "a"), (["a", "b"], "a ni b"), (["a", "b", "c"], "a, b ni c")],
)
def test_what_is_left_out_is_joined_by_ni(said: list[str], joined: str) -> None:
    assert words.neither(said) == joined


def test_what_has_no_words_of_ours_is_shown_as_it_was_declared() -> None:
    assert words.event("pase.sellado") == "ocurre «pase.sellado»"
    assert words.exclusion("rara_vez_vista") == "rara vez vista"
    assert words.excluded("rara_vez_vista") == "los casos marcados como «rara vez vista»"
    assert words.pause("obra_muy_larga") == "dura la pausa «obra muy larga»"
    assert words.value("sede_norte_dos") == "sede norte dos"


def test_what_has_words_of_ours_is_said_in_them_unless_a_carta_has_its_own() -> None:
    assert words.event("ticket.issued") == "toma su turno"
    assert words.event("ticket.issued", {"ticket.issued": "toma su ficha"}) == "toma su ficha"
    assert words.exclusion("duplicado") == words.excluded("duplicado") == "duplicados"
    assert words.pause("prevencion") == "usted completa lo que le pedimos"
    assert words.value("reclamacion") == "reclamación"


def test_all_of_them_agree_with_their_article() -> None:
    assert words.everyone("las semanas") == "todas las semanas"
    assert words.everyone("los días") == "todos los días"
    assert words.everyone("lasos") == "todos lasos"


def test_a_day_of_the_year_has_the_name_of_its_month() -> None:
    assert words.day_of_year("03-01") == "1 de marzo"
    assert words.day_of_year("12-31") == "31 de diciembre"
    assert [words.month_name(month) for month in (1, 12)] == ["enero", "diciembre"]


def test_what_a_figure_is_measured_with_names_its_instruments() -> None:
    assert words.measured_with(Method.SURVEY, ["E-1", "E-2"]) == "encuesta (E-1, E-2)"
    assert words.measured_with(Method.VISIT, []) == "visitas de verificación"
