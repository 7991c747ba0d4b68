"""The public sentence of a criterion, in Spanish.

It is generated from what is judged and never typed, so that text, limit and formula cannot drift
apart.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, assert_never

from shared.criteria import phrases, words
from shared.criteria.formula import formula_text
from shared.criteria.model import (
    AnyCriterion,
    Availability,
    Count,
    Figure,
    Groups,
    Mean,
    Nps,
    Part,
    Percentile,
    Ratio,
    Recurrence,
    Schedule,
    Share,
    Statistic,
    Sum,
    Target,
    Unsupported,
    Window,
    measures_of,
)
from shared.criteria.values import Clock, Limit, Number
from shared.criteria.vocabulary import Op, Period, WindowKind

__all__ = ["formula_text", "public_sentence"]

_SHARES: Final = {
    Op.AT_MOST: "en no más de {} % de {}",
    Op.LESS: "en menos de {} % de {}",
    Op.AT_LEAST: "en al menos {} % de {}",
    Op.MORE: "en más de {} % de {}",
}
_WINDOWS: Final = {
    WindowKind.MONTH: "cada mes",
    WindowKind.QUARTER: "cada trimestre",
    WindowKind.SEMESTER: "cada semestre",
    WindowKind.YEAR: "cada año",
}


def public_sentence(criterion: AnyCriterion, window: Window) -> str:
    """Return the promise as it is judged, in plain Spanish, ending with when it is judged."""
    if isinstance(criterion, Unsupported):
        return f"Este compromiso aún no se evalúa: su forma de medición es «{criterion.form}»."
    sentences = [f"{phrases.capitalised(part_sentence(part))}." for part in criterion.parts]
    clocks = [measure.clock for measure in measures_of(criterion)]
    if any(clock is not None and phrases.counts_from_next_day(clock) for clock in clocks):
        sentences.append("El primer día que cuenta es el día hábil siguiente al inicio.")
    is_judged = any(part.target is not None for part in criterion.parts)
    sentences.append(f"Se {'evalúa' if is_judged else 'publica'} {_period(window)}.")
    return " ".join(sentences)


def part_sentence(part: Part) -> str:
    """Return what one part promises, without capital and full stop."""
    figure, target = part.figure, part.target
    if target is None:
        return f"{_subject(figure)} se publica sin meta"
    if target.reference is not None:
        return f"{_subject(figure)} {phrases.followed(target)}"
    match figure:
        case Share():
            return f"{_quantified(target, _cases(figure))}, {_within(figure)}"
        case Groups():
            return f"{_quantified(target, _groups(figure))}, {_inner(figure)}"
        case Schedule():
            every = phrases.occasions(figure.recurrence)
            return f"{_quantified(target, every)}, {_on_time(figure)}"
        case Ratio() | Availability() | Mean() | Percentile() | Sum() | Count() | Nps():
            return f"{_subject(figure)} será de {_bound(figure, target)}"
        case _:
            assert_never(figure)


def _quantified(target: Target, whom: str) -> str:
    if target.op is Op.AT_LEAST and target.value == 100:
        return f"en {words.everyone(whom)}"
    return _SHARES[target.op].format(words.number(target.value), whom)


def _cases(figure: Share) -> str:
    noun = "los casos" if isinstance(figure.value, Clock) else "las respuestas"
    return f"{noun}{phrases.where(figure.population)}"


def _groups(figure: Groups) -> str:
    if figure.by is not None:
        return f"{words.periods(figure.by)} con servicio"
    return f"los grupos con servicio, según {words.value(figure.attribute or '')}"


def _bound(figure: Figure, target: Target) -> str:
    percent = f"{words.number(target.value)} %"
    if isinstance(figure, Ratio | Share):
        return phrases.BOUNDS[target.op].format(percent)
    if isinstance(figure, Availability):
        return phrases.BOUNDS[target.op].format(f"{percent} del tiempo de servicio")
    of = getattr(figure, "value", None)
    unit = "puntos" if isinstance(figure, Nps) else target.unit
    return phrases.BOUNDS[target.op].format(
        f"{words.number(target.value)} puntos"
        if isinstance(figure, Nps)
        else phrases.amount(target.value, None if isinstance(figure, Count) else of, unit)
    )


def _subject(figure: Figure) -> str:
    """Return what is measured, to be followed by "será de"."""
    match figure:
        case Ratio():
            above, below = _quantity(figure.numerator), _quantity(figure.denominator)
            return f"{above}, en proporción {phrases.to(below)},"
        case Groups():
            return f"la proporción de {_groups(figure)} en los que {_inner(figure)}"
        case Availability():
            exclude = phrases.without(figure.population).replace("; ", ", ", 1)
            where = phrases.where(figure.population)
            return f"la disponibilidad del servicio{where}{exclude}"
        case Schedule():
            every = phrases.occasions(figure.recurrence)
            return f"la proporción de {every} en los que {_on_time(figure)}"
        case _:
            return _statistic(figure)


def _statistic(figure: Statistic) -> str:
    where = phrases.where(figure.population)
    match figure:
        case Share():
            return f"la proporción de {_cases(figure)} en los que {_within(figure)}"
        case Mean():
            return f"en promedio{where}, {phrases.measured(figure.value)}"
        case Percentile():
            return f"{_rank(figure.p)}{where}, {phrases.measured(figure.value)}"
        case Nps():
            return (
                "el índice de recomendación neta (porcentaje que califica 9 o 10 menos porcentaje "
                f"que califica de 0 a 6{where})"
            )
        case Sum() | Count():
            return _quantity(figure)
        case _:
            assert_never(figure)


def _quantity(figure: Sum | Count) -> str:
    population = figure.population
    where = phrases.where(population)
    if isinstance(figure, Count):
        times = f"el número de veces que {words.event(population.event)}{where}"
        if figure.value is None or figure.limit is None:
            return times
        kept = phrases.limit(figure.limit, figure.value)
        return f"{times} con {_bare(figure.value)} de {kept}"
    if isinstance(figure.value, Number):
        name = words.value(figure.value.field)
        return f"la suma de «{name}», cada vez que {words.event(population.event)}{where}"
    return f"en total{where}, {phrases.measured(figure.value)}"


def _bare(value: Clock | Number) -> str:
    return f"un tiempo {phrases.span(value)}" if isinstance(value, Clock) else "calificación"


def _rank(p: Decimal) -> str:
    if p == 50:
        return "en la mitad de los casos"
    return "en el caso más tardado" if p == 100 else f"en {words.number(p)} % de los casos"


def _within(figure: Share) -> str:
    value, limit = figure.value, figure.limit
    if limit.own_due and isinstance(value, Clock):
        stop = phrases.instant(value.stop)
        return f"a más tardar en la fecha prometida a cada persona, {stop}"
    if isinstance(value, Clock) and value.from_due:
        return _by_due(value, limit)
    return f"{phrases.measured(value)} será de {phrases.limit(limit, value)}"


def _by_due(clock: Clock, limit: Limit) -> str:
    """Say a date that was set beforehand and how much later is still in time."""
    start, stop = phrases.instant(clock.start), phrases.instant(clock.stop)
    if limit.value == 0:
        when = "el mismo día" if clock.exact_day else "a más tardar el día"
        when = when if clock.unit.value.startswith("dia") else "a más tardar en el momento"
        return f"{stop} {when} en que {start}"
    late = words.duration(limit.value or Decimal(0), clock.unit)
    return f"{stop} a más tardar {late} después de que {start}"


def _inner(figure: Groups) -> str:
    inner = figure.inner
    if isinstance(inner, Share | Count | Nps):
        unit = "%" if isinstance(inner, Share) else ""
        written = phrases.limit(figure.limit, None, unit)
        return f"{_statistic(inner)} será de {written}{' %' if isinstance(inner, Share) else ''}"
    return f"{_statistic(inner)} será de {phrases.limit(figure.limit, inner.value)}"


def _on_time(figure: Schedule) -> str:
    event = words.event(figure.population.event)
    return f"{event}{phrases.where(figure.population)} a más tardar {_owed(figure.recurrence)}"


def _owed(recurrence: Recurrence) -> str:
    hour = f", a las {recurrence.time}" if recurrence.time else ""
    if recurrence.every is Period.DAY:
        return f"ese mismo día{hour}"
    month = _month(recurrence)
    if recurrence.working_day is not None:
        return f"el {recurrence.working_day}.º día hábil{month}{hour}"
    if recurrence.day is not None:
        return f"el día {recurrence.day}{month}{hour}"
    return f"el último día{month}{hour}"


def _month(recurrence: Recurrence) -> str:
    if recurrence.month is None:
        return ""
    if recurrence.every is Period.YEAR:
        return f" de {words.month_name(recurrence.month)}"
    return f" de su {recurrence.month}.º mes"


def _period(window: Window) -> str:
    if window.kind is not WindowKind.CAMPAIGN or window.first is None or window.last is None:
        return _WINDOWS[window.kind]
    return f"una vez, del {phrases.day(window.first)} al {phrases.day(window.last)}"
