"""Limits and targets: the figures of a promise, and whether its sentence names them."""

import re
from decimal import Decimal
from typing import Final

from services.cartas.domain.fields import Section, as_decimal, listed
from shared.criteria import AnyCriterion, Limit, Mean, Op, Share, Target, Unsupported
from shared.criteria.model import MAXIMUM_LIMIT

LARGEST: Final = int(MAXIMUM_LIMIT)
OPS: Final = {op.value: op for op in Op}
ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,31}")
VALUE = re.compile(r"\S{1,64}")
_NUMBERS = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_LIMIT_FORMS: Final = ("valor", "por", "campo", "plazo_del_caso")
_NO_LIMIT: Final = Limit(op=Op.AT_MOST, value=Decimal(1))


def read_limit(section: Section) -> Limit:
    op = section.choice("op", OPS)
    forms = [key for key in _LIMIT_FORMS if key in section]
    section.ignore(*_LIMIT_FORMS, "valores", "factor")
    if len(forms) != 1:
        section.fault(None, f"se esperaba exactamente uno de: {listed(_LIMIT_FORMS)}")
        return _NO_LIMIT
    limit = _limit_of(section, op, forms[0])
    section.close()
    return limit


def _limit_of(section: Section, op: Op, form: str) -> Limit:
    if form == "valor":
        value = section.decimal("valor", LARGEST)
        if op is Op.LESS and not value:
            section.fault("valor", "nada tarda menos de 0")
            return _NO_LIMIT
        return Limit(op=op, value=value)
    if form == "por":
        by = section.matching("por", ATTRIBUTE, "un atributo como prioridad", stand_in="x")
        values = _limits_by_value(section, op)
        return Limit(op=op, by=by, values=values) if values else _NO_LIMIT
    if form == "campo":
        field = section.matching("campo", ATTRIBUTE, "un atributo como plazo_legal", stand_in="x")
        return Limit(op=op, field=field, factor=section.decimal("factor", 1000))
    if op is not Op.AT_MOST or not section.boolean(form, default=False):
        section.fault(form, "se esperaba op: <= y plazo_del_caso: true")
        return _NO_LIMIT
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


def read_target(section: Section, unit: str, highest: int) -> Target:
    op = section.choice("op", OPS)
    value = section.decimal("objetivo", highest)
    unacceptable = section.optional_decimal("inaceptable", highest)
    written = section.text("unidad", longest=40) if "unidad" in section else unit
    section.ignore("unidad")
    if written != unit:
        section.fault("unidad", f"se esperaba «{unit}», la unidad de lo que se mide")
    better = unacceptable is not None and (
        unacceptable > value if op in (Op.AT_LEAST, Op.MORE) else unacceptable < value
    )
    if better:
        section.fault("inaceptable", "lo inaceptable no puede ser mejor que el objetivo")
    section.close()
    return Target(op=op, value=value, unacceptable=None if better else unacceptable, unit=unit)


def limits_and_targets(criterion: AnyCriterion) -> tuple[list[Decimal], list[Decimal]]:
    """Return what the printed sentence should name: fixed limits, and shares below 100."""
    parts = () if isinstance(criterion, Unsupported) else criterion.parts
    limits, targets = [], []
    for part in parts:
        if isinstance(part, Share):
            limits += [part.limit.value] if part.limit.value is not None else []
            limits += part.limit.values.values()
        if isinstance(part, Mean) or part.target.value < 100:
            targets.append(part.target.value)
    return limits, targets


def number_in(text: str, number: Decimal) -> bool:
    """Say whether the sentence names the number: 15, 1,500, 8.5 or 8,5."""
    return any(
        as_decimal(written, LARGEST) == number
        for found in _NUMBERS.findall(text)
        for written in (found.replace(",", ""), found.replace(",", "."))
    )
