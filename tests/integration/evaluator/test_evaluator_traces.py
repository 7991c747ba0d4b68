"""What is said of a case or a folio leads back to the event that brought it about."""

from uuid import UUID

import pytest

from shared.contracts import topics
from shared.contracts.complaints import Finding
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

EVERY = b.carta(b.compromiso(b.wait(**b.EVERY_CASE)))
FIRST, SECOND, THIRD = (f"00-{digit * 32}-{digit * 16}-01" for digit in "abc")


async def traces(evaluator: Evaluator) -> list[tuple[str, str | None, str]]:
    """Kind, case and trace of every statement, in order."""
    return [
        (event["data"]["kind"], event["data"].get("case"), event["traceparent"])
        for event in await evaluator.outbox(topics.BREACHES)
    ]


async def test_a_failed_case_gives_its_trace_to_the_late_case_and_to_the_breach(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(EVERY)
    await evaluator.take(b.waited("A-1", 10), trace=FIRST)
    await evaluator.take(b.waited("A-2", 20), trace=SECOND)
    await evaluator.take(b.waited("A-3", 20), trace=THIRD)
    assert await traces(evaluator) == [
        ("late_case", "A-2", SECOND),
        ("breached", None, SECOND),
        ("late_case", "A-3", THIRD),
    ]


async def test_a_case_that_the_clock_makes_late_has_the_trace_of_its_last_revision(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(EVERY)
    await evaluator.take(b.case("A-1"), trace=FIRST)
    await evaluator.take(b.case("A-1", revision=2), trace=SECOND)
    await evaluator.take(b.case("A-1"), trace=THIRD)  # known already: it changes nothing
    await evaluator.know("2026-09-07 12:00")
    assert await traces(evaluator) == [("late_case", "A-1", SECOND), ("breached", None, SECOND)]


async def test_a_breach_that_holds_again_has_the_trace_of_what_broke_it_again(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(EVERY)
    await evaluator.take(b.waited("A-1", 20), trace=FIRST)
    await evaluator.take(b.waited("A-1", 10, revision=2), trace=SECOND)
    await evaluator.publish()
    await evaluator.take(b.waited("A-2", 20), trace=THIRD)
    said = {kind: trace for kind, _, trace in await traces(evaluator)}
    assert (said["breached"], said["confirmed"]) == (FIRST, THIRD)
    assert said["recovered"] not in (FIRST, SECOND, THIRD)


async def test_what_no_single_event_caused_begins_a_trace_of_its_own(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"A-{n}", 20) for n in range(9)), trace=FIRST)
    await evaluator.know("2026-10-15 00:00")
    await evaluator.publish("2026-10-15 00:00")
    events = await evaluator.outbox(topics.BREACHES)
    [breach] = [event for event in events if event["data"]["kind"] == "breached"]
    assert breach["traceparent"].split("-")[1] == UUID(breach["id"]).hex


async def test_a_result_and_the_stored_facts_hold_no_trace(evaluator: Evaluator) -> None:
    await evaluator.learn_town(EVERY)
    await evaluator.take(b.waited("A-1", 20), trace=FIRST)
    await evaluator.publish()
    assert await evaluator.outbox(topics.RESULTS)
    assert "traceparent" not in str(await evaluator.outbox(topics.RESULTS))
    assert "traceparent" not in await evaluator.pool.fetchval("SELECT data FROM measured_case")
    assert await evaluator.disagreements() == []


@pytest.mark.parametrize("carta_first", [True, False])
async def test_an_upheld_complaint_gives_its_trace_also_where_it_waited_for_the_promise(
    evaluator: Evaluator, carta_first: bool
) -> None:
    upheld = b.folio(
        compromiso="RC-01-02",
        finding=Finding.UPHELD,
        answered_at=local("2026-09-08 10:00"),
        found_at=local("2026-09-08 10:00"),
    )
    if carta_first:
        await evaluator.learn_town()
    await evaluator.complain(upheld, trace=SECOND)
    if not carta_first:
        await evaluator.learn_town()
        await evaluator.judge_again()
    said = [each for each in await traces(evaluator) if each[0] == "complaint_trigger"]
    assert said == [("complaint_trigger", None, SECOND)]
