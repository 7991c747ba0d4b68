"""Half a day of tickets that never came: from the emitter's own count to a result."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.measurements.domain.registration import Registration
from shared.contracts import hot
from tests.integration.chain.support import chain_on
from tests.support.databases import FreshDatabase
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

NOW = datetime(2026, 10, 20, 18, 0, tzinfo=UTC)
CLOSED = "2026-10-21 00:00"


def said(
    kind: str, case: str, at: datetime, event_id: str = "", **more: object
) -> hot.ServiceEvent:
    data = hot.ServiceEventData(municipality=b.TOWN, case=case, service=b.SERVICE, **more)  # type: ignore[arg-type]
    return hot.ServiceEvent(
        id=event_id or f"{case}/{kind}", source=b.QUEUE, type=kind, time=at, data=data
    )


def morning(first: int, tickets: int) -> Iterator[hot.ServiceEvent]:
    for number in range(first, first + tickets):
        issued = local("2026-09-07 09:00") + timedelta(minutes=number)
        yield said("ticket.issued", f"A-{number}", issued)
        yield said("ticket.called", f"A-{number}", issued + timedelta(minutes=5))


async def test_half_a_day_lost_has_no_verdict_until_it_is_found_again(
    database: FreshDatabase,
) -> None:
    async with chain_on(database, NOW) as chain:
        await chain.register(
            [
                Registration(
                    uri=b.QUEUE,
                    municipality=b.TOWN,
                    services=frozenset({b.SERVICE}),
                    reports=frozenset({"ticket.*", "count.ticket.issued"}),
                )
            ]
        )
        await chain.evaluator.learn_town()
        count = said(
            "count.ticket.issued",
            "count/2026-09-07",
            local("2026-09-07 18:05"),
            attributes={"cases": "60"},
        )
        await chain.tell([*morning(0, 30), count, count])
        assert await chain.refused() == []
        await chain.carry()
        await chain.evaluator.know(CLOSED)
        await chain.evaluator.publish(CLOSED)
        lost = await chain.evaluator.result()
        assert (lost["verdict"], lost["reason"]) == ("not_evaluated", "incidencia_de_medicion")
        assert lost["parts"][0]["coverage"]["known"] == 60

        await chain.tell(morning(30, 30))
        await chain.carry()
        await chain.evaluator.know("2026-10-22 00:00")
        await chain.evaluator.publish("2026-10-22 00:00")
        found = await chain.evaluator.result()
        assert (found["edition"], found["verdict"]) == (2, "met")
        assert found["parts"][0]["coverage"]["measured"] == 60
        assert await chain.evaluator.disagreements() == []
