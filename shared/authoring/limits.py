"""Limits and targets: the figures of a promise, with the units they are given in."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from shared.authoring.fields import Section, listed
from shared.criteria import (
    Count,
    Figure,
    Limit,
    Mean,
    Nps,
    Number,
    Op,
    Percentile,
    Reference,
    Season,
    Sum,
    Target,
    unit_of,
)
from shared.criteria.model import PERCENT, is_share
from shared.criteria.vocabulary import MAXIMUM_LIMIT
from shared.worktime import Unit

LARGEST: Final = int(MAXIMUM_LIMIT)
OPS: Final = {op.value: op for op in Op}
ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,31}")
VALUE = re.compile(r"\S{1,64}")
_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_LIMIT_FORMS: Final = ("valor", "por", "campo", "plazo_del_caso")
NO_LIMIT: Final = Limit(op=Op.AT_MOST, value=Decimal(1))
_NO_TARGET: Final = Decimal(0)
_REFERENCES: Final = {
    "previous_window": Reference.PREVIOUS,
    "same_window_last_year": Reference.LAST_YEAR,
    "same_quarter_last_year": Reference.LAST_YEAR,
}
_NOT_COUNTED: Final = frozenset({PERCENT, *Unit})
_ALIASES: Final = {"min_habil": "min", "h_habil": "h"}
"""A target may leave out that its minutes are those of opening hours: the clock says it."""


def read_limit(section: Section, *, seasons: Sequence[Season] = ()) -> Limit:
    """Return the limit of an item. A limit over times is never less than 0."""
    op = section.choice("op", OPS)
    forms = [key for key in _LIMIT_FORMS if key in section]
    section.ignore(*_LIMIT_FORMS, "valores", "factor")
    if len(forms) != 1:
        message = f"se esperaba exactamente uno de: {listed(_LIMIT_FORMS)}"
        section.fault(None if forms or section.names() else "valor", message)
        return NO_LIMIT
    limit = _limit_of(section, op, forms[0])
    section.close()
    if not seasons:
        return limit
    if limit.value is None:
        section.fault(None, "las variantes de temporada cambian un «valor»")
        return limit
    return limit.model_copy(update={"seasons": tuple(seasons)})


def _limit_of(section: Section, op: Op, form: str) -> Limit:
    if form == "valor":
        value = section.decimal("valor", LARGEST)
        if op is Op.LESS and not value:
            section.fault("valor", "nada tarda menos de 0")
            return NO_LIMIT
        return Limit(op=op, value=value)
    if form == "por":
        by = section.matching("por", ATTRIBUTE, "un atributo como prioridad", stand_in="x")
        values = _limits_by_value(section, op)
        return Limit(op=op, by=by, values=values) if values else NO_LIMIT
    if form == "campo":
        field = section.matching("campo", ATTRIBUTE, "un atributo como plazo_legal", stand_in="x")
        return Limit(op=op, field=field, factor=section.decimal("factor", 1000))
    if op is not Op.AT_MOST or not section.boolean(form, default=False):
        section.fault(form, "se esperaba op: <= y plazo_del_caso: true")
        return NO_LIMIT
    return Limit(op=op, own_due=True)


def _limits_by_value(section: Section, op: Op) -> dict[str, Decimal]:
    table = section.section("valores")
    values = {}
    for name in table.names():
        values[name] = table.decimal(name, LARGEST)
        if not VALUE.fullmatch(name):
            table.fault(name, "se esperaba un valor sin espacios")
        if op is Op.LESS and not values[name]:
            table.fault(name, "nada tarda menos de 0")
    if not 1 <= len(values) <= 500:
        table.fault(None, "se esperaban de 1 a 500 límites")
        return {}
    usable = all(VALUE.fullmatch(name) for name in values)
    return values if usable and not (op is Op.LESS and 0 in values.values()) else {}


def read_seasons(compromiso: Section) -> tuple[Season, ...]:
    """Return the limits that hold from one day of the year to another."""
    seasons = []
    for each in compromiso.sections("variantes_temporada"):
        first, last = (
            each.matching(key, _DAY, "un día del año como 03-31", stand_in="01-01")
            for key in ("desde", "hasta")
        )
        limit = read_limit(each.section("limite"))
        each.close()
        if limit.value is None:
            each.fault("limite", "una temporada fija un «valor»")
        else:
            seasons.append(Season(first=first, last=last, value=limit.value))
    if len(seasons) > 12:
        compromiso.fault("variantes_temporada", "se esperaban a lo sumo 12 temporadas")
    return tuple(seasons[:12])


def read_target(section: Section, figure: Figure) -> Target:
    """Return what the figure must reach, in its own unit."""
    op, highest = section.choice("op", OPS), 100 if is_share(figure) else LARGEST
    before = len(section.report.faults)
    value = section.decimal("objetivo", highest)
    unacceptable = section.optional_decimal("inaceptable", highest)
    are_read = len(section.report.faults) == before
    unit = _unit(section, figure)
    section.close()
    if not are_read:
        unacceptable = None
    if unacceptable is not None and _is_better(op, unacceptable, value):
        section.fault("inaceptable", "lo inaceptable no puede ser mejor que el objetivo")
        unacceptable = None
    if isinstance(figure, Percentile) and not _is_whole_seconds(figure, value):
        section.fault("objetivo", "un percentil se guarda en segundos enteros")
        value = unacceptable or _NO_TARGET
    return Target(op=op, value=value, unacceptable=unacceptable, unit=unit)


def read_reference(criterion: Section, target: Section, figure: Figure) -> Target:
    """Return a target that is a factor of an earlier window's figure."""
    reference = criterion.choice("referencia", _REFERENCES)
    factor = criterion.decimal("factor", 1000) if "factor" in criterion else Decimal(1)
    at_zero = criterion.choice(
        "si_referencia_cero",
        {"objetivo_es_cero": "zero", "no_evaluado": "not_evaluated"},
        default="objetivo_es_cero",
    )
    op = target.choice("op", OPS)
    value = target.decimal("objetivo", 1000) * factor
    unacceptable = target.optional_decimal("inaceptable", 1000)
    target.ignore("unidad")
    target.close()
    if unacceptable is not None and _is_better(op, unacceptable * factor, value):
        target.fault("inaceptable", "lo inaceptable no puede ser mejor que el objetivo")
        unacceptable = None
    return Target.model_validate(
        {
            "op": op,
            "value": value,
            "unacceptable": None if unacceptable is None else unacceptable * factor,
            "unit": unit_of(figure) or "casos",
            "reference": reference,
            "zero_reference": at_zero,
        }
    )


def _is_better(op: Op, unacceptable: Decimal, value: Decimal) -> bool:
    return unacceptable > value if op.wants_more else unacceptable < value


def _is_whole_seconds(figure: Percentile, value: Decimal) -> bool:
    size = {"s": 1, "min": 60, "min_habil": 60, "h": 3600, "h_habil": 3600}
    unit = unit_of(figure) or ""
    return unit not in size or value * size[unit] % 1 == 0


def _unit(section: Section, figure: Figure) -> str:
    """Read the unit; value and target in different units is a defect of real sheets."""
    expected = unit_of(figure) or _noun(figure)
    written = section.text("unidad", longest=40) if "unidad" in section else None
    section.ignore("unidad")
    if written is None or written in (expected, _ALIASES.get(expected or "")):
        return expected or "casos"
    if isinstance(figure, Count | Sum | Mean) and expected is None:
        if isinstance(figure, Count) and written in _NOT_COUNTED:
            message = f"«{written}» no se cuenta: diga qué se cuenta, como visitas"
            section.fault("unidad", message)
        return written
    section.fault("unidad", f"se esperaba «{expected}», la unidad de lo que se mide")
    return expected or written


def _noun(figure: Figure) -> str | None:
    """Return the one noun that fits a score; None where the carta has its own ("talleres")."""
    if isinstance(figure, Nps):
        return "puntos NPS"
    value = getattr(figure, "value", None)
    if isinstance(figure, Mean | Percentile) and isinstance(value, Number) and value.highest:
        return f"puntos {value.lowest:f}-{value.highest:f}"
    return None
