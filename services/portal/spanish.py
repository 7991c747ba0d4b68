"""What only the pages say in Spanish: reasons, subjects, times that cases took, terms."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from shared.contracts.results import ResultWindow
from shared.spanish import NO_BREAK, day, days_of, instant, month, quantity, window
from shared.worktime.model import MICROSECONDS, Unit

REASONS: Final = {
    "sin_demanda": "nadie pidió el servicio en el periodo",
    "muestra_insuficiente": "hubo muy pocos casos para juzgarlo",
    "fuente_sin_datos": "el sistema que lo mide no envió datos completos",
    "sin_fuente": "ningún sistema informa de lo que se mide",
    "casos_pendientes": "aún hay casos por concluir que pueden cambiar el resultado",
    "cambio_de_forma": "la carta cambió durante el periodo y mide otra cosa que antes",
    "incidencia_de_medicion": "hubo una incidencia en la medición",
    "servicio_no_prestado": "el servicio no se prestó en el periodo",
    "carta_suspendida": "la carta estuvo suspendida",
    "solo_informativo": "solo informa: no tiene meta",
    "sin_periodo_de_referencia": "falta el periodo con el que se compara",
    "referencia_en_cero": "el periodo con el que se compara fue de cero",
    "sin_periodo_cerrado": "aún no cierra su primer periodo",
}
BASES: Final = {
    "satisfaccion": "Satisfacción de la persona usuaria",
    "tiempo_espera": "Tiempo de espera",
    "tiempo_atencion": "Tiempo de atención",
    "tiempo_respuesta_solicitud": "Tiempo de respuesta a la solicitud",
    "tiempo_respuesta_buzon": "Respuesta a lo que llega al buzón",
}


def elapsed(value: int, unit: str) -> str:
    """Write a case's time: microseconds, or whole days or months where the unit counts those."""
    microseconds = MICROSECONDS.get(Unit(unit), 1)
    return quantity(Decimal(value) / microseconds, unit)


def reason(name: str | None) -> str:
    """Return the words for why there is no verdict; an unknown name is shown as it is."""
    return "" if name is None else REASONS.get(name, name.replace("_", " "))


def deadline(value: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Write the last moment that is in time; a term that ends with a day is told by that day.

    Terms in days end at the next local midnight, which is outside: saying it would promise a day
    more.
    """
    local = value.astimezone(zone)
    if local.time() == time():
        return day(local.date() - timedelta(days=1))
    if seconds:
        return moment(value, zone)
    return instant(value, zone)


def moment(value: datetime, zone: ZoneInfo) -> str:
    """Write an instant with its seconds: some promises are counted in them."""
    local = value.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M:%S}{NO_BREAK}h"


def window_as_span(value: ResultWindow, zone: ZoneInfo) -> str:
    """`de julio a septiembre de 2024`, `en septiembre de 2024`: how a sentence begins."""
    first, last = days_of(value, zone)
    if value.kind == "month":
        return f"en {window(value, zone)}"
    if value.kind in ("quarter", "semester", "year"):
        return f"de {month(first)} a {month(last)} de {last.year}"
    return window(value, zone)


def sentence(text: str) -> str:
    """Begin with a capital letter; the rest stays."""
    return text[:1].upper() + text[1:]
