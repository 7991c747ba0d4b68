"""Figures, dates and windows in the Spanish of Mexico, for pages and mails alike."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import parse_pattern

from shared.contracts.results import CaseCoverage, ResultWindow, SilentSpan

LOCALE: Final = Locale.parse("es_MX")
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


_NUMBER: Final = parse_pattern("#,##0.####")


def number(value: Decimal | int) -> str:
    """`1,234.5`: at most four decimals, none that are zero."""
    return str(_NUMBER.apply(value, LOCALE))


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


def margin(value: Decimal, unit: str) -> str:
    """`±10 puntos porcentuales`, `±1.2 puntos`: of a share, a scale's mean, net promoters."""
    points = "puntos porcentuales" if unit == "%" else unit.partition(" ")[0]
    return f"±{number(round(value, 1))}{NO_BREAK}{points}"


def figure(value: Decimal, unit: str, *, goal: Decimal | None) -> str:
    """As `quantity`, but never rounded to the target where it is not the target.

    99.99 % of a promise of 100 % is not 100 %, whatever a page has room for.
    """
    reached_by_rounding = goal is not None and value != goal and round(value, 1) == goal
    return quantity(value, unit, decimals=4 if reached_by_rounding else 1)


def target(value: Decimal | None, op: str | None, unit: str) -> str:
    """`al menos 90 %`, `máximo 15 minutos`; 100 % speaks of every case."""
    if op is None:
        return "ninguna: se publica para informar"
    if value is None:
        return "depende de un periodo anterior del que no hay cifra"
    if unit == "%" and value == 100 and op == ">=":
        return f"todos los casos (100{NO_BREAK}%)"
    return f"{TARGETS.get(op, op)} {quantity(value, unit, decimals=2)}"


def based_on(
    form: str, numerator: Decimal | int | str, denominator: Decimal | int | str, *, items: int | str
) -> str:
    """Say what a figure is made of: `178 de 210 casos`, `37 casos medidos`, `2 de 3 fechas`.

    A count that is not published comes as the words that stand for it.
    """
    if form in _ITEMS:
        return _of(items, *_ITEMS[form])
    whole = _of(denominator, *_WHOLES.get(form, ("caso", "casos")))
    return f"{numerator if isinstance(numerator, str) else number(numerator)} de {whole}"


_ITEMS: Final = {
    "mean": ("caso medido", "casos medidos"),
    "percentile": ("caso medido", "casos medidos"),
    "sum": ("caso sumado", "casos sumados"),
    "count": ("caso contado", "casos contados"),
    "nps": ("respuesta", "respuestas"),
}
_WHOLES: Final = {
    "nested_share": ("grupo con servicio", "grupos con servicio"),
    "deadline": ("fecha esperada", "fechas esperadas"),
    "availability": ("minuto de servicio", "minutos de servicio"),
    "ratio": ("", ""),
}


def _of(count: Decimal | int | str, one: str, many: str) -> str:
    said = count if isinstance(count, str) else number(count)
    return f"{said} {one if count == 1 else many}".rstrip()


MOST_SILENCES: Final = 3


def coverage(found: CaseCoverage, zone: ZoneInfo) -> list[str]:
    """Say how many of the cases that there were have been measured, and where nobody listened."""
    said = [_measured(found)]
    if found.beyond:
        said.append(f"Llegaron {number(found.beyond)} más de los que contó el sistema.")
    if found.counted_days and found.uncounted_days:
        days = counted(found.uncounted_days, "día de servicio", "días de servicio")
        said.append(f"En {days} no hubo conteo: ahí no se sabe si falta algún caso.")
    if found.silences:
        spans = "; ".join(_silence(each, zone) for each in found.silences[-MOST_SILENCES:])
        earlier = len(found.silences) - MOST_SILENCES
        more = f"; y {counted(earlier, 'vez', 'veces')} antes" if earlier > 0 else ""
        said.append(f"El sistema que lo mide calló en horas de servicio: {spans}{more}.")
    return [each for each in said if each]


def _measured(found: CaseCoverage) -> str:
    if found.known and not found.counted_days:
        return f"Se midieron todos los casos que hubo: {number(found.known)}."
    if found.known:
        share = quantity(100 * Decimal(found.measured) / found.known, "%")
        whole = counted(found.known, "caso que contó", "casos que contó")
        days = counted(found.counted_days, "día", "días")
        return f"Se midieron {number(found.measured)} de {whole} el sistema en {days} ({share})."
    if found.uncounted_days and not found.counted_days:
        return "No hay un conteo aparte de cuántos casos hubo."
    return ""


def _silence(span: SilentSpan, zone: ZoneInfo) -> str:
    if span.end is None:
        return f"desde el {instant(span.start, zone)}, y sigue"
    return f"del {instant(span.start, zone)} al {instant(span.end, zone)}"


def day(value: date) -> str:
    """`18 de octubre de 2024`."""
    return str(format_date(value, "d 'de' MMMM 'de' y", locale=LOCALE))


def weekday(value: date) -> str:
    """`viernes 18 de octubre de 2024`."""
    return str(format_date(value, "EEEE d 'de' MMMM 'de' y", locale=LOCALE))


def month(value: date) -> str:
    """`octubre`."""
    return str(format_date(value, "MMMM", locale=LOCALE))


def instant(value: datetime, zone: ZoneInfo) -> str:
    """`18 de octubre de 2024, 11:32 h`, local."""
    local = value.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}{NO_BREAK}h"


def window(value: ResultWindow, zone: ZoneInfo) -> str:
    """`tercer trimestre de 2024 (julio a septiembre)`, `septiembre de 2024`."""
    first, last = days_of(value, zone)
    if value.kind == "month":
        return f"{month(first)} de {first.year}"
    if value.kind == "year":
        return f"año {first.year}"
    months = f"{month(first)} a {month(last)}"
    if value.kind == "quarter":
        return f"{ORDINALS[(first.month - 1) // 3]} trimestre de {first.year} ({months})"
    if value.kind == "semester":
        return f"{ORDINALS[(first.month - 1) // 6]} semestre de {first.year} ({months})"
    return f"del {day(first)} al {day(last)}"


def days_of(value: ResultWindow, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and the last local day, both inside."""
    last = value.end - timedelta(microseconds=1)
    return value.start.astimezone(zone).date(), last.astimezone(zone).date()
