"""What provisional results tell of what can still become, and how a risk is said."""

from typing import Any

from tests.integration.evaluator.support import Evaluator
from tests.unit.criteria.builders import part
from tests.unit.evaluator import builders as b

AFTER_CUT_OFF = "2026-10-15 00:00"


async def outlook_of(evaluator: Evaluator) -> dict[str, Any]:
    [told] = (await evaluator.result())["parts"]
    outlook: dict[str, Any] = told["outlook"]
    return outlook


async def test_a_running_window_says_how_many_open_cases_may_still_fail(
    evaluator: Evaluator,
) -> None:
    """Nine of ten are to be in time: of ten, one was not, and no other may be late."""
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"B-{n}", 10) for n in range(6)))
    await evaluator.take(b.waited("A-1", 20), *(b.case(f"O-{n}") for n in range(3)))
    await evaluator.publish()
    outlook = await outlook_of(evaluator)
    assert (outlook["due"], outlook["failed"], outlook["open"]) == (7, 1, 3)
    assert (outlook["may_fail"], outlook["prospect"], outlook["best"]) == (0, "open", "90")
    result = await evaluator.result()
    assert (result["prospect"], result["at_risk"]) == ("open", True)
    assert "forecast" not in result["parts"][0]


async def test_a_closed_window_has_no_outlook(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.publish(AFTER_CUT_OFF)
    result = await evaluator.result()
    assert (result["status"], result["at_risk"]) == ("final", False)
    assert "prospect" not in result
    assert "outlook" not in result["parts"][0]


async def test_a_risk_that_comes_and_goes_is_said_once_and_shown_each_time(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    shown = []
    for number, minutes in enumerate([20, *[10] * 9, 20, *[10] * 9, 20]):
        await evaluator.take(b.waited(f"A-{number}", minutes))
        await evaluator.publish()
        shown.append((await evaluator.result())["at_risk"])
    assert [number for number, risky in enumerate(shown) if risky] == [
        *range(9),
        *range(10, 19),
        20,
    ]
    said = [kind for kind in await evaluator.kinds() if kind != "late_case"]
    assert said == ["at_risk", "recovered"]
    [risk] = await evaluator.said("at_risk")
    assert risk["parts"][0]["outlook"]["prospect"] == "behind"


async def test_a_risk_that_came_true_has_not_passed_when_the_breach_is_withdrawn(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 20), b.waited("A-2", 10))
    await evaluator.publish()
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.publish(AFTER_CUT_OFF)
    await evaluator.take(b.waited("A-1", 10, revision=2))
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["verdict"] == "met"
    said = [kind for kind in await evaluator.kinds() if kind != "late_case"]
    assert said == ["at_risk", "breached", "recovered"]


async def test_a_running_window_expects_as_many_cases_as_the_last_closed_one(
    evaluator: Evaluator,
) -> None:
    """September had twenty. October has one, met: of nineteen to come two may be late."""
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"B-{n}", 10) for n in range(20)))
    issued, called = "2026-10-07 10:00", "2026-10-07 10:05"
    await evaluator.take(b.case("C-1", ticket_issued=issued, ticket_called=called))
    await evaluator.publish()
    running = await evaluator.result("2026-10")
    assert "forecast" not in running["parts"][0]
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.publish(AFTER_CUT_OFF)
    [told] = (await evaluator.result("2026-10"))["parts"]
    forecast = told["forecast"]
    assert (forecast["expected"], forecast["basis"], forecast["window"]) == (
        20,
        "previous",
        "2026-09",
    )
    assert (forecast["due"], forecast["open"], forecast["may_fail"]) == (1, 19, 2)
    assert told["outlook"]["open"] == 0


async def test_a_carta_may_declare_how_many_cases_it_expects(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(expected_cases=100)))
    await evaluator.take(b.waited("A-1", 20))
    await evaluator.publish()
    [told] = (await evaluator.result())["parts"]
    forecast = told["forecast"]
    assert (forecast["expected"], forecast["basis"]) == (100, "declared")
    assert (forecast["open"], forecast["may_fail"], forecast["prospect"]) == (99, 9, "open")


async def test_a_total_to_be_reached_is_not_at_risk_before_it_can_be_reached(
    evaluator: Evaluator,
) -> None:
    count = part(
        "count",
        population={"event": "ticket.issued", "anchor": "occurred"},
        target={"op": ">=", "value": 4, "unit": "turnos"},
    )
    await evaluator.learn_town(b.carta(b.compromiso(count)))
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.publish()
    result = await evaluator.result()
    assert (result["prospect"], result["at_risk"]) == ("behind", False)
    assert result["parts"][0]["outlook"]["distance"] == "3"
    assert "at_risk" not in await evaluator.kinds()
