"""What a version changes, side by side with the one it replaces, in words for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeAlias

from pydantic import JsonValue

from shared.contracts.cartas import CartaData, Scope
from shared.criteria import Window, WindowKind
from shared.criteria.words import number, plural_of
from shared.explaining import Version
from shared.worktime import Unit

NONE: Final = "—"
_SIGNS: Final = {"<=": "≤", ">=": "≥"}
_OWN: Final = ("limite", "umbral", "calendario", "excluir", "pausas")
"""Fields of a written criterion that have rows of their own."""
_WINDOWS: Final = {
    WindowKind.MONTH: "mes",
    WindowKind.QUARTER: "trimestre",
    WindowKind.SEMESTER: "semestre",
    WindowKind.YEAR: "año",
}
_SCOPES: Final = {Scope.CARTA: "la carta entera", Scope.UNIT: "cada unidad por separado"}


class Change(StrEnum):
    """What becomes of a compromiso."""

    ADDED = "nuevo"
    REMOVED = "se quita"
    CHANGED = "cambia"
    SAME = "igual"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing said of a compromiso or of the carta, as it was and as it becomes."""

    name: str
    old: str
    new: str

    @property
    def differs(self) -> bool:
        return self.old != self.new


@dataclass(frozen=True, slots=True)
class Compared:
    """A compromiso side by side."""

    compromiso: str
    change: Change
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side; `old_version` is None where there is none before."""

    old_version: int | None
    new_version: int
    carta: tuple[Row, ...]
    compromisos: tuple[Compared, ...]

    @property
    def is_same(self) -> bool:
        """Whether the new version says nothing new."""
        return not any(row.differs for row in self.carta) and all(
            each.change is Change.SAME for each in self.compromisos
        )


Written: TypeAlias = Mapping[str, str]
"""Each compromiso's criterion as its author wrote it."""


def written_of(declared: JsonValue) -> Written:
    """Return the criteria of a carta as its author wrote it; nothing where that was not kept."""
    carta = declared if isinstance(declared, dict) else {}
    listed = carta.get("compromisos")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {str(each.get("id")): _criterion(each.get("criterio")) for each in found}


def compare(
    old: CartaData | None,
    new: CartaData,
    *,
    old_written: Written | None = None,
    new_written: Written | None = None,
) -> Comparison:
    """Put `new` beside `old`: compromisos in the new order, then those that are gone.

    A criterion reads as its author wrote it, or by its public formula where that was not kept.
    """
    before, after = _versions(old, old_written or {}), _versions(new, new_written or {})
    compared = [_compared(code, before.get(code), each) for code, each in after.items()]
    gone = [_compared(code, each, None) for code, each in before.items() if code not in after]
    return Comparison(
        None if old is None else old.version,
        new.version,
        _rows({} if old is None else _of_carta(old), _of_carta(new)),
        (*compared, *gone),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """A compromiso of one version, and its criterion as it was written, "" where unknown."""

    version: Version
    written: str


def _versions(carta: CartaData | None, written: Written) -> dict[str, _Side]:
    if carta is None:
        return {}
    return {
        each.id: _Side(Version(carta, each), written.get(each.id, "")) for each in carta.compromisos
    }


def _compared(code: str, old: _Side | None, new: _Side | None) -> Compared:
    is_written = all(side.written for side in (old, new) if side is not None)
    rows = _rows(_of_side(old, is_written=is_written), _of_side(new, is_written=is_written))
    if old is None:
        change = Change.ADDED
    elif new is None:
        change = Change.REMOVED
    else:
        one, two = old.version, new.version
        is_same = one.compromiso == two.compromiso and one.sentence == two.sentence
        change = Change.SAME if is_same else Change.CHANGED
    return Compared(code, change, rows)


def _of_side(side: _Side | None, *, is_written: bool) -> Mapping[str, str]:
    """Return what is said of one side; two sides show their criteria in the same way."""
    if side is None:
        return {}
    criterion = side.written if is_written else "; ".join(side.version.formulas)
    return {**of_compromiso(side.version), "Criterio": criterion}


def _rows(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Row, ...]:
    names = [*new, *(name for name in old if name not in new)]
    rows = (Row(name, old.get(name, NONE), new.get(name, NONE)) for name in names)
    return tuple(row for row in rows if (row.old, row.new) != (NONE, NONE))


def _of_carta(carta: CartaData) -> dict[str, str]:
    return {
        "Nombre": carta.name,
        "Dependencia": carta.department,
        "Unidad responsable": carta.unit,
        "Calendario": carta.calendar,
        "Servicios": ", ".join(carta.services),
        "Sedes": ", ".join(carta.sites) or NONE,
        "Horario": carta.hours or NONE,
        "Cómo se consulta": carta.consultation or NONE,
        "Palabras de sus eventos": "; ".join(
            f"{kind}: {said}" for kind, said in carta.event_words.items()
        )
        or NONE,
        "Suspensiones": "; ".join(
            f"{each.first} a {each.last}: {each.reason} ({each.act})" for each in carta.suspensions
        )
        or NONE,
        "Datos sensibles": "sí" if carta.sensitive else "no",
        "Certificada hasta": str(carta.certified_until or NONE),
    }


def of_compromiso(version: Version) -> dict[str, str]:
    """Return what is said of a compromiso: the judged sentence first, then its figures."""
    compromiso = version.compromiso
    found = compromiso.criterion.model_dump(mode="json", exclude_none=True)
    return {
        "Se evalúa": version.sentence,
        "Texto impreso": compromiso.text,
        "Límite": _joined(_figures(each, unit) for each, unit in _limits(found)),
        "Meta": _joined(_figures(each) for each in _under(found, "target")),
        "Ventana": _window(compromiso.window),
        "Calendario": _joined(str(each) for each in _under(found, "calendar")),
        "Muestra mínima": str(compromiso.minimum_sample or NONE),
        "Espera al cierre": f"{days} días" if (days := compromiso.closing_delay_days) else NONE,
        "Casos esperados": str(compromiso.expected_cases or NONE),
        "Se juzga": _SCOPES[compromiso.scope],
        "Excluye": _joined(", ".join(each) for each in _under(found, "exclude") if each),
        "Pausas": _joined(", ".join(each) for each in _under(found, "pauses") if each),
        "Indicador": compromiso.indicator.name,
        "Fórmula": compromiso.indicator.formula,
        "Fuente": compromiso.indicator.source,
        "Medición": compromiso.indicator.frequency,
        "Subsanación": compromiso.remedy or NONE,
        "Expectativa": NONE
        if compromiso.expectation is None
        else f"{compromiso.expectation.study} ({compromiso.expectation.date})",
    }


def _under(value: Any, key: str) -> Iterator[Any]:
    """Yield what stands under `key`, however deep: every form of criterion names it alike."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == key:
                yield each
            else:
                yield from _under(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _under(each, key)


def _limits(value: Any) -> Iterator[tuple[Any, str]]:
    """Yield each limit with the unit of what is measured beside it, or inside its groups."""
    if isinstance(value, dict):
        measured = value.get("value") or value.get("inner", {}).get("value")
        unit = str(measured.get("unit", "")) if isinstance(measured, dict) else ""
        if "limit" in value:
            yield value["limit"], unit
        for name, each in value.items():
            if name != "limit":
                yield from _limits(each)
    elif isinstance(value, list):
        for each in value:
            yield from _limits(each)


def _criterion(written: JsonValue) -> str:
    """Write a criterion as a file says it, without the fields that have rows of their own."""
    if not isinstance(written, dict):
        return ""
    return "; ".join(f"{key}: {_flow(value)}" for key, value in written.items() if key not in _OWN)


def _flow(value: JsonValue) -> str:
    if isinstance(value, dict):
        inner = (f"{key}: {_flow(each)}" for key, each in value.items() if key not in _OWN)
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return NONE if value is None else str(value)


def _joined(words: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(words)) or NONE


def _figures(found: Any, unit: str = "") -> str:
    """Write `≤ 15 minutos`, `≥ 90 % (inaceptable: 80)`, `≤ por prioridad: alta 4, baja 8 horas`."""
    if not isinstance(found, dict):
        return str(found)
    if found.get("own_due"):
        return "el plazo prometido a cada caso"
    sign = _SIGNS.get(str(found.get("op", "")), str(found.get("op", "")))
    text = f"{sign} {_amount(found)} {_unit(found.get('unit', unit))}".strip()
    worst = found.get("unacceptable")
    seasons = "".join(
        f"; del {each['first']} al {each['last']}: {_number(each['value'])}"
        for each in found.get("seasons", ())
    )
    return text + seasons + ("" if worst is None else f" (inaceptable: {_number(worst)})")


def _amount(found: Mapping[str, Any]) -> str:
    """Write how much: a number, one for each value of an attribute, or a figure of the case."""
    if "by" in found:
        each = ", ".join(f"{name} {_number(value)}" for name, value in found["values"].items())
        return f"por {found['by']}: {each}"
    if "field" in found:
        return f"{found['field']} × {_number(found['factor'])}"
    return _number(found["value"])


def _unit(name: Any) -> str:
    return plural_of(Unit(name)) if name in tuple(Unit) else str(name)


def _number(value: Any) -> str:
    try:
        return number(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


def _window(window: Window) -> str:
    if window.kind is WindowKind.CAMPAIGN:
        return f"campaña {window.id}, del {window.first} al {window.last}"
    return _WINDOWS.get(window.kind, window.kind.value)
