"""How a figure is computed, shown beside it: numerator, denominator, what is left out."""

from __future__ import annotations

from typing import assert_never

from shared.criteria import phrases, words
from shared.criteria.model import (
    Availability,
    Count,
    Figure,
    Groups,
    Mean,
    Nps,
    Part,
    Percentile,
    Ratio,
    Schedule,
    Share,
    Sum,
)
from shared.criteria.values import Clock, Number, Outage, Population


def formula_text(part: Part) -> str:
    """Return the formula, ending with what is not counted."""
    return formula_of(part.figure)


def formula_of(figure: Figure) -> str:  # noqa: PLR0911 - one for each form
    """Return the formula of a figure."""
    match figure:
        case Share():
            placed = phrases.PLACED[figure.population.anchor]
            return f"{_keeping(figure)} ÷ {placed} × 100{phrases.without(figure.population)}"
        case Mean():
            what, items = _summed(figure.value)
            return f"suma de {what} ÷ {items}{_in(figure)}"
        case Percentile():
            what, _ = _summed(figure.value)
            share = f"percentil {words.number(figure.p)} de {what} (rango más cercano)"
            return f"{share}{_in(figure)}"
        case Nps():
            return f"% de respuestas de 9 y 10 − % de respuestas de 0 a 6{_tail(figure.population)}"
        case Sum() | Count():
            return f"{_quantity(figure)}{_tail(figure.population)}"
        case Ratio():
            above, below = figure.numerator, figure.denominator
            return f"{_of(above)} ÷ {_of(below)} × 100"
        case Groups():
            return _grouped(figure)
        case Availability():
            hours = "las 24 horas" if figure.value.calendar is None else figure.value.calendar
            return (
                "(tiempo de servicio − interrupciones) ÷ tiempo de servicio × 100, "
                f"en horario {hours}{phrases.without(figure.population)}"
            )
        case Schedule():
            every = phrases.occasions(figure.recurrence)
            return f"ocurrencias a tiempo ÷ {every} del periodo × 100"
        case _:
            assert_never(figure)


def _grouped(figure: Groups) -> str:
    groups = (
        words.periods(figure.by)
        if figure.by is not None
        else f"grupos según {words.value(figure.attribute or '')}"
    )
    value = getattr(figure.inner, "value", None)
    of = value if isinstance(figure.inner, Mean | Percentile | Sum) else None
    held = phrases.sign_of(figure.limit, of)
    bare = groups.removeprefix("los ").removeprefix("las ")
    return f"{bare} con ({formula_of(figure.inner)}) {held} ÷ {bare} con servicio × 100"


def _keeping(figure: Share) -> str:
    limit, value = figure.limit, figure.value
    if limit.own_due:
        return f"casos con {phrases.sign_of(limit, value)}"
    if isinstance(value, Clock):
        return f"casos con tiempo {phrases.sign_of(limit, value)}"
    return f"respuestas {phrases.sign_of(limit, value)}"


def _summed(value: Clock | Number | Outage) -> tuple[str, str]:
    if isinstance(value, Clock):
        return "los tiempos", "casos medidos"
    if isinstance(value, Number) and value.lowest is not None:
        return "las calificaciones", "respuestas válidas"
    return f"«{words.value(value.field)}»" if isinstance(value, Number) else "los cortes", "casos"


def _in(figure: Mean | Percentile) -> str:
    value = figure.value
    unit = f", en {words.plural_of(value.unit)}" if isinstance(value, Clock) else ""
    return f"{unit}{_tail(figure.population)}"


def _tail(population: Population) -> str:
    return f" ({phrases.PLACED[population.anchor]}{phrases.without(population)})"


def _of(figure: Sum | Count) -> str:
    """Return one side of a ratio, with its own conditions."""
    return f"{_quantity(figure)}{phrases.without(figure.population).replace('; ', ', ', 1)}"


def _quantity(figure: Sum | Count) -> str:
    where = phrases.where(figure.population)
    event = words.event(figure.population.event)
    if isinstance(figure, Count):
        kept = ""
        if figure.value is not None and figure.limit is not None:
            kept = f", con valor {phrases.sign_of(figure.limit, figure.value)}"
        return f"veces que {event}{where}{kept}"
    if isinstance(figure.value, Number):
        return f"suma de «{words.value(figure.value.field)}» cuando {event}{where}"
    return f"suma de {phrases.measured(figure.value)}{where}"
