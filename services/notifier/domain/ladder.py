"""Who is told: the posts that answer for a unit, from the nearest to the coordination."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.contracts.cartas import EscalationStep, PostData, Role, Status, UnitData

COORDINATION_RANK: Final = 10
"""Above every level that a municipality can name (1 to 9)."""
UNNAMED_RANK: Final = 1
"""A unit's post whose level the municipality's escalation does not name is told first."""

DEFAULT_STEPS: Final = (
    EscalationStep(level=1, post_level="enlace_carta", after_working_days=0),
    EscalationStep(level=2, post_level="titular_unidad", after_working_days=2),
    EscalationStep(level=3, post_level="titular_dependencia", after_working_days=10),
    EscalationStep(level=4, post_level="coordinacion", after_working_days=15),
)
"""Where a municipality declares none (domain reference, section 5; the last is our own)."""

MAXIMUM_PARENTS: Final = 10
ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAILBOX: Final = re.compile(rf"{ATOM}(?:\.{ATOM})*@{LABEL}(?:\.{LABEL})*")


@dataclass(frozen=True, slots=True)
class Rung:
    """One post on the ladder; lower ranks are told first."""

    rank: int
    post: str
    title: str
    mailbox: str | None
    coordination: bool = False


class Skip(StrEnum):
    """Why a post was passed over, as the ledger names it."""

    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    REJECTED_BEFORE = "rejected_before"


@dataclass(frozen=True, slots=True)
class Choice:
    """The post to tell, None where nobody can be reached, and those passed over on the way."""

    rung: Rung | None
    skipped: tuple[tuple[Rung, Skip], ...]


def unit_chain(unit: str, units: Mapping[str, UnitData]) -> tuple[str, ...]:
    """Return the unit and those above it, nearest first; a circle of parents ends it."""
    chain = [unit]
    while len(chain) <= MAXIMUM_PARENTS:
        known = units.get(chain[-1])
        if known is None or known.parent is None or known.parent in chain:
            break
        chain.append(known.parent)
    return tuple(chain)


def ladder(
    posts: Iterable[PostData], chain: Sequence[str], steps: Sequence[EscalationStep]
) -> tuple[Rung, ...]:
    """Return who answers for the first unit of `chain`, in the order of telling.

    By the level that the municipality's escalation gives the post, then by how near its unit is.
    The coordination is always on it, so that no alert is without a post.
    """
    levels = {step.post_level: step.level for step in steps or DEFAULT_STEPS}
    found = [
        (place, rung)
        for post in posts
        if post.status is Status.ACTIVE
        for place, rung in _placed(post, chain, levels)
    ]
    return tuple(rung for _, rung in sorted(found, key=lambda pair: pair[0]))


def _placed(
    post: PostData, chain: Sequence[str], levels: Mapping[str, int]
) -> list[tuple[tuple[int, int, str], Rung]]:
    if post.role is Role.COORDINATION:
        rank, distance = levels.get(post.level, COORDINATION_RANK), len(chain)
    elif post.unit in chain and post.role is Role.UNIT:
        distance = chain.index(post.unit)
        rank = levels.get(post.level, UNNAMED_RANK if distance == 0 else COORDINATION_RANK - 1)
    elif post.unit is None and post.level in levels and post.role is not Role.ADMINISTRATOR:
        rank, distance = levels[post.level], len(chain)
    else:
        return []
    coordination = post.role is Role.COORDINATION
    rung = Rung(rank, post.post, post.title, post.mailbox, coordination)
    return [((rank, distance, post.post), rung)]


def choose(
    rungs: Sequence[Rung], *, from_rank: int, rejecting: frozenset[str], tried: frozenset[str]
) -> Choice:
    """Return the first post from `from_rank` up that has an address nobody refused.

    `rejecting` are mailboxes whose server refused for good, `tried` those of earlier mails of
    the same alert. Where nobody from `from_rank` up can be told, it is the coordination.
    """
    above = [rung for rung in rungs if rung.rank >= from_rank]
    last = [rung for rung in rungs if rung.rank < from_rank and rung.coordination]
    skipped: list[tuple[Rung, Skip]] = []
    for rung in above + last:
        if rung.mailbox in tried:
            continue
        skip = _skip(rung.mailbox, rejecting)
        if skip is None:
            return Choice(rung, tuple(skipped))
        skipped.append((rung, skip))
    return Choice(None, tuple(skipped))


def _skip(mailbox: str | None, rejecting: frozenset[str]) -> Skip | None:
    if mailbox is None:
        return Skip.NO_ADDRESS
    if not is_mailbox(mailbox):
        return Skip.INVALID_ADDRESS
    return Skip.REJECTED_BEFORE if mailbox in rejecting else None


def is_mailbox(text: str) -> bool:
    """Say whether mail can be addressed to it: one plain ASCII address (RFC 5321, dot-string)."""
    local, _, _ = text.partition("@")
    return len(text) <= 254 and len(local) <= 64 and MAILBOX.fullmatch(text) is not None
