"""A draft as an author writes it: one compromiso in the words of the catalogue, or a part of it."""

from collections.abc import Collection
from typing import Final

from services.evaluator.domain.drafts import Draft, DraftError
from shared.authoring.criteria import Surroundings
from shared.authoring.faults import Fault, Report
from shared.authoring.fields import Section
from shared.authoring.marked_yaml import UnreadableError, parse
from shared.authoring.promises import read_event_words, read_judged

MAX_BYTES = 64 * 1024
_NOT_JUDGED: Final = (
    *("id", "base", "texto", "indicador", "subsanacion", "plazo_legal", "alerta", "nota"),
    *("expectativa", "casos_esperados"),
)
"""What a compromiso says beside, and no verdict depends on."""


def read_draft(content: bytes, *, calendars: Collection[str], calendar: str) -> Draft:
    """Return the draft, whose clocks take `calendar` where they name none.

    Raises DraftError, which names each field that is wrong with its line.
    """
    if len(content) > MAX_BYTES:
        raise DraftError(f"más de {MAX_BYTES} bytes")
    report = Report()
    try:
        section = Section(parse(content, report), "", report)
        events = read_event_words(section)
        judged = read_judged(section, Surroundings(calendars, calendar, events))
    except UnreadableError as error:
        raise DraftError(_said([error.fault])) from error
    section.ignore(*_NOT_JUDGED)
    section.close()
    if report.faults:
        raise DraftError(_said(sorted(set(report.faults))))
    return Draft(judged, events)


def _said(faults: list[Fault]) -> str:
    placed = ((f"línea {each.line}", each.path, each.message) for each in faults)
    return "; ".join(": ".join(filter(None, parts)) for parts in placed)
