"""A result told step by step, from its own numbers, so that anybody can do the sum again.

Everything comes from the published result and the criterion of its carta: nothing is counted here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared import spanish
from shared.contracts.cartas import CartaData, Compromiso
from shared.contracts.results import Band, PartCounts, PartResult, ResultData, Verdict
from shared.criteria import (
    Number,
    Op,
    Part,
    Percentile,
    Share,
    formula_text,
    public_sentence,
    range_of,
)
from shared.criteria.phrases import SIGNS
from shared.criteria.words import exclusion
from shared.outlooks import declared_for, sentences

PLACES: Final = 4
ROUNDING: Final = (
    f"Para mostrarlo se redondea a {PLACES} decimales, y lo que queda justo a la mitad va al par; "
    "el veredicto se decide con el número exacto."
)


@dataclass(frozen=True, slots=True)
class Version:
    """What one carta version promised, and since when."""

    carta: CartaData
    compromiso: Compromiso

    @property
    def sentence(self) -> str:
        """The promise as it is judged."""
        promised = self.compromiso
        return public_sentence(
            promised.criterion,
            promised.window,
            minimum_sample=promised.minimum_sample,
            events=self.carta.event_words,
        )

    @property
    def formulas(self) -> tuple[str, ...]:
        """How each part is computed."""
        promised = self.compromiso
        return tuple(
            formula_text(
                part, minimum_sample=promised.minimum_sample, events=self.carta.event_words
            )
            for part in promised.criterion.parts
        )


@dataclass(frozen=True, slots=True)
class PartSteps:
    """The arithmetic of one part, in sentences.

    `population` tells how its cases add up, `cohorts` how those of each version do where there are
    several, `figure` how the figure is made of them, `comparison` how it was held to its target,
    `outlook` what can still become of it while it runs.
    """

    formula: str
    population: tuple[str, ...]
    cohorts: tuple[str, ...]
    figure: tuple[str, ...]
    comparison: tuple[str, ...]
    outlook: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A result with all that it rests on. `versions` are those that judged it, oldest first."""

    result: ResultData
    versions: tuple[Version, ...]
    parts: tuple[PartSteps, ...]
    verdict: str


def explain(result: ResultData, cartas: Sequence[CartaData]) -> Explanation:
    """Explain a result by the versions of its carta, as far as they are among `cartas`."""
    versions = tuple(_versions(result, cartas))
    criterion = versions[-1].compromiso.criterion if versions else None
    declared = declared_for(result.parts, criterion)
    sample = versions[-1].compromiso.minimum_sample if versions else 0
    formulas = versions[-1].formulas if versions else ("",) * len(result.parts)
    return Explanation(
        result=result,
        versions=versions,
        parts=tuple(
            replace(
                steps_of(each, part, minimum_sample=sample),
                formula=formula,
                cohorts=tuple(_cohorts(result, number, part)),
            )
            for number, (each, part, formula) in enumerate(
                zip(result.parts, declared, formulas, strict=False)
            )
        ),
        verdict=_verdict(result),
    )


def _versions(result: ResultData, cartas: Sequence[CartaData]) -> Iterator[Version]:
    for carta in sorted(cartas, key=lambda each: each.version):
        if carta.carta != result.carta or carta.version not in result.carta_versions:
            continue
        for compromiso in carta.compromisos:
            if compromiso.id == result.compromiso:
                yield Version(carta, compromiso)


def steps_of(part: PartResult, declared: Part | None, *, minimum_sample: int = 0) -> PartSteps:
    """Return the arithmetic of one part; `declared` is what its carta promises, where known."""
    return PartSteps(
        formula="",
        population=tuple(_population(part, declared)),
        cohorts=(),
        figure=tuple(_figure(part, declared)),
        comparison=tuple(_comparison(part, declared, minimum_sample)),
        outlook=sentences(part, declared),
    )


def _population(part: PartResult, declared: Part | None) -> Iterator[str]:
    """Tell how the cases add up; a ratio has those of its two sides."""
    words = _words(part, declared)
    if part.numerator_counts is None:
        yield from _sum_of("Población", part, words)
        return
    yield from _sum_of("Numerador", part.numerator_counts, words)
    yield from _sum_of("Denominador", part, words)


def _sum_of(whole: str, part: PartResult | PartCounts, words: tuple[str, str]) -> Iterator[str]:
    left_out = sum(part.excluded.values())
    total = part.met + part.failed + part.pending + left_out
    kept, missed = words
    yield (
        f"{whole}: {_n(total)} = {_n(part.met)} {kept} + {_n(part.failed)} {missed}"
        f" + {_n(part.pending)} pendientes + {_n(left_out)} no considerados."
    )
    for name, count in sorted(part.excluded.items()):
        if count:
            yield f"No considerados por {exclusion(name)}: {_n(count)}."
    if part.overdue_open:
        yield f"Vencidos y todavía abiertos: {_n(part.overdue_open)}."


def _cohorts(result: ResultData, number: int, declared: Part | None) -> Iterator[str]:
    """Tell what the cases of each version add to a part, where several versions judged them.

    Of versions that measure another thing than the deciding one, the parts may be more or fewer.
    """
    for cohort in result.cohorts:
        if number < len(cohort.parts):
            words = _words(result.parts[number], declared)
            yield from _sum_of(f"Versión {cohort.carta_version}", cohort.parts[number], words)


def _words(part: PartResult, declared: Part | None) -> tuple[str, str]:
    figure = None if declared is None else declared.figure
    if isinstance(figure, Share) and isinstance(figure.value, Number):
        return "con la calificación prometida", "sin ella"
    return _COUNTED.get(part.form, ("contados o medidos", "vencidos sin concluir"))


_COUNTED: Final = {
    "share_within": ("en plazo", "fuera de plazo"),
    "deadline": ("a tiempo", "tarde o sin ocurrir"),
    "nps": ("respuestas válidas", "sin respuesta en plazo"),
    "availability": ("interrupciones", "sin medir"),
}


def _figure(part: PartResult, declared: Part | None) -> Iterator[str]:
    value = exact_value(part)
    if value is None:
        yield _beyond(part, declared) or "No hay cifra: no hay de qué calcularla."
        return
    make = _MAKERS.get(part.form)
    if make is not None:
        yield make(part, value, declared)
    if not _is_short(value):
        yield f"{written(value)} = {_n(_rounded(value))} {unit_word(part)}. {ROUNDING}"
    width = None if declared is None else range_of(declared.figure)
    if part.margin is not None and width is not None:
        yield (
            f"Es una muestra: por azar la cifra varía a lo más {_n(width)} ÷ √{_n(_sample(part))} ="
            f" {spanish.margin(part.margin, part.unit)}, con 95.5 % de confianza."
        )
    if part.effective_sample is not None:
        yield (
            f"Aproximado: {_n(part.effective_sample)} es la muestra efectiva,"
            " (suma de pesos)² ÷ suma de pesos². No dice cómo se eligió a las personas,"
            " ni cambia el veredicto."
        )


def _sample(part: PartResult) -> int | Decimal:
    return part.items if part.effective_sample is None else part.effective_sample


def _share(part: PartResult, value: Fraction, declared: Part | None) -> str:
    """Hours of service are published rounded: what is made of them is then only about the same."""
    above, below = Fraction(part.numerator), Fraction(part.denominator)
    sign = "=" if below and 100 * above / below == value else "≈"
    return f"{_n(part.numerator)} ÷ {_n(part.denominator)} × 100 {sign} {written(value)} %."


def _mean(part: PartResult, value: Fraction, declared: Part | None) -> str:
    """The sum follows from the figure: the published one is rounded, the figure is not."""
    total = value * Fraction(part.denominator)
    unit = unit_word(part)
    return f"Suma {written(total)} ÷ {_n(part.denominator)} casos = {written(value)} {unit}."


def _nps(part: PartResult, value: Fraction, declared: Part | None) -> str:
    total = value * Fraction(part.denominator) / 100
    return (
        f"(Respuestas de 9 y 10 menos respuestas de 0 a 6) = {written(total)}; "
        f"{written(total)} ÷ {_n(part.denominator)} respuestas × 100 = {written(value)} puntos."
    )


def _beyond(part: PartResult, declared: Part | None) -> str:
    """Tell a rank that falls among open cases past their limit; nothing where there is none."""
    figure = None if declared is None else declared.figure
    if part.verdict is not Verdict.NOT_MET or not isinstance(figure, Percentile):
        return ""
    return (
        f"Percentil {_n(figure.p)} por rango más cercano: de menor a mayor, el caso"
        f" {_n(_rank(figure, part))} de {_n(part.items)} ya venció y sigue abierto: su tiempo no se"
        " conoce, y es más de lo prometido."
    )


def _rank(figure: Percentile, part: PartResult) -> int:
    wanted = Fraction(figure.p) * part.items / 100
    return -(-wanted.numerator // wanted.denominator)


def _percentile(part: PartResult, value: Fraction, declared: Part | None) -> str:
    figure = None if declared is None else declared.figure
    if not isinstance(figure, Percentile):
        return f"Percentil por rango más cercano: {written(value)} {unit_word(part)}."
    wanted = Fraction(figure.p) * part.items / 100
    rank = _rank(figure, part)
    return (
        f"Percentil {_n(figure.p)} por rango más cercano: {_n(figure.p)} × {_n(part.items)} ÷ 100"
        f" = {written(wanted)}; de menor a mayor, el caso {_n(rank)} de {_n(part.items)}"
        f" tiene {written(value)} {unit_word(part)}."
    )


def _total(part: PartResult, value: Fraction, declared: Part | None) -> str:
    return f"Total: {written(value)} {unit_word(part)}."


_MAKERS: Final[Mapping[str, Callable[[PartResult, Fraction, Part | None], str]]] = {
    "share_within": _share,
    "nested_share": _share,
    "availability": _share,
    "deadline": _share,
    "ratio": _share,
    "mean": _mean,
    "nps": _nps,
    "percentile": _percentile,
    "sum": _total,
    "count": _total,
}


def _comparison(part: PartResult, declared: Part | None, minimum_sample: int) -> Iterator[str]:
    if minimum_sample:
        enough = "suficiente" if part.items >= minimum_sample else "insuficiente"
        yield f"Muestra: {_n(part.items)}; mínima, {_n(minimum_sample)}: {enough}."
    value = exact_value(part)
    if value is None or part.target is None or part.target_op is None:
        return
    if declared is not None and declared.target is not None and declared.target.reference:
        yield "La meta sigue a un periodo anterior; aquí va redondeada, y se comparó la exacta."
    if part.verdict is Verdict.NOT_EVALUATED:
        return
    op, unit = Op(part.target_op), unit_word(part)
    says = "sí" if part.verdict is Verdict.MET else "no"
    yield f"¿{written(value)} {SIGNS[op]} {_n(part.target)} {unit}? {says.capitalize()}."
    if part.verdict is Verdict.NOT_MET and part.unacceptable is not None:
        worst = SIGNS[Op.AT_MOST if op.wants_more else Op.AT_LEAST]
        tolerable = "No: queda dentro de lo tolerable"
        answer = "Sí: no se tolera" if _is_unacceptable(part) else tolerable
        yield f"¿{written(value)} {worst} {_n(part.unacceptable)} {unit}? {answer}."


def _is_unacceptable(part: PartResult) -> bool:
    """Return whether a part that is not met is at its unacceptable value or beyond it."""
    value = exact_value(part)
    if part.verdict is not Verdict.NOT_MET or part.target_op is None:
        return False
    if value is None or part.unacceptable is None:
        return False
    worst = Op.AT_MOST if Op(part.target_op).wants_more else Op.AT_LEAST
    return worst.holds(value, Fraction(part.unacceptable))


def _verdict(result: ResultData) -> str:
    if result.verdict is Verdict.MET:
        return "Se cumple: toda parte con meta la alcanza."
    if result.verdict is Verdict.NOT_EVALUATED:
        return "Sin veredicto: falta lo que dice el motivo."
    if result.band is Band.AMBER:
        return "No se cumple: no alcanza la meta, y no llega a lo inaceptable."
    if any(map(_is_unacceptable, result.parts)):
        return "No se cumple: no alcanza la meta y llega a lo inaceptable."
    return "No se cumple: no alcanza la meta, y la carta no tolera menos."


def exact_value(part: PartResult) -> Fraction | None:
    """Return the figure as it decided; that of results older than `exact`, as it was shown."""
    if part.exact is not None:
        return Fraction(part.exact)
    return None if part.value is None else Fraction(part.value)


def written(value: Fraction) -> str:
    """Write a number exactly: `81.5`, and `900/11` where four decimals do not hold it."""
    if _is_short(value):
        return _n(_rounded(value))
    return f"{value.numerator}/{value.denominator}"


def _is_short(value: Fraction) -> bool:
    return (value * 10**PLACES).denominator == 1


def _rounded(value: Fraction) -> Decimal:
    """Round half even, as the published figure is."""
    return Decimal(round(value * 10**PLACES)).scaleb(-PLACES)


def unit_word(part: PartResult) -> str:
    """Return the plural of a time unit, anything else as the target says it."""
    return spanish.UNITS[part.unit][1] if part.unit in spanish.UNITS else part.unit


def _n(value: Decimal | int) -> str:
    return spanish.number(value)
