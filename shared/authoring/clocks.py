"""The clocks of criteria: from which event to which, in what unit, stopped by which pauses."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from shared.authoring.fields import (
    CODE,
    CODE_EXPECTED,
    EVENT_EXPECTED,
    EVENT_KIND,
    NO_EVENT,
    Section,
)
from shared.authoring.limits import LARGEST
from shared.criteria import Clock, Instant
from shared.worktime import StartRule, Unit
from shared.worktime.model import UNITS_WITHOUT_CALENDAR

UNITS: Final = {unit.value: unit for unit in Unit}
_START_RULES: Final = {
    "dia_siguiente": StartRule.NEXT_COUNTING_DAY,
    "mismo_dia": StartRule.START_DAY,
}
_COMPOSITE = re.compile(r"(max|first_of)\(([^()]+)\)")
_CUT = re.compile(r"(max|first_of)\([^()]*")
_ANYTHING = re.compile(r"[^\n]{1,700}")
_NO_INSTANT: Final = Instant(event=NO_EVENT)


def read_clock(section: Section, calendar: str) -> Clock:
    """Return a clock; one that needs a calendar and cites none takes the carta's."""
    unit = section.choice("unidad", UNITS)
    cited = section.code("calendario") if "calendario" in section else None
    section.ignore("calendario")
    if cited is None and unit not in UNITS_WITHOUT_CALENDAR:
        cited = calendar
    start, stop = read_instant(section, "inicio"), read_instant(section, "fin")
    if start == stop and start != _NO_INSTANT:
        section.fault("fin", "el reloj empieza y termina con lo mismo")
    rule = section.choice("inicio_de_plazo", _START_RULES) if "inicio_de_plazo" in section else None
    pauses = section.words("pausas", CODE, CODE_EXPECTED)
    terms = _pause_terms(section, pauses)
    section.close()
    return Clock(
        start=start,
        stop=stop,
        unit=unit,
        calendar=cited,
        pauses=pauses,
        pause_terms=terms,
        start_rule=rule,
    )


def _pause_terms(section: Section, pauses: Sequence[str]) -> dict[str, Decimal]:
    """Read within how long, in the clock's unit, a pause must begin so that it stops the clock."""
    terms = section.optional_section("plazo_de_pausas")
    if terms is None:
        return {}
    for name in terms.names():
        if name not in pauses:
            terms.fault(name, "no es una de las «pausas» de este reloj")
    found = {name: terms.decimal(name, LARGEST) for name in terms.names()}
    return {name: term for name, term in found.items() if name in pauses}


def read_instant(section: Section, key: str) -> Instant:
    """Read an event, or `max(a, b)` (the last of them), or `first_of(a, b)` (the first)."""
    expected = f"{EVENT_EXPECTED}, o max(a, b), o first_of(a, b)"
    text = section.matching(key, _ANYTHING, expected, stand_in=NO_EVENT)
    composite = _COMPOSITE.fullmatch(text)
    if composite is None:
        if EVENT_KIND.fullmatch(text):
            return Instant(event=text)
        if _CUT.fullmatch(text):
            return _cut_at_its_comma(section, key)
        section.fault(key, f"se esperaba {expected}")
        return _NO_INSTANT
    kinds = tuple(kind.strip() for kind in composite[2].split(","))
    if not 2 <= len(kinds) <= 10 or not all(EVENT_KIND.fullmatch(kind) for kind in kinds):
        section.fault(key, f"se esperaban en el paréntesis de 2 a 10, cada uno {EVENT_EXPECTED}")
        return _NO_INSTANT
    return Instant(max_of=kinds) if composite[1] == "max" else Instant(first_of=kinds)


def _cut_at_its_comma(section: Section, key: str) -> Instant:
    """Between braces a comma ends a value: what follows it is no field that is not known."""
    section.ignore(*(name for name in section.names() if name.endswith(")")))
    section.fault(key, "va entre comillas, como 'max(a, b)': la coma lo parte")
    return _NO_INSTANT
