"""From the criterion as the author writes it to the algebra that is judged.

A form that is not judged yet is kept whole, by its name; a form that nobody knows is a fault.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from services.cartas.domain.fields import (
    CODE,
    CODE_EXPECTED,
    EVENT_EXPECTED,
    EVENT_KIND,
    NO_EVENT,
    Section,
    listed,
    plain,
)
from services.cartas.domain.limits import ATTRIBUTE, LARGEST, OPS, VALUE, read_limit, read_target
from services.cartas.domain.marked_yaml import Items, Mapping, Node, Scalar
from shared.criteria import (
    Anchor,
    AnyCriterion,
    Clock,
    Criterion,
    Instant,
    Mean,
    Op,
    Population,
    Share,
    Target,
    Unsupported,
)
from shared.worktime import StartRule, Unit
from shared.worktime.model import UNITS_WITHOUT_CALENDAR

SHARE: Final = "share_within"
MEAN: Final = "mean"
ALL_OF: Final = "all_of"
JUDGED_FIELDS: Final = {
    SHARE: ("poblacion", "reloj", "limite"),
    MEAN: ("poblacion", "reloj"),
}
NOT_YET_JUDGED: Final = {
    "score_share": ("encuesta", "pregunta", "escala", "aprobatorio"),
    "score_mean": ("encuesta", "pregunta", "escala", "instrumento", "campo"),
    "nps": ("encuesta", "pregunta", "escala"),
    "ratio": ("numerador", "denominador"),
    "nested_share": ("poblacion", "sub_ventana", "interno", "limite"),
    "availability": ("servicio", "horario", "excluir"),
    "count": ("poblacion",),
    "relative": ("interno", "referencia", "factor", "si_referencia_cero"),
    "deadline": ("poblacion", "vence", "cumple", "tolerancia", "recurrencia", "donde"),
    "checklist": ("instrumento",),
    "percentile": ("p", "poblacion", "reloj"),
}
"""Forms of the algebra that are published by name, with the fields each may have."""

ALL_FORMS: Final = (*JUDGED_FIELDS, ALL_OF, *NOT_YET_JUDGED)
_ANCHORS: Final = {anchor.value: anchor for anchor in Anchor}
_UNITS: Final = {unit.value: unit for unit in Unit}
_START_RULES: Final = {
    "dia_siguiente": StartRule.NEXT_COUNTING_DAY,
    "mismo_dia": StartRule.START_DAY,
}
_COMPOSITE = re.compile(r"(max|first_of)\(([^()]+)\)")
_NO_INSTANT: Final = Instant(event=NO_EVENT)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a criterion takes from its carta: the calendars there are, and the default one."""

    calendars: Collection[str]
    calendar: str


def read_criterion(compromiso: Section, around: Surroundings) -> AnyCriterion:
    """Return the criterion of a compromiso, whose target (`umbral`) stands beside it."""
    section = compromiso.section("criterio")
    form = _form(section)
    check_calendars(section, around)
    if form is None:
        return Unsupported(form="?", declared={})
    unsupported_by = _unsupported_by(compromiso, section, form)
    if unsupported_by is not None:
        _check_declared(section, form)
        _checkread_target(compromiso)
        return Unsupported(form=unsupported_by, declared=_declared(compromiso, section))
    reader = _Reader(compromiso, section, around)
    parts = reader.conjunction() if form == ALL_OF else (reader.part(section, form),)
    section.close()
    return Criterion(parts=parts)


def _form(section: Section) -> str | None:
    """Return the form, None and a fault where it is none of the algebra's."""
    return section.choice("forma", {form: form for form in ALL_FORMS}, otherwise="") or None


def _unsupported_by(compromiso: Section, section: Section, form: str) -> str | None:
    """Return the name under which the criterion is not judged yet, or None where it is."""
    season = [key for key in UNJUDGED_MODIFIERS if key in compromiso]
    if form in NOT_YET_JUDGED:
        return form
    if form == ALL_OF and any(
        _form(part) not in JUDGED_FIELDS for part in section.sections("partes")
    ):
        return form
    return f"{form} con {season[0]}" if season else None


UNJUDGED_MODIFIERS: Final = ("variantes_temporada", "desfase_cierre_dias")
"""Fields of a compromiso that would change what is judged, and are not applied yet."""


def _declared(compromiso: Section, section: Section) -> dict[str, JsonValue]:
    beside = {
        key: plain(node)
        for key in ("umbral", *UNJUDGED_MODIFIERS)
        if (node := compromiso.node(key)) is not None
    }
    return {**section.plain(), **beside}


def _check_declared(section: Section, form: str) -> None:
    """Known fields only, also where the form is not judged: a misspelling is cheapest now."""
    section.ignore("umbral")
    if form == ALL_OF:
        section.ignore("poblacion", "reloj", "limite")
        for part in section.sections("partes"):
            _check_declared(part, _form(part) or form)
            _checkread_target(part)
    else:
        section.ignore(*NOT_YET_JUDGED.get(form, JUDGED_FIELDS.get(form, ())))
    section.close()


def _checkread_target(owner: Section) -> None:
    target = owner.optional_section("umbral")
    if target is None:
        return
    target.choice("op", OPS)
    target.decimal("objetivo", LARGEST)
    target.optional_decimal("inaceptable", LARGEST)
    target.optional_text("unidad", longest=40)
    target.close()


def check_calendars(section: Section, around: Surroundings) -> None:
    """Note every `calendario` inside the criterion, however deep, that does not exist."""
    for key in section.names():
        _check_calendar_node(section, key, section.node(key), around)


def _check_calendar_node(owner: Section, key: str, node: Node | None, around: Surroundings) -> None:
    if isinstance(node, Items):
        for each in node.nodes:
            _check_calendar_node(owner, "", each, around)
    elif isinstance(node, Mapping):
        inner = Section(node, owner.path_of(key) if key else owner.path, owner.report)
        check_calendars(inner, around)
    elif (
        key == "calendario"
        and isinstance(node, Scalar)
        and node.text is not None
        and node.text not in around.calendars
    ):
        owner.fault(key, missing_calendar(node.text, around.calendars))


def missing_calendar(name: str, calendars: Collection[str]) -> str:
    """Return the message for a calendar that is cited and does not exist."""
    return f"el calendario «{name}» no existe; hay: {listed(calendars)}"


class _Reader:
    """Reads judged parts; what a part of a conjunction does not say, the conjunction says."""

    def __init__(self, compromiso: Section, criterion: Section, around: Surroundings) -> None:
        self._compromiso = compromiso
        self._criterion = criterion
        self._around = around

    def conjunction(self) -> tuple[Share | Mean, ...]:
        sections = self._criterion.sections("partes")
        if not 1 <= len(sections) <= 20:
            self._criterion.fault("partes", "se esperaban de 1 a 20 partes")
        self._criterion.ignore("poblacion", "reloj", "limite", "umbral")
        self._compromiso.ignore("umbral")
        parts = tuple(self.part(each, _form(each) or MEAN) for each in sections)
        for each in sections:
            each.close()
        return parts or (_NO_PART,)

    def part(self, section: Section, form: str) -> Share | Mean:
        section.ignore(*JUDGED_FIELDS[form])
        population = _population(self._owner(section, "poblacion"))
        clock_section = self._owner(section, "reloj")
        clock = _clock(clock_section, self._around)
        target_section = self._target_owner(section)
        if form == MEAN:
            target = read_target(target_section, clock.unit.value, LARGEST)
            return _mean(section, population, clock=clock, target=target)
        limit = read_limit(self._owner(section, "limite"))
        target = read_target(target_section, "%", 100)
        return Share(population=population, clock=clock, limit=limit, target=target)

    def _owner(self, part: Section, key: str) -> Section:
        """Return the group `key` of the part, else of the whole criterion."""
        inherited = part is not self._criterion and key not in part and key in self._criterion
        return (self._criterion if inherited else part).section(key)

    def _target_owner(self, part: Section) -> Section:
        if part is not self._criterion and "umbral" in part:
            return part.section("umbral")
        if "umbral" in self._criterion:
            return self._criterion.section("umbral")
        return (self._compromiso if part is self._criterion else part).section("umbral")


def _population(section: Section) -> Population:
    population = Population(
        event=section.event("evento"),
        anchor=section.choice("ancla", _ANCHORS),
        where=_where(section),
        exclude=section.words("excluir", CODE, CODE_EXPECTED),
    )
    section.close()
    return population


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


def _clock(section: Section, around: Surroundings) -> Clock:
    unit = section.choice("unidad", _UNITS)
    cited = section.code("calendario") if "calendario" in section else None
    section.ignore("calendario")
    if cited is None and unit not in UNITS_WITHOUT_CALENDAR:
        cited = around.calendar
    start, stop = _instant(section, "inicio"), _instant(section, "fin")
    if start == stop and start != _NO_INSTANT:
        section.fault("fin", "el reloj empieza y termina con lo mismo")
    rule = section.choice("inicio_de_plazo", _START_RULES) if "inicio_de_plazo" in section else None
    pauses = section.words("pausas", CODE, CODE_EXPECTED)
    section.close()
    return Clock(start=start, stop=stop, unit=unit, calendar=cited, pauses=pauses, start_rule=rule)


def _instant(section: Section, key: str) -> Instant:
    """Read an event, or `max(a, b)` (the last of them), or `first_of(a, b)` (the first)."""
    expected = f"{EVENT_EXPECTED}, o max(a, b), o first_of(a, b)"
    anything = re.compile(r"[^\n]{1,700}")
    text = section.matching(key, anything, expected, stand_in=NO_EVENT)
    composite = _COMPOSITE.fullmatch(text)
    if composite is None:
        if EVENT_KIND.fullmatch(text):
            return Instant(event=text)
        section.fault(key, f"se esperaba {expected}")
        return _NO_INSTANT
    kinds = tuple(kind.strip() for kind in composite[2].split(","))
    if not 2 <= len(kinds) <= 10 or not all(EVENT_KIND.fullmatch(kind) for kind in kinds):
        section.fault(key, f"se esperaban en el paréntesis de 2 a 10, cada uno {EVENT_EXPECTED}")
        return _NO_INSTANT
    return Instant(max_of=kinds) if composite[1] == "max" else Instant(first_of=kinds)


def _mean(section: Section, population: Population, *, clock: Clock, target: Target) -> Mean:
    if population.anchor is Anchor.DUE:
        message = "un promedio no tiene límite y por eso tampoco vencimiento: use otra «ancla»"
        section.fault("poblacion", message)
        population = population.model_copy(update={"anchor": Anchor.OCCURRED})
    return Mean(population=population, clock=clock, target=target)


_NO_PART: Final = Mean(
    population=Population(event=NO_EVENT, anchor=Anchor.OCCURRED),
    clock=Clock(start=_NO_INSTANT, stop=_NO_INSTANT, unit=Unit.MINUTE),
    target=Target(op=Op.AT_MOST, value=Decimal(1), unit="min"),
)
