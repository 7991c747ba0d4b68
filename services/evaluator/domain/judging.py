"""One case under all its promises: verdicts, and what changed since the last time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.domain.catalogue import Promise
from shared.contracts import hot
from shared.contracts.service_events import CASE_ABANDONED
from shared.criteria import (
    Case,
    CasePause,
    CaseReason,
    CaseStatus,
    CaseVerdict,
    Tally,
    WindowBounds,
    judge_case,
)

VerdictKey = tuple[str, int]
"""Compromiso and part."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one case under one part, where it counts, and when to look again."""

    compromiso: str
    part: int
    carta_version: int
    unit: str
    window_id: str | None
    status: CaseStatus
    reason: str | None
    due_at: datetime | None
    elapsed: int | None
    overdue_open: bool
    historical: bool
    alarm_at: datetime | None

    @property
    def key(self) -> VerdictKey:
        """What it is a verdict of, within its case."""
        return (self.compromiso, self.part)

    def tally(self) -> Tally:
        """Return the counts it makes."""
        return Tally.of(
            CaseVerdict(
                status=self.status,
                reason=self.reason,
                anchor_instant=None,
                due=self.due_at,
                overdue_from=None,
                elapsed=self.elapsed,
                overdue_open=self.overdue_open,
            )
        )


def as_case(data: hot.CaseData) -> Case:
    """Return the case as the judge takes it."""
    return Case(
        events=data.instants,
        pauses=tuple(CasePause(p.reason, p.start, p.end) for p in data.pauses),
        exclusions=frozenset(data.exclusions),
        attributes=data.attributes,
        own_due=data.due_at,
        abandoned_at=data.instants.get(CASE_ABANDONED),
    )


def judge(
    data: hot.CaseData,
    groups: Iterable[tuple[Promise, ...]],
    *,
    known: datetime | None,
) -> dict[VerdictKey, tuple[Judgement, Promise, WindowBounds | None]]:
    """Judge a case by the version in force when its clock started, under every promise about it.

    `known` is the instant through which its facts are complete.
    """
    case = as_case(data)
    verdicts: dict[VerdictKey, tuple[Judgement, Promise, WindowBounds | None]] = {}
    for versions in groups:
        for promise in versions:
            for judged in _under(promise, case, data, known):
                verdicts.setdefault(judged[0].key, judged)
    return verdicts


def _under(
    promise: Promise, case: Case, data: hot.CaseData, known: datetime | None
) -> Iterator[tuple[Judgement, Promise, WindowBounds | None]]:
    for number, part in enumerate(promise.parts):
        started = _started(part.clock.start.kinds, part.population.event, case.events)
        if started is None or not promise.in_force(started):
            continue
        verdict = judge_case(part, case, promise.calendars[number], complete_through=known)
        if verdict is None:
            continue
        anchor = verdict.anchor_instant
        window = None if anchor is None else promise.window_at(anchor)
        if anchor is not None and window is None:
            continue  # outside of the campaign
        yield (
            Judgement(
                compromiso=promise.compromiso.id,
                part=number,
                carta_version=promise.carta.version,
                unit=promise.unit_of(data.unit),
                window_id=None if window is None else window.id,
                status=verdict.status,
                reason=verdict.reason,
                due_at=verdict.due,
                elapsed=verdict.elapsed,
                overdue_open=verdict.overdue_open,
                historical=data.historical,
                alarm_at=_alarm(verdict),
            ),
            promise,
            window,
        )


def _started(
    start_kinds: Iterable[str], population_event: str, events: Mapping[str, datetime]
) -> datetime | None:
    """Return when the clock started, or else when the case entered the population."""
    starts = [events[kind] for kind in start_kinds if kind in events]
    return min(starts) if starts else events.get(population_event)


def _alarm(verdict: CaseVerdict) -> datetime | None:
    """Return when an open case must be looked at again though nothing more is heard of it."""
    if verdict.status is not CaseStatus.PENDING or verdict.overdue_open:
        return None
    if verdict.reason == CaseReason.WAITING_FOR_START:
        return verdict.anchor_instant
    return verdict.overdue_from
