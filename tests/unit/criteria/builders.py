"""Parts and cases that are valid by default; each test changes one thing."""

from datetime import datetime
from typing import Any

from shared.criteria import (
    Case,
    CasePause,
    CaseVerdict,
    Counts,
    Criterion,
    Measure,
    Part,
    Result,
    Setting,
    Tally,
    Window,
    judge_case,
    judge_result,
    measures_of,
    window_of,
)
from shared.worktime import PreparedCalendar
from tests.unit.worktime.calendars import ZONE, general, local

GENERAL = general()
QUARTER = Window.model_validate({"kind": "quarter"})


def part(form: str, **fields: Any) -> Part:
    """A part from flat fields: a clock is a value, the target stands beside the figure."""
    target = fields.pop("target", None)
    if "clock" in fields:
        fields["value"] = {"kind": "duration", **fields.pop("clock")}
    return Part.model_validate({"figure": {"form": form, **fields}, "target": target})


def measure(of: Part, number: int = 0) -> Measure:
    return measures_of(Criterion(parts=(of,)))[number]


def wait(**changes: Any) -> Part:
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
    return part("share_within", **(fields | changes))


def answer(**changes: Any) -> Part:
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
    return part("share_within", **(fields | changes))


def session(**changes: Any) -> Part:
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


def counter(**changes: Any) -> Part:
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
    return part("mean", **(fields | changes))


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
    return a_case._replace(events={**a_case.events, kind: at})


def paused(reason: str, start: str, end: str | None) -> CasePause:
    return CasePause(reason, local(start), None if end is None else local(end))


def judged(
    of: Part,
    a_case: Case,
    *,
    known: str | None = "2027-12-31",
    calendar: PreparedCalendar = GENERAL,
) -> CaseVerdict:
    through: datetime | None = None if known is None else local(known)
    verdict = judge_case(measure(of), a_case, calendar, zone=ZONE, complete_through=through)
    assert verdict is not None
    return verdict


def setting(
    measures: int = 1,
    *,
    at: str = "2026-09-07",
    known: str | None = "2027-12-31",
    window: Window = QUARTER,
    calendar: PreparedCalendar | None = GENERAL,
) -> Setting:
    bounds = window_of(window, local(at), ZONE)
    assert bounds is not None
    through = None if known is None else local(known)
    return Setting(bounds, ZONE, [calendar] * measures, through)


def counts(*tallies: Tally, **changes: Any) -> Counts:
    """Counts without groups, of one tally for each measure."""
    return Counts(setting(len(tallies), **changes), [{"": tally} for tally in tallies])


def result_of(*parts: Part, tallies: tuple[Tally, ...], **changes: Any) -> Result:
    told: dict[str, Any] = {"minimum_sample": 0, "source_known": True} | changes
    return judge_result(Criterion(parts=parts), counts(*tallies), **told)
