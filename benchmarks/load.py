"""Service events of a queue: pairs of a ticket issued and called, some of them late."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from shared.contracts import hot

MUNICIPALITY = "medicion"
SOURCE = "https://medicion.example/turnos"
SERVICE = "MED-TURNOS"
IN_TIME = timedelta(minutes=10)
LATE = timedelta(minutes=20)


def ticket(number: int, *, called_at: datetime, late: bool, unit: str) -> tuple[Any, Any]:
    """Return the two events of one ticket; a late one was called five minutes after its limit."""
    issued_at = called_at - (LATE if late else IN_TIME)
    return (
        _event(number, "ticket.issued", issued_at, unit),
        _event(number, "ticket.called", called_at, unit),
    )


def _event(number: int, kind: str, time: datetime, unit: str) -> hot.ServiceEvent:
    data = hot.ServiceEventData(
        municipality=MUNICIPALITY, case=f"T{number:08}", service=SERVICE, unit=unit
    )
    return hot.ServiceEvent(id=f"{kind}-{number}", source=SOURCE, type=kind, time=time, data=data)


def tickets(count: int, end: datetime, *, late_every: int) -> Iterator[hot.ServiceEvent]:
    """Yield the events of `count` tickets of 20 units, one a second up to `end`, in their order."""
    for number in range(count):
        called_at = end - timedelta(seconds=count - number)
        late = number % late_every == 0
        yield from ticket(number, called_at=called_at, late=late, unit=f"U{number % 20:02}")


def key_of(event: hot.ServiceEvent) -> bytes:
    """Return the partition key of an event."""
    return f"{event.data.municipality}/{event.data.case}".encode()
