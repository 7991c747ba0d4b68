"""Cases that were published once are published again as they stand."""

from collections import defaultdict

from shared.contracts import hot, topics
from tests.integration.measurements.support import Messages, System, event, native
from tests.support.waiting import eventually

EVENTS = (
    event(case="A-1", event_id="1"),
    event("service.started", case="A-1", event_id="2", minutes_ago=5),
    event(case="A-2", event_id="3"),
    event("count.ticket.issued", case="C-1", event_id="4", attributes={"cases": "40"}),
    event("count.service.started", case="C-1", event_id="5", attributes={"cases": "38"}),
)


async def test_every_case_is_published_again_with_its_last_revision(system: System) -> None:
    await system.add_source()
    for each in EVENTS:
        await system.produce(native(each))
    async with system.messages(topics.MEASUREMENTS) as messages:
        await eventually(lambda: _number(messages, len(EVENTS)))
        said = await system.command("republish")
        await eventually(lambda: _number(messages, len(EVENTS) + 4))
        told = await _told(messages)
    assert "4 cases" in said
    for case in ("A-1", "A-2"):
        assert told[case][-1] == told[case][-2], case
    first, after = told["C-1"][:2], told["C-1"][2:]
    assert {each.id for each in after} == {each.id for each in first}
    assert {each.data.cases for each in after if isinstance(each, hot.CasesCounted)} == {40, 38}
    assert await system.balance() == {
        "events": len(EVENTS),
        "facts": len(EVENTS),
        "repeats": 0,
        "corrections": 0,
        "refused": 0,
    }


async def _number(messages: Messages, wanted: int) -> bool:
    number = sum(map(len, (await _told(messages)).values()))
    assert number <= wanted
    return number == wanted


async def _told(messages: Messages) -> dict[str, list[hot.CaseMeasured | hot.CasesCounted]]:
    told = defaultdict(list)
    for message in map(hot.decode_measurement, await messages.read()):
        if isinstance(message, hot.CaseMeasured | hot.CasesCounted):
            told[message.data.case].append(message)
    return told
