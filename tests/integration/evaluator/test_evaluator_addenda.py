"""A later edition says why: which cases moved it, what brought them, and the difference."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.evaluator.domain.identity import GROUP
from services.evaluator.store import cases, coverage, sums
from shared.contracts import hot
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

AFTER_CUT_OFF = "2026-10-15 00:00"
CONTEST = "impugnado_fuerza_mayor"
RECORDED = "SELECT count(*) FROM moved_case"


async def close(evaluator: Evaluator, *cases: hot.CaseData) -> None:
    await evaluator.learn_town()
    await evaluator.take(*cases)
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.publish(AFTER_CUT_OFF)


def told(result: dict[str, Any]) -> list[tuple[str, str | None, int, list[str]]]:
    return [
        (each["reason"], each.get("import_id"), each["total"], each["cases"])
        for each in result["causes"]
    ]


async def corrected_by(evaluator: Evaluator, *cases: hot.CaseData) -> dict[str, Any]:
    """Close a window with three cases on time and one late; return the edition that follows."""
    await close(evaluator, *(b.waited(f"A-{n}", 10) for n in range(3)), b.waited("A-9", 20))
    await evaluator.take(*cases)
    await evaluator.publish()
    result = await evaluator.result()
    assert result["edition"] == 2
    return result


async def test_a_correction_names_the_case_that_was_corrected(evaluator: Evaluator) -> None:
    again = replace(b.waited("A-9", 12, revision=2), change="corrected")
    result = await corrected_by(evaluator, again)
    assert told(result) == [("correction", None, 1, ["A-9"])]
    assert result["moved"] == [
        {"part": 1, "count": "failed", "before": 1, "after": 0},
        {"part": 1, "count": "met", "before": 3, "after": 4},
    ]


async def test_each_cause_is_told_apart_the_most_cases_first(evaluator: Evaluator) -> None:
    imported = [
        replace(b.waited(f"C-{n:02}", 20, historical=True), import_id="turnos-2026-09")
        for n in range(25)
    ]
    voided = replace(b.case("A-0", revision=2), change="voided", instants={})
    await evaluator.hear(
        b.progress(
            "2026-09-30 00:00",
            b.source_state(),
            b.source_state(
                source="archivo", kind="historical", complete_through=local("2026-10-01 00:00")
            ),
        )
    )
    result = await corrected_by(evaluator, *imported, voided, b.waited("B-1", 10))
    assert told(result) == [
        ("import", "turnos-2026-09", 25, [f"C-{n:02}" for n in range(20)]),
        ("correction", None, 1, ["A-0"]),
        ("late_facts", None, 1, ["B-1"]),
    ]


async def test_a_contest_that_was_decided_too_late_for_a_window_is_named(
    evaluator: Evaluator,
) -> None:
    out = replace(b.waited("A-9", 20, revision=2), change="excluded", exclusions=(CONTEST,))
    result = await corrected_by(evaluator, out)
    assert told(result) == [("contest_accepted", None, 1, ["A-9"])]
    back = replace(b.waited("A-9", 20, revision=3), change="voided")
    await evaluator.take(back)
    await evaluator.publish()
    result = await evaluator.result()
    assert (result["edition"], told(result)) == (3, [("contest_taken_back", None, 1, ["A-9"])])
    assert {"part": 1, "count": f"excluded.{CONTEST}", "before": 1, "after": 0} in result["moved"]


async def test_a_carta_that_was_changed_afterwards_is_named(evaluator: Evaluator) -> None:
    await close(evaluator, b.waited("A-1", 10), b.waited("A-2", 10))
    first = b.carta(b.compromiso(b.wait(limit={"op": "<=", "value": 5})))
    await evaluator.learn(first)
    await evaluator.judge_again()
    await evaluator.publish()
    result = await evaluator.result()
    assert told(result) == [("catalogue_changed", None, 2, ["A-1", "A-2"])]


async def test_what_comes_to_nothing_makes_no_edition_and_is_forgotten(
    evaluator: Evaluator,
) -> None:
    await close(evaluator, b.waited("A-1", 10))
    await evaluator.take(b.waited("A-1", 20, revision=2))
    await evaluator.take(b.waited("A-1", 10, revision=3))
    assert await evaluator.pool.fetchval(RECORDED) == 2
    await evaluator.publish()
    assert (await evaluator.result())["edition"] == 1
    assert await evaluator.pool.fetchval(RECORDED) == 0


async def test_nothing_is_recorded_of_a_window_that_is_open(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10), b.waited("A-1", 20, revision=2))
    assert await evaluator.pool.fetchval(RECORDED) == 0


async def test_a_batch_between_causes_and_counts_waits_for_the_next_round(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edition never counts a case that it does not name."""
    await close(evaluator, b.waited("A-1", 10))
    await evaluator.take(b.waited("B-1", 10))
    read = sums.counts_of

    async def after_another_batch(*asked: Any) -> Any:
        monkeypatch.setattr(sums, "counts_of", read)
        await evaluator.take(b.waited("B-2", 10), partition=1)
        return await read(*asked)

    monkeypatch.setattr(sums, "counts_of", after_another_batch)
    await evaluator.results.changed(evaluator.pool)
    assert (await evaluator.result())["edition"] == 1
    await evaluator.publish()
    result = await evaluator.result()
    assert (result["edition"], told(result)) == (2, [("late_facts", None, 2, ["B-1", "B-2"])])


async def test_a_window_is_not_closed_with_counts_from_before_its_alarms(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan commits between the look at the counts and the question whether it has."""
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10), b.case("A-2", ticket_issued="2026-09-20 10:00"))
    state = b.source_state(complete_through=local(AFTER_CUT_OFF))
    await evaluator.hear(b.progress(AFTER_CUT_OFF, state))
    async with evaluator.open() as tx:
        prefix = evaluator.settings.topic_prefix
        await coverage.apply_reached(tx.connection, group=GROUP, topic_prefix=prefix)
    is_alarm_due = cases.is_alarm_due

    async def after_the_scan(*asked: Any, **named: Any) -> bool:
        monkeypatch.setattr(cases, "is_alarm_due", is_alarm_due)
        await evaluator.scan()
        return await is_alarm_due(*asked, **named)

    monkeypatch.setattr(cases, "is_alarm_due", after_the_scan)
    await evaluator.results.close(evaluator.pool, local(AFTER_CUT_OFF))
    await evaluator.publish("2099-01-01 00:00")
    editions = [data for data in await evaluator.published() if data["edition"] > 0]
    assert [(data["edition"], data["parts"][0]["failed"]) for data in editions] == [(1, 1)]


async def test_a_recomputation_finds_the_same_edition_with_its_causes(
    evaluator: Evaluator,
) -> None:
    await corrected_by(evaluator, b.waited("B-1", 10))
    assert await evaluator.disagreements() == []
