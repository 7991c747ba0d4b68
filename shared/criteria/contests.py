"""Exclusions of cases that a unit contested and the coordination took out."""

from enum import StrEnum


class ContestReason(StrEnum):
    """Why a case is contested: a closed list, which holds under every promise.

    Each is the name of the exclusion that an accepted contest becomes. No emitter may say them.
    """

    WRONG_RECORD = "impugnado_registro_equivocado"
    ANOTHER_PERSON = "impugnado_turno_de_otra_persona"
    FORCE_MAJEURE = "impugnado_fuerza_mayor"


def contested(exclusions: frozenset[str]) -> str | None:
    """Return the contest for which a case is out, whatever its criterion lists."""
    return next((reason.value for reason in ContestReason if reason.value in exclusions), None)
