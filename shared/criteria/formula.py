"""How a figure is computed, shown beside it: numerator, denominator, what is left out."""

from __future__ import annotations

from dataclasses import dataclass

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
from shared.criteria.vocabulary import Anchor, Period
from shared.criteria.words import NO_WORDS, EventWords
from shared.worktime.model import UNITS_WITHOUT_CALENDAR, Unit


def formula_text(part: Part, *, minimum_sample: int = 0, events: EventWords = NO_WORDS) -> str:
    """Return the formula, ending with what is not counted and what is not judged or tolerated.

    `events` are the carta's own words for its events.
    """
    formula = _Formula(events).of(part.figure)
    return "; ".join(
        each for each in (formula, _worst(part), _sample(part, minimum_sample)) if each
    )


@dataclass(frozen=True, slots=True)
class _Formula:
    """Writes formulas with a carta's own words for its events."""

    own: EventWords

    def of(self, figure: Figure) -> str:  # noqa: PLR0911 - one for each form
        """Return the formula of a figure."""
        match figure:
            case Share():
                population = figure.population
                ending = f"{phrases.without(population)}{_clocked(figure.value)}"
                return (
                    f"{_keeping(figure)} ÷ {self._placed(population, figure.value)} × 100{ending}"
                )
            case Mean():
                what, items = _summed(figure.value)
                return f"suma de {what} ÷ {items}{self._in(figure)}"
            case Percentile():
                what, _ = _summed(figure.value)
                share = f"percentil {words.number(figure.p)} de {what} (rango más cercano)"
                return f"{share}{self._in(figure)}"
            case Nps():
                tail = self._tail(figure.population)
                return f"% de respuestas de 9 y 10 − % de respuestas de 0 a 6{tail}"
            case Sum() | Count():
                tail = f"{self._tail(figure.population)[:-1]}{_clocked(figure.value)})"
                return f"{self._quantity(figure)}{tail}"
            case Ratio():
                return f"{self._side(figure.numerator)} ÷ {self._side(figure.denominator)} × 100"
            case Groups():
                return self._grouped(figure)
            case Availability():
                hours = "las 24 horas" if figure.value.calendar is None else figure.value.calendar
                return (
                    "(tiempo de servicio − interrupciones) ÷ tiempo de servicio × 100, "
                    f"en horario {hours}{self._narrowed(figure.population)}"
                )
            case _:
                return self._scheduled(figure)

    def _scheduled(self, figure: Schedule) -> str:
        ending = self._narrowed(figure.population)
        if figure.recurrence.every is not Period.DAY:
            ending += f"; calendario «{figure.recurrence.calendar}»"
        every = phrases.occasions(figure.recurrence)
        return f"ocurrencias a tiempo ÷ {every} del periodo × 100{ending}"

    def _grouped(self, figure: Groups) -> str:
        groups = (
            words.periods(figure.by)
            if figure.by is not None
            else f"grupos según {words.value(str(figure.attribute))}"
        )
        inner = figure.inner
        of = inner.value if isinstance(inner, Mean | Percentile | Sum) else None
        held = phrases.sign_of(figure.limit, of, phrases.noun_of(inner))
        bare = groups.removeprefix("los ").removeprefix("las ")
        return f"{bare} con ({self.of(inner)}) {held} ÷ {bare} con servicio × 100"

    def _in(self, figure: Mean | Percentile) -> str:
        value = figure.value
        unit = f", en {words.plural_of(value.unit)}" if isinstance(value, Clock) else ""
        return f"{unit}{self._tail(figure.population, value)}"

    def _placed(self, population: Population, value: Clock | Number) -> str:
        """Say which cases are in the denominator: those of the period, under all conditions."""
        conditions = self._conditions(population, value)
        placed = phrases.PLACED[population.anchor]
        return f"{placed} ({conditions})" if conditions else placed

    def _tail(self, population: Population, value: Clock | Number | Outage | None = None) -> str:
        placed = phrases.PLACED[population.anchor]
        return f" ({placed}{self._narrowed(population, value)}{_clocked(value)})"

    def _narrowed(
        self, population: Population, value: Clock | Number | Outage | None = None
    ) -> str:
        """Say the conditions and the exclusions, each after a semicolon."""
        conditions = self._conditions(population, value)
        return f"{f'; {conditions}' if conditions else ''}{phrases.without(population)}"

    def _conditions(self, population: Population, value: Clock | Number | Outage | None) -> str:
        entered = phrases.entered(population, value, self.own)
        return "; ".join(each for each in (entered, phrases.conditions(population)) if each)

    def _side(self, figure: Sum | Count) -> str:
        """Return one side of a ratio, with its own conditions; in brackets where it has any."""
        is_due = figure.population.anchor is not Anchor.OCCURRED
        placed = f"; {phrases.PLACED[figure.population.anchor]}" if is_due else ""
        side = f"{placed}{self._narrowed(figure.population)}{_clocked(figure.value)}".replace(
            "; ", ", ", 1
        )
        return f"({self._quantity(figure)}{side})" if side else self._quantity(figure)

    def _quantity(self, figure: Sum | Count) -> str:
        event = words.event(figure.population.event, self.own)
        if isinstance(figure, Count):
            return f"veces que {event}{_counted(figure)}"
        if isinstance(figure.value, Number):
            return f"suma de «{words.value(figure.value.field)}» cuando {event}"
        return "suma de los tiempos" if isinstance(figure.value, Clock) else "suma de los cortes"


def _counted(figure: Count) -> str:
    """Say which of its cases are counted; nothing where all are."""
    limit, value = figure.limit, figure.value
    if limit is None:
        return ""
    held = phrases.sign_of(limit, value)
    if limit.own_due:
        return f", con {held}"
    return f", con {phrases.taken(value) if isinstance(value, Clock) else 'calificación'} {held}"


def _worst(part: Part) -> str:
    target = part.target
    worst = None if target is None else phrases.worst_of(target)
    if target is None or worst is None:
        return ""
    op, value = worst
    if target.reference is not None:
        return f"inaceptable {phrases.SIGNS[op]} {phrases.multiple(target, value)}"
    unit = target.unit
    named = words.plural_of(Unit(unit)) if unit in tuple(Unit) else unit
    return f"inaceptable {phrases.SIGNS[op]} {words.number(value)} {named}"


def _sample(part: Part, minimum: int) -> str:
    nouns = phrases.sampled(part.figure)
    if part.target is None or nouns is None or not minimum:
        return ""
    return f"muestra mínima: {phrases.sample(minimum, nouns)}"


def _keeping(figure: Share) -> str:
    limit, value = figure.limit, figure.value
    held = phrases.sign_of(limit, value)
    if limit.own_due:
        return f"casos con {held}"
    if not isinstance(value, Clock):
        return f"respuestas {held}"
    early = " y sin adelanto de día" if value.exact_day else ""
    return f"casos con {phrases.taken(value)} {held}{early}"


def _summed(value: Clock | Number) -> tuple[str, str]:
    if isinstance(value, Clock):
        return "los tiempos", "casos medidos"
    if value.lowest is not None:
        return "las calificaciones", "respuestas válidas"
    return f"«{words.value(value.field)}»", "casos"


def _clocked(value: Clock | Number | Outage | None) -> str:
    """Say what the times are counted by: the calendar, and what stops the clock."""
    if not isinstance(value, Clock):
        return ""
    named = [] if value.unit in UNITS_WITHOUT_CALENDAR else [f"calendario «{value.calendar}»"]
    pauses = phrases.pauses(value)
    return "".join(f"; {each}" for each in (*named, pauses) if each)
