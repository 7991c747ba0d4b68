"""Cases as their emitters would tell them: events with corrections, or states of a folio."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.contracts import hot
from shared.contracts.complaints import ComplaintChange, ComplaintData, ComplaintKind, Finding
from shared.contracts.measurements import PauseInterval
from shared.contracts.service_events import (
    CASE_ABANDONED,
    CASE_EXCLUDED,
    CASE_PAUSED,
    CASE_RESUMED,
)
from shared.criteria import Case

BUZON_EVENTS = {"buzon.submitted", "buzon.answered", "buzon.upheld"}


@dataclass(frozen=True, slots=True)
class _Said:
    """What an emitter says of a case under one label."""

    kind: str
    time: datetime
    reason: str | None = None


@dataclass(slots=True)
class Emitter:
    """Tells cases, and corrects what it told before: the last event of each label is superseded."""

    source: str
    municipality: str
    service: str
    told: dict[tuple[str, str], tuple[str, hot.ServiceEvent]] = field(default_factory=dict)
    number: int = 0

    def tell(self, name: str, case: Case) -> Iterator[hot.ServiceEvent]:
        """Yield the events that make the case what it is now."""
        said = dict(_labelled(case))
        before = [label for known, label in self.told if known == name]
        for label, each in said.items():
            content = {
                "attributes": dict(case.attributes),
                "due_at": case.own_due,
                "reason": each.reason,
            }
            yield from self._say(name, label, each, content)
        for label in before:
            last = self.told[name, label][1]
            if label not in said and not last.data.void:
                voided = _Said(last.type, last.time, last.data.reason)
                yield from self._say(name, label, voided, {"void": True, "reason": voided.reason})

    def _say(
        self, name: str, label: str, said: _Said, content: Mapping[str, Any]
    ) -> Iterator[hot.ServiceEvent]:
        known = self.told.get((name, label))
        if known is not None and _same(known[1], said, content):
            return
        self.number += 1
        identity = f"{name}/{label}/{self.number}"
        data = hot.ServiceEventData(
            municipality=self.municipality,
            case=name,
            service=self.service,
            supersedes=None if known is None else known[0],
            **content,
        )
        event = hot.ServiceEvent(
            id=identity, source=self.source, type=said.kind, time=said.time, data=data
        )
        self.told[name, label] = (identity, event)
        yield event


def _same(event: hot.ServiceEvent, said: _Said, content: Mapping[str, Any]) -> bool:
    told = (event.type, event.time, event.data.attributes, event.data.due_at, event.data.reason)
    now = (said.kind, said.time, content.get("attributes", {}), content.get("due_at"))
    return told == (*now, content.get("reason")) and event.data.void is bool(content.get("void"))


def _labelled(case: Case) -> Iterator[tuple[str, _Said]]:
    for kind, time in case.events.items():
        yield kind, _Said(kind, time)
    if case.abandoned_at is not None:
        yield CASE_ABANDONED, _Said(CASE_ABANDONED, case.abandoned_at)
    first = min(case.events.values())
    for reason in sorted(case.exclusions):
        yield f"{CASE_EXCLUDED}:{reason}", _Said(CASE_EXCLUDED, first, reason)
    for number, pause in enumerate(case.pauses):
        yield f"pause-{number}", _Said(CASE_PAUSED, pause.start, pause.reason)
        if pause.end is not None:
            yield f"resume-{number}", _Said(CASE_RESUMED, pause.end, pause.reason)


def is_folio(case: Case) -> bool:
    """Return whether the buzon can say all of it."""
    has_kind = case.attributes.get("tipo", "queja") in set(ComplaintKind)
    known = case.events.keys() <= BUZON_EVENTS and case.attributes.keys() <= {"tipo", "carta"}
    return has_kind and known


def folio(municipality: str, name: str, case: Case, *, revision: int) -> ComplaintData:
    """Return what `complaints.v1` says of the case."""
    upheld = case.events.get("buzon.upheld")
    answered = case.events.get("buzon.answered") or upheld
    return ComplaintData(
        municipality=municipality,
        folio=name,
        revision=revision,
        change=ComplaintChange.FILED,
        kind=ComplaintKind(case.attributes.get("tipo", "queja")),
        carta=case.attributes.get("carta"),
        filed_at=case.events.get("buzon.submitted") or min(case.events.values()),
        answered_at=answered,
        finding=None if upheld is None else Finding.UPHELD,
        found_at=upheld,
        pauses=tuple(
            PauseInterval(reason=pause.reason, start=pause.start, end=pause.end)
            for pause in case.pauses
        ),
        exclusions=tuple(sorted(case.exclusions)),
    )
