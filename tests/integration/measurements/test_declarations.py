"""What a source declares: counts of its cases, and that it is awake."""

from datetime import UTC, datetime, timedelta

from shared.contracts import hot, topics
from tests.integration.measurements.support import QUEUE, System, event, native
from tests.support.waiting import eventually


async def test_counts_and_the_minutes_heard_travel_to_the_evaluator(
    system: System,
) -> None:
    await system.add_source(
        QUEUE,
        *("--reports", "ticket.*,count.*", "--every-minutes", "30", "--calendar", "HAB-GRAL"),
    )
    moment = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    count = event("count.ticket.issued", attributes={"cases": "7"}, time=moment.isoformat())
    count["data"].pop("case")
    assert (await system.post(count)).status_code == 202
    more = event(
        "count.ticket.issued",
        case="counter-2",
        attributes={"cases": "9"},
        unit="V-2",
        time=moment.isoformat(),
    )
    await system.produce(native(more))
    refused = await system.post(event("survey.answered"))
    assert refused.json()["refused"][0]["reason"] == "undeclared_kind"
    async with system.messages(topics.MEASUREMENTS) as messages:

        async def all_told() -> bool:
            read = [hot.decode_measurement(value) for value in await messages.read()]
            return {type(each) for each in read} >= {hot.CasesCounted, hot.SourceHeard} and sum(
                isinstance(each, hot.CasesCounted) for each in read
            ) == 2

        await eventually(all_told)
        read = [hot.decode_measurement(value) for value in messages.values]
    counted = [each.data for each in read if isinstance(each, hot.CasesCounted)]
    assert {(each.cases, each.unit, each.counted) for each in counted} == {
        (7, None, "ticket.issued"),
        (9, "V-2", "ticket.issued"),
    }
    heard = [each.data for each in read if isinstance(each, hot.SourceHeard)]
    minute = 60 * moment.hour + moment.minute
    assert {(each.source, each.day) for each in heard} == {(QUEUE, moment.date())}
    assert any(int(each.minutes, 16) >> minute & 1 for each in heard)
    activity = await system.activity()
    assert activity["reports"] == ["count.*", "ticket.*"]
    assert activity["expects"]["every_minutes"] == 30
