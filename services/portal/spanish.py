"""Figures, windows, instants and states in the Spanish of Mexico."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from shared.contracts.results import ResultWindow

LOCALE: Final = "es_MX"
NO_BREAK: Final = "\u00a0"
ORDINALS: Final = ("primer", "segundo", "tercer", "cuarto")

TARGETS: Final = {">=": "al menos", ">": "más de", "<=": "máximo", "<": "menos de"}
UNITS: Final = {
    "s": ("segundo", "segundos"),
    "min": ("minuto", "minutos"),
    "h": ("hora", "horas"),
    "min_habil": ("minuto hábil", "minutos hábiles"),
    "h_habil": ("hora hábil", "horas hábiles"),
    "dia_habil": ("día hábil", "días hábiles"),
    "dia_natural": ("día natural", "días naturales"),
    "mes": ("mes", "meses"),
}
MICROSECONDS: Final = {
    "s": 1_000_000,
    "min": 60_000_000,
    "min_habil": 60_000_000,
    "h": 3_600_000_000,
    "h_habil": 3_600_000_000,
}
REASONS: Final = {
    "sin_demanda": "nadie pidió el servicio en el periodo",
    "muestra_insuficiente": "hubo muy pocos casos para juzgarlo",
    "fuente_sin_datos": "el sistema que lo mide no envió datos completos",
    "casos_pendientes": "aún hay casos por concluir que pueden cambiar el resultado",
    "forma_no_soportada": "su forma de medición aún no se evalúa",
    "incidencia_de_medicion": "hubo una incidencia en la medición",
    "servicio_no_prestado": "el servicio no se prestó en el periodo",
    "carta_suspendida": "la carta estuvo suspendida",
    "sin_periodo_cerrado": "aún no cierra su primer periodo",
}
BASES: Final = {
    "satisfaccion": "Satisfacción de la persona usuaria",
    "tiempo_espera": "Tiempo de espera",
    "tiempo_atencion": "Tiempo de atención",
    "tiempo_respuesta_solicitud": "Tiempo de respuesta a la solicitud",
    "tiempo_respuesta_buzon": "Respuesta a lo que llega al buzón",
}


def number(value: Decimal | int) -> str:
    """`1,234.5`: at most four decimals, none that are zero."""
    return str(format_decimal(value, "#,##0.####", locale=LOCALE))


def counted(count: int, one: str, many: str) -> str:
    """`1 caso`, `2 casos`."""
    return f"{number(count)} {one if count == 1 else many}"


def quantity(value: Decimal, unit: str, *, decimals: int = 1) -> str:
    """`84.8 %`, `18.3 minutos`; rounded half even for display, and the space does not break."""
    shown = number(round(value, decimals))
    if unit not in UNITS:
        return f"{shown}{NO_BREAK}{unit}"
    one, many = UNITS[unit]
    return f"{shown}{NO_BREAK}{one if value == 1 else many}"


def figure(value: Decimal, unit: str, *, goal: Decimal) -> str:
    """As `quantity`, but never rounded to the target where it is not the target.

    99.99 % of a promise of 100 % is not 100 %, whatever a page has room for.
    """
    reached_by_rounding = value != goal and round(value, 1) == goal
    return quantity(value, unit, decimals=4 if reached_by_rounding else 1)


def elapsed(value: int, unit: str) -> str:
    """Write a case's time: microseconds, or whole days or months where the unit counts those."""
    if unit not in MICROSECONDS:
        return quantity(Decimal(value), unit)
    return quantity(Decimal(value) / MICROSECONDS[unit], unit)


def target(value: Decimal, op: str, unit: str) -> str:
    """`al menos 90 %`, `máximo 15 minutos`; 100 % speaks of every case."""
    if unit == "%" and value == 100 and op == ">=":
        return f"todos los casos (100{NO_BREAK}%)"
    return f"{TARGETS.get(op, op)} {quantity(value, unit, decimals=2)}"


def reason(name: str | None) -> str:
    """Return the words for why there is no verdict; an unknown name is shown as it is."""
    return "" if name is None else REASONS.get(name, name.replace("_", " "))


def day(value: date) -> str:
    """`18 de octubre de 2024`."""
    return str(format_date(value, "d 'de' MMMM 'de' y", locale=LOCALE))


def weekday(value: date) -> str:
    """`viernes 18 de octubre de 2024`."""
    return str(format_date(value, "EEEE d 'de' MMMM 'de' y", locale=LOCALE))


def instant(value: datetime, zone: ZoneInfo) -> str:
    """`18 de octubre de 2024, 11:32 h`, local."""
    local = value.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}{NO_BREAK}h"


def deadline(value: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Write the last moment that is in time; a term that ends with a day is told by that day.

    Terms in days end at the next local midnight, which is outside: saying it would promise a day
    more.
    """
    local = value.astimezone(zone)
    if local.time() == time():
        return day(local.date() - timedelta(days=1))
    if seconds:
        return f"{day(local.date())}, {local:%H:%M:%S}{NO_BREAK}h"
    return instant(value, zone)


def window(value: ResultWindow, zone: ZoneInfo) -> str:
    """`tercer trimestre de 2024 (julio a septiembre)`, `septiembre de 2024`."""
    first, last = days_of(value, zone)
    if value.kind == "month":
        return str(format_date(first, "MMMM 'de' y", locale=LOCALE))
    if value.kind == "year":
        return f"año {first.year}"
    months = f"{_month(first)} a {_month(last)}"
    if value.kind == "quarter":
        return f"{ORDINALS[(first.month - 1) // 3]} trimestre de {first.year} ({months})"
    if value.kind == "semester":
        return f"{ORDINALS[(first.month - 1) // 6]} semestre de {first.year} ({months})"
    return f"del {day(first)} al {day(last)}"


def window_as_span(value: ResultWindow, zone: ZoneInfo) -> str:
    """`de julio a septiembre de 2024`, `en septiembre de 2024`: how a sentence begins."""
    first, last = days_of(value, zone)
    if value.kind == "month":
        return f"en {window(value, zone)}"
    if value.kind in ("quarter", "semester", "year"):
        return f"de {_month(first)} a {_month(last)} de {last.year}"
    return window(value, zone)


def days_of(value: ResultWindow, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and the last local day, both inside."""
    last = value.end - timedelta(microseconds=1)
    return value.start.astimezone(zone).date(), last.astimezone(zone).date()


def sentence(text: str) -> str:
    """Begin with a capital letter; the rest stays."""
    return text[:1].upper() + text[1:]


def _month(value: date) -> str:
    return str(format_date(value, "MMMM", locale=LOCALE))
