"""Calendars as the author writes them: inheritance and classes of days are resolved here."""

import re
import zoneinfo
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from services.cartas.domain.fields import NO_CODE, Section, listed
from shared.worktime import Calendar, DayException, Segment, StartRule, Weekday

FIRST_VERSION: Final = 1
MAX_CLOSURES: Final = 2000

_Effect: TypeAlias = tuple[bool, bool]
_CLASSES: Final[dict[str, _Effect]] = {
    "inhabil": (False, False),
    "vacaciones_generales": (False, False),
    "inhabil_laborable": (True, False),
}
"""Class of a day -> whether it opens, whether it counts for terms."""
_EFFECTS: Final[dict[str, _Effect]] = {
    "abierto_con_guardia": (True, False),
    "laborable_sin_plazos": (True, False),
    "abierto": (True, True),
    "cerrado": (False, False),
}
_WORKWEEK: Final = tuple(Weekday)[:5]
_DAYS: Final[dict[str, tuple[Weekday, ...]]] = {
    "lun": (Weekday.MONDAY,),
    "mar": (Weekday.TUESDAY,),
    "mie": (Weekday.WEDNESDAY,),
    "jue": (Weekday.THURSDAY,),
    "vie": (Weekday.FRIDAY,),
    "sab": (Weekday.SATURDAY,),
    "dom": (Weekday.SUNDAY,),
    "lun_vie": _WORKWEEK,
    "lun_sab": tuple(Weekday)[:6],
    "sab_dom": tuple(Weekday)[5:],
    "todos": tuple(Weekday),
}
_KINDS: Final[dict[str, Literal["working", "natural"]]] = {"habil": "working", "natural": "natural"}
_START_RULES: Final = {
    "dia_siguiente": StartRule.NEXT_COUNTING_DAY,
    "mismo_dia": StartRule.START_DAY,
}
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00")
_YEAR_KEY = re.compile(r"no_habiles_(20[0-9]{2})")
_DAY_NAME = re.compile("|".join(_DAYS))


@dataclass(frozen=True, slots=True)
class _Closure:
    """A published exception before its class is resolved."""

    first: date
    last: date
    reason: str
    day_class: str


@dataclass(frozen=True, slots=True)
class _Declared:
    """A calendar as written, with what it takes from its parent once that is resolved."""

    section: Section
    parent: str | None
    kind: Literal["working", "natural"]
    week: dict[Weekday, tuple[Segment, ...]]
    counting: tuple[Weekday, ...]
    classes: dict[str, _Effect]
    closures: tuple[_Closure, ...]
    start_rule: StartRule
    source: str


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars that could be read, by id, and the ids of all, which may be cited."""

    built: dict[str, Calendar]
    names: tuple[str, ...]


def read_calendars(sections: list[Section], zone: str) -> Calendars:
    """Return the calendars; faults go to the sections' report.

    Exceptions of a parent come first and take the class effects of the calendar that inherits.
    """
    declared: dict[str, _Declared] = {}
    for section in sections:
        _declare(section, declared)
    resolved = {name: _resolve(name, declared) for name in declared}
    built = {
        name: calendar
        for name, each in resolved.items()
        if each is not None and (calendar := _build(name, each, zone)) is not None
    }
    return Calendars(built, tuple(declared))


def known_zone(name: str) -> bool:
    """Say whether `name` is an IANA time zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _declare(section: Section, declared: dict[str, _Declared]) -> None:
    name = section.code("id")
    if name in declared:
        if name != NO_CODE:
            section.fault("id", f"el calendario «{name}» ya está declarado")
        return
    section.ignore("nota")
    kind = section.choice("tipo", _KINDS)
    week = _week(section)
    declared[name] = _Declared(
        section=section,
        parent=section.code("hereda") if "hereda" in section else None,
        kind=kind,
        week=week,
        counting=_counting(section, kind, week),
        classes=_classes(section),
        closures=_closures(section),
        start_rule=section.choice("inicio_de_plazo", _START_RULES, default="dia_siguiente"),
        source=section.optional_text("publicado_en", longest=500) or "",
    )
    section.ignore("hereda")
    section.close()


def _week(section: Section) -> dict[Weekday, tuple[Segment, ...]]:
    hours = section.section("jornada")
    week: dict[Weekday, tuple[Segment, ...]] = {}
    faults_before = len(section.report.faults)
    for key in hours.names():
        segments = _segments(hours, key)
        if key not in _DAYS:
            hours.fault(key, f"se esperaba uno de: {listed(_DAYS)}")
            continue
        for day in _DAYS[key]:
            if day in week:
                hours.fault(key, "este día ya tiene horario en otro renglón")
            week[day] = segments
    if not any(week.values()) and len(section.report.faults) == faults_before:
        hours.fault(None, "el calendario no abre ningún día")
    return week


def _segments(hours: Section, key: str) -> tuple[Segment, ...]:
    """Read pairs of times: ['09:00', '14:00', '16:00', '18:00'] opens twice a day."""
    times = [time.zfill(5) for time in hours.words(key, _TIME, "una hora como 09:00")]
    if len(times) % 2:
        hours.fault(key, "se esperaban pares de horas: abre, cierra")
        return ()
    if any(later <= earlier for earlier, later in pairwise(times)):
        hours.fault(key, "cada hora debe ser posterior a la anterior (24:00 cierra el día)")
        return ()
    return tuple(zip(times[::2], times[1::2], strict=True))


def _counting(
    section: Section, kind: str, week: dict[Weekday, tuple[Segment, ...]]
) -> tuple[Weekday, ...]:
    """Return the days of `cuentan`, else Monday to Friday where they open; never a Saturday."""
    named = section.words("cuentan", _DAY_NAME, f"uno de: {listed(_DAYS)}")
    if kind == "natural":
        if named:
            section.fault("cuentan", "en un calendario natural cuentan todos los días")
        return tuple(Weekday)
    days = {day for name in named for day in _DAYS[name]} if named else set(_WORKWEEK)
    counting = tuple(day for day in Weekday if day in days and (named or week.get(day)))
    if not counting and week:
        section.fault("jornada", "ningún día cuenta para los plazos; declare «cuentan»")
    return counting


def _classes(section: Section) -> dict[str, _Effect]:
    """Read what classes of days do here: own ones, and exceptions to inherited ones."""
    found: dict[str, _Effect] = {}
    own = section.optional_section("clases")
    for name in own.names() if own else ():
        assert own is not None
        each = own.section(name)
        found[name] = (each.boolean("abre", default=False), each.boolean("cuenta", default=False))
        each.close()
    for each in section.sections("excepciones", "clase"):
        found[each.code("clase")] = each.choice("efecto", _EFFECTS)
        each.close()
    return found


def _closures(section: Section) -> tuple[_Closure, ...]:
    found: list[_Closure] = []
    for key in section.names():
        if match := _YEAR_KEY.fullmatch(key):
            year = int(match[1])
            found.extend(_closure(each, year) for each in section.sections(key, "motivo"))
    return tuple(found)


def _closure(section: Section, year: int) -> _Closure:
    if "fecha" in section:
        key = "fecha"
        first = last = section.day("fecha")
    else:
        key = "desde"
        first, last = section.day("desde"), section.day("hasta")
    if first.year != year:
        section.fault(key, f"se esperaba una fecha de {year}")
    if last < first:
        section.fault("hasta", f"el último día ({last}) es anterior al primero ({first})")
        last = first
    if (last - first).days > 366:
        section.fault("hasta", "el periodo dura más de un año")
    reason = section.text("motivo", longest=300)
    closure = _Closure(first, last, reason, section.code("clase"))
    section.close()
    return closure


def _resolve(name: str, declared: dict[str, _Declared]) -> _Declared | None:
    """Return the calendar with its ancestors' closures and classes, its own last."""
    own = declared[name]
    seen, each = [name], own
    closures, classes = own.closures, own.classes
    while each.parent is not None:
        if each.parent in seen:
            own.section.fault("hereda", f"herencia en círculo: {' → '.join([*seen, each.parent])}")
            return None
        if each.parent not in declared:
            message = f"el calendario «{each.parent}» no existe; hay: {listed(declared)}"
            each.section.fault("hereda", message)
            return None
        seen.append(each.parent)
        each = declared[each.parent]
        closures, classes = each.closures + closures, {**each.classes, **classes}
    return replace(own, closures=closures, classes=classes)


def _build(name: str, declared: _Declared, zone: str) -> Calendar | None:
    classes = {**_CLASSES, **declared.classes}
    for day_class in sorted({each.day_class for each in declared.closures} - classes.keys()):
        message = f"la clase de día «{day_class}» no existe; hay: {listed(classes)}"
        declared.section.fault(None, message)
        return None
    if declared.kind == "natural" and declared.closures:
        declared.section.fault(None, "un calendario natural no tiene días inhábiles")
        return None
    if len(declared.closures) > MAX_CLOSURES:
        declared.section.fault(None, f"hay más de {MAX_CLOSURES} periodos inhábiles")
        return None
    if not any(declared.week.values()) or not declared.counting or not known_zone(zone):
        return None
    return Calendar(
        id=name,
        version=FIRST_VERSION,
        kind=declared.kind,
        zone=zone,
        week={day: declared.week.get(day, ()) for day in Weekday},
        counting=declared.counting,
        days=tuple(_day(each, classes) for each in declared.closures),
        start_rule=declared.start_rule,
        source=declared.source,
    )


def _day(closure: _Closure, classes: dict[str, _Effect]) -> DayException:
    opens, counts = classes[closure.day_class]
    return DayException(
        first=closure.first, last=closure.last, reason=closure.reason, opens=opens, counts=counts
    )
