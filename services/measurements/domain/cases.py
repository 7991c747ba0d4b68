"""A case is a pure function of the set of its events: the order of arrival cannot change it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.measurements import CaseChange
from shared.contracts.service_events import (
    CASE_ABANDONED,
    CASE_EXCLUDED,
    CASE_PAUSED,
    CASE_RESUMED,
)

MAX_EVENTS = 500
"""Of one case. Beyond it a numbering is broken or an emitter hostile; assembly reads them all."""

CHANGES = {
    CASE_PAUSED: CaseChange.PAUSED,
    CASE_RESUMED: CaseChange.RESUMED,
    CASE_EXCLUDED: CaseChange.EXCLUDED,
    CASE_ABANDONED: CaseChange.ABANDONED,
}
NOT_AN_INSTANT = frozenset({CASE_PAUSED, CASE_RESUMED, CASE_EXCLUDED})

Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """One accepted event. `time` and `due_at` are UTC. Identity is (source, id)."""

    source: str
    id: str
    kind: str
    time: datetime
    service: str
    unit: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None
    reason: str | None = None
    supersedes: str | None = None
    void: bool = False
    historical: bool = False

    @property
    def identity(self) -> Identity:
        return self.source, self.id


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stood still in [start, end); without `end` it still does."""

    reason: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """What a set of events says of one case. `instants` holds the earliest instant of each kind."""

    service: str
    unit: str | None
    instants: dict[str, datetime]
    pauses: tuple[Pause, ...]
    exclusions: tuple[str, ...]
    attributes: dict[str, str]
    due_at: datetime | None
    sources: tuple[str, ...]
    historical: bool


def assemble(facts: Sequence[Fact]) -> Case:
    """Return the case that at least one fact makes.

    Of several events of a kind the earliest counts: calling a ticket again does not move its wait.
    Service and unit are those where the case began. Attributes and the promised instant are the
    latest ones said. A case whose events are all void keeps its service and has no instants.
    """
    standing = sorted(in_force(facts), key=_in_time)
    begun = standing or sorted(facts, key=_in_time)
    instants: dict[str, datetime] = {}
    attributes: dict[str, str] = {}
    due_at: datetime | None = None
    others: list[Fact] = []
    for fact in standing:
        if fact.kind in NOT_AN_INSTANT:
            others.append(fact)
        else:
            instants.setdefault(fact.kind, fact.time)
        attributes.update(fact.attributes)
        due_at = fact.due_at or due_at
    return Case(
        service=begun[0].service,
        unit=next((fact.unit for fact in begun if fact.unit), None),
        instants=instants,
        pauses=_pauses(others),
        exclusions=_exclusions(others),
        attributes=attributes,
        due_at=due_at,
        sources=tuple(sorted({fact.source for fact in facts})),
        historical=all(fact.historical for fact in facts),
    )


def change_of(fact: Fact, *, is_first: bool) -> CaseChange:
    """Return what an event did to its case."""
    if fact.void:
        return CaseChange.VOIDED
    if fact.supersedes is not None:
        return CaseChange.CORRECTED
    return CHANGES.get(fact.kind, CaseChange.OPENED if is_first else CaseChange.ADVANCED)


def in_force(facts: Sequence[Fact]) -> Iterable[Fact]:
    """Return the facts that count: for each event its last correction, unless that voids it.

    A correction that comes before what it corrects counts at once: the corrected event may have
    been refused. Of several corrections of the same event the longest chain counts, then the id
    that sorts last, so that arrival never decides.
    """
    if not any(fact.supersedes for fact in facts):
        return facts
    known = {fact.identity: fact for fact in facts}
    latest: dict[Identity, tuple[int, Fact]] = {}
    for fact in facts:
        origin, depth = _origin(fact, known)
        best = latest.get(origin)
        if best is None or (depth, fact.id) > (best[0], best[1].id):
            latest[origin] = (depth, fact)
    return [fact for _, fact in latest.values() if not fact.void]


def _origin(fact: Fact, known: Mapping[Identity, Fact]) -> tuple[Identity, int]:
    """Return the event that a chain of corrections goes back to, and the chain's length.

    Corrections of each other in a circle go back to the one of them that sorts first.
    """
    path: list[Identity] = []
    identity = fact.identity
    while identity not in path:
        path.append(identity)
        step = known.get(identity)
        if step is None or step.supersedes is None:
            return identity, len(path)
        identity = (step.source, step.supersedes)
    return min(path[path.index(identity) :]), len(path)


def _in_time(fact: Fact) -> tuple[datetime, str, str, str]:
    return fact.time, fact.kind, fact.source, fact.id


def _exclusions(facts: Sequence[Fact]) -> tuple[str, ...]:
    if not facts:
        return ()
    return tuple(sorted({f.reason for f in facts if f.kind == CASE_EXCLUDED and f.reason}))


def _pauses(facts: Sequence[Fact]) -> tuple[Pause, ...]:
    """Pair pauses with resumptions by reason; one without a reason ends every pause.

    A second pause for the same reason and a resumption of nothing change nothing. At the same
    instant a resumption ends the earlier pause first; what is paused and resumed at once stood
    still for no time and is left out.
    """
    if not facts:
        return ()
    switches = [fact for fact in facts if fact.kind != CASE_EXCLUDED]
    switches.sort(key=lambda fact: (fact.time, fact.kind == CASE_PAUSED))
    running: dict[str, datetime] = {}
    idle: set[tuple[str | None, datetime]] = set()
    ended: list[Pause] = []
    for fact in switches:
        if fact.kind == CASE_RESUMED:
            ended += _resume(fact, running) or _remember(fact, idle)
        elif not idle & {(fact.reason, fact.time), (None, fact.time)}:
            running.setdefault(str(fact.reason), fact.time)
    ended += [Pause(reason, start, None) for reason, start in running.items()]
    return tuple(sorted(ended, key=lambda pause: (pause.start, pause.reason)))


def _resume(fact: Fact, running: dict[str, datetime]) -> list[Pause]:
    reasons = list(running) if fact.reason is None else [fact.reason]
    return [Pause(name, running.pop(name), fact.time) for name in reasons if name in running]


def _remember(fact: Fact, idle: set[tuple[str | None, datetime]]) -> list[Pause]:
    idle.add((fact.reason, fact.time))
    return []
