"""Nobody is accused by a lag; what arrives late is applied to the facts that waited."""

import asyncio
from datetime import date, timedelta
from typing import Any

from services.evaluator.store import coverage
from shared.contracts.cartas import Status
from shared.contracts.complaints import ComplaintKind, Finding
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

DUE = "2026-09-07 10:15"
AFTER = "2026-09-07 10:16"
AFTER_CUT_OFF = "2026-10-15 00:00"
OPEN = b.case("A-1")


async def test_an_open_case_is_overdue_once_a_heartbeat_passes_its_limit(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(OPEN)
    await evaluator.know("2026-09-07 10:14")
    assert await evaluator.status("A-1") == "pending"
    await evaluator.know(DUE)
    assert await evaluator.status("A-1") == "failed"
    assert await evaluator.kinds() == ["late_case"]


async def test_progress_holds_only_once_our_own_offsets_have_reached_it(
    evaluator: Evaluator,
) -> None:
    """The call may lie in a partition that we have not read so far."""
    await evaluator.learn_town()
    await evaluator.take(OPEN)
    state = b.source_state(complete_through=local(AFTER))
    await evaluator.hear(b.progress(AFTER, state, offsets={"0": 7, "3": 0}))
    await evaluator.reach(6)
    await evaluator.scan()
    assert await evaluator.status("A-1") == "pending"
    await evaluator.reach(7)
    await evaluator.scan()
    assert await evaluator.status("A-1") == "failed"


async def test_offsets_of_a_topic_that_was_made_anew_are_those_of_the_new_one(
    evaluator: Evaluator,
) -> None:
    """Ours are of the old one and higher: of what the new one holds they have reached nothing."""
    await evaluator.learn_town()
    await evaluator.take(OPEN)
    await evaluator.reach(7)
    state = b.source_state(complete_through=local(AFTER))
    await evaluator.hear(b.progress(AFTER, state, offsets={"0": 2}, topic_id="cluster:another"))
    await evaluator.scan()
    assert await evaluator.status("A-1") == "pending"
    await evaluator.pool.execute("UPDATE kafka_offset SET topic_id = 'cluster:another'")
    await evaluator.scan()
    assert await evaluator.status("A-1") == "failed"


async def test_what_was_known_before_lost_messages_came_again_does_not_count(
    evaluator: Evaluator,
) -> None:
    """They were below those offsets once, and now stand behind them."""
    await evaluator.learn_town()
    await evaluator.take(OPEN)
    await evaluator.reach(7)
    await evaluator.pool.execute("UPDATE kafka_offset SET rewound_at = $1", local(AFTER))
    state = b.source_state(complete_through=local(AFTER))
    await evaluator.hear(b.progress(AFTER, state, offsets={"0": 7}))
    await evaluator.scan()
    assert await evaluator.status("A-1") == "pending"
    await evaluator.hear(b.progress("2026-09-07 10:17", state, offsets={"0": 7}))
    await evaluator.scan()
    assert await evaluator.status("A-1") == "failed"


async def test_a_call_that_comes_through_the_lag_was_never_late(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(OPEN)
    state = b.source_state(complete_through=local(AFTER))
    await evaluator.hear(b.progress(AFTER, state, offsets={"0": 7}))
    await evaluator.scan()
    await evaluator.take(b.waited("A-1", 10, revision=2))
    await evaluator.reach(7)
    await evaluator.scan()
    assert (await evaluator.status("A-1"), await evaluator.kinds()) == ("met", [])


async def test_a_silent_source_is_waited_for_until_its_grace_has_passed(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(OPEN)
    await evaluator.hear(b.progress(AFTER, b.source_state(grace_seconds=3600)))
    await evaluator.scan()
    assert await evaluator.status("A-1") == "pending"
    await evaluator.hear(b.progress("2026-09-07 11:14"))
    await evaluator.scan()
    assert await evaluator.status("A-1") == "pending"
    await evaluator.hear(b.progress("2026-09-07 11:15"))
    await evaluator.scan()
    assert await evaluator.status("A-1") == "failed"


async def test_nobody_is_late_while_nothing_was_heard_of_any_source(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(OPEN)
    await evaluator.hear(b.progress(AFTER_CUT_OFF))
    await evaluator.scan()
    assert await evaluator.status("A-1") == "pending"


async def test_progress_that_is_delivered_again_is_no_news(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    first = b.progress("2026-09-07 10:00", b.source_state(grace_seconds=9000))
    await evaluator.hear(first)
    await evaluator.scan()
    await evaluator.hear(b.progress(AFTER, b.source_state(grace_seconds=60)))
    await evaluator.scan()
    await evaluator.hear(first)
    await evaluator.scan()
    async with evaluator.open() as tx:
        known = await coverage.load(tx.connection)
    [source] = known.sources[b.TOWN]
    assert (source.grace, known.pipelines["measurements"]) == (timedelta(seconds=60), local(AFTER))


async def test_what_one_process_learned_another_judges_by(
    evaluator: Evaluator, other: Evaluator
) -> None:
    """The second has judged before, and so has something to remember; it must not go by that."""
    await evaluator.learn_town()
    await evaluator.know("2026-09-07 09:00")
    await other.scan()
    await evaluator.take(OPEN)
    await evaluator.know(AFTER)
    assert await evaluator.status("A-1") == "failed"
    await other.take(b.case("A-1", revision=2, attributes={"tipo": "urgente"}), partition=1)
    assert await evaluator.status("A-1") == "failed"
    assert await evaluator.kinds() == ["late_case"]


async def test_two_processes_that_apply_progress_do_not_get_in_each_others_way(
    evaluator: Evaluator, other: Evaluator
) -> None:
    await evaluator.learn_town()
    await evaluator.hear(b.progress(DUE, b.source_state(complete_through=local(DUE))))
    async with evaluator.open() as tx:
        assert await coverage.apply_reached(tx.connection, group="evaluator", topic_prefix="") == 1
        await evaluator.hear(b.progress(AFTER, b.source_state(complete_through=local(AFTER))))
        async with asyncio.timeout(10):
            await other.scan()
    await other.scan()
    async with evaluator.open() as tx:
        assert (await coverage.load(tx.connection)).pipelines["measurements"] == local(AFTER)


async def test_an_import_is_judged_as_of_its_instant_and_says_no_late_case(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(b.wait(**b.EVERY_CASE))))
    old = [
        b.waited("A-1", 20, historical=True),
        b.case("A-2", historical=True),
        b.case("A-3", historical=True, ticket_issued="2026-09-07 10:10"),
    ]
    await evaluator.take(*old)
    await evaluator.hear(b.progress(AFTER, b.source_state(kind="historical")))
    await evaluator.scan()
    assert await evaluator.status("A-2") == "pending"
    complete = b.source_state(kind="historical", complete_through=local("2026-09-07 10:20"))
    await evaluator.hear(b.progress("2026-09-07 18:00", complete))
    await evaluator.scan()
    await evaluator.publish()
    assert await evaluator.verdicts() == {
        ("A-1", 0): "failed",
        ("A-2", 0): "failed",
        ("A-3", 0): "pending",
    }
    [breach] = await evaluator.said()
    assert (breach["kind"], breach["historical"]) == ("breached", True)
    assert (await evaluator.result())["historical"]


async def test_an_open_case_of_a_past_import_is_not_looked_at_again(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.case("A-1", historical=True))
    await evaluator.know("2026-09-07 10:05", kind="historical")
    await evaluator.pool.execute("UPDATE measured_case SET data = 'unreadable'")
    await evaluator.know("2026-09-30 00:00", source="en vivo")
    assert await evaluator.status("A-1") == "pending"


async def test_a_closed_window_waits_for_an_import_to_be_complete(evaluator: Evaluator) -> None:
    """One addendum for the whole file, not one for each second that it took."""
    await evaluator.learn_town()
    await evaluator.open_windows("2026-09-10 12:00", past=1)
    await evaluator.hear(b.progress(AFTER_CUT_OFF))
    await evaluator.scan()
    await evaluator.publish(AFTER_CUT_OFF)
    await evaluator.hear(b.progress("2026-10-16 09:00", b.source_state(kind="historical")))
    for number in range(3):
        await evaluator.take(b.waited(f"A-{number}", 10, historical=True))
        await evaluator.scan()
        await evaluator.publish()
    assert (await evaluator.result())["edition"] == 1
    done = b.source_state(kind="historical", complete_through=local("2026-10-01 00:00"))
    await evaluator.hear(b.progress("2026-10-16 09:01", done))
    await evaluator.scan()
    await evaluator.publish()
    result = await evaluator.result()
    assert (result["edition"], result["parts"][0]["met"], result["historical"]) == (2, 3, True)


async def test_a_past_window_waits_for_an_import_that_was_not_heard_of_yet(
    evaluator: Evaluator,
) -> None:
    """Its rows came before the progress that describes it, beside an import that is complete."""
    await evaluator.learn_town()
    through = local("2026-10-01 00:00")
    first = b.source_state(source="archivo 1", kind="historical", complete_through=through)
    await evaluator.hear(b.progress("2026-10-16 09:00", first))
    await evaluator.scan()
    at = local("2026-10-16 09:05")
    row: dict[str, Any] = {"historical": True, "sources": ("archivo 2",), "received_at": at}
    await evaluator.take(b.waited("A-1", 10, **row))

    async def status() -> str:
        await evaluator.scan()
        await evaluator.pool.execute("UPDATE judged_window SET try_closing_at = closes_at")
        await evaluator.publish("2026-10-16 10:00")
        return str((await evaluator.result())["status"])

    assert await status() == "provisional"
    begun = b.source_state(source="archivo 2", kind="historical")
    await evaluator.hear(b.progress("2026-10-16 09:06", begun))
    assert await status() == "provisional"
    await evaluator.take(b.waited("A-2", 10, **row))
    await evaluator.hear(b.progress("2026-10-16 09:07", {**begun, "complete_through": through}))
    assert await status() == "final"
    result = await evaluator.result()
    assert (result["edition"], result["parts"][0]["met"]) == (1, 2)


async def test_a_case_without_a_promise_waits_for_its_carta(evaluator: Evaluator) -> None:
    await evaluator.take(b.waited("A-1", 20), b.waited("A-2", 10))
    assert evaluator.metrics.without_promise._value.get() == 2
    assert await evaluator.verdicts() == {}
    await evaluator.learn_town()
    assert await evaluator.verdicts() == {("A-1", 0): "failed", ("A-2", 0): "met"}
    assert await evaluator.kinds() == ["late_case"]
    assert await evaluator.difference() == 0


async def test_a_late_version_takes_over_the_cases_that_started_in_it(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10), b.waited("A-2", 10, ticket_issued="2026-09-20 10:00"))
    stricter = b.compromiso(b.wait(limit={"op": "<=", "value": 5}))
    await evaluator.learn(
        b.carta(valid_to=date(2026, 9, 15)),
        b.carta(stricter, version=2, valid_from=date(2026, 9, 16)),
    )
    await evaluator.judge_again()
    assert await evaluator.verdicts() == {("A-1", 0): "met", ("A-2", 0): "failed"}
    assert await evaluator.disagreements() == []


async def test_a_late_calendar_is_applied_to_stored_cases(evaluator: Evaluator) -> None:
    carta = b.carta(b.compromiso(b.answer()))
    await evaluator.learn(b.municipality(), carta)
    data = b.case(request_received="2026-09-07 10:00", request_resolved="2026-09-10 12:00")
    await evaluator.take(data)
    assert await evaluator.verdicts() == {}
    await evaluator.learn(b.calendar())
    await evaluator.judge_again()
    assert await evaluator.status("A-1") == "met"


async def test_a_withdrawn_carta_leaves_no_verdict_and_a_balance(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20))
    await evaluator.publish()
    await evaluator.learn(b.carta(status=Status.RETIRED))
    await evaluator.judge_again()
    await evaluator.publish(AFTER_CUT_OFF)
    assert await evaluator.verdicts() == {}
    assert await evaluator.difference() == 0


async def test_batches_that_arrive_while_stored_cases_are_judged_again_are_judged_once(
    evaluator: Evaluator, other: Evaluator
) -> None:
    early = [b.waited(f"A-{n}", n % 30) for n in range(1500)]
    late = [b.waited(f"A-{n}", 40, revision=2) for n in range(1000, 1500)]
    await evaluator.take(*early)
    await evaluator.learn(b.municipality(), b.calendar(), b.carta())
    await asyncio.gather(
        evaluator.judge_again(),
        other.take(*late, b.waited("B-1", 5), batch=100, partition=1),
        other.publish(),
    )
    await evaluator.publish()
    assert len(await evaluator.verdicts()) == 1501
    assert await evaluator.difference() == 0
    assert await evaluator.disagreements() == []


async def test_a_changing_catalogue_and_a_judging_again_do_not_lock_each_other(
    evaluator: Evaluator, other: Evaluator
) -> None:
    await evaluator.learn(b.municipality(), b.calendar(), b.carta())
    await evaluator.take(*(b.waited(f"A-{n}", 10) for n in range(50)))
    for limit in range(5, 15):
        changed = b.compromiso(b.wait(limit={"op": "<=", "value": limit}))
        await asyncio.gather(
            other.learn(b.carta(changed)), evaluator.judge_again(), other.judge_again()
        )
    await evaluator.judge_again()
    assert await evaluator.disagreements() == []
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await evaluator.pool.fetchval(deadlocks) == 0


BUZON = b.compromiso(
    b.answer(
        population={
            "event": "buzon.submitted",
            "anchor": "due",
            "where": {"carta": ["RC-01"], "tipo": ["queja"]},
            "exclude": ["denuncia_turnada_contraloria", "duplicado"],
        },
        clock={
            "start": {"event": "buzon.submitted"},
            "stop": {"event": "buzon.answered"},
            "unit": "dia_habil",
            "calendar": "HAB-GRAL",
        },
    ),
    id="RC-01-05",
)


async def hear_the_buzon(evaluator: Evaluator, through: str) -> None:
    state = b.source_state(source="buzon", services=("*",), grace_seconds=0)
    state["complete_through"] = local(through)
    await evaluator.hear(b.progress(through, state, pipeline="buzon"))
    await evaluator.scan()


async def test_a_folio_is_a_case(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta(BUZON))
    answered = b.folio("F-1", answered_at=local("2026-09-09 17:00"))
    referred = b.folio("F-2", exclusions=("denuncia_turnada_contraloria",))
    suggestion = b.folio("F-4", kind=ComplaintKind.SUGERENCIA)
    await evaluator.complain(answered, referred, b.folio("F-3"), suggestion)
    assert await evaluator.verdicts() == {
        ("F-1", 0): "met",
        ("F-2", 0): "excluded",
        ("F-3", 0): "pending",
    }
    await hear_the_buzon(evaluator, "2026-09-11 00:00")
    assert await evaluator.status("F-3") == "failed"
    assert [said["case"] for said in await evaluator.said("late_case")] == ["F-3"]


async def test_an_upheld_complaint_that_names_a_promise_triggers_once(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(), BUZON))
    found: dict[str, Any] = {"finding": Finding.UPHELD, "found_at": local("2026-09-08 12:00")}
    await evaluator.complain(b.folio(compromiso="RC-01-02"))
    await evaluator.complain(b.folio(revision=2, **found))
    assert await evaluator.said("complaint_trigger") == []
    linked = b.folio(revision=3, compromiso="RC-01-02", **found)
    await evaluator.complain(linked)
    await evaluator.complain(linked, b.folio(revision=4, compromiso="RC-01-02", **found))
    [trigger] = await evaluator.said("complaint_trigger")
    assert (trigger["folio"], trigger["compromiso"]) == ("F-1", "RC-01-02")
    assert (trigger["window"]["id"], trigger["historical"]) == ("2026-09", False)


async def test_a_complaint_that_was_not_justified_triggers_nothing(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    rejected = b.folio(
        compromiso="RC-01-02", finding=Finding.REJECTED, found_at=local("2026-09-08 12:00")
    )
    await evaluator.complain(rejected)
    assert await evaluator.kinds() == []


async def test_an_upheld_complaint_waits_for_the_promise_that_it_names(
    evaluator: Evaluator,
) -> None:
    """After a restore the complaints may be read before the catalogue is."""
    upheld = b.folio(
        compromiso="RC-01-02", finding=Finding.UPHELD, found_at=local("2026-09-08 12:00")
    )
    await evaluator.complain(upheld)
    assert await evaluator.kinds() == []
    await evaluator.learn_town()
    await evaluator.complain(upheld)
    assert await evaluator.kinds() == ["complaint_trigger"]
    assert await evaluator.pool.fetchval("SELECT count(*) FROM trigger_waiting") == 0


async def test_the_balance_tells_a_tampered_count(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10), b.waited("A-2", 20), b.case("A-3"))
    await evaluator.deadlines.balance(evaluator.context)
    assert evaluator.metrics.balance._value.get() == 0
    await evaluator.pool.execute("UPDATE tally SET met = met + 2")
    await evaluator.deadlines.balance(evaluator.context)
    assert evaluator.metrics.balance._value.get() == 2


async def test_recomputing_names_a_tampered_count_and_a_tampered_result(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(), b.compromiso(id="RC-01-03")))
    await evaluator.take(b.waited("A-1", 10), b.waited("A-2", 20), b.case("A-3"))
    await evaluator.publish()
    assert len(await evaluator.recompute()) == 2
    assert await evaluator.disagreements() == []
    await evaluator.pool.execute(
        "UPDATE tally SET amount_sum = amount_sum + 1 WHERE compromiso = 'RC-01-03'"
    )
    await evaluator.pool.execute(
        "UPDATE judged_window SET result = jsonb_set(result, '{parts,0,met}', '2')"
        " WHERE compromiso = 'RC-01-02'"
    )
    result, count = await evaluator.disagreements()
    assert result.window[1] == "RC-01-02"
    assert [str(each) for each in result.differences] == ["parts[0].met: stored 2, recomputed 1"]
    assert count.window[1] == "RC-01-03"
    [found] = count.differences
    assert found.place == "counts.version 1, measure 0.cell ''.amount_sum"


async def test_recomputing_names_a_window_that_was_lost(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.pool.execute("DELETE FROM judged_window")
    [lost] = await evaluator.disagreements()
    assert (lost.window[3], lost.differences[0].place) == ("2026-09", "window")
