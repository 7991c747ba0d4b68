"""What `cartas load` tells the person who runs it, in Spanish."""

from collections.abc import Iterable
from typing import Final

from services.cartas.domain import Catalogue, Fault
from services.cartas.use_cases.loading import Load
from shared.worktime import Count, PreparedCalendar
from shared.worktime.words import due_words, headline, lines

_KINDS: Final = {
    "municipality": ("municipio", "municipios"),
    "unit": ("unidad", "unidades"),
    "post": ("puesto", "puestos"),
    "calendar": ("calendario", "calendarios"),
    "carta": ("carta", "cartas"),
}


def places(faults: Iterable[Fault], file: str, word: str) -> str:
    """Return one line for each fault or warning: where it is, and what is expected."""
    return "\n".join(f"{fault.shown(file)} [{word}]" for fault in faults)


def contents(catalogue: Catalogue) -> str:
    """Return what the file holds."""
    services = {service for carta in catalogue.cartas for service in carta.data.services}
    compromisos = sum(len(carta.data.compromisos) for carta in catalogue.cartas)
    return (
        f"{catalogue.municipality.name} ({catalogue.municipality.municipality}): "
        f"{len(catalogue.cartas)} cartas, {len(services)} servicios, {compromisos} compromisos, "
        f"{len(catalogue.calendars)} calendarios, {len(catalogue.units)} unidades, "
        f"{len(catalogue.posts)} puestos"
    )


def outcome(load: Load) -> str:
    """Return what was published."""
    if not load.published:
        return f"Nada nuevo: lo publicado ya es igual ({load.unchanged} elementos)."
    named = ", ".join(
        f"{number} {_KINDS[kind][number != 1]}" for kind, number in load.published.items()
    )
    return f"Publicado: {named}. Sin cambio: {load.unchanged}."


def counted(count: Count, calendar: PreparedCalendar) -> str:
    """Return a count as a table: one line for each day, then when the term ends."""
    known = calendar.calendar
    found = lines(count)
    widths = [max(len(each.hours) for each in found), max(len(each.words) for each in found)]
    table = [
        f"{each.weekday[:3]:3}  {each.date or '…':10}  {each.hours:{widths[0]}}  "
        f"{each.words:{widths[1]}}  {each.total}".rstrip()
        for each in found
    ]
    more = [f"… y {count.left_out} días más."] if count.left_out else []
    source = f" ({known.source})" if known.source else ""
    return "\n".join(
        [
            f"Calendario {known.id}, versión {known.version}, {known.zone}{source}",
            f"{headline(count, calendar)}:",
            *table,
            *more,
            due_words(count, calendar),
        ]
    )
