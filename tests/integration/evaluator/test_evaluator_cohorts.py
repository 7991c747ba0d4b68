"""A carta that changes in mid-window: each case by its own version, one result for the window."""

from datetime import date
from typing import Any

import pytest

from shared.contracts.cartas import CartaData
from shared.criteria import Part
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b

CHANGE = date(2026, 9, 15)
FIRST = b.carta(valid_to=date(2026, 9, 14))
AFTER_CUT_OFF = "2026-10-15 00:00"
STRICTER = b.wait(limit={"op": "<=", "value": 10}, target={"op": ">=", "value": 60})
BEFORE, AFTER = "2026-09-07 10:00", "2026-09-15 00:00"


def second(part: Part = STRICTER) -> CartaData:
    return b.carta(b.compromiso(part), version=2, valid_from=CHANGE)


async def close(evaluator: Evaluator) -> None:
    await evaluator.know("2026-10-02 00:00")
    await evaluator.publish(AFTER_CUT_OFF)


def cohorts(result: dict[str, Any]) -> dict[int, tuple[int, int]]:
    """Met and failed of the only part, by version."""
    return {
        each["carta_version"]: (each["parts"][0]["met"], each["parts"][0]["failed"])
        for each in result["cohorts"]
    }


async def test_each_case_is_judged_by_its_version_and_the_counts_add_up(
    evaluator: Evaluator,
) -> None:
    """12 minutes keep 15 and break 10. 2 of 3 = 66.7 % reach the 60 % of the window's end."""
    await evaluator.learn_town(FIRST, second())
    await evaluator.take(
        b.waited("A-1", 12, ticket_issued=BEFORE),
        b.waited("B-1", 12, ticket_issued=AFTER),
        b.waited("B-2", 8, ticket_issued=AFTER),
    )
    await close(evaluator)
    result = await evaluator.result()
    assert result["carta_versions"] == [1, 2]
    assert (result["parts"][0]["met"], result["parts"][0]["failed"]) == (2, 1)
    assert cohorts(result) == {1: (1, 0), 2: (1, 1)}
    assert (result["verdict"], result["parts"][0]["exact"]) == ("met", "200/3")
    assert result["parts"][0]["target"] in (60, "60")
    assert await evaluator.difference() == 0
    assert await evaluator.disagreements() == []


async def test_a_window_of_one_version_has_no_cohorts(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 12))
    await evaluator.publish()
    result = await evaluator.result()
    assert (result["carta_versions"], result["cohorts"]) == ([1], [])


async def test_a_version_that_arrives_in_mid_window_decides_it_from_then_on(
    evaluator: Evaluator,
) -> None:
    """The window was opened by the first; no case began under the second yet."""
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 12), b.waited("A-2", 20))
    await evaluator.publish()
    assert (await evaluator.result())["verdict"] == "not_met"
    await evaluator.learn(FIRST, second(b.wait(target={"op": ">=", "value": 50})))
    await evaluator.judge_again()
    await evaluator.publish()
    result = await evaluator.result()
    assert (result["verdict"], result["carta_versions"]) == ("met", [1, 2])
    assert cohorts(result) == {}


async def test_a_closed_window_keeps_the_version_that_decided_it(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 12), b.waited("A-2", 20))
    await close(evaluator)
    await evaluator.learn(FIRST, second(b.wait(target={"op": ">=", "value": 50})))
    await evaluator.judge_again()
    await evaluator.publish(AFTER_CUT_OFF)
    result = await evaluator.result()
    assert (result["edition"], result["verdict"], result["carta_versions"]) == (1, "not_met", [1])
    assert await evaluator.disagreements() == []


async def test_the_two_versions_may_arrive_in_any_order(evaluator: Evaluator) -> None:
    await evaluator.learn_town(second())
    await evaluator.take(
        b.waited("A-1", 12, ticket_issued=BEFORE), b.waited("B-1", 12, ticket_issued=AFTER)
    )
    await evaluator.publish()
    assert (await evaluator.result())["parts"][0]["failed"] == 1
    await evaluator.learn(FIRST)
    await evaluator.judge_again()
    await evaluator.publish()
    assert cohorts(await evaluator.result()) == {1: (1, 0), 2: (0, 1)}
    assert await evaluator.disagreements() == []


async def test_a_case_of_the_earlier_version_does_not_break_what_now_promises_a_share(
    evaluator: Evaluator,
) -> None:
    """The first promises every case; the window is held to the share of the second."""
    every = b.carta(b.compromiso(b.wait(**b.EVERY_CASE)), valid_to=date(2026, 9, 14))
    await evaluator.learn_town(every, second())
    await evaluator.take(
        b.waited("A-1", 20, ticket_issued=BEFORE),
        b.waited("B-1", 5, ticket_issued=AFTER),
        b.waited("B-2", 5, ticket_issued=AFTER),
    )
    await evaluator.publish()
    assert await evaluator.kinds() == ["late_case"]
    [late] = await evaluator.said("late_case")
    assert late["carta_version"] == 1
    await close(evaluator)
    assert (await evaluator.result())["verdict"] == "met"


async def test_what_becomes_a_promise_to_everyone_is_broken_by_a_case_of_before(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town(FIRST, second(b.wait(**b.EVERY_CASE)))
    await evaluator.take(b.waited("A-1", 20, ticket_issued=BEFORE))
    assert await evaluator.kinds() == ["late_case", "breached"]


async def test_figures_that_do_not_add_up_leave_the_window_without_a_verdict_by_name(
    evaluator: Evaluator,
) -> None:
    """A share of waits becomes a mean of counter minutes: every case is counted, none twice."""
    await evaluator.learn_town(FIRST, second(b.counter(population=_ISSUED, clock=_WAIT)))
    await evaluator.take(
        b.waited("A-1", 12, ticket_issued=BEFORE), b.waited("B-1", 4, ticket_issued=AFTER)
    )
    await close(evaluator)
    result = await evaluator.result()
    assert (result["verdict"], result["reason"]) == ("not_evaluated", "cambio_de_forma")
    assert cohorts(result) == {1: (1, 0), 2: (1, 0)}
    assert (result["parts"][0]["form"], result["parts"][0]["exact"]) == ("mean", "4")
    assert await evaluator.disagreements() == []


_ISSUED = {"event": "ticket.issued", "anchor": "opened"}
_WAIT = {"start": {"event": "ticket.issued"}, "stop": {"event": "ticket.called"}, "unit": "min"}


async def test_recomputing_names_a_tampered_cohort(evaluator: Evaluator) -> None:
    await evaluator.learn_town(FIRST, second())
    await evaluator.take(
        b.waited("A-1", 12, ticket_issued=BEFORE), b.waited("B-1", 8, ticket_issued=AFTER)
    )
    await evaluator.publish()
    assert await evaluator.disagreements() == []
    await evaluator.pool.execute(
        "UPDATE judged_window SET result = jsonb_set(result, '{cohorts,0,parts,0,met}', '0')"
    )
    [found] = await evaluator.disagreements()
    assert [each.place for each in found.differences] == ["cohorts[0].parts[0].met"]


@pytest.mark.parametrize("first_is_late", [False, True])
async def test_any_order_of_the_cases_makes_the_same_result(
    evaluator: Evaluator, first_is_late: bool
) -> None:
    cases = [
        b.waited("A-1", 12, ticket_issued=BEFORE),
        b.waited("B-1", 12, ticket_issued=AFTER),
    ]
    await evaluator.learn_town(FIRST, second())
    for case in reversed(cases) if first_is_late else cases:
        await evaluator.take(case)
    await evaluator.publish()
    assert cohorts(await evaluator.result()) == {1: (1, 0), 2: (0, 1)}
