"""The public sentence and the formula of a criterion, in Spanish.

They are generated from what is judged and never typed, so that text, limit and formula cannot
drift apart.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from shared.criteria import words
from shared.criteria.model import (
    Anchor,
    AnyCriterion,
    Clock,
    Instant,
    Limit,
    Mean,
    Op,
    Population,
    Share,
    Target,
    Unsupported,
    Window,
    WindowKind,
)
from shared.worktime.model import StartRule, Unit

_SIGNS: Final = {Op.AT_MOST: "≤", Op.LESS: "<", Op.AT_LEAST: "≥", Op.MORE: ">"}
_BOUNDS: Final = {
    Op.AT_MOST: "{} o menos",
    Op.LESS: "menos de {}",
    Op.AT_LEAST: "{} o más",
    Op.MORE: "más de {}",
}
_SHARES: Final = {
    Op.AT_MOST: "En no más de {} % de los casos",
    Op.LESS: "En menos de {} % de los casos",
    Op.AT_LEAST: "En al menos {} % de los casos",
    Op.MORE: "En más de {} % de los casos",
}
_PERIODS: Final = {
    WindowKind.MONTH: "cada mes",
    WindowKind.QUARTER: "cada trimestre",
    WindowKind.SEMESTER: "cada semestre",
    WindowKind.YEAR: "cada año",
}
_PLACED: Final = {
    Anchor.DUE: "casos cuyo plazo venció en el periodo",
    Anchor.OCCURRED: "casos ocurridos en el periodo",
    Anchor.CLOSED: "casos concluidos en el periodo",
    Anchor.OPENED: "casos iniciados en el periodo",
}


def public_sentence(criterion: AnyCriterion, window: Window) -> str:
    """Return the promise as it is judged, in plain Spanish, ending with when it is judged."""
    if isinstance(criterion, Unsupported):
        return f"Este compromiso aún no se evalúa: su forma de medición es «{criterion.form}»."
    sentences = [_part(part) for part in criterion.parts]
    if any(_counts_from_next_day(part.clock) for part in criterion.parts):
        sentences.append("El primer día que cuenta es el día hábil siguiente al inicio.")
    sentences.append(f"Se evalúa {_period(window)}.")
    return " ".join(sentences)


def formula_text(part: Share | Mean) -> str:
    """Return how the figure is computed, with its denominator and exclusions."""
    placed = _PLACED[part.population.anchor]
    without = [words.exclusion(name) for name in part.population.exclude]
    tail = f"; sin contar {', '.join(without)}" if without else ""
    if isinstance(part, Mean):
        unit = words.plural_of(part.clock.unit)
        return f"suma de los tiempos ÷ casos medidos, en {unit} ({placed}{tail})"
    return f"casos con {_formula_limit(part)} ÷ {placed} × 100{tail}"


def _part(part: Share | Mean) -> str:
    where = _where(part.population)
    if isinstance(part, Mean):
        bound = _BOUNDS[part.target.op].format(words.duration(part.target.value, part.clock.unit))
        return f"En promedio{where}, el tiempo {_span(part.clock)} será de {bound}."
    return f"{_quantifier(part.target)}{where}, {_within(part)}."


def _quantifier(target: Target) -> str:
    if target.op is Op.AT_LEAST and target.value == 100:
        return "En todos los casos"
    return _SHARES[target.op].format(words.number(target.value))


def _where(population: Population) -> str:
    """Name the conditions, but for the carta: the sentence stands in it."""
    conditions = [
        f"{words.value(name)}: {words.alternatives([words.value(value) for value in values])}"
        for name, values in population.where.items()
        if name != "carta"
    ]
    return f" ({'; '.join(conditions)})" if conditions else ""


def _within(part: Share) -> str:
    if part.limit.own_due:
        stop = _instant(part.clock.stop)
        return f"a más tardar en la fecha prometida a cada persona, {stop}"
    return f"el tiempo {_span(part.clock)} será de {_bound(part.limit, part.clock.unit)}"


def _bound(limit: Limit, unit: Unit) -> str:
    if limit.value is not None:
        return _BOUNDS[limit.op].format(words.duration(limit.value, unit))
    if limit.by is not None:
        name = words.value(limit.by)
        each = [
            f"{_BOUNDS[limit.op].format(words.duration(value, unit))} ({name}: {words.value(key)})"
            for key, value in limit.values.items()
        ]
        return words.alternatives(each)
    percent = words.number((limit.factor or Decimal(1)) * 100)
    return _BOUNDS[limit.op].format(f"{percent} % de su {words.value(limit.field or '')}")


def _span(clock: Clock) -> str:
    return f"desde que {_instant(clock.start)} hasta que {_instant(clock.stop)}"


def _instant(instant: Instant) -> str:
    phrases = [words.event(kind) for kind in instant.kinds]
    if len(phrases) == 1:
        return phrases[0]
    which = "lo primero" if instant.first_of else "lo último"
    return f"ocurre {which} de esto: {words.alternatives(phrases)}"


def _counts_from_next_day(clock: Clock) -> bool:
    return clock.unit is Unit.WORKING_DAY and clock.start_rule is not StartRule.START_DAY


def _period(window: Window) -> str:
    if window.kind is not WindowKind.CAMPAIGN or window.first is None or window.last is None:
        return _PERIODS[window.kind]
    return f"una vez, del {_day(window.first)} al {_day(window.last)}"


def _day(day: date) -> str:
    return f"{day.day} de {words.month_name(day.month)} de {day.year}"


def _formula_limit(part: Share) -> str:
    limit, unit = part.limit, part.clock.unit
    if limit.own_due:
        return "fin a más tardar en la fecha prometida"
    sign = _SIGNS[limit.op]
    if limit.value is not None:
        return f"tiempo {sign} {words.duration(limit.value, unit)}"
    if limit.by is not None:
        return f"tiempo {sign} el límite según {words.value(limit.by)}"
    factor = words.number(limit.factor or Decimal(1))
    return f"tiempo {sign} {factor} × {words.value(limit.field or '')}"
