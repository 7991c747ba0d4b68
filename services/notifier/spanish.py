"""Figures, windows and dates in the Spanish of Mexico that officials read."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from shared.contracts.results import PartResult, ResultWindow

LOCALE: Final = "es_MX"
NO_BREAK: Final = "\u00a0"

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
ORDINALS: Final = ("primer", "segundo", "tercer", "cuarto")
MEAN: Final = "mean"


def day_in_words(day: date) -> str:
    """`viernes 18 de octubre de 2024`."""
    return format_date(day, "EEEE d 'de' MMMM 'de' y", locale=LOCALE)


def number(value: Decimal | int) -> str:
    """`1,234.5`: at most two decimals, none that are zero."""
    return format_decimal(value, "#,##0.##", locale=LOCALE)


def counted(count: int, one: str, many: str) -> str:
    """`1 caso`, `2 casos`."""
    return f"{number(count)} {one if count == 1 else many}"


def quantity(value: Decimal, unit: str) -> str:
    """`84.8 %`, `18.3 minutos`; the space does not break."""
    if unit not in UNITS:
        return f"{number(value)}{NO_BREAK}{unit}"
    one, many = UNITS[unit]
    return f"{number(value)}{NO_BREAK}{one if value == 1 else many}"


def target_in_words(part: PartResult) -> str:
    """`al menos 90 %`, `máximo 15 minutos`; a share of 100 % speaks of every case."""
    if part.unit == "%" and part.target == 100:
        return "todos los casos (100\u00a0%)"
    return f"{TARGETS.get(part.target_op, part.target_op)} {quantity(part.target, part.unit)}"


def figure_in_words(part: PartResult) -> str:
    """`84.8 % (178 de 210 casos)`; counts say what the figure is made of."""
    if part.form == MEAN:
        cases = counted(part.met, "caso medido", "casos medidos")
        return f"{quantity(part.value, part.unit)} ({cases})" if part.value is not None else cases
    cases = f"{number(part.met)} de {counted(part.denominator, 'caso', 'casos')}"
    return f"{quantity(part.value, part.unit)} ({cases})" if part.value is not None else cases


def counts_in_words(part: PartResult) -> str | None:
    """Say what stands beside the figure: late, open and overdue, pending, excluded; or None."""
    excluded = sum(part.excluded.values())
    said = [
        (part.failed, "fuera de plazo"),
        (part.overdue_open, "de ellos aún sin concluir" if part.failed else "vencidos y abiertos"),
        (part.pending, "por concluir"),
        (excluded, "no considerados"),
    ]
    return "; ".join(f"{number(count)} {what}" for count, what in said if count) or None


def window_in_words(window: ResultWindow, zone: ZoneInfo) -> str:
    """`tercer trimestre de 2024 (julio a septiembre)`, `septiembre de 2024`."""
    first = window.start.astimezone(zone).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    if window.kind == "month":
        return format_date(first, "MMMM 'de' y", locale=LOCALE)
    if window.kind == "year":
        return f"año {first.year}"
    months = f"{_month(first)} a {_month(last)}"
    if window.kind == "quarter":
        return f"{ORDINALS[(first.month - 1) // 3]} trimestre de {first.year} ({months})"
    if window.kind == "semester":
        return f"{ORDINALS[(first.month - 1) // 6]} semestre de {first.year} ({months})"
    return f"del {_long(first)} al {_long(last)}"


def instant_in_words(instant: datetime, zone: ZoneInfo) -> str:
    """`18 de octubre de 2024, 11:32 h`."""
    local = instant.astimezone(zone)
    return f"{_long(local.date())}, {local:%H:%M}{NO_BREAK}h"


def _month(day: date) -> str:
    return format_date(day, "MMMM", locale=LOCALE)


def _long(day: date) -> str:
    return format_date(day, "d 'de' MMMM 'de' y", locale=LOCALE)
