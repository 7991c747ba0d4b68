"""Which post may see and move which folio. A refusal looks as if the folio did not exist."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.buzon.domain.cases import Folio, Step
from shared.contracts.cartas import Role


@dataclass(frozen=True, slots=True)
class Post:
    """A post in office: its role, and the units it answers for, with all below its own."""

    municipality: str
    post: str
    role: Role
    units: frozenset[str]


def units_under(unit: str | None, parents: Mapping[str, str | None]) -> frozenset[str]:
    """Return `unit` and every unit below it; `parents` names the parent of each known unit."""
    if unit is None:
        return frozenset()
    found = {unit}
    while grown := {child for child, parent in parents.items() if parent in found} - found:
        found |= grown
    return frozenset(found)


def may_see(post: Post, folio: Folio) -> bool:
    """Conduct is the Contraloria's alone; the rest is the unit's and the coordination's."""
    if post.municipality != folio.municipality:
        return False
    if post.role is Role.CONTRALORIA:
        return folio.is_referred
    if folio.is_referred:
        return False
    return post.role is Role.COORDINATION or (
        post.role is Role.UNIT and folio.unit is not None and folio.unit in post.units
    )


def may_take(post: Post, step: Step) -> bool:
    """Who may see a folio may move it; only the coordination says whose it is."""
    return step is not Step.ASSIGN or post.role is Role.COORDINATION
