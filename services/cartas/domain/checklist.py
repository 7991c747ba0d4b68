"""What the checklist of a carta asks beside its criteria: expectations, consultation, words."""

import re
from collections.abc import Collection
from datetime import date
from typing import Final

from shared.authoring.fields import Section
from shared.contracts.cartas import Compromiso, Expectation
from shared.criteria import kinds_of, measures_of

NO_APPROVAL: Final = date(2000, 1, 1)
"""Stands for the date of an approval that is still to come."""
_WEB_ADDRESS: Final = re.compile(r"https://[^\s/]+\.[^\s/]+(/\S*)?")


def warn_of_idle_words(
    section: Section, events: Collection[str], compromisos: Collection[Compromiso]
) -> None:
    """Name words for an event that nothing measures: it is misspelt, or not needed."""
    measured = {
        kind
        for compromiso in compromisos
        for measure in measures_of(compromiso.criterion)
        for kind in kinds_of(measure)
    }
    for kind in events:
        if kind not in measured:
            section.warn("eventos", f"ningún compromiso mide «{kind}»")


def read_expectation(section: Section) -> Expectation | None:
    """Return what was asked of the citizens before anything was promised to them."""
    measured = section.optional_section("expectativa")
    if measured is None:
        return None
    found = Expectation(study=measured.text("estudio", longest=300), date=measured.day("fecha"))
    measured.close()
    return found


def warn_of_no_expectation(
    section: Section, compromisos: Collection[Compromiso], *, approved: date
) -> None:
    """Name what answers no measured expectation, or one that was asked about afterwards."""
    unasked = [each.id for each in compromisos if each.expectation is None]
    if unasked:
        named = ", ".join(unasked)
        advice = "diga «expectativa: {estudio, fecha}»"
        section.warn(
            "compromisos", f"no dicen a qué expectativa medida responden: {named}; {advice}"
        )
    for each in compromisos:
        if each.expectation and NO_APPROVAL < approved < each.expectation.date:
            message = f"la expectativa de {each.id} se midió después de aprobarse el compromiso"
            section.warn("compromisos", message)


def read_consultation(section: Section) -> str:
    """Return how anybody can consult the indicators and their results."""
    said = section.optional_text("consulta", longest=300) or ""
    if not said:
        message = "no dice cómo consultar sus indicadores y resultados; diga «consulta: …»"
        section.warn("consulta", message)
    elif "://" in said and not _WEB_ADDRESS.fullmatch(said):
        section.fault(
            "consulta", "se esperaba una dirección que empiece con https://, sin espacios"
        )
        return ""
    return said
