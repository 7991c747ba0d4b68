"""A calendar decreed or corrected later: open clocks move, closed windows stay as they are."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from services.evaluator.store import redatings
from services.evaluator.use_cases.counting import counts_of_case
from shared.contracts import hot
from shared.contracts.cartas import CalendarData, Status
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local
from tests.unit.worktime.calendars import DAYS_2026, closed, general

DECREE = closed("2026-09-09", opens=None, prevails=True, act="Acuerdo 12/2026")
AFTER_CUT_OFF = "2026-10-15 00:00"
OPEN = b.case("A-1", request_received="2026-09-07 10:00")
LATE = b.case("A-2", request_received="2026-09-07 10:00", request_resolved="2026-09-11 10:00")


def decreed(version: int = 2, *more: object, at: str = "2026-09-10 09:00") -> list[CalendarData]:
    """The next version, and the retirement of the one before, as `cartas` publishes them."""
    days = (*DAYS_2026, DECREE, *more)
    calendar = general(version=version, days=days).calendar
    return [
        b.calendar(status=Status.RETIRED),
        b.calendar(calendar=calendar, version=version, known_since=local(at)),
    ]


async def start(evaluator: Evaluator, *cases: Any) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(b.answer())))
    await evaluator.take(*cases)


async def redate(evaluator: Evaluator, states: list[CalendarData]) -> None:
    await evaluator.learn(*states)
    await evaluator.judge_again()
    await evaluator.publish()


async def dues(evaluator: Evaluator) -> dict[str, datetime]:
    rows = await evaluator.pool.fetch("SELECT case_id, due_at FROM verdict")
    return {row["case_id"]: row["due_at"] for row in rows}


async def test_an_open_clock_is_dated_anew_and_the_move_is_on_record(evaluator: Evaluator) -> None:
    await start(evaluator, OPEN)
    assert await dues(evaluator) == {"A-1": local("2026-09-11")}
    await redate(evaluator, decreed())
    assert await dues(evaluator) == {"A-1": local("2026-09-12")}
    [record] = await redatings.listed(evaluator.pool, b.TOWN, after=0, limit=10)
    assert (record["case_id"], record["calendar"], record["is_open"]) == ("A-1", "HAB-GRAL", True)
    assert (record["from_version"], record["to_version"]) == (1, 2)
    assert record["due_before"] == local("2026-09-11")
    assert record["due_after"] == local("2026-09-12")
    [moved] = await redatings.summed(evaluator.pool, b.TOWN)
    assert (moved.verdicts, moved.open_verdicts, moved.most) == (1, 1, timedelta(days=1))


async def test_judging_again_moves_nothing_twice(evaluator: Evaluator) -> None:
    await start(evaluator, OPEN)
    await redate(evaluator, decreed())
    await redate(evaluator, decreed())
    await evaluator.take(b.case("A-1", revision=2, request_received="2026-09-07 10:00"))
    assert len(await redatings.listed(evaluator.pool, b.TOWN, after=0, limit=10)) == 1


async def test_new_facts_are_not_taken_for_a_move_of_the_calendar(evaluator: Evaluator) -> None:
    """The start was corrected by a day; by the later calendar it is due a day later than that."""
    await start(evaluator, OPEN)
    await evaluator.learn(*decreed())
    await evaluator.take(b.case("A-1", revision=2, request_received="2026-09-08 10:00"))
    [record] = await redatings.listed(evaluator.pool, b.TOWN, after=0, limit=10)
    assert (record["due_before"], record["due_after"]) == (
        local("2026-09-12"),
        local("2026-09-15"),
    )


async def test_an_answer_that_was_late_is_in_time_by_the_decree(evaluator: Evaluator) -> None:
    await start(evaluator, LATE)
    assert await evaluator.status("A-2") == "failed"
    await redate(evaluator, decreed())
    assert await evaluator.status("A-2") == "met"
    [record] = await redatings.listed(evaluator.pool, b.TOWN, after=0, limit=10)
    assert record["is_open"] is False
    assert await evaluator.disagreements() == []


async def test_a_closed_window_stays_and_late_facts_are_judged_as_it_was(
    evaluator: Evaluator,
) -> None:
    await start(evaluator, LATE)
    await evaluator.know("2026-10-20 00:00")
    await evaluator.publish(AFTER_CUT_OFF)
    before = await evaluator.result()
    assert (before["edition"], before["calendar_versions"]) == (1, {"HAB-GRAL": 1})
    published = len(await evaluator.published())
    later = b.case("B-1", request_received="2026-10-20 10:00")
    await evaluator.take(later)
    # Decreed in October for a day of September, and for one that the open case is waiting through.
    october = closed("2026-10-21", prevails=True)
    await redate(evaluator, decreed(2, october, at="2026-10-20 12:00"))
    assert await evaluator.status("A-2") == "failed"
    assert (await dues(evaluator))["B-1"] == local("2026-10-27")
    assert await evaluator.result() == before
    late_fact = b.case("A-3", request_received="2026-09-07 10:00", request_resolved="2026-09-11")
    await evaluator.take(late_fact)
    await evaluator.publish()
    addendum = await evaluator.result()
    assert (addendum["edition"], addendum["calendar_versions"]) == (2, {"HAB-GRAL": 1})
    assert addendum["parts"][0]["failed"] == 2
    assert [each["window"]["id"] for each in (await evaluator.published())[published:]].count(
        "2026-09"
    ) == 1
    recorded = await redatings.listed(evaluator.pool, b.TOWN, after=0, limit=10)
    assert [record["case_id"] for record in recorded] == ["B-1"]
    assert await evaluator.disagreements() == []
    assert await evaluator.difference() == 0


async def test_the_cut_off_of_an_open_window_moves_too(evaluator: Evaluator) -> None:
    await start(evaluator, LATE)
    await evaluator.know("2026-11-20 00:00")
    week = closed("2026-10-05", "2026-10-09", prevails=True)
    await redate(evaluator, decreed(2, week))
    await evaluator.publish(AFTER_CUT_OFF)
    result = await evaluator.result()
    assert (result["status"], result["window"]["closes_at"]) == (
        "provisional",
        "2026-10-22T06:00:00Z",
    )
    await evaluator.publish("2026-10-22 00:00")
    assert (await evaluator.result())["status"] == "final"


async def test_a_change_of_the_calendar_waits_for_what_is_being_judged(
    evaluator: Evaluator, other: Evaluator
) -> None:
    """Neither is judged by a calendar that is replaced under it."""
    await start(evaluator)
    async with evaluator.open() as tx:
        await evaluator.take_in(tx, OPEN)
        change = asyncio.create_task(other.learn(*decreed()))
        assert not (await asyncio.wait([change], timeout=0.3))[0]
    await change
    await other.judge_again()
    assert await dues(evaluator) == {"A-1": local("2026-09-12")}


async def test_a_case_is_counted_day_by_day_by_the_calendar_it_was_judged_by(
    evaluator: Evaluator,
) -> None:
    await start(evaluator, OPEN, LATE)
    await redate(evaluator, decreed())
    counted = await counts_of_case(evaluator.pool, b.TOWN, "RC-01-02", "A-2")
    assert counted is not None
    [count] = counted
    assert (count["status"], count["calendar"]["version"]) == ("met", 2)
    assert [(day["date"][5:], day["total"]) for day in count["days"]] == [
        ("09-07", "0"),
        ("09-08", "1"),
        ("09-09", "1"),
        ("09-10", "2"),
        ("09-11", "3"),
    ]
    assert count["due"] == "Vence al terminar el viernes 11 de septiembre de 2026."
    assert await counts_of_case(evaluator.pool, b.TOWN, "RC-01-02", "Z-1") is None


async def test_a_case_that_waits_for_its_start_or_is_paused_is_counted_as_far_as_it_goes(
    evaluator: Evaluator,
) -> None:
    pause = hot.Pause(reason="prevencion", start=local("2026-09-08 10:00"), end=None)
    await start(evaluator, b.case("P-1", request_received="2026-09-07 10:00", pauses=(pause,)))
    counted = await counts_of_case(evaluator.pool, b.TOWN, "RC-01-02", "P-1")
    assert counted is not None
    assert counted[0]["due_at"] is None
    assert counted[0]["days"][1]["words"] == "en pausa: no cuenta"


async def test_minutes_are_counted_without_a_calendar(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20))
    counted = await counts_of_case(evaluator.pool, b.TOWN, "RC-01-02", "A-1")
    assert counted is not None
    assert counted[0]["headline"].startswith("15 minutos desde el lunes 7 de septiembre")
    assert counted[0]["days"][-1]["total"] == "0 h 20 min"
