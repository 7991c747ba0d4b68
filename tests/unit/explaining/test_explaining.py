"""Each sum below was worked out by hand."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.results import (
    Band,
    Cohort,
    PartCounts,
    PartResult,
    ResultStatus,
    Verdict,
)
from shared.criteria import (
    Anchor,
    Clock,
    Instant,
    Number,
    Op,
    Part,
    Percentile,
    Population,
    Ratio,
    Sum,
    Target,
)
from shared.explaining import exact_value, explain, steps_of, written
from shared.worktime import Unit
from tests.unit.portal import builders as b

SHARE = b.share("15", "90", "80")


def part(met: int, failed: int, **changes: Any) -> PartResult:
    exact = str(Fraction(100 * met, met + failed))
    return b.part(met, failed, **{"exact": exact, **changes})


def test_a_share_is_told_from_its_population_to_its_verdict() -> None:
    judged = part(
        9, 2, pending=1, excluded={"duplicado": 2}, overdue_open=1, unacceptable=Decimal(80)
    )
    steps = steps_of(judged, SHARE, minimum_sample=5)
    assert steps.population == (
        "Población: 14 = 9 en plazo + 2 fuera de plazo + 1 pendientes + 2 no considerados.",
        "No considerados por duplicados: 2.",
        "Vencidos y todavía abiertos: 1.",
    )
    assert steps.figure[0] == "9 ÷ 11 × 100 = 900/11 %."
    assert steps.figure[1].startswith("900/11 = 81.8182 %. Para mostrarlo se redondea")
    assert steps.comparison == (
        "Muestra: 11; mínima, 5: suficiente.",
        "¿900/11 ≥ 90 %? No.",
        "¿900/11 ≤ 80 %? No: queda dentro de lo tolerable.",
    )


def test_a_number_that_four_decimals_hold_is_not_rounded() -> None:
    steps = steps_of(part(178, 22), SHARE)
    assert steps.figure == ("178 ÷ 200 × 100 = 89 %.",)
    assert steps.comparison == ("¿89 ≥ 90 %? No.",)


def test_what_reaches_its_target_exactly_is_kept() -> None:
    assert steps_of(part(9, 1), SHARE).comparison == ("¿90 ≥ 90 %? Sí.",)


def test_a_mean_says_its_exact_sum_though_the_published_one_is_rounded() -> None:
    judged = b.mean_part("31.25", 3, exact="94/3", numerator=Decimal("94.0000"))
    steps = steps_of(judged, b.mean())
    assert steps.figure[0] == "Suma 94 ÷ 3 casos = 94/3 horas."
    assert steps.figure[1].startswith("94/3 = 31.3333 horas.")
    assert steps.comparison == (
        "¿94/3 ≤ 24 horas? No.",
        "¿94/3 ≥ 48 horas? No: queda dentro de lo tolerable.",
    )


def test_a_percentile_names_the_case_that_it_is() -> None:
    figure = Percentile(**b.mean().figure.model_dump(exclude={"form"}), p=Decimal(90))
    target = Target(op=Op.AT_MOST, value=Decimal(24), unit="h")
    judged = b.mean_part("20", 15, form="percentile", exact="20")
    steps = steps_of(judged, Part(figure=figure, target=target))
    assert steps.figure == (
        "Percentil 90 por rango más cercano: 90 × 15 ÷ 100 = 13.5;"
        " de menor a mayor, el caso 14 de 15 tiene 20 horas.",
    )


def test_net_promoters_are_a_difference_of_answers() -> None:
    judged = b.mean_part("25", 8, form="nps", unit="puntos", exact="25", target=None)
    assert steps_of(judged, None).figure == (
        "(Respuestas de 9 y 10 menos respuestas de 0 a 6) = 2; 2 ÷ 8 respuestas × 100 = 25 puntos.",
    )


def test_hours_of_service_that_were_rounded_are_said_to_be_about_the_figure() -> None:
    judged = part(
        0, 1, form="availability", numerator=Decimal("0.3333"), denominator=1, exact="100/3"
    )
    assert steps_of(judged, None).figure[0] == "0.3333 ÷ 1 × 100 ≈ 100/3 %."


def test_a_margin_of_weighted_answers_rests_on_what_their_weights_leave() -> None:
    answered = Population(event="survey.answered", anchor=Anchor.OCCURRED)
    weight = Sum(population=answered, value=Number(field="peso"))
    figure = Ratio(numerator=weight, denominator=weight, margin=True)
    sample = {"margin": Decimal("46.7707"), "effective_sample": Decimal("4.5714")}
    *_, margin, about = steps_of(part(3, 5, form="ratio", **sample), Part(figure=figure)).figure
    assert margin == (
        "Es una muestra: por azar la cifra varía a lo más 100 ÷ √4.5714 ="
        " ±46.8\u00a0puntos porcentuales, con 95.5 % de confianza."
    )
    assert about.startswith("Aproximado: 4.5714 es la muestra efectiva, (suma de pesos)²")


def test_without_cases_there_is_no_sum() -> None:
    judged = b.part(0, 0)
    steps = steps_of(judged, SHARE, minimum_sample=30)
    assert steps.figure == ("No hay cifra: no hay de qué calcularla.",)
    assert steps.comparison == ("Muestra: 0; mínima, 30: insuficiente.",)


def test_a_result_names_the_versions_that_judged_it_and_not_the_others() -> None:
    older = b.REGISTRO.model_copy(update={"version": 2})
    later = b.REGISTRO.model_copy(update={"version": 3})
    made = explain(
        b.result("CC-RC-01", "01", "RC-SUR", carta_versions=(1, 2)), (later, older, b.REGISTRO)
    )
    assert [version.carta.version for version in made.versions] == [1, 2]
    assert "15 minutos" in made.versions[0].sentence


def test_a_carta_that_is_gone_leaves_the_sums() -> None:
    made = explain(b.result("CC-RC-01", "01", "RC-SUR"), ())
    assert made.versions == ()
    assert made.parts[0].figure[0].startswith("178 ÷ 210 × 100")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parts": (b.part(95, 5),)}, "Se cumple"),
        ({"parts": (b.part(85, 15),), "band": Band.AMBER}, "no llega a lo inaceptable"),
        ({"parts": (b.part(5, 95, unacceptable=Decimal(80)),)}, "llega a lo inaceptable"),
        ({"parts": (b.part(5, 95),)}, "la carta no tolera menos"),
        ({"parts": (b.part(0, 0),)}, "Sin veredicto"),
    ],
)
def test_the_verdict_says_why(changes: dict[str, Any], words: str) -> None:
    assert words in explain(b.result("CC-RC-01", "01", "RC-SUR", **changes), b.CARTAS).verdict


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_what_is_written_is_the_exact_number(met: int, failed: int) -> None:
    judged = part(met, failed)
    value = exact_value(judged)
    assert value == Fraction(100 * met, met + failed)
    assert Fraction(written(value).replace(",", "")) == value


def test_a_provisional_result_is_explained_like_a_final_one() -> None:
    running = b.result(
        "CC-RC-01", "02", "REGISTRO", status=ResultStatus.PROVISIONAL, edition=0,
        parts=(part(480, 20, target=Decimal(95)), part(499, 1, target=Decimal(100))),
    )  # fmt: skip
    made = explain(running, b.CARTAS)
    assert [steps.comparison for steps in made.parts] == [
        ("¿96 ≥ 95 %? Sí.",),
        ("¿99.8 ≥ 100 %? No.",),
    ]
    assert running.verdict is Verdict.NOT_MET


def test_a_rank_among_open_cases_past_their_limit_is_told_as_such() -> None:
    """There is no number, and yet it is worse than any that was promised."""
    population = Population(event="a.b", anchor=Anchor.OCCURRED)
    clock = Clock(start=Instant(event="a.b"), stop=Instant(event="a.c"), unit=Unit.MINUTE)
    figure = Percentile(population=population, p=Decimal(90), value=clock)
    target = Target(op=Op.AT_MOST, value=Decimal(20), unit="min")
    told: dict[str, Any] = {"form": "percentile", "value": None, "exact": None, "unit": "min"}
    judged = part(5, 2, verdict=Verdict.NOT_MET, reason=None, **told)
    steps = steps_of(judged, Part(figure=figure, target=target))
    assert steps.figure == (
        "Percentil 90 por rango más cercano: de menor a mayor, el caso 7 de 7 ya venció y sigue "
        "abierto: su tiempo no se conoce, y es más de lo prometido.",
    )
    nothing = b.part(0, 0, **told)
    assert steps_of(nothing, Part(figure=figure, target=target)).figure == (
        "No hay cifra: no hay de qué calcularla.",
    )


def test_a_ratio_tells_both_sides_with_what_each_leaves_out() -> None:
    above = PartCounts(met=3, failed=0, pending=1, excluded={"duplicado": 2}, overdue_open=0)
    steps = steps_of(part(40, 0, form="ratio", numerator_counts=above), None)
    assert steps.population == (
        "Numerador: 6 = 3 contados o medidos + 0 vencidos sin concluir + 1 pendientes"
        " + 2 no considerados.",
        "No considerados por duplicados: 2.",
        "Denominador: 40 = 40 contados o medidos + 0 vencidos sin concluir + 0 pendientes"
        " + 0 no considerados.",
    )


def test_the_cases_of_each_version_are_told_apart() -> None:
    def of(version: int, met: int) -> Cohort:
        counts = PartCounts(met=met, failed=1, pending=0, overdue_open=0)
        return Cohort(carta_version=version, parts=(counts,))

    result = b.result(
        "CC-EM-01", "01", "MANDO", parts=(part(30, 2),), cohorts=(of(1, 10), of(2, 20))
    )
    [steps] = explain(result, b.CARTAS).parts
    assert steps.cohorts == (
        "Versión 1: 11 = 10 en plazo + 1 fuera de plazo + 0 pendientes + 0 no considerados.",
        "Versión 2: 21 = 20 en plazo + 1 fuera de plazo + 0 pendientes + 0 no considerados.",
    )
