"""Valid by default; a test changes one thing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.measurements.domain.cases import Fact
from services.measurements.domain.checks import Source, SourceState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUEUE = "https://turnos.example/registro-civil"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def fact(event_id: str, kind: str = "ticket.issued", minutes: float = 0, **more: Any) -> Fact:
    return Fact(
        **{
            "source": QUEUE,
            "id": event_id,
            "kind": kind,
            "time": at(minutes),
            "service": "RC-ACTAS",
            **more,
        }
    )


def source(**more: Any) -> Source:
    return Source(
        **{
            "source_id": 1,
            "uri": QUEUE,
            "municipality": "nogal",
            "historical": False,
            "services": frozenset({"RC-ACTAS"}),
            "reports": frozenset({"*"}),
            "attributes": frozenset({"tipo"}),
            "grace_seconds": 300,
            "state": SourceState.ACTIVE,
            **more,
        }
    )


def raw_event(**data: Any) -> dict[str, Any]:
    """A structured CloudEvent as an emitter sends it; `data` changes its data."""
    return {
        "specversion": "1.0",
        "id": "e1",
        "source": QUEUE,
        "type": "ticket.issued",
        "time": "2026-03-02T06:00:00-06:00",
        "data": {"case": "A-17", "service": "RC-ACTAS", "unit": "VENTANILLA-1", **data},
    }
