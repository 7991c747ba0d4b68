"""One case under all its promises: verdicts, and what changed since the last time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

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
from shared.worktime import PreparedCalendar

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
    calendar_version: int | None = None

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


Judged = tuple[Judgement, Promise, WindowBounds | None]
Closed = Mapping[tuple[str, str, str | None], Mapping[str, int]]
"""The versions of calendars that each closed window (compromiso, unit, window) was closed with."""
_NONE_CLOSED: Final[Closed] = {}


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
    closed: Closed = _NONE_CLOSED,
) -> dict[VerdictKey, Judged]:
    """Judge a case by the version in force when its clock started, under every promise about it.

    `known` is the instant through which its facts are complete.
    """
    case = as_case(data)
    verdicts: dict[VerdictKey, Judged] = {}
    for versions in groups:
        for promise in versions:
            for number in range(len(promise.parts)):
                judged = _under(_Look(promise, number, case, data, known), closed)
                if judged is not None:
                    verdicts.setdefault(judged[0].key, judged)
    return verdicts


def due_by(
    data: hot.CaseData, promise: Promise, part: int, *, calendar_version: int
) -> datetime | None:
    """Return when a case would be due by another version of the part's calendar."""
    history = promise.histories[part]
    calendar = None if history is None else history.version(calendar_version)
    if calendar is None:
        return None
    verdict = judge_case(promise.parts[part], as_case(data), calendar, complete_through=None)
    return None if verdict is None else verdict.due


@dataclass(frozen=True, slots=True)
class _Look:
    """One case under one part of one promise."""

    promise: Promise
    number: int
    case: Case
    data: hot.CaseData
    known: datetime | None

    @property
    def started(self) -> datetime | None:
        part = self.promise.parts[self.number]
        return _started(part.clock.start.kinds, part.population.event, self.case.events)


def _under(look: _Look, closed: Closed) -> Judged | None:
    """Judge by the calendar as it is known now, or was when the case's window closed.

    The versions are gone through as they became known: each re-dated the cases whose window had not
    been closed by then, and left the others alone.
    """
    promise, started = look.promise, look.started
    if started is None or not promise.in_force(started):
        return None
    history = promise.histories[look.number]
    for earlier in history.replaced_after(started) if history and closed else ():
        judged = _by(look, earlier)
        if judged is not None and _closed_with(judged[0], earlier, closed):
            return judged
    return _by(look, promise.calendars[look.number])


def _closed_with(judgement: Judgement, calendar: PreparedCalendar, closed: Closed) -> bool:
    window = (judgement.compromiso, judgement.unit, judgement.window_id)
    versions = closed.get(window)
    known = calendar.calendar
    return versions is not None and versions.get(known.id) == known.version


def _by(look: _Look, calendar: PreparedCalendar | None) -> Judged | None:
    promise, data = look.promise, look.data
    part = promise.parts[look.number]
    verdict = judge_case(part, look.case, calendar, complete_through=look.known)
    if verdict is None:
        return None
    anchor = verdict.anchor_instant
    window = None if anchor is None else promise.window_at(anchor)
    if anchor is not None and window is None:
        return None  # outside of the campaign
    judgement = Judgement(
        compromiso=promise.compromiso.id,
        part=look.number,
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
        calendar_version=None if calendar is None else calendar.calendar.version,
    )
    return judgement, promise, window


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
