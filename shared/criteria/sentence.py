"""The public sentence of a criterion, in Spanish.

It is generated from what is judged and never typed, so that text, limit and formula cannot drift
apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.criteria import phrases, words
from shared.criteria.formula import formula_text
from shared.criteria.model import (
    PERCENT,
    Availability,
    Count,
    Criterion,
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
    Window,
    is_share,
    measures_of,
)
from shared.criteria.values import Clock, Number
from shared.criteria.vocabulary import Op, Period, WindowKind
from shared.criteria.words import NO_WORDS, EventWords

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


def public_sentence(
    criterion: Criterion,
    window: Window,
    *,
    minimum_sample: int = 0,
    events: EventWords = NO_WORDS,
) -> str:
    """Return the promise as it is judged, in plain Spanish, ending with when it is judged.

    `events` are the carta's own words for its events.
    """
    said = _Sentence(events)
    asides = [_asides(part) for part in criterion.parts]
    shared = [each for each in asides[0] if all(each in others for others in asides)]
    sentences = [
        "; ".join([said.part(part), *_worst(part), *(each for each in own if each not in shared)])
        for part, own in zip(criterion.parts, asides, strict=True)
    ]
    is_judged = any(part.target is not None for part in criterion.parts)
    judged = f"se {'evalúa' if is_judged else 'publica'} {_period(window)}"
    judged += _if_enough(criterion, minimum_sample)
    return " ".join(f"{phrases.capitalised(said)}." for said in (*sentences, *shared, judged))


@dataclass(frozen=True, slots=True)
class _Sentence:
    """Says figures with a carta's own words for its events."""

    own: EventWords

    def part(self, part: Part) -> str:  # noqa: PLR0911 - one for each form
        """Return what one part promises, without capital and full stop."""
        figure, target = part.figure, part.target
        if target is None:
            return f"{self._subject(figure)} se publica sin meta"
        if target.reference is not None:
            return f"{self._subject(figure)} {phrases.followed(target)}"
        match figure:
            case Share():
                return f"{_quantified(target, self._cases(figure))}, {self._within(figure)}"
            case Groups():
                return f"{_quantified(target, _groups(figure))}, {self._inner(figure)}"
            case Schedule():
                every = phrases.occasions(figure.recurrence)
                return f"{_quantified(target, every)}, {self._on_time(figure)}"
            case Count() if target.op is Op.AT_MOST and target.value == 0:
                return f"en ningún caso {self._times(figure)}"
            case _:
                bound = _bound(figure, target, target.op, target.value)
                return f"{self._subject(figure)} será de {bound}"

    def _cases(self, figure: Share) -> str:
        entered = phrases.entered(figure.population, figure.value, self.own)
        noun = "los casos" if isinstance(figure.value, Clock) or entered else "las respuestas"
        which = f" {entered}" if entered else ""
        return f"{noun}{which}{phrases.where(figure.population)}"

    def _subject(self, figure: Figure) -> str:
        """Return what is measured, to be followed by "será de"."""
        match figure:
            case Ratio():
                above, below = (
                    self._side(each, figure) for each in (figure.numerator, figure.denominator)
                )
                return f"{above}, en proporción {phrases.to(below)},"
            case Groups():
                return f"la proporción de {phrases.in_which(_groups(figure))} {self._inner(figure)}"
            case Availability():
                without = phrases.without(figure.population).removeprefix("; ")
                aside = f", {without}," if without else ""
                return f"la disponibilidad del servicio{phrases.where(figure.population)}{aside}"
            case Schedule():
                every = phrases.occasions(figure.recurrence)
                return f"la proporción de {phrases.in_which(every)} {self._on_time(figure)}"
            case _:
                return self._statistic(figure)

    def _statistic(self, figure: Statistic) -> str:
        where = phrases.where(figure.population)
        match figure:
            case Share():
                cases = phrases.in_which(self._cases(figure))
                return f"la proporción de {cases} {self._within(figure)}"
            case Mean():
                return f"en promedio{where}, {phrases.measured(figure.value, self.own)}"
            case Percentile():
                return f"{_rank(figure.p)}{where}, {phrases.measured(figure.value, self.own)}"
            case Nps():
                return (
                    "el índice de recomendación neta (porcentaje que califica 9 o 10 menos "
                    f"porcentaje que califica de 0 a 6{where})"
                )
            case _:
                return self._quantity(figure)

    def _side(self, figure: Sum | Count, ratio: Ratio) -> str:
        """Return one side of a ratio, with what only it leaves out."""
        if _is_alike(ratio) or not figure.population.exclude:
            return self._quantity(figure)
        return f"{self._quantity(figure)} ({phrases.without(figure.population).removeprefix('; ')})"

    def _quantity(self, figure: Sum | Count) -> str:
        if isinstance(figure, Count):
            return f"el número de veces que {self._times(figure)}"
        population, where = figure.population, phrases.where(figure.population)
        if isinstance(figure.value, Number):
            name = words.value(figure.value.field)
            event = words.event(population.event, self.own)
            return f"la suma de «{name}», cada vez que {event}{where}"
        return f"en total{where}, {phrases.measured(figure.value, self.own)}"

    def _times(self, figure: Count) -> str:
        """Say what happens each time that is counted."""
        times = (
            f"{words.event(figure.population.event, self.own)}{phrases.where(figure.population)}"
        )
        if figure.limit is None:
            return times
        assert figure.value is not None
        if figure.limit.own_due and isinstance(figure.value, Clock):
            stop = phrases.instant(figure.value.stop, self.own)
            return f"{times} y {stop} a más tardar en la fecha prometida"
        return (
            f"{times} con {self._bare(figure.value)} de {phrases.limit(figure.limit, figure.value)}"
        )

    def _bare(self, value: Clock | Number) -> str:
        if not isinstance(value, Clock):
            return "calificación"
        return f"un {phrases.taken(value)} {phrases.span(value, self.own)}"

    def _within(self, figure: Share) -> str:
        value, limit = figure.value, figure.limit
        if limit.own_due and isinstance(value, Clock):
            stop = phrases.instant(value.stop, self.own)
            return f"a más tardar en la fecha prometida a cada persona, {stop}"
        is_plain = limit.op is Op.AT_MOST and not limit.seasons
        if isinstance(value, Clock) and value.from_due and is_plain and limit.value is not None:
            return self._by_due(value, limit.value)
        return f"{phrases.measured(value, self.own)} será de {phrases.limit(limit, value)}"

    def _by_due(self, clock: Clock, late: Decimal) -> str:
        """Say a date that was set beforehand and how much later is still in time."""
        start, stop = phrases.instant(clock.start, self.own), phrases.instant(clock.stop, self.own)
        has_days = clock.unit.value.startswith("dia")
        if late == 0 and has_days:
            when = "el mismo día" if clock.exact_day else "a más tardar el día"
            return f"{stop} {when} en que {start}"
        after = (
            "en el momento en" if late == 0 else f"{words.duration(late, clock.unit)} después de"
        )
        early = ", y no antes de ese día" if clock.exact_day else ""
        return f"{stop} a más tardar {after} que {start}{early}"

    def _inner(self, figure: Groups) -> str:
        inner = figure.inner
        of = inner.value if isinstance(inner, Mean | Percentile | Sum) else None
        written = phrases.limit(figure.limit, of, phrases.noun_of(inner))
        return f"{self._statistic(inner)} será de {written}"

    def _on_time(self, figure: Schedule) -> str:
        event = words.event(figure.population.event, self.own)
        return f"{event}{phrases.where(figure.population)} a más tardar {_owed(figure.recurrence)}"


def _worst(part: Part) -> list[str]:
    """Say from where on the figure is unacceptable, where that is declared."""
    target = part.target
    worst = None if target is None else phrases.worst_of(target)
    if target is None or worst is None:
        return []
    op, value = worst
    if target.reference is None:
        return [f"inaceptable: {_bound(part.figure, target, op, value)}"]
    return [f"inaceptable: {phrases.BOUNDS[op].format(phrases.multiple(target, value))}"]


def _if_enough(criterion: Criterion, minimum: int) -> str:
    """Say below which sample there is no verdict; nothing where no figure needs one."""
    judged = [part.figure for part in criterion.parts if part.target is not None]
    nouns = dict.fromkeys(each for figure in judged if (each := phrases.sampled(figure)))
    if minimum == 0 or not nouns:
        return ""
    whose = ", " if len(criterion.parts) == 1 else "; cada parte, "
    enough = words.alternatives([phrases.sample(minimum, each) for each in nouns])
    return f"{whose}si hay al menos {enough}"


def _asides(part: Part) -> list[str]:
    """Say what is left out, what stops the clock, and which day is the first."""
    measures = measures_of(Criterion(parts=(part,)))
    clocks = [measure.clock for measure in measures if measure.clock is not None]
    found = [
        _left_out(part.figure),
        *(say(clock) for say in (phrases.pauses, phrases.first_day) for clock in clocks),
    ]
    return [each for each in dict.fromkeys(found) if each]


def _left_out(figure: Figure) -> str:
    """Say the exclusions; availability and a ratio of two populations say theirs in their place."""
    if isinstance(figure, Availability) or (isinstance(figure, Ratio) and not _is_alike(figure)):
        return ""
    inner = figure.inner if isinstance(figure, Groups) else figure
    population = (inner.numerator if isinstance(inner, Ratio) else inner).population
    names = [words.excluded(name) for name in population.exclude]
    return f"no se cuentan {words.neither(names)}" if names else ""


def _is_alike(figure: Ratio) -> bool:
    """Return whether both sides leave out the same."""
    return figure.numerator.population.exclude == figure.denominator.population.exclude


def _quantified(target: Target, whom: str) -> str:
    if target.op is Op.AT_LEAST and target.value == 100:
        return f"en {words.everyone(whom)}"
    return _SHARES[target.op].format(words.number(target.value), whom)


def _groups(figure: Groups) -> str:
    if figure.by is not None:
        return f"{words.periods(figure.by)} con servicio"
    return f"los grupos con servicio, según {words.value(str(figure.attribute))}"


def _bound(figure: Figure, target: Target, op: Op, value: Decimal) -> str:
    """Write a bound of a figure, the target's own or another, in the target's unit."""
    percent = f"{words.number(value)} %"
    if isinstance(figure, Availability):
        written = f"{percent} del tiempo de servicio"
        is_whole = op is Op.AT_LEAST and value == 100
        return written if is_whole else phrases.BOUNDS[op].format(written)
    if isinstance(figure, Ratio) or is_share(figure):
        return phrases.bounded(op, value, percent)
    if isinstance(figure, Nps):
        return phrases.BOUNDS[op].format(f"{words.number(value)} puntos")
    unit = "" if target.unit in (PERCENT, "razón") else target.unit
    of = figure.value if isinstance(figure, Mean | Percentile | Sum) else None
    return phrases.bounded(op, value, phrases.amount(value, of, unit))


def _rank(p: Decimal) -> str:
    if p == 50:
        return "en la mitad de los casos"
    return "en el caso más tardado" if p == 100 else f"en {words.number(p)} % de los casos"


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
    if window.kind is not WindowKind.CAMPAIGN:
        return _WINDOWS[window.kind]
    assert window.first is not None
    assert window.last is not None
    return f"una vez, del {phrases.day(window.first)} al {phrases.day(window.last)}"
