import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from services.evaluator.store import coverage, sums, tallies
from services.evaluator.store import windows as window_store
from shared.contracts import hot
from shared.contracts.cartas import Scope
from tests.integration.evaluator.support import Evaluator
from tests.support.waiting import eventually
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

EVERY = b.carta(b.compromiso(b.wait(**b.EVERY_CASE)))
AFTER_CUT_OFF = "2026-10-15 00:00"


def corrected(minutes: float, *, revision: int, name: str = "A-1") -> hot.CaseData:
    return b.waited(name, minutes, revision=revision)


async def close(evaluator: Evaluator, now: str = AFTER_CUT_OFF) -> None:
    await evaluator.know(now)
    await evaluator.publish(now)


async def test_a_late_case_is_said_at_once_and_once(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20))
    await evaluator.take(b.waited("A-1", 20))
    await evaluator.take(b.waited("A-1", 30, revision=2))
    [late] = await evaluator.said()
    assert (late["kind"], late["case"]) == ("late_case", "A-1")
    assert late["due_at"] == "2026-09-07T16:15:00Z"
    assert late["received_at"] == "2026-09-07T16:00:00Z"


async def test_a_case_late_under_two_parts_is_said_once(evaluator: Evaluator) -> None:
    two = b.compromiso(b.wait(), b.wait(limit={"op": "<=", "value": 5}))
    await evaluator.learn_town(b.carta(two))
    await evaluator.take(b.waited("A-1", 20))
    assert await evaluator.kinds() == ["late_case"]


async def test_an_every_case_promise_is_broken_by_its_first_failed_case_and_once(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(EVERY)
    await evaluator.take(b.waited("A-1", 10), b.waited("A-2", 20))
    await evaluator.take(b.waited("A-2", 20), b.waited("A-3", 20))
    await evaluator.publish()
    [breach] = await evaluator.said("breached")
    assert breach["failing_cases"] == ["A-2"]
    assert (breach["parts"][0]["met"], breach["parts"][0]["failed"]) == (1, 1)
    assert breach["received_at"] == "2026-09-07T16:00:00Z"
    assert [said["case"] for said in await evaluator.said("late_case")] == ["A-2", "A-3"]


async def test_two_partitions_that_fail_at_the_same_time_break_a_promise_once(
    evaluator: Evaluator, other: Evaluator
) -> None:
    await evaluator.learn_town(EVERY)
    async with evaluator.open() as first:
        await evaluator.take_in(first, b.waited("A-1", 20), partition=0)

        async def second() -> None:
            async with other.open() as tx:
                await other.take_in(tx, b.waited("A-2", 20), partition=1)

        waiting = asyncio.create_task(second())
        await eventually(lambda: _is_waiting(evaluator), what="the second waits for the first")
    await waiting
    await evaluator.publish()
    assert len(await evaluator.said("breached")) == 1
    assert (await evaluator.result())["parts"][0]["failed"] == 2
    assert await evaluator.difference() == 0


async def _is_waiting(evaluator: Evaluator) -> bool:
    return bool(
        await evaluator.pool.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database())"
        )
    )


async def test_a_share_is_broken_at_its_cut_off_and_not_before(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20), b.waited("A-2", 10))
    await evaluator.publish("2026-10-14 23:59")
    assert await evaluator.kinds() == ["late_case", "at_risk"]
    await close(evaluator)
    assert (await evaluator.kinds())[2:] == ["breached"]
    result = await evaluator.result()
    assert (result["status"], result["verdict"], result["edition"]) == ("final", "not_met", 1)


async def test_a_window_does_not_close_before_its_source_is_known_complete(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20), b.waited("A-2", 10))
    await evaluator.know("2026-09-30 23:59")
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["status"] == "provisional"
    await evaluator.pool.execute("UPDATE judged_window SET try_closing_at = closes_at")
    await close(evaluator)
    assert (await evaluator.result())["status"] == "final"


async def test_a_window_whose_source_was_not_heard_of_yet_does_not_close(
    evaluator: Evaluator,
) -> None:
    """Its facts came before the progress that describes their source: our lag, not its silence."""
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["status"] == "provisional"
    await evaluator.pool.execute("UPDATE judged_window SET try_closing_at = closes_at")
    await close(evaluator)
    result = await evaluator.result()
    assert (result["status"], result["edition"], result["verdict"]) == ("final", 1, "met")


async def test_a_window_without_a_source_closes_once_its_pipeline_is_known_past_the_cut_off(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.open_windows("2026-09-10 12:00", past=1)
    await evaluator.hear(b.progress("2026-10-01 00:00"))
    await evaluator.scan()
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["status"] == "provisional"
    await evaluator.pool.execute("UPDATE judged_window SET try_closing_at = closes_at")
    await evaluator.hear(b.progress(AFTER_CUT_OFF))
    await evaluator.scan()
    await evaluator.publish(AFTER_CUT_OFF)
    result = await evaluator.result()
    assert (result["status"], result["reason"]) == ("final", "sin_fuente")


async def test_risk_is_said_when_it_arises_and_when_it_passes(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20))
    await evaluator.publish()
    await evaluator.publish()
    await evaluator.take(*(b.waited(f"B-{n}", 10) for n in range(9)))
    await evaluator.publish()
    assert await evaluator.kinds() == ["late_case", "at_risk", "recovered"]


async def test_risk_that_passes_with_the_last_facts_is_said_to_have_passed_at_the_cut_off(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20))
    await evaluator.publish()
    await evaluator.take(*(b.waited(f"B-{n}", 10) for n in range(9)))
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.results.close(evaluator.pool, local(AFTER_CUT_OFF))
    assert (await evaluator.result())["verdict"] == "met"
    assert await evaluator.kinds() == ["late_case", "at_risk", "recovered"]


async def test_there_is_no_risk_below_the_minimum_sample(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(minimum_sample=2)))
    await evaluator.take(b.waited("A-1", 20))
    await evaluator.publish()
    assert await evaluator.kinds() == ["late_case"]


async def test_a_correction_withdraws_a_breach_and_a_further_failure_confirms_it(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(EVERY)
    await evaluator.take(corrected(20, revision=1))
    await evaluator.publish()
    await evaluator.take(corrected(10, revision=2))
    await evaluator.publish()
    await evaluator.publish()
    await evaluator.take(b.waited("A-2", 20))
    await evaluator.publish()
    kinds = await evaluator.kinds()
    assert kinds == ["late_case", "breached", "recovered", "late_case", "confirmed"]
    assert len({said["breach"] for said in await evaluator.said()}) == 1


@pytest.mark.parametrize("batch", [1, 2])
async def test_a_failure_that_its_own_batch_takes_back_was_a_breach_all_the_same(
    evaluator: Evaluator, batch: int
) -> None:
    """Batches change the speed, never the result."""
    await evaluator.learn_town(EVERY)
    await evaluator.take(corrected(20, revision=1), corrected(10, revision=2), batch=batch)
    await evaluator.publish()
    assert await evaluator.kinds() == ["late_case", "breached", "recovered"]
    [breach] = await evaluator.said("breached")
    assert (breach["failing_cases"], breach["parts"][0]["failed"]) == (["A-1"], 1)
    result = await evaluator.result()
    assert (result["parts"][0]["met"], result["parts"][0]["failed"]) == (1, 0)


async def test_one_batch_says_what_is_broken_in_each_of_its_windows(evaluator: Evaluator) -> None:
    """One quarter is broken for the first time, one again after a correction, one stands."""
    last, this, following = "2026-06-30 10:00", "2026-09-07 10:00", "2026-10-05 10:00"
    await evaluator.learn_town(EVERY)
    await evaluator.take(corrected(20, revision=1), b.waited("D-1", 20, ticket_issued=last))
    await evaluator.take(corrected(10, revision=2))
    await evaluator.publish()
    assert await evaluator.kinds() == [
        "late_case",
        "late_case",
        "breached",
        "breached",
        "recovered",
    ]
    await evaluator.take(
        b.waited("B-1", 20, ticket_issued=this),
        b.waited("C-1", 20, ticket_issued=following),
        b.waited("D-2", 20, ticket_issued=last),
    )
    assert (await evaluator.kinds())[5:] == ["late_case"] * 3 + ["confirmed", "breached"]
    breached = await evaluator.said("breached")
    assert [each["failing_cases"] for each in breached] == [["D-1"], ["A-1"], ["C-1"]]
    await evaluator.publish()
    assert len(await evaluator.kinds()) == 10


async def test_a_breach_within_a_batch_that_changes_no_count_is_withdrawn(
    evaluator: Evaluator,
) -> None:
    """The counts end where they began; the breach was said, and must not stand for ever."""
    await evaluator.learn_town(EVERY)
    await evaluator.take(corrected(10, revision=1))
    await evaluator.publish()
    await evaluator.take(corrected(20, revision=2), corrected(10, revision=3))
    await evaluator.publish()
    assert await evaluator.kinds() == ["late_case", "breached", "recovered"]


async def test_a_breach_that_a_batch_says_while_a_result_is_published_is_not_withdrawn(
    evaluator: Evaluator, other: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher has read the counts, the batch commits, the publisher looks for breaches."""

    await evaluator.learn_town(EVERY)
    await evaluator.take(b.waited("A-1", 10))
    counts_of = sums.counts_of

    async def then_a_failure_arrives(*arguments: Any) -> Any:
        monkeypatch.setattr(sums, "counts_of", counts_of)
        counts = await counts_of(*arguments)
        await other.take(b.waited("A-2", 20), partition=1)
        return counts

    monkeypatch.setattr(sums, "counts_of", then_a_failure_arrives)
    await evaluator.publish()
    await evaluator.publish()
    assert await evaluator.kinds() == ["late_case", "breached"]
    assert (await evaluator.result())["parts"][0]["failed"] == 1


async def test_a_publication_does_not_wait_for_a_batch_nor_keep_it_from_confirming_a_breach(
    evaluator: Evaluator, other: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch has added its counts, a publication goes by, the batch goes on to say it."""
    await evaluator.learn_town(EVERY)
    await evaluator.take(corrected(20, revision=1))
    await evaluator.publish()
    await evaluator.take(corrected(10, revision=2))
    await evaluator.publish()
    await evaluator.take(b.waited("B-1", 10))
    add = tallies.add

    async def then_a_publication_goes_by(*arguments: Any, **named: Any) -> None:
        await add(*arguments, **named)
        assert await other.results.changed(other.pool) == 1

    monkeypatch.setattr(tallies, "add", then_a_publication_goes_by)
    await evaluator.take(b.waited("C-1", 20))
    assert (await evaluator.kinds())[-2:] == ["late_case", "confirmed"]


async def test_an_addendum_after_the_close_says_why_and_may_turn_the_verdict(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20))
    await close(evaluator)
    await evaluator.take(*(b.waited(f"B-{n}", 10) for n in range(9)))
    await evaluator.publish()
    first, second = [data for data in await evaluator.published() if data["edition"] > 0]
    assert (first["verdict"], first["causes"]) == ("not_met", [])
    assert (second["verdict"], second["edition"]) == ("met", 2)
    [cause] = second["causes"]
    assert (cause["reason"], cause["total"]) == ("late_facts", 9)
    assert cause["cases"] == [f"B-{n}" for n in range(9)]
    assert first["moved"] == []
    assert second["moved"] == [{"part": 1, "count": "met", "before": 0, "after": 9}]
    assert (await evaluator.kinds())[-2:] == ["breached", "recovered"]


async def test_a_closed_window_without_news_has_no_further_edition(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    await close(evaluator)
    await evaluator.take(b.waited("A-1", 10), b.waited("A-1", 10, revision=2))
    await evaluator.publish(AFTER_CUT_OFF)
    assert [data["edition"] for data in await evaluator.published()] == [0, 1]


async def test_the_cut_off_waits_for_what_is_known_to_be_judged(evaluator: Evaluator) -> None:
    """After a stop, progress is in before the overdue cases are: they must not be frozen open."""
    await evaluator.learn_town()
    await evaluator.take(b.case("A-1"), b.waited("A-2", 10))
    state = b.source_state(complete_through=local(AFTER_CUT_OFF))
    await evaluator.hear(b.progress(AFTER_CUT_OFF, state))
    async with evaluator.open() as tx:
        await coverage.apply_reached(tx.connection, group="evaluator", topic_prefix="")
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["status"] == "provisional"
    await evaluator.scan()
    await evaluator.pool.execute("UPDATE judged_window SET try_closing_at = closes_at")
    await evaluator.publish(AFTER_CUT_OFF)
    result = await evaluator.result()
    assert (result["status"], result["edition"]) == ("final", 1)
    assert (result["parts"][0]["failed"], result["parts"][0]["overdue_open"]) == (1, 1)


async def test_the_cut_off_waits_until_stored_cases_are_judged_by_a_late_carta(
    evaluator: Evaluator,
) -> None:
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.learn(b.municipality(), b.calendar(), b.carta())
    await evaluator.open_windows(AFTER_CUT_OFF, past=3)
    await evaluator.publish(AFTER_CUT_OFF)
    assert {data["status"] for data in await evaluator.published()} == {"provisional"}
    await evaluator.judge_again()
    await evaluator.pool.execute("UPDATE judged_window SET try_closing_at = closes_at")
    await evaluator.publish(AFTER_CUT_OFF)
    result = await evaluator.result()
    assert (result["edition"], result["verdict"]) == (1, "met")


async def test_what_changed_does_not_wait_for_windows_in_which_nothing_happened(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.open_windows("2026-09-07 10:00")
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.results.changed(evaluator.pool)
    assert [data["parts"][0]["met"] for data in await evaluator.published()] == [1]
    await evaluator.results.stale(evaluator.pool)
    assert len(await evaluator.published()) > 1


async def test_a_window_that_another_process_has_in_hand_is_left_to_it(
    evaluator: Evaluator, other: Evaluator
) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    key = (b.TOWN, "RC-01-02", b.UNIT, "2026-09")
    async with evaluator.pool.acquire() as connection, connection.transaction():
        assert await window_store.lock_due(connection, [key], closing=None)  # type: ignore[arg-type]
        await other.results.changed(other.pool)
        assert await evaluator.published() == []
    await other.results.changed(other.pool)
    assert [data["parts"][0]["met"] for data in await evaluator.published()] == [1]


async def test_one_window_that_cannot_be_published_holds_back_no_other(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(), b.compromiso(id="RC-01-03")))
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.pool.execute(
        "UPDATE judged_window SET result = '{}' WHERE compromiso = 'RC-01-02'"
    )
    await evaluator.results.changed(evaluator.pool)
    assert [data["compromiso"] for data in await evaluator.published()] == ["RC-01-03"]
    assert evaluator.metrics.windows_failed._value.get() == 1


async def test_a_version_with_more_parts_counts_its_cases_beside_those_of_the_version_before(
    evaluator: Evaluator,
) -> None:
    two = b.compromiso(b.wait(), b.wait(limit={"op": "<=", "value": 5}))
    await evaluator.learn_town(
        b.carta(valid_to=date(2026, 9, 15)),
        b.carta(two, version=2, valid_from=date(2026, 9, 16)),
    )
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.take(b.waited("A-2", 10, ticket_issued="2026-09-20 10:00"))
    await evaluator.publish()
    result = await evaluator.result()
    assert [(part["met"], part["failed"]) for part in result["parts"]] == [(1, 0), (0, 1)]
    assert [[part["met"] for part in each["parts"]] for each in result["cohorts"]] == [[1], [1, 0]]
    assert result["reason"] == "cambio_de_forma"


async def test_a_promise_for_each_unit_has_a_result_and_a_breach_for_each(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(b.wait(**b.EVERY_CASE), scope=Scope.UNIT)))
    await evaluator.take(
        b.waited("A-1", 20, unit="norte"),
        b.waited("A-2", 20, unit="sur"),
        b.waited("A-3", 10, unit="centro"),
    )
    await evaluator.publish()
    assert {said["unit"] for said in await evaluator.said("breached")} == {"norte", "sur"}
    assert {data["unit"] for data in await evaluator.published()} == {"norte", "sur", "centro"}


async def test_a_mean_shows_open_and_overdue_cases_beside_it(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(b.counter())))
    opened = "2026-09-07 10:00"
    await evaluator.take(
        b.case("A-1", service_started=opened, ticket_served="2026-09-07 10:04"),
        b.case("A-2", service_started=opened),
    )
    await evaluator.know("2026-09-07 12:00")
    await evaluator.publish()
    [part] = (await evaluator.result())["parts"]
    assert (part["value"], part["pending"], part["overdue_open"]) == ("4.0000", 1, 1)


async def test_all_of_is_met_where_every_part_is(evaluator: Evaluator) -> None:
    two = b.compromiso(b.wait(), b.wait(limit={"op": "<=", "value": 5}))
    await evaluator.learn_town(b.carta(two))
    await evaluator.take(b.waited("A-1", 10), b.waited("A-2", 3))
    await close(evaluator)
    result = await evaluator.result()
    assert [part["verdict"] for part in result["parts"]] == ["met", "not_met"]
    assert result["verdict"] == "not_met"
    assert len(await evaluator.said("breached")) == 1


async def test_a_window_without_cases_has_a_result_and_its_reason(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.open_windows("2026-09-10 12:00", past=2)
    await evaluator.publish(AFTER_CUT_OFF)
    result = await evaluator.result()
    assert (result["verdict"], result["reason"]) == ("not_evaluated", "sin_demanda")
    assert (result["status"], result["edition"]) == ("final", 1)


async def test_a_window_of_before_our_time_is_not_frozen_empty(evaluator: Evaluator) -> None:
    """Its first edition is that of an import, which may still come."""
    await evaluator.learn_town()
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.open_windows(AFTER_CUT_OFF, past=2)
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["status"] == "provisional"


async def test_an_empty_window_of_the_past_is_not_tried_again_and_again(
    evaluator: Evaluator,
) -> None:
    """A new municipality has thousands of them; an import has its own looked at at once."""
    await evaluator.learn_town()
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.open_windows(AFTER_CUT_OFF, past=2)
    await evaluator.publish(AFTER_CUT_OFF)
    soonest = "SELECT min(try_closing_at) - now() FROM judged_window WHERE window_id = '2026-09'"
    assert await evaluator.pool.fetchval(soonest) > timedelta(hours=1)
    through = local("2026-10-01 00:00")
    archive: dict[str, Any] = {"source": "archivo", "kind": "historical"}
    await evaluator.hear(
        b.progress("2026-10-16 09:05", b.source_state(complete_through=through, **archive))
    )
    await evaluator.scan()
    received = local("2026-10-16 09:00")
    await evaluator.take(
        b.waited("A-1", 10, historical=True, sources=("archivo",), received_at=received)
    )
    await evaluator.publish()
    result = await evaluator.result()
    assert (result["status"], result["edition"], result["parts"][0]["met"]) == ("final", 1, 1)


async def test_an_empty_window_of_the_past_catches_up_with_what_is_known(
    evaluator: Evaluator,
) -> None:
    """It was first looked at before anything was heard; then its 21 open days lack a count."""
    await evaluator.learn_town()
    await evaluator.open_windows(AFTER_CUT_OFF, past=2)
    await evaluator.publish(AFTER_CUT_OFF)
    [part] = (await evaluator.result())["parts"]
    assert part["coverage"]["uncounted_days"] == 0
    await evaluator.know(AFTER_CUT_OFF)
    a_minute_later = await evaluator.pool.fetchval("SELECT now() + interval '1 minute'")
    await evaluator.results.close(evaluator.pool, a_minute_later)
    [part] = (await evaluator.result())["parts"]
    assert part["coverage"]["uncounted_days"] == 21


async def test_a_window_that_nothing_reports_on_says_so_though_the_buzon_is_heard(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    everything = b.source_state(
        source="buzon", services=("*",), complete_through=local(AFTER_CUT_OFF), grace_seconds=0
    )
    await evaluator.hear(b.progress(AFTER_CUT_OFF, everything, pipeline="buzon"))
    await evaluator.scan()
    await evaluator.open_windows(AFTER_CUT_OFF, past=2)
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["reason"] == "fuente_sin_datos"
