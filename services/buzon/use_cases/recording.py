"""A changed folio leaves a line in the record and a message on `complaints.v1`."""

from dataclasses import replace
from datetime import datetime

from services.buzon.domain.cases import Folio, public_state
from services.buzon.domain.terms import answer_by
from services.buzon.store import folios, reference
from shared.contracts import topics
from shared.contracts.complaints import ComplaintChange, ComplaintChanged
from shared.contracts.ids import cause_of, derived_id
from shared.database import Connection
from shared.messaging import Transaction
from shared.worktime import CalendarExhaustedError, Pause

SOURCE = "/buzon"


async def record(
    tx: Transaction,
    folio: Folio,
    change: ComplaintChange,
    *,
    post: str | None,
    at: datetime,
    request: bytes | None,
) -> None:
    """Append the step and publish the folio's state; `post` None for the citizen or a rule.

    The message belongs to the trace of the request that brought the change.
    """
    await folios.add_step(tx.connection, folio, change, post=post, at=at, request=request)
    cause = cause_of(SOURCE, f"{folio.folio}/{folio.revision}")
    event = ComplaintChanged(
        id=derived_id(cause, "complaint.v1", at),
        source=SOURCE,
        time=at,
        subject=folio.folio,
        traceparent=tx.traceparent,
        data=public_state(folio, change),
    )
    tx.publish(topics.COMPLAINTS, event)
    tx.tell(f"folio_{change}", traceparent=tx.traceparent, folio=folio.folio, event_id=event.id)


async def with_answer_by(connection: Connection, folio: Folio, zone: str) -> Folio:
    """Return the folio with the date promised to the citizen, as its pauses have moved it."""
    calendar = await reference.calendar(connection, folio.municipality, folio.term.calendar)
    stopping = tuple(
        Pause(pause.start, pause.end) for pause in folio.pauses if pause.reason in folio.term.pauses
    )
    try:
        day = answer_by(folio.filed_at, folio.term, stopping, calendar=calendar, zone=zone)
    except CalendarExhaustedError:
        day = None
    version = None if calendar is None else calendar.calendar.version
    return replace(folio, answer_by=day, calendar_version=version)
