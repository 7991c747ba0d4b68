"""A folio and what may happen to it: each rule returns its next state or says why not."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final, assert_never

from services.buzon.domain.terms import CLARIFICATION, Term
from shared.contracts.complaints import ComplaintChange, ComplaintData, ComplaintKind, Finding
from shared.contracts.measurements import PauseInterval

CONDUCT: Final = "denuncia_turnada_contraloria"
DUPLICATED: Final = "duplicado"
NOT_COMPETENT: Final = "no_competencia_turnado"


class Step(StrEnum):
    """What a post does to a folio; the last part of the route that does it."""

    ASSIGN = "assign"
    PAUSE = "pause"
    RESUME = "resume"
    ANSWER = "answer"
    FINDING = "finding"
    LINK = "link"
    DUPLICATE = "duplicate"
    NOT_COMPETENT = "not-competent"
    REFER = "refer"


class Situation(StrEnum):
    """Where a folio stands, in one word."""

    OPEN = "open"
    PAUSED = "paused"
    ANSWERED = "answered"
    NOT_COMPETENT = "not_competent"
    DUPLICATE = "duplicate"


class StepRefusedError(Exception):
    """The step is not possible as the folio stands; `allowed` are those that are."""

    def __init__(self, step: Step, allowed: frozenset[Step]) -> None:
        super().__init__(step.value)
        self.step = step
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Folio:
    """The state of one folio, without its texts. Instants are UTC, `answer_by` is a local date.

    `calendar_version` is that of the term's calendar by which the date was counted.
    """

    folio: str
    municipality: str
    revision: int
    kind: ComplaintKind
    filed_at: datetime
    term: Term
    carta: str | None = None
    compromiso: str | None = None
    unit: str | None = None
    answer_by: date | None = None
    calendar_version: int | None = None
    answered_at: datetime | None = None
    finding: Finding | None = None
    found_at: datetime | None = None
    duplicate_of: str | None = None
    not_competent_at: datetime | None = None
    referred_at: datetime | None = None
    pauses: tuple[PauseInterval, ...] = ()

    @property
    def is_referred(self) -> bool:
        """Whether it is the Contraloria's: then no unit may see that it exists."""
        return self.referred_at is not None

    @property
    def is_paused(self) -> bool:
        """Whether the citizen's clarification is awaited."""
        return bool(self.pauses) and self.pauses[-1].end is None

    @property
    def situation(self) -> Situation:
        """The one word for it. A notice that the unit is not competent is an answer as well."""
        if self.duplicate_of is not None:
            return Situation.DUPLICATE
        if self.not_competent_at is not None:
            return Situation.NOT_COMPETENT
        if self.answered_at is not None:
            return Situation.ANSWERED
        return Situation.PAUSED if self.is_paused else Situation.OPEN

    @property
    def exclusions(self) -> tuple[str, ...]:
        """Names under which criteria may leave the folio out, sorted."""
        held = (
            (CONDUCT, self.is_referred),
            (DUPLICATED, self.duplicate_of is not None),
            (NOT_COMPETENT, self.not_competent_at is not None),
        )
        return tuple(sorted(name for name, holds in held if holds))


def allowed_steps(folio: Folio) -> frozenset[Step]:
    """Return the steps that are possible now. What was referred, only the Contraloria moves."""
    steps = _steps_by_situation(folio)
    if folio.is_referred:
        return steps & {Step.PAUSE, Step.RESUME, Step.ANSWER, Step.FINDING}
    return steps | {Step.REFER}


def _steps_by_situation(folio: Folio) -> frozenset[Step]:
    match folio.situation:
        case Situation.OPEN:
            steps = {Step.ASSIGN, Step.PAUSE, Step.ANSWER, Step.LINK}
            return frozenset(steps | {Step.DUPLICATE, Step.NOT_COMPETENT})
        case Situation.PAUSED:
            steps = {Step.RESUME, Step.ANSWER, Step.LINK, Step.DUPLICATE, Step.NOT_COMPETENT}
            return frozenset(steps)
        case Situation.ANSWERED:
            judged = folio.finding is not None or folio.kind is ComplaintKind.RECONOCIMIENTO
            return frozenset({Step.LINK} if judged else {Step.LINK, Step.FINDING})
        case Situation.NOT_COMPETENT | Situation.DUPLICATE:
            return frozenset()
        case unknown:
            assert_never(unknown)


def assign(folio: Folio, unit: str) -> Folio:
    """Turn the folio over to `unit`; the term goes on, it was promised to the citizen."""
    return replace(_next(folio, Step.ASSIGN), unit=unit)


def pause(folio: Folio, now: datetime) -> Folio:
    """Stop the clock until the citizen has made clear what is meant."""
    paused = _next(folio, Step.PAUSE)
    return replace(paused, pauses=(*folio.pauses, PauseInterval(reason=CLARIFICATION, start=now)))


def resume(folio: Folio, now: datetime) -> Folio:
    """Let the clock go on."""
    return _without_open_pause(_next(folio, Step.RESUME), now)


def answer(folio: Folio, now: datetime) -> Folio:
    """Stop the clock for good: the substantive answer is given. An open pause ends with it."""
    return replace(_without_open_pause(_next(folio, Step.ANSWER), now), answered_at=now)


def find(folio: Folio, finding: Finding, now: datetime) -> Folio:
    """Record whether the complaint was justified: after the answer, once."""
    return replace(_next(folio, Step.FINDING), finding=finding, found_at=now)


def link(folio: Folio, *, carta: str, compromiso: str, unit: str) -> Folio:
    """Say which promise it is about. What the folio lacks of carta and unit it takes from there.

    Its term stays: it was promised to the citizen.
    """
    linked = _next(folio, Step.LINK)
    return replace(
        linked, compromiso=compromiso, carta=folio.carta or carta, unit=folio.unit or unit
    )


def mark_duplicate(folio: Folio, original: Folio, now: datetime) -> Folio:
    """Leave it to `original`, which must stand on its own: no chains, no circles."""
    marked = _without_open_pause(_next(folio, Step.DUPLICATE), now)
    same = original.folio == folio.folio
    if same or original.duplicate_of is not None or original.is_referred:
        raise StepRefusedError(Step.DUPLICATE, allowed_steps(folio) - {Step.DUPLICATE})
    return replace(marked, duplicate_of=original.folio)


def turn_over(folio: Folio, now: datetime) -> Folio:
    """Tell the citizen that another authority is competent; it counts as answered and excluded."""
    told = _without_open_pause(_next(folio, Step.NOT_COMPETENT), now)
    return replace(told, answered_at=now, not_competent_at=now)


def refer(folio: Folio, now: datetime) -> Folio:
    """Give it to the Contraloria: it is about somebody's conduct."""
    return replace(_next(folio, Step.REFER), referred_at=now)


def public_state(folio: Folio, change: ComplaintChange) -> ComplaintData:
    """Return what may leave the buzon. Of a referred folio not even the unit and the carta."""
    hidden = folio.is_referred
    return ComplaintData(
        municipality=folio.municipality,
        folio=folio.folio,
        revision=folio.revision,
        change=change,
        kind=folio.kind,
        carta=None if hidden else folio.carta,
        compromiso=None if hidden else folio.compromiso,
        unit=None if hidden else folio.unit,
        filed_at=folio.filed_at,
        answer_by=folio.answer_by,
        answered_at=folio.answered_at,
        finding=folio.finding,
        found_at=folio.found_at,
        pauses=folio.pauses,
        exclusions=folio.exclusions,
    )


def _next(folio: Folio, step: Step) -> Folio:
    allowed = allowed_steps(folio)
    if step not in allowed:
        raise StepRefusedError(step, allowed)
    return replace(folio, revision=folio.revision + 1)


def _without_open_pause(folio: Folio, now: datetime) -> Folio:
    if not folio.is_paused:
        return folio
    last = folio.pauses[-1]
    ended = PauseInterval(reason=last.reason, start=last.start, end=max(now, last.start))
    return replace(folio, pauses=(*folio.pauses[:-1], ended))
