"""What the notifier does about a breach carries the breach's trace, also when the clock does it."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.notifier.domain.lifecycle import Step
from services.notifier.store import terms
from services.notifier.use_cases.actions import escalate
from services.notifier.use_cases.digests import send_digest
from services.notifier.use_cases.steps import Request, take_step
from shared.contracts.breaches import BreachEvent, BreachKind
from tests.integration.notifier.support import MailServer, Notifier
from tests.unit.notifier import builders as b

FIRST, SECOND, PERSON = (f"00-{digit * 32}-{digit * 16}-01" for digit in "abc")


def traced(event: BreachEvent, traceparent: str) -> BreachEvent:
    return event.model_copy(update={"traceparent": traceparent})


async def published(desk: Notifier) -> list[tuple[str, str | None]]:
    events = [json.loads(payload) for payload in await desk.outbox()]
    return [(event["data"]["change"], event.get("traceparent")) for event in events]


async def test_action_mail_and_ledger_carry_the_trace_of_the_breach(desk: Notifier) -> None:
    desk.server.answers["enlace@puerto.example"] = ["550 5.1.1 No such user"]
    await desk.take(traced(b.breach(), FIRST))
    await desk.deliver()
    await desk.take(traced(b.breach(BreachKind.COMPLAINT_TRIGGER, folio="BZ-1"), SECOND))
    await desk.deliver()
    assert await published(desk) == [("requested", FIRST), ("merged", SECOND)]
    assert [(line.outcome, line.traceparent) for line in await desk.ledger()] == [
        ("refused", FIRST),
        ("accepted", FIRST),
        ("rejected_before", SECOND),
        ("accepted", SECOND),
    ]


async def test_an_escalation_carries_the_trace_of_what_asked_for_the_action(
    desk: Notifier,
) -> None:
    await desk.take(traced(b.breach(), FIRST))
    await desk.deliver()
    later = b.NOON + timedelta(days=30)
    async with desk.at(later) as tx:
        [action] = await terms.due_actions(tx.connection, later, limit=10)
        assert await escalate(tx, desk.office, action)
    await desk.deliver(later + timedelta(minutes=1))
    assert {line.traceparent for line in await desk.ledger()} == {FIRST}
    assert len(await desk.ledger()) > 1


async def test_a_persons_step_belongs_to_the_request(desk: Notifier) -> None:
    await desk.take(traced(b.breach(), FIRST))
    number = await desk.pool.fetchval("SELECT action FROM action")
    for step, trace in ((Step.ACKNOWLEDGE, PERSON), (Step.ACKNOWLEDGE, SECOND)):
        async with desk.at(b.NOON) as tx:
            tx.traceparent = trace
            await take_step(tx, desk.office, Request(step, number, "enlace"))
    assert await published(desk) == [("requested", FIRST), ("acknowledged", PERSON)]


async def test_a_digest_of_many_begins_a_trace_of_its_own(
    desk: Notifier, server: MailServer
) -> None:
    wishes = b.municipality(version=2, digest=True)
    await desk.learn(b.published(wishes))
    await desk.take(traced(b.breach(BreachKind.LATE_CASE, case="VU-1"), FIRST))
    async with desk.at(b.NOON) as tx:
        await send_digest(tx, desk.office, wishes)
    await desk.deliver(datetime.now(UTC) + timedelta(hours=1))
    [line] = await desk.ledger()
    alert = await desk.pool.fetchval("SELECT alert FROM alert")
    assert line.traceparent is not None
    assert line.traceparent.split("-")[1] == UUID(alert).hex
    assert len(server.messages()) == 1


async def test_a_breach_of_before_there_were_traces_is_told_all_the_same(desk: Notifier) -> None:
    await desk.take(b.breach())
    await desk.deliver()
    assert await published(desk) == [("requested", None)]
    assert [(line.outcome, line.traceparent) for line in await desk.ledger()] == [
        ("accepted", None)
    ]
