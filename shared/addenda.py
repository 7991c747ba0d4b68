"""What a corrected edition says, in Spanish: for pages, files and commands alike."""

from typing import Final

from shared.contracts.results import AddendumReason
from shared.criteria.words import excluded
from shared.spanish import counted

_CAUSES: Final = {
    AddendumReason.LATE_FACTS: "hechos que llegaron después del corte",
    AddendumReason.CORRECTION: "correcciones que envió quien registra los casos",
    AddendumReason.IMPORT: "una importación",
    AddendumReason.CONTEST_ACCEPTED: "impugnaciones que la coordinación aceptó",
    AddendumReason.CONTEST_TAKEN_BACK: "impugnaciones que se habían aceptado y se revirtieron",
    AddendumReason.CATALOGUE_CHANGED: "un cambio publicado en la carta o en un calendario",
    AddendumReason.TERM_PASSED: "plazos que ya habían vencido cuando se completaron los datos",
    AddendumReason.REFERENCE_MOVED: "un cambio en la cifra del periodo con el que se compara",
    AddendumReason.SOURCE_HEARD: "lo que después se supo de hasta cuándo están completos los datos",
}
_COUNTS: Final = {
    "met": "a tiempo o medidos",
    "failed": "fuera de lo prometido",
    "pending": "pendientes",
    "overdue_open": "abiertos fuera de plazo",
}
_EXCLUDED: Final = "excluded."
_ABOVE: Final = "numerator."


def caused(reason: AddendumReason, import_id: str | None = None, total: int | None = None) -> str:
    """Return the words for what moved an edition, and in how many cases where that is told."""
    words = _CAUSES[reason] if import_id is None else f"la importación «{import_id}»"
    return f"{words} ({counted(total, 'caso', 'casos')})" if total else words


def moved_count(name: str) -> str:
    """Return the words for a count that a correction changed; exclusions keep their own names."""
    if name.startswith(_ABOVE):
        return f"en el numerador, {moved_count(name.removeprefix(_ABOVE))}"
    left_out = name.removeprefix(_EXCLUDED)
    return _COUNTS.get(name) or f"no contados ({excluded(left_out)})"
