"""One case under all its promises: verdicts, and what changed since the last time."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from services.evaluator.domain.catalogue import Promise
from shared.contracts import hot
from shared.contracts.service_events import CASE_ABANDONED
from shared.criteria import (
    Case,
    CaseJudge,
    CasePause,
    CaseReason,
    CaseStatus,
    CaseVerdict,
    Span,
    WindowBounds,
    judge_case,
    places_of,
    prepare,
)
from shared.worktime import PreparedCalendar

VerdictKey = tuple[str, int, int]
"""Compromiso, measure, and which of the windows it counts in: an outage may touch several."""


class Judgement(NamedTuple):
    """The verdict on one case under one measure, where it counts, and when to look again.

    `part` is the number of the measure: a ratio has two, everything else one for each part.
    """

    compromiso: str
    part: int
    slice: int
    carta_version: int
    unit: str
    window_id: str | None
    status: CaseStatus
    reason: str | None
    due_at: datetime | None
    amount: int | None
    overdue_open: bool
    cell: str
    span: Span | None
    historical: bool
    alarm_at: datetime | None
    calendar_version: int | None = None

    @property
    def key(self) -> VerdictKey:
        """What it is a verdict of, within its case: its first three members."""
        return self[:3]


Judged = tuple[Judgement, Promise, WindowBounds | None]
Closed = Mapping[tuple[str, str, str | None], Mapping[str, int]]
"""The versions of calendars that each closed window (compromiso, unit, window) was closed with."""
_NONE_CLOSED: Final[Closed] = {}
_NO_EXCLUSIONS: Final[frozenset[str]] = frozenset()
_PENDING = CaseStatus.PENDING


def as_case(data: hot.CaseData) -> Case:
    """Return the case as the judge takes it; conditions may name its service and unit as well."""
    unit, events = data.unit, data.instants
    return Case(
        events,
        tuple(CasePause(p.reason, p.start, p.end) for p in data.pauses) if data.pauses else (),
        frozenset(data.exclusions) if data.exclusions else _NO_EXCLUSIONS,
        data.attributes,
        data.due_at,
        events.get(CASE_ABANDONED),
        {"servicio": data.service} if unit is None else {"servicio": data.service, "unidad": unit},
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
    events = case.events
    verdicts: dict[VerdictKey, Judged] = {}
    for versions in groups:
        for promise in versions:
            for number, judge_of in enumerate(promise.judges):
                if judge_of.event in events:  # most measures are not about most cases
                    look = _Look(promise, number, case, data, known)
                    for judged in _under(look, judge_of, closed):
                        verdicts.setdefault(judged[0][:3], judged)
    return verdicts


def due_by(
    data: hot.CaseData, promise: Promise, part: int, *, calendar_version: int
) -> datetime | None:
    """Return when a case would be due by another version of the measure's calendar."""
    history = promise.histories[part]
    calendar = None if history is None else history.version(calendar_version)
    if calendar is None:
        return None
    verdict = judge_case(
        promise.measures[part], as_case(data), calendar, zone=promise.zone, complete_through=None
    )
    return None if verdict is None else verdict.due


class _Look(NamedTuple):
    """One case under one measure of one promise."""

    promise: Promise
    number: int
    case: Case
    data: hot.CaseData
    known: datetime | None


def _under(look: _Look, latest: CaseJudge, closed: Closed) -> tuple[Judged, ...]:
    """Judge by the calendar as it is known now, or was when the case's window closed.

    The versions are gone through as they became known: each re-dated the cases whose window had not
    been closed by then, and left the others alone.
    """
    promise, started = look.promise, latest.started_at(look.case)
    if started is None or not promise.in_force(started):
        return ()
    if closed and (history := promise.histories[look.number]) is not None:
        for earlier in history.replaced_after(started):
            judged = _by(look, prepare(latest.measure, earlier, zone=promise.zone))
            if judged and _closed_with(judged[0][0], earlier, closed):
                return judged
    return _by(look, latest)


def _closed_with(judgement: Judgement, calendar: PreparedCalendar, closed: Closed) -> bool:
    window = (judgement.compromiso, judgement.unit, judgement.window_id)
    versions = closed.get(window)
    known = calendar.calendar
    return versions is not None and versions.get(known.id) == known.version


def _by(look: _Look, judge_of: CaseJudge) -> tuple[Judged, ...]:
    """Return the verdict in each window in which it counts; none outside of a campaign."""
    verdict = judge_of.verdict(look.case, look.known)
    if verdict is None:
        return ()
    promise, anchor = look.promise, verdict.anchor_instant
    if anchor is None or verdict.span is not None:
        windows = places_of(judge_of.measure, verdict, promise.windows, known=look.known)
    else:
        windows = (promise.windows.at(anchor),)
        if windows[0] is None:
            return ()
    if len(windows) == 1:
        return (_counted(look, judge_of, verdict, windows, 0),)
    return tuple(_counted(look, judge_of, verdict, windows, n) for n in range(len(windows)))


def _counted(
    look: _Look,
    judge_of: CaseJudge,
    verdict: CaseVerdict,
    windows: tuple[WindowBounds | None, ...],
    place: int,
) -> Judged:
    promise, data, calendar = look.promise, look.data, judge_of.calendar
    window = windows[place]
    judgement = Judgement(
        promise.id,
        look.number,
        place,
        promise.version,
        promise.unit_of(data.unit),
        None if window is None else window.id,
        verdict.status,
        verdict.reason,
        verdict.due,
        verdict.amount,
        verdict.overdue_open,
        verdict.cell,
        verdict.span,
        data.historical,
        _alarm(verdict, windows) if verdict.status is _PENDING else None,
        None if calendar is None else calendar.calendar.version,
    )
    return (judgement, promise, window)


def _alarm(verdict: CaseVerdict, windows: tuple[WindowBounds | None, ...]) -> datetime | None:
    """Return when a pending case must be looked at again though nothing more is heard of it.

    An outage that goes on will touch the next window.
    """
    if verdict.overdue_open:
        return None
    if verdict.reason == CaseReason.WAITING_FOR_START:
        return verdict.anchor_instant
    last = windows[-1]
    if verdict.span is not None and last is not None:
        return last.end
    return verdict.overdue_from
