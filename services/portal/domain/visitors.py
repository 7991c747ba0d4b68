"""Who is signed in: a post with its role, or an administrator of the installation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.contracts.cartas import PostData, Role, UnitData

HOMES: Final = {
    Role.UNIT: "/panel",
    Role.COORDINATION: "/coordinacion",
    Role.CONTRALORIA: "/contraloria",
    Role.ADMINISTRATOR: "/administracion",
}
ROLE_WORDS: Final = {
    Role.UNIT: "Unidad",
    Role.COORDINATION: "Coordinación",
    Role.CONTRALORIA: "Contraloría",
    Role.ADMINISTRATOR: "Administración",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person acting for a post. `units` is the post's own unit and all under it.

    An administrator of the installation holds no post: `municipality` and `post` are then empty.
    """

    mailbox: str
    role: Role
    title: str
    municipality: str = ""
    post: str = ""
    unit: str | None = None
    units: frozenset[str] = field(default_factory=frozenset)

    @property
    def home(self) -> str:
        """Address of the first page of the role."""
        return HOMES[self.role]

    @property
    def role_word(self) -> str:
        return ROLE_WORDS[self.role]

    def answers_for(self, *units: str) -> bool:
        """Whether one of the units is the visitor's own or under it."""
        return any(unit in self.units for unit in units)


def visitor_of(post: PostData, units: Mapping[str, UnitData]) -> Visitor:
    """Return the visitor who acts for the post."""
    return Visitor(
        mailbox=(post.mailbox or "").lower(),
        role=post.role,
        title=post.title,
        municipality=post.municipality,
        post=post.post,
        unit=post.unit,
        units=units_under(post.unit, units),
    )


def units_under(unit: str | None, units: Mapping[str, UnitData]) -> frozenset[str]:
    """Return the unit and all units below it."""
    if unit is None:
        return frozenset()
    found = {unit}
    while more := {code for code, each in units.items() if each.parent in found} - found:
        found |= more
    return frozenset(found)
