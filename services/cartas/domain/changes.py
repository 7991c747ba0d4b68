"""What a version changes, side by side with the one it replaces, in words for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from shared.contracts.cartas import CartaData, Scope
from shared.criteria import Window, WindowKind
from shared.criteria.words import number, plural_of
from shared.explaining import Version
from shared.worktime import Unit

NONE: Final = "—"
_SIGNS: Final = {"<=": "≤", ">=": "≥"}
_OWN_ROWS: Final = ("limit", "target", "calendar", "exclude", "pauses")
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


def compare(old: CartaData | None, new: CartaData) -> Comparison:
    """Put `new` beside `old`: compromisos in the new order, then those that are gone."""
    before, after = _versions(old), _versions(new)
    compared = [_compared(code, before.get(code), each) for code, each in after.items()]
    gone = [_compared(code, each, None) for code, each in before.items() if code not in after]
    return Comparison(
        None if old is None else old.version,
        new.version,
        _rows({} if old is None else _of_carta(old), _of_carta(new)),
        (*compared, *gone),
    )


def _versions(carta: CartaData | None) -> dict[str, Version]:
    if carta is None:
        return {}
    return {each.id: Version(carta, each) for each in carta.compromisos}


def _compared(code: str, old: Version | None, new: Version | None) -> Compared:
    rows = _rows(
        {} if old is None else of_compromiso(old), {} if new is None else of_compromiso(new)
    )
    if old is None:
        change = Change.ADDED
    elif new is None:
        change = Change.REMOVED
    else:
        is_same = old.compromiso == new.compromiso and old.sentence == new.sentence
        change = Change.SAME if is_same else Change.CHANGED
    return Compared(code, change, rows)


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
    """Return what is said of a compromiso: the judged sentence first, then its figures.

    `Criterio` has what no other row shows (population, anchor, events), by the contract's names.
    """
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
        "Criterio": _flat(_rest(found)) or NONE,
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


def _rest(value: Any) -> Any:
    """Return what is left when the fields with rows of their own are taken away."""
    if isinstance(value, dict):
        return {name: _rest(each) for name, each in value.items() if name not in _OWN_ROWS}
    return [_rest(each) for each in value] if isinstance(value, list) else value


def _joined(words: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(words)) or NONE


def _figures(found: Any, unit: str = "") -> str:
    """Write `≤ 15 minutos`, `≥ 90 % (inaceptable: 80)`; anything else by its own names."""
    if not isinstance(found, dict):
        return str(found)
    sign = _SIGNS.get(str(found.get("op", "")), str(found.get("op", "")))
    if "value" not in found:
        rest = _flat({name: each for name, each in found.items() if name != "op"})
        return f"{sign} {rest} {_unit(unit)}".strip()
    text = f"{sign} {_number(found['value'])} {_unit(found.get('unit', unit))}".strip()
    worst = found.get("unacceptable")
    return text if worst is None else f"{text} (inaceptable: {_number(worst)})"


def _unit(name: Any) -> str:
    return plural_of(Unit(name)) if name in tuple(Unit) else str(name)


def _number(value: Any) -> str:
    try:
        return number(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


def _flat(value: Any, path: str = "") -> str:
    """Write nested fields in one line, empty ones left out."""
    if isinstance(value, dict):
        inner = ((f"{path}.{k}" if path else k, v) for k, v in value.items())
        return "; ".join(text for k, v in inner if (text := _flat(v, k)))
    if isinstance(value, list):
        if all(not isinstance(each, dict | list) for each in value):
            return f"{path}={','.join(map(str, value))}" if value else ""
        inner = ((f"{path}[{place}]", each) for place, each in enumerate(value, start=1))
        return "; ".join(text for k, v in inner if (text := _flat(v, k)))
    return f"{path}={value}" if value not in (None, "", False) else ""


def _window(window: Window) -> str:
    if window.kind is WindowKind.CAMPAIGN:
        return f"campaña {window.id}, del {window.first} al {window.last}"
    return _WINDOWS.get(window.kind, window.kind.value)
