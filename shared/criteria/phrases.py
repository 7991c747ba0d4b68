"""The pieces of which sentences and formulas are made: populations, times, limits, in Spanish."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from shared.criteria import words
from shared.criteria.model import (
    Availability,
    Count,
    Figure,
    Groups,
    Nps,
    Ratio,
    Recurrence,
    Schedule,
    Share,
    Sum,
    Target,
)
from shared.criteria.values import Clock, Instant, Limit, Number, Outage, Population, Season
from shared.criteria.vocabulary import Anchor, Op, Period, Reference
from shared.criteria.words import EventWords
from shared.worktime.model import StartRule, Unit

SIGNS: Final = {Op.AT_MOST: "≤", Op.LESS: "<", Op.AT_LEAST: "≥", Op.MORE: ">"}
BOUNDS: Final = {
    Op.AT_MOST: "{} o menos",
    Op.LESS: "menos de {}",
    Op.AT_LEAST: "{} o más",
    Op.MORE: "más de {}",
}
FOLLOWS: Final = {
    Op.AT_MOST: "no superará {}",
    Op.LESS: "será menor que {}",
    Op.AT_LEAST: "no bajará de {}",
    Op.MORE: "será mayor que {}",
}
PLACED: Final = {
    Anchor.DUE: "casos cuyo plazo venció en el periodo",
    Anchor.OCCURRED: "casos ocurridos en el periodo",
    Anchor.CLOSED: "casos concluidos en el periodo",
    Anchor.OPENED: "casos iniciados en el periodo",
}
_EARLIER: Final = {
    Reference.PREVIOUS: "la cifra del periodo anterior",
    Reference.LAST_YEAR: "la cifra del mismo periodo del año anterior",
}
_UNSAID: Final = ("carta", "encuesta", "instrumento")
"""Conditions that the reader knows: the sentence stands in its carta, the survey is its source."""

_ANSWER: Final = "survey.answered"
_GROUPS: Final = {
    Period.DAY: ("día con servicio", "días con servicio"),
    Period.WEEK: ("semana con servicio", "semanas con servicio"),
    Period.MONTH: ("mes con servicio", "meses con servicio"),
    Period.QUARTER: ("trimestre con servicio", "trimestres con servicio"),
    Period.SEMESTER: ("semestre con servicio", "semestres con servicio"),
    Period.YEAR: ("año con servicio", "años con servicio"),
}


def where(population: Population) -> str:
    """Name the conditions in brackets, after a space; nothing where there are none to say."""
    named = conditions(population, unsaid=_UNSAID)
    return f" ({named})" if named else ""


def entered(population: Population, value: Clock | Number | Outage | None, own: EventWords) -> str:
    """Say what brings a case into the population where it is not the start of what is measured."""
    if isinstance(value, Clock):
        is_known = population.event in value.start.kinds
    else:
        is_known = value is None or isinstance(value, Outage) or population.event == _ANSWER
    return "" if is_known else f"en que {words.event(population.event, own)}"


def conditions(population: Population, *, unsaid: tuple[str, ...] = ()) -> str:
    return "; ".join(
        f"{words.value(name)}: {words.alternatives([words.value(value) for value in values])}"
        for name, values in population.where.items()
        if name not in unsaid
    )


def without(population: Population) -> str:
    """Name what is excluded, after a semicolon."""
    names = [words.exclusion(name) for name in population.exclude]
    return f"; sin contar {', '.join(names)}" if names else ""


def pauses(clock: Clock) -> str:
    """Say what stops the clock, and until when each may begin; nothing where nothing does."""
    if not clock.pauses:
        return ""
    reasons = [words.pause(name) + _in_time(clock, name) for name in clock.pauses]
    return f"el tiempo se detiene mientras {words.alternatives(reasons)}"


def _in_time(clock: Clock, name: str) -> str:
    term = clock.pause_terms.get(name)
    if term is None:
        return ""
    return f" (solo si empieza a más tardar {words.duration(term, clock.unit)} después del inicio)"


def first_day(clock: Clock) -> str:
    """Say with which day a count of days begins; nothing where no days are counted."""
    if clock.from_due or clock.unit not in (Unit.WORKING_DAY, Unit.CALENDAR_DAY):
        return ""
    if clock.start_rule is StartRule.START_DAY:
        return "el día del inicio cuenta como el primero"
    if clock.unit is Unit.CALENDAR_DAY:
        return ""
    return "el primer día que cuenta es el día hábil siguiente al inicio"


def span(clock: Clock, own: EventWords) -> str:
    return f"desde que {instant(clock.start, own)} hasta que {instant(clock.stop, own)}"


def taken(clock: Clock) -> str:
    """Name what the clock counts: what was set beforehand can be late, and is never early."""
    return "retraso" if clock.from_due else "tiempo"


def instant(given: Instant, own: EventWords) -> str:
    phrases = [words.event(kind, own) for kind in given.kinds]
    if len(phrases) == 1:
        return phrases[0]
    which = "lo primero" if given.first_of else "lo último"
    return f"ocurre {which} de esto: {words.alternatives(phrases)}"


def measured(value: Clock | Number | Outage, own: EventWords) -> str:
    """Name what is measured of an item, with its article."""
    if isinstance(value, Clock):
        return f"el {taken(value)} {span(value, own)}"
    if isinstance(value, Outage):
        return "el tiempo sin servicio"
    if value.lowest is None or value.highest is None:
        return f"el dato «{words.value(value.field)}»"
    scale = f"de {words.number(value.lowest)} a {words.number(value.highest)}"
    return f"la calificación ({words.value(value.field)}, {scale})"


def amount(value: Decimal, of: Clock | Number | Outage | None, unit: str = "") -> str:
    """Write an amount in the unit of what it is an amount of, or in the noun of a target."""
    if isinstance(of, Clock | Outage):
        return words.duration(value, of.unit)
    has_noun = unit and not isinstance(of, Number)
    return f"{words.number(value)} {unit}" if has_noun else words.number(value)


def noun_of(figure: Figure) -> str:
    """Return what a bare figure of a group is a number of."""
    if isinstance(figure, Share):
        return "%"
    return "puntos" if isinstance(figure, Nps) else ""


def in_which(whom: str) -> str:
    """Continue a plural with its article, to say what holds in its items."""
    return f"{whom} en {'las' if whom.startswith('las ') else 'los'} que"


def bounded(op: Op, value: Decimal, written: str) -> str:
    """Put a bound around an amount; of what cannot be less than nothing, "at most 0" is 0."""
    return written if op is Op.AT_MOST and value == 0 else BOUNDS[op].format(written)


def limit(given: Limit, of: Clock | Number | Outage | None, unit: str = "") -> str:
    """Write what one item is held to, seasons and each looked-up value included.

    Not for a limit that is the case's own instant: that one is no amount.
    """
    if given.value is not None:
        seasons = "".join(f" ({_season(season, of, unit)})" for season in given.seasons)
        return bounded(given.op, given.value, amount(given.value, of, unit)) + seasons
    if given.by is not None:
        name = words.value(given.by)
        each = [
            f"{bounded(given.op, value, amount(value, of, unit))} ({name}: {words.value(key)})"
            for key, value in given.values.items()
        ]
        return words.alternatives(each)
    assert given.field is not None
    assert given.factor is not None
    term = f"{words.number(given.factor * 100)} % de su {words.value(given.field)}"
    return BOUNDS[given.op].format(term)


def _season(season: Season, of: Clock | Number | Outage | None, unit: str) -> str:
    first, last = (words.day_of_year(day) for day in (season.first, season.last))
    return f"del {first} al {last}, {amount(season.value, of, unit)}"


def followed(target: Target) -> str:
    """Say a target that follows an earlier window, with its verb."""
    earlier = multiple(target, target.value)
    if target.zero_reference == "not_evaluated":
        earlier += " (si esa fue cero, no se evalúa)"
    return FOLLOWS[target.op].format(earlier)


def multiple(target: Target, factor: Decimal) -> str:
    """Say a factor of the earlier window that a target follows."""
    assert target.reference is not None
    earlier = _EARLIER[target.reference]
    return earlier if factor == 1 else f"{words.number(factor * 100)} % de {earlier}"


def worst_of(target: Target) -> tuple[Op, Decimal] | None:
    """Return from where on a figure is unacceptable; the target itself never is."""
    if target.unacceptable is None:
        return None
    meets_its_edge = target.op in (Op.AT_LEAST, Op.AT_MOST)
    if target.unacceptable == target.value and meets_its_edge:
        op = Op.LESS if target.op.wants_more else Op.MORE
    else:
        op = Op.AT_MOST if target.op.wants_more else Op.AT_LEAST
    return op, target.unacceptable


def sampled(figure: Figure) -> tuple[str, str] | None:
    """Name one and several of what a minimum sample counts; None where the figure needs none."""
    match figure:
        case Availability() | Sum() | Count():
            return None
        case Groups():
            return (
                ("grupo con servicio", "grupos con servicio")
                if figure.by is None
                else _GROUPS[figure.by]
            )
        case Schedule():
            return "fecha esperada", "fechas esperadas"
        case Ratio():
            return "caso", "casos"
    if isinstance(figure.value, Clock) or figure.population.event != _ANSWER:
        return "caso", "casos"
    return "respuesta", "respuestas"


def sample(minimum: int, nouns: tuple[str, str]) -> str:
    return f"{words.number(Decimal(minimum))} {nouns[minimum != 1]}"


def sign_of(given: Limit, of: Clock | Number | Outage | None, unit: str = "") -> str:
    """Write a limit as a formula does: with a sign."""
    sign = SIGNS[given.op]
    if given.own_due:
        return "fin a más tardar en la fecha prometida"
    if given.value is not None:
        seasons = "".join(f" ({_season(season, of, unit)})" for season in given.seasons)
        return f"{sign} {amount(given.value, of, unit)}{seasons}"
    if given.by is not None:
        return f"{sign} el límite según {words.value(given.by)}"
    assert given.field is not None
    assert given.factor is not None
    return f"{sign} {words.number(given.factor)} × {words.value(given.field)}"


def day(given: date) -> str:
    return f"{given.day} de {words.month_name(given.month)} de {given.year}"


def occasions(recurrence: Recurrence) -> str:
    """Name what recurs: of days, only those that count in its calendar."""
    every = words.periods(recurrence.every)
    if recurrence.every is not Period.DAY:
        return every
    return f"{every} que cuentan en el calendario «{recurrence.calendar}»"


def to(whom: str) -> str:
    """Put "to" before a noun with its article: "a la suma", "al número"."""
    return f"al {whom.removeprefix('el ')}" if whom.startswith("el ") else f"a {whom}"


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
