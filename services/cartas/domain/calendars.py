"""Calendars as the author writes them: inheritance and classes of days are resolved here."""

import re
import zoneinfo
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from shared.authoring.criteria import missing_calendar
from shared.authoring.fields import NO_CODE, Section, listed
from shared.authoring.marked_yaml import Items
from shared.worktime import (
    Calendar,
    DayException,
    Segment,
    StartRule,
    Weekday,
    WeekFrom,
    dead_years,
)

FIRST_VERSION: Final = 1
MAX_EXCEPTIONS: Final = 2000

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


_SUSPENDS: Final[dict[str, tuple[bool | None, bool | None]]] = {
    "labores": (False, None),
    "plazos": (None, False),
    "labores_y_plazos": (False, False),
}
"""What a decree suspends -> whether those days open and count; None leaves them as they are."""


@dataclass(frozen=True, slots=True)
class _Exception:
    """A published exception; one with a class gets its effect where the calendar is resolved.

    Guards and suspensions have no class, and prevail over the days of the year's list.
    """

    first: date
    last: date
    reason: str
    day_class: str | None
    opens: bool | tuple[Segment, ...] | None = None
    counts: bool | None = None
    act: str = ""


@dataclass(frozen=True, slots=True)
class _Declared:
    """A calendar as written, with what it takes from its parent once that is resolved."""

    section: Section
    parent: str | None
    kind: Literal["working", "natural"]
    week: dict[Weekday, tuple[Segment, ...]]
    counting: tuple[Weekday, ...]
    weeks: tuple[WeekFrom, ...]
    classes: dict[str, _Effect]
    exceptions: tuple[_Exception, ...]
    start_rule: StartRule
    source: str
    zone: str | None


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
        weeks=_weeks(section, kind),
        classes=_classes(section),
        exceptions=(*_closures(section), *_guards(section), *_suspensions(section)),
        start_rule=section.choice("inicio_de_plazo", _START_RULES, default="dia_siguiente"),
        source=section.optional_text("publicado_en", longest=500) or "",
        zone=_zone(section),
    )
    section.ignore("hereda")
    section.close()


def _zone(section: Section) -> str | None:
    name = section.optional_text("zona_horaria", longest=64)
    if name is not None and not known_zone(name):
        section.fault("zona_horaria", f"no se conoce la zona horaria «{name}»")
        return None
    return name


def _weeks(section: Section, kind: str) -> tuple[WeekFrom, ...]:
    """Read the weeks that replace the first one, each from its day on."""
    found: list[WeekFrom] = []
    for each in section.sections("cambios_de_jornada", "desde"):
        since, week = each.day("desde"), _week(each)
        counting = _counting(each, kind, week)
        each.close()
        if found and since <= found[-1].since:
            each.fault("desde", f"se esperaba una fecha posterior a {found[-1].since}")
        elif any(week.values()) and counting:
            found.append(WeekFrom(since=since, week=week, counting=counting))
    return tuple(found)


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
    if isinstance(node := section.node("cuentan"), Items) and not node.nodes:
        section.fault("cuentan", f"se esperaba al menos uno de: {listed(_DAYS)}")
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


def _closures(section: Section) -> tuple[_Exception, ...]:
    found: list[_Exception] = []
    for key in section.names():
        if match := _YEAR_KEY.fullmatch(key):
            year = int(match[1])
            found.extend(_closure(each, year) for each in section.sections(key, "motivo"))
    return tuple(found)


def _closure(section: Section, year: int) -> _Exception:
    first, last = _dates(section)
    if first.year != year:
        key = "fecha" if "fecha" in section else "desde"
        section.fault(key, f"se esperaba una fecha de {year}")
    reason = section.text("motivo", longest=300)
    closure = _Exception(first, last, reason, section.code("clase"))
    section.close()
    return closure


def _dates(section: Section) -> tuple[date, date]:
    """Read one day (`fecha`) or a range with both ends included (`desde`, `hasta`)."""
    if "fecha" in section:
        day = section.day("fecha")
        return day, day
    first, last = section.day("desde"), section.day("hasta")
    if last < first:
        section.fault("hasta", f"el último día ({last}) es anterior al primero ({first})")
        last = first
    if (last - first).days > 366:
        section.fault("hasta", "el periodo dura más de un año")
    return first, last


def _guards(section: Section) -> tuple[_Exception, ...]:
    """Read days on which somebody is there although the office is closed; terms do not run more."""
    return tuple(_guard(each) for each in section.sections("guardias", "motivo"))


def _guard(section: Section) -> _Exception:
    first, last = _dates(section)
    hours = _segments(section, "horario")
    if not hours and "horario" not in section:
        section.fault("horario", "falta el horario de la guardia")
    reason = section.text("motivo", longest=300)
    section.close()
    return _Exception(first, last, reason, None, opens=hours)


def _suspensions(section: Section) -> tuple[_Exception, ...]:
    """Read what an act decreed for days in no list: no work, no terms, or neither."""
    return tuple(_suspension(each) for each in section.sections("suspensiones", "motivo"))


def _suspension(section: Section) -> _Exception:
    first, last = _dates(section)
    opens, counts = section.choice("suspende", _SUSPENDS)
    reason, act = section.text("motivo", longest=300), section.text("acto", longest=500)
    section.close()
    return _Exception(first, last, reason, None, opens=opens, counts=counts, act=act)


def _resolve(name: str, declared: dict[str, _Declared]) -> _Declared | None:
    """Return the calendar with its ancestors' exceptions and classes, its own last."""
    own = declared[name]
    seen, each = [name], own
    exceptions, classes, zone = own.exceptions, own.classes, own.zone
    while each.parent is not None:
        if each.parent in seen:
            own.section.fault("hereda", f"herencia en círculo: {' → '.join([*seen, each.parent])}")
            return None
        if each.parent not in declared:
            each.section.fault("hereda", missing_calendar(each.parent, declared))
            return None
        seen.append(each.parent)
        each = declared[each.parent]
        exceptions = each.exceptions + exceptions
        classes, zone = {**each.classes, **classes}, zone or each.zone
    return replace(own, exceptions=exceptions, classes=classes, zone=zone)


def _build(name: str, declared: _Declared, zone: str) -> Calendar | None:
    classes = {**_CLASSES, **declared.classes}
    zone = declared.zone or zone
    if not _is_sound(declared, classes) or not known_zone(zone):
        return None
    if not any(declared.week.values()) or not declared.counting:
        return None
    calendar = Calendar(
        id=name,
        version=FIRST_VERSION,
        kind=declared.kind,
        zone=zone,
        week={day: declared.week.get(day, ()) for day in Weekday},
        counting=declared.counting,
        weeks=declared.weeks,
        days=tuple(_day(each, classes) for each in declared.exceptions),
        start_rule=declared.start_rule,
        source=declared.source,
    )
    for year in dead_years(calendar):
        message = f"en {year} el calendario no abre ningún día o ninguno cuenta para los plazos"
        declared.section.fault(None, message)
    return calendar


def _is_sound(declared: _Declared, classes: dict[str, _Effect]) -> bool:
    """Note what is wrong with the exceptions; of unknown classes, the first."""
    named = {each.day_class for each in declared.exceptions if each.day_class is not None}
    message = None
    if unknown := sorted(named - classes.keys()):
        message = f"la clase de día «{unknown[0]}» no existe; hay: {listed(classes)}"
    elif declared.kind == "natural" and declared.exceptions:
        message = "un calendario natural no tiene días inhábiles, guardias ni suspensiones"
    elif len(declared.exceptions) > MAX_EXCEPTIONS:
        message = f"hay más de {MAX_EXCEPTIONS} periodos inhábiles, guardias y suspensiones"
    if message is not None:
        declared.section.fault(None, message)
    return message is None


def _day(exception: _Exception, classes: dict[str, _Effect]) -> DayException:
    name = exception.day_class
    opens, counts = (exception.opens, exception.counts) if name is None else classes[name]
    return DayException(
        first=exception.first,
        last=exception.last,
        reason=exception.reason,
        opens=opens,
        counts=counts,
        prevails=name is None,
        act=exception.act,
    )
