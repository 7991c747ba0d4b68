"""Parts and cases that are valid by default; each test changes one thing."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.criteria import Case, CasePause, CaseVerdict, Mean, Part, Share, judge_case
from shared.worktime import PreparedCalendar
from tests.unit.worktime.calendars import general, local

GENERAL = general()


def wait(**changes: Any) -> Share:
    """CC-CAT-01-02: called within 15 minutes in 90 % of the cases."""
    fields: dict[str, Any] = {
        "population": {
            "event": "ticket.issued",
            "anchor": "due",
            "exclude": ["abandono_antes_del_limite", "turno_duplicado"],
        },
        "clock": {
            "start": {"event": "ticket.issued"},
            "stop": {"event": "ticket.called"},
            "unit": "min",
        },
        "limit": {"op": "<=", "value": 15},
        "target": {"op": ">=", "value": 90, "unacceptable": 80},
    }
    return Share.model_validate(fields | changes)


def answer(**changes: Any) -> Share:
    """CC-TES-01-04: resolved within 3 working days in 90 % of the cases."""
    fields: dict[str, Any] = {
        "population": {"event": "request.received", "anchor": "due"},
        "clock": {
            "start": {"event": "request.received"},
            "stop": {"event": "request.resolved"},
            "unit": "dia_habil",
            "calendar": "HAB-GRAL",
            "pauses": ["prevencion"],
        },
        "limit": {"op": "<=", "value": 3},
        "target": {"op": ">=", "value": 90, "unacceptable": 75},
    }
    return Share.model_validate(fields | changes)


def session(**changes: Any) -> Share:
    """CC-IG-02-03: a session lasts at least 50 minutes in 90 % of the cases."""
    fields: dict[str, Any] = {
        "population": {"event": "appointment.started", "anchor": "occurred"},
        "clock": {
            "start": {"event": "appointment.started"},
            "stop": {"event": "appointment.ended"},
            "unit": "min",
        },
        "limit": {"op": ">=", "value": 50},
    }
    return wait(**(fields | changes))


def counter(**changes: Any) -> Mean:
    """CC-TES-01-03: a payment takes 6 minutes or less on average."""
    fields: dict[str, Any] = {
        "population": {"event": "service.started", "anchor": "opened"},
        "clock": {
            "start": {"event": "service.started"},
            "stop": {"event": "ticket.served"},
            "unit": "min",
        },
        "target": {"op": "<=", "value": 6, "unacceptable": 9, "unit": "min"},
    }
    return Mean.model_validate(fields | changes)


def case(**changes: Any) -> Case:
    """Build a case; events are local times by kind, with "_" for the dot."""
    events = {
        kind.replace("_", ".", 1): local(text)
        for kind, text in changes.items()
        if isinstance(text, str)
    }
    rest = {name: value for name, value in changes.items() if not isinstance(value, str)}
    return Case(events=events, **rest)


def happening(a_case: Case, kind: str, at: datetime) -> Case:
    """Return the case with one event more."""
    return replace(a_case, events={**a_case.events, kind: at})


def paused(reason: str, start: str, end: str | None) -> CasePause:
    return CasePause(reason, local(start), None if end is None else local(end))


def judged(
    part: Part,
    a_case: Case,
    *,
    known: str | None = "2027-12-31",
    calendar: PreparedCalendar = GENERAL,
) -> CaseVerdict:
    through: datetime | None = None if known is None else local(known)
    verdict = judge_case(part, a_case, calendar, complete_through=through)
    assert verdict is not None
    return verdict
