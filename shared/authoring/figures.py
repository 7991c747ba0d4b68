"""The figures of criteria, form by form, from the author's fields."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.authoring.clocks import UNITS, read_clock, read_instant
from shared.authoring.fields import (
    CODE,
    CODE_EXPECTED,
    NO_EVENT,
    Section,
    as_decimal,
)
from shared.authoring.limits import ATTRIBUTE, LARGEST, VALUE, read_limit
from shared.criteria import (
    Anchor,
    Availability,
    Clock,
    Count,
    Figure,
    Groups,
    Limit,
    Mean,
    Method,
    Nps,
    Number,
    Op,
    Outage,
    Percentile,
    Period,
    Population,
    Ratio,
    Recurrence,
    Schedule,
    Season,
    Share,
    Statistic,
    Sum,
)
from shared.criteria.methods import SURVEY_ANSWERED
from shared.criteria.values import INSTRUMENT
from shared.criteria.words import number
from shared.worktime import Unit
from shared.worktime.model import UNITS_WITHOUT_CALENDAR

INSTRUMENT_SCORED: Final = "instrument.scored"
OUTAGE_STARTED, OUTAGE_ENDED = "outage.started", "outage.ended"
FULFILLED, APPLICABLE = "cumplidos", "aplicables"
"""What a checklist's record counts: items fulfilled, of those that apply."""
_ALWAYS_OPEN: Final = "24x7"
_ANCHORS: Final = {anchor.value: anchor for anchor in Anchor}
_PERIODS: Final = {period.value: period for period in Period}
_METHODS: Final = {each.value: each for each in (Method.SHOPPER, Method.VISIT)}
_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_SCALE_END = re.compile(r"[0-9]{1,4}(\.[0-9]{1,2})?")
NO_FIGURE: Final = Count(population=Population(event=NO_EVENT, anchor=Anchor.OCCURRED))
"""Stands in for a figure with a fault; nothing that was read from a file with faults is used."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The groups of fields in which a figure looks for its own, the nearest first."""

    sections: Sequence[Section]
    calendar: str
    seasons: Sequence[Season] = ()

    @property
    def own(self) -> Section:
        return self.sections[0]

    def group(self, key: str) -> Section:
        """Return the group `key` of the nearest that has it; its absence is noted."""
        return next((s for s in self.sections if key in s), self.own).section(key)

    def has(self, key: str) -> bool:
        return any(key in section for section in self.sections)

    def within(self, key: str) -> "Scope":
        """Return the scope of the group `key`, which takes what it does not say from here."""
        return Scope((self.own.section(key), *self.sections), self.calendar)


def read_statistic(scope: Scope) -> Statistic:
    """Return a statistic by its own `forma`, as groups and references take it."""
    form = scope.own.choice("forma", {form: form for form in _STATISTICS}, otherwise="count")
    figure = _STATISTICS[form](scope)
    scope.own.close()
    return figure


def relative_inner(scope: Scope) -> Figure:
    """Return the statistic that is compared with its own past."""
    return read_statistic(scope.within("interno"))


def _share(scope: Scope) -> Share:
    value = _timed(scope)
    limit = read_limit(scope.group("limite"), seasons=scope.seasons)
    return Share(population=read_population(scope.group("poblacion")), value=value, limit=limit)


def _mean(scope: Scope) -> Mean:
    value = _number(scope) if "campo" in scope.own else _timed(scope)
    return Mean(population=read_population(scope.group("poblacion")), value=value)


def _percentile(scope: Scope) -> Percentile:
    before = len(scope.own.report.faults)
    p = scope.own.decimal("p", 100)
    if not p and len(scope.own.report.faults) == before:
        scope.own.fault("p", "se esperaba un número mayor que 0, hasta 100")
    value = _number(scope) if "campo" in scope.own else _timed(scope)
    population = read_population(scope.group("poblacion"))
    return Percentile(p=p or Decimal(50), population=population, value=value)


def _count(scope: Scope) -> Count:
    population = read_population(scope.group("poblacion"))
    if "limite" not in scope.own:
        return Count(population=population)
    limit = read_limit(scope.own.section("limite"), seasons=scope.seasons)
    return Count(population=population, value=_timed(scope), limit=limit)


def _sum(scope: Scope) -> Sum:
    population = read_population(scope.group("poblacion"))
    if "corte" not in scope.own:
        return Sum(population=population, value=_number(scope))
    section = scope.own.section("corte")
    value = _outage(section, section.choice("unidad", UNITS), scope.calendar)
    section.close()
    return Sum(population=population, value=value)


def _score_share(scope: Scope) -> Share:
    population, value = _scores(scope)
    limit = read_limit(scope.own.section("aprobatorio"))
    _check_on_scale(scope.own, value, limit)
    return Share(population=population, value=value, limit=limit)


def _check_on_scale(own: Section, score: Number, passing: Limit) -> None:
    lowest, highest = score.lowest, score.highest
    if passing.value is None or lowest is None or highest is None:
        return
    if not lowest <= passing.value <= highest:
        scale = f"de {number(lowest)} a {number(highest)}"
        own.fault("aprobatorio", f"{number(passing.value)} queda fuera de la escala, {scale}")


def _score_mean(scope: Scope) -> Mean:
    population, value = _scores(scope)
    return Mean(population=population, value=value)


def _nps(scope: Scope) -> Nps:
    population, value = _scores(scope)
    return Nps(population=population, value=value)


def _scores(scope: Scope) -> tuple[Population, Number]:
    """A survey has questions, an instrument (a shopper, a visit) has fields; they never mix."""
    own = scope.own
    kind, field = ("encuesta", "pregunta") if "encuesta" in own else ("instrumento", "campo")
    event = SURVEY_ANSWERED if kind == "encuesta" else INSTRUMENT_SCORED
    asked = own.matching(
        field, ATTRIBUTE, "un nombre en minúsculas como satisfaccion_global", stand_in="x"
    )
    lowest, highest = _scale(own)
    population = _recorded(own, event, kind)
    return population, Number(field=asked, lowest=lowest, highest=highest)


def _recorded(own: Section, event: str, kind: str) -> Population:
    where = {kind: (own.code(kind),), **_where(own)}
    exclude = own.words("excluir", CODE, CODE_EXPECTED)
    method = _method(own) if kind == INSTRUMENT else None
    return Population(
        event=event, anchor=Anchor.OCCURRED, where=where, exclude=exclude, method=method
    )


def _method(section: Section) -> Method | None:
    """Return which kind of instrument it is, where the author says so."""
    return section.choice("metodo", _METHODS) if "metodo" in section else None


def _scale(own: Section) -> tuple[Decimal, Decimal]:
    ends = own.words("escala", _SCALE_END, "los dos extremos, como [0, 10]")
    values = [as_decimal(end, 1000) for end in ends]
    if len(values) != 2 or None in values:
        own.fault("escala", "se esperaban los dos extremos, como [0, 10]")
        return Decimal(0), Decimal(10)
    return values[0] or Decimal(0), values[1] or Decimal(0)


def _checklist(scope: Scope) -> Ratio:
    """Items that do not apply are in neither sum."""
    population = _recorded(scope.own, INSTRUMENT_SCORED, "instrumento")
    return Ratio(
        numerator=Sum(population=population, value=Number(field=FULFILLED)),
        denominator=Sum(population=population, value=Number(field=APPLICABLE)),
    )


def _ratio(scope: Scope) -> Ratio:
    own = scope.own
    part = _side(own.section("numerador"), scope.calendar)
    whole = _side(own.section("denominador"), scope.calendar)
    margin = _margin(own)
    try:
        return Ratio(numerator=part, denominator=whole, margin=margin)
    except ValueError:
        own.fault("margen", "sólo lo tiene una parte de las mismas respuestas, con el mismo peso")
        return Ratio(numerator=part, denominator=whole)


def _margin(own: Section) -> bool:
    return own.choice("margen", {"no": False, "aproximado": True}, default="no", otherwise=False)


def _side(section: Section, calendar: str) -> Sum | Count:
    population = _population_of(section)
    if "suma" in section:
        field = section.matching("suma", ATTRIBUTE, "un dato como horas", stand_in="x")
        section.close()
        return Sum(population=population, value=Number(field=field))
    if "limite" not in section:
        section.close()
        return Count(population=population)
    limit = read_limit(section.section("limite"))
    value = read_clock(section.section("reloj"), calendar)
    section.close()
    return Count(population=population, value=value, limit=limit)


def _nested(scope: Scope) -> Groups:
    own = scope.own
    period, attribute = None, None
    if "por" in own:
        attribute = own.matching("por", ATTRIBUTE, "un atributo como sede", stand_in="x")
    else:
        period = own.choice("sub_ventana", _PERIODS)
    limit = read_limit(own.section("limite"), seasons=scope.seasons)
    own.ignore("poblacion")
    inner = read_statistic(scope.within("interno"))
    return Groups(by=period, attribute=attribute, inner=inner, limit=limit)


def _availability(scope: Scope) -> Availability:
    own = scope.own
    hours = own.matching("horario", re.compile(r"\S{1,64}"), "24x7 o un calendario", stand_in="")
    is_always = hours in ("", _ALWAYS_OPEN)
    value = Outage(
        stop=OUTAGE_ENDED,
        unit=Unit.MINUTE if is_always else Unit.OPEN_MINUTE,
        calendar=None if is_always else hours,
    )
    where = {"servicio": (own.code("servicio"),), **_where(own)}
    exclude = own.words("excluir", CODE, CODE_EXPECTED)
    population = Population(
        event=OUTAGE_STARTED, anchor=Anchor.OCCURRED, where=where, exclude=exclude
    )
    return Availability(population=population, value=value)


def _outage(section: Section, unit: Unit, calendar: str) -> Outage:
    cited = section.code("calendario") if "calendario" in section else calendar
    section.ignore("calendario")
    needed = unit not in UNITS_WITHOUT_CALENDAR
    return Outage(stop=section.event("fin"), unit=unit, calendar=cited if needed else None)


def _deadline(scope: Scope) -> Figure:
    return _scheduled(scope) if "recurrencia" in scope.own else _by_due(scope)


def _scheduled(scope: Scope) -> Schedule:
    own = scope.own
    population = Population(
        event=own.event("cumple"),
        anchor=Anchor.OCCURRED,
        where=_where(own),
        exclude=own.words("excluir", CODE, CODE_EXPECTED),
    )
    section = own.section("recurrencia")
    recurrence = Recurrence(
        every=section.choice("cada", _PERIODS),
        calendar=section.code("calendario") if "calendario" in section else scope.calendar,
        month=_optional(section, "mes", 12),
        day=_optional(section, "dia", 31),
        working_day=_optional(section, "dia_habil", 260),
        time=(
            section.matching("hora", _HOUR, "una hora como '18:00'", stand_in="18:00")
            if "hora" in section
            else None
        ),
    )
    section.ignore("calendario")
    section.close()
    return Schedule(population=population, recurrence=recurrence)


def _optional(section: Section, key: str, highest: int) -> int | None:
    section.ignore(key)
    return section.integer(key, 1, highest) if key in section else None


def _by_due(scope: Scope) -> Share:
    """A case has an instant that was set beforehand; a tolerance after it is still in time."""
    own = scope.own
    tolerance = own.section("tolerancia")
    unit = tolerance.choice("unidad", UNITS)
    value = tolerance.decimal("valor", LARGEST)
    cited = tolerance.code("calendario") if "calendario" in tolerance else scope.calendar
    tolerance.ignore("calendario")
    tolerance.close()
    clock = Clock(
        start=read_instant(own, "vence"),
        stop=read_instant(own, "cumple"),
        unit=unit,
        calendar=None if unit in UNITS_WITHOUT_CALENDAR else cited,
        from_due=True,
        exact_day=own.boolean("exacto", default=False),
    )
    limit = Limit(op=Op.AT_MOST, value=value)
    return Share(population=read_population(scope.group("poblacion")), value=clock, limit=limit)


READERS: Final[Mapping[str, Callable[[Scope], Figure]]] = {
    "share_within": _share,
    "mean": _mean,
    "percentile": _percentile,
    "count": _count,
    "sum": _sum,
    "score_share": _score_share,
    "score_mean": _score_mean,
    "nps": _nps,
    "ratio": _ratio,
    "checklist": _checklist,
    "nested_share": _nested,
    "availability": _availability,
    "deadline": _deadline,
}
_STATISTICS: Final[Mapping[str, Callable[[Scope], Statistic]]] = {
    "share_within": _share,
    "mean": _mean,
    "percentile": _percentile,
    "count": _count,
    "sum": _sum,
    "score_share": _score_share,
    "score_mean": _score_mean,
    "nps": _nps,
}


# Populations and values


def read_population(section: Section) -> Population:
    """Return which cases count; the group must hold nothing else."""
    population = _population_of(section)
    section.close()
    return population


def _population_of(section: Section) -> Population:
    return Population(
        event=section.event("evento"),
        anchor=section.choice("ancla", _ANCHORS),
        where=_where(section),
        exclude=section.words("excluir", CODE, CODE_EXPECTED),
        method=_method(section),
    )


def _where(section: Section) -> dict[str, tuple[str, ...]]:
    conditions = section.optional_section("donde")
    if conditions is None:
        return {}
    where = {}
    for name in conditions.names():
        if not ATTRIBUTE.fullmatch(name):
            conditions.fault(name, "se esperaba un atributo en minúsculas, como canal")
        where[name] = conditions.words(name, VALUE, "un valor sin espacios")
        if not where[name]:
            conditions.fault(name, "se esperaba al menos un valor")
    if len(where) > 20:
        section.fault("donde", "se esperaban a lo sumo 20 condiciones")
        return {}
    return {name: values for name, values in where.items() if 1 <= len(name) <= 200}


def _number(scope: Scope) -> Number:
    field = scope.own.matching("campo", ATTRIBUTE, "un dato como asistentes", stand_in="x")
    if "escala" not in scope.own:
        return Number(field=field)
    lowest, highest = _scale(scope.own)
    return Number(field=field, lowest=lowest, highest=highest)


def _timed(scope: Scope) -> Clock:
    return read_clock(scope.group("reloj"), scope.calendar)
