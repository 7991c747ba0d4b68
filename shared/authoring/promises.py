"""A promise as its author writes it: the criterion, and the terms under which it is judged."""

import re
from dataclasses import dataclass
from typing import Final

from shared.authoring.criteria import Surroundings, read_criterion
from shared.authoring.fields import EVENT_EXPECTED, EVENT_KIND, NO_TEXT, Section
from shared.contracts.cartas import Scope
from shared.criteria import Criterion, Window, WindowKind

_SCOPES: Final = {"carta": Scope.CARTA, "unidad": Scope.UNIT}
_WINDOWS: Final = {
    "quarter": WindowKind.QUARTER,
    "month": WindowKind.MONTH,
    "semester": WindowKind.SEMESTER,
    "year": WindowKind.YEAR,
    "trimestre": WindowKind.QUARTER,
    "mes": WindowKind.MONTH,
    "semestre": WindowKind.SEMESTER,
    "año": WindowKind.YEAR,
}
_CAMPAIGN_KEYS: Final = ("campaña", "campana")
MAX_EVENT_WORDS: Final = 100
_EVENT_WORDS = re.compile(r"(?=.{2,120}\Z)[^\W\dA-ZÁÉÍÓÚÜÑ][^\n]*[^\s.]")
_EVENT_WORDS_EXPECTED: Final = (
    "palabras que se lean después de «desde que», como: cerramos su solicitud; sin mayúscula "
    "inicial ni punto final"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """How a promise is judged: all of a compromiso that decides a verdict."""

    criterion: Criterion
    window: Window
    minimum_sample: int
    closing_delay_days: int
    scope: Scope


def read_judged(section: Section, around: Surroundings) -> Judged:
    """Read what decides a verdict; what is wrong is noted in the section's report."""
    return Judged(
        criterion=read_criterion(section, around),
        window=_window(section),
        minimum_sample=section.integer("min_muestra", 0, 1_000_000, default=0),
        closing_delay_days=section.integer("desfase_cierre_dias", 0, 366, default=0),
        scope=section.choice("alcance", _SCOPES, default="carta"),
    )


def read_event_words(section: Section) -> dict[str, str]:
    """Return the words for events of the carta's own, each as it reads after "desde que"."""
    given = section.optional_section("eventos")
    if given is None:
        return {}
    words = {}
    for kind in given.names():
        words[kind] = given.matching(kind, _EVENT_WORDS, _EVENT_WORDS_EXPECTED, stand_in=NO_TEXT)
        if not EVENT_KIND.fullmatch(kind):
            given.fault(kind, f"se esperaba {EVENT_EXPECTED}")
    if len(words) > MAX_EVENT_WORDS:
        section.fault("eventos", f"se esperaban a lo sumo {MAX_EVENT_WORDS} eventos")
    return {kind: said for kind, said in words.items() if EVENT_KIND.fullmatch(kind)}


def _window(section: Section) -> Window:
    """Read the name of a period, or `{campaña: {id, desde, hasta}}`."""
    if section.is_group("ventana"):
        return _campaign(section.section("ventana"))
    return Window(kind=section.choice("ventana", _WINDOWS))


def _campaign(section: Section) -> Window:
    key = next((key for key in _CAMPAIGN_KEYS if key in section), _CAMPAIGN_KEYS[0])
    campaign = section.section(key)
    section.close()
    first, last = campaign.day("desde"), campaign.day("hasta")
    name = campaign.code("id")
    campaign.close()
    if last < first:
        campaign.fault("hasta", f"el último día ({last}) es anterior al primero ({first})")
        last = first
    return Window(kind=WindowKind.CAMPAIGN, id=name, first=first, last=last)
