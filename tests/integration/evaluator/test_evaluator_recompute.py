"""Results made again from the stored facts: byte for byte, whatever happened on the way."""

import asyncio
import hashlib
from datetime import date
from typing import Any

import pytest

from services.evaluator.store import editions
from services.evaluator.store.windows import WindowKey
from services.evaluator.use_cases.recompute import Comparison, Outcome, recompute
from shared.contracts.cartas import CartaData, Status
from shared.criteria import Criterion, Window, WindowKind
from tests.integration.evaluator.support import Evaluator
from tests.support.waiting import eventually
from tests.unit.criteria.builders import part
from tests.unit.evaluator import builders as b

NOW = b.local("2026-09-20 00:00")
AFTER_CUT_OFF = "2026-10-15 00:00"
AUGUST, SEPTEMBER = "2026-08-10 10:00", "2026-09-07 10:00"
TICKETS = {"event": "ticket.issued", "anchor": "occurred"}
CLOCK = {"start": {"event": "ticket.issued"}, "stop": {"event": "ticket.called"}, "unit": "min"}
OUTAGE = {"event": "system.down", "anchor": "occurred", "exclude": ["mantenimiento"]}
DOWN = {"kind": "outage", "stop": "system.up", "unit": "min", "calendar": "HAB-GRAL"}
FORMS: dict[str, tuple[dict[str, Any], ...]] = {
    "share": ({"form": "share_within", "population": TICKETS, "clock": CLOCK,
               "limit": {"op": "<=", "value": 15}, "target": {"op": ">=", "value": 90}},),
    "mean": ({"form": "mean", "population": TICKETS, "clock": CLOCK,
              "target": {"op": "<=", "value": 12, "unit": "min"}},),
    "percentile": ({"form": "percentile", "p": 90, "population": TICKETS, "clock": CLOCK,
                    "target": {"op": "<=", "value": 20, "unit": "min"}},),
    "count": ({"form": "count", "population": TICKETS,
               "target": {"op": ">=", "value": 2, "unit": "casos"}},),
    "groups": ({"form": "nested_share", "by": "day", "limit": {"op": "<=", "value": 15},
                "inner": {"form": "mean", "population": TICKETS,
                          "value": {"kind": "duration", **CLOCK}},
                "target": {"op": ">=", "value": 80}},),
    "ratio": ({"form": "ratio",
               "numerator": {"form": "count", "population": {**TICKETS, "where": {"fila": ["x"]}}},
               "denominator": {"form": "count", "population": TICKETS},
               "target": {"op": ">=", "value": 10}},),
    "availability": ({"form": "availability", "population": OUTAGE, "value": DOWN,
                      "target": {"op": ">=", "value": 99}},),
    "deadline": ({"form": "deadline", "population": TICKETS,
                  "recurrence": {"every": "day", "calendar": "HAB-GRAL", "time": "12:00"},
                  "target": {"op": ">=", "value": 90}},),
}  # fmt: skip
FORMS["conjunction"] = FORMS["share"] + FORMS["mean"]


def promising(form: str) -> CartaData:
    parts = tuple(part(**fields) for fields in FORMS[form])
    return b.carta(b.compromiso(criterion=Criterion(parts=parts)))


def some_cases() -> list[Any]:
    """Met, late, open, excluded, repeated days, an outage that ended and one that goes on."""
    return [
        b.waited("A-1", 10),
        b.waited("A-2", 20, attributes={"fila": "x"}),
        b.waited("A-3", 12, ticket_issued="2026-09-08 12:30"),
        b.case("A-4", ticket_issued="2026-09-09 09:00"),
        b.waited("A-5", 30, exclusions=("turno_duplicado",)),
        b.waited("B-1", 5, ticket_issued="2026-10-02 10:00"),
        _outage("S-1", "2026-09-08 10:00", "2026-09-08 10:40"),
        _outage("S-2", "2026-09-14 09:00", None),
    ]


def _outage(name: str, start: str, end: str | None) -> Any:
    told: dict[str, Any] = {"system_down": start} | ({"system_up": end} if end else {})
    down = b.case(name, **told)
    down.instants.pop("ticket.issued")
    return down


async def compared(evaluator: Evaluator, outcome: Outcome = Outcome.SAME) -> list[Comparison]:
    """What recomputing says, where nothing may differ and all of it compares alike."""
    found = await evaluator.recompute()
    assert [each.differences for each in found if each.differences] == []
    assert {each.outcome for each in found} == {outcome}
    return found


async def close(evaluator: Evaluator) -> None:
    await evaluator.know("2026-10-12 00:00")
    await evaluator.publish(AFTER_CUT_OFF)


async def digest_of(evaluator: Evaluator, key: WindowKey) -> bytes:
    row = await evaluator.pool.fetchval(
        "SELECT digest FROM judged_window WHERE (compromiso, unit, window_id) = ($1, $2, $3)",
        *key[1:],
    )
    return bytes(row)


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_gives_the_same_bytes_while_it_runs_and_once_it_is_closed(
    evaluator: Evaluator, form: str
) -> None:
    await evaluator.learn_town(promising(form))
    await evaluator.take(*some_cases())
    await evaluator.know("2026-09-10 12:00")
    await evaluator.publish()
    await compared(evaluator)
    await close(evaluator)
    found = await compared(evaluator)
    assert "2026-09" in {each.window[3] for each in found}
    for each in found:
        assert each.recomputed is not None
        payload = each.recomputed.json.encode()
        assert hashlib.sha256(payload).digest() == await digest_of(evaluator, each.window)


async def test_an_edition_is_recomputed_by_what_was_known_then_and_its_addendum_by_now(
    evaluator: Evaluator,
) -> None:
    """A source that goes on speaking is known through later instants: the bytes are of then."""
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10), b.case("A-2"))
    await close(evaluator)
    first = await evaluator.result()
    await evaluator.know("2026-12-01 00:00")
    await evaluator.publish()
    assert await evaluator.result() == first
    await compared(evaluator)
    await evaluator.take(b.waited("A-2", 12, revision=2))
    [waiting] = await compared(evaluator, Outcome.WAITING)
    assert waiting.recomputed is None
    await evaluator.publish()
    second = await evaluator.result()
    assert (second["edition"], second["as_of"] > first["as_of"]) == (2, True)
    await compared(evaluator)


async def test_a_window_that_nothing_reports_on_is_recomputed_as_such(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.open_windows("2026-09-10 12:00", past=1)
    await evaluator.hear(b.progress(AFTER_CUT_OFF))
    await evaluator.scan()
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["reason"] == "sin_fuente"
    await compared(evaluator)


async def test_what_a_source_declares_later_changes_nothing_that_was_published(
    evaluator: Evaluator,
) -> None:
    """When the window closed, its source told of surveys alone; since then it tells of tickets."""
    await evaluator.learn_town()
    await evaluator.open_windows("2026-09-10 12:00", past=1)
    await evaluator.know("2026-10-12 00:00", reports=("survey.answered",))
    await evaluator.hear(b.progress(AFTER_CUT_OFF))
    await evaluator.scan()
    await evaluator.publish(AFTER_CUT_OFF)
    first = await evaluator.result()
    assert (first["edition"], first["reason"]) == (1, "sin_fuente")
    await evaluator.know("2026-10-20 00:00", reports=("*",))
    await evaluator.publish(AFTER_CUT_OFF)
    assert await evaluator.result() == first
    await compared(evaluator)


async def test_shards_in_processes_of_their_own_find_the_same(evaluator: Evaluator) -> None:
    town = b.carta(b.compromiso(), services=(b.SERVICE, "RC-CURP"))
    await evaluator.learn_town(town)
    other = [b.waited(f"C-{n}", n, service="RC-CURP") for n in range(10, 20)]
    await evaluator.take(*some_cases(), *other)
    await close(evaluator)
    alone = await compared(evaluator)
    url = evaluator.settings.database_url.get_secret_value()
    apart = await recompute(evaluator.pool, b.TOWN, database_url=url, processes=2)
    assert apart == alone
    await evaluator.pool.execute("DELETE FROM measured_case WHERE service = 'RC-CURP'")
    apart = await recompute(evaluator.pool, b.TOWN, database_url=url, processes=2)
    assert [each.agrees for each in apart if each.window[3] == "2026-09"] == [False]


async def test_what_was_changed_in_the_store_is_named(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    await close(evaluator)
    await evaluator.take(b.waited("A-2", 20))
    await evaluator.publish()
    await compared(evaluator)

    async def places(statement: str) -> list[str]:
        async with evaluator.pool.acquire() as connection:
            await connection.execute(f"UPDATE {statement}")
        return [each.place for one in await evaluator.disagreements() for each in one.differences]

    assert await places("judged_window SET digest = sha256('x')") == ["digest"]
    assert await places("judged_window SET digest = NULL") == ["digest"]
    band = "judged_window SET result = jsonb_set(result, '{band}', '\"green\"')"
    assert await places(band) == ["band"]
    earlier = "edition SET result = jsonb_set(result, '{parts,0,met}', '9') WHERE edition = 1"
    assert await places(earlier) == ["edition 1", "edition 2.moved", "band", "moved[1]"]


async def test_a_result_of_another_schema_is_compared_by_what_both_have(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.publish()
    await evaluator.pool.execute(
        "UPDATE judged_window SET result_schema = 'of before',"
        " result = result - 'cohorts' || '{\"gone_since\": 1}'"
    )
    await compared(evaluator, Outcome.OTHER_SCHEMA)
    await evaluator.pool.execute(
        "UPDATE judged_window SET result = jsonb_set(result, '{parts,0,met}', '7')"
    )
    [found] = await evaluator.disagreements()
    assert [each.place for each in found.differences] == ["parts[0].met"]


async def test_the_sum_of_a_withdrawn_promise_still_holds(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10))
    await close(evaluator)
    await evaluator.learn(b.carta(status=Status.RETIRED))
    await evaluator.judge_again()
    await compared(evaluator, Outcome.WITHDRAWN)
    await evaluator.pool.execute("UPDATE edition SET digest = sha256('x')")
    [found] = await evaluator.disagreements()
    assert [each.place for each in found.differences] == ["edition 1"]


async def test_what_waits_to_be_judged_again_is_not_called_different(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 12))
    await evaluator.publish()
    await evaluator.learn(b.carta(b.compromiso(b.wait(limit={"op": "<=", "value": 10}))))
    await compared(evaluator, Outcome.WAITING)
    await evaluator.judge_again()
    await evaluator.publish()
    await compared(evaluator)


async def test_a_target_that_follows_a_window_follows_what_is_added_to_it_later(
    evaluator: Evaluator,
) -> None:
    """At least as many as the month before: one more in August, once both are closed."""
    more = part(
        form="count",
        population=TICKETS,
        target={"op": ">=", "value": 1, "unit": "casos", "reference": "previous"},
    )
    await evaluator.learn_town(b.carta(b.compromiso(more)))
    await evaluator.take(b.waited("A-1", 5, ticket_issued=AUGUST), b.waited("B-1", 5))
    await close(evaluator)
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result("2026-09"))["verdict"] == "met"
    await compared(evaluator)
    await evaluator.take(b.waited("A-2", 5, ticket_issued=AUGUST))
    await evaluator.publish()
    await evaluator.publish()
    after = await evaluator.result("2026-09")
    assert (after["edition"], after["verdict"], after["parts"][0]["target"]) == (
        2,
        "not_met",
        "2.0000",
    )
    await compared(evaluator)


async def test_a_window_that_closes_while_the_next_is_published_has_that_published_again(
    evaluator: Evaluator, other: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """September has been read without August's edition when August closes, in another process."""
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 5, ticket_issued=AUGUST), b.waited("B-1", 5))
    await evaluator.know("2026-09-20 00:00")
    await evaluator.publish()
    await evaluator.pool.execute("UPDATE judged_window SET stale = window_id = '2026-09'")
    latest_parts = editions.latest_parts
    closing: list[asyncio.Task[int]] = []

    async def then_august_closes(*arguments: Any) -> Any:
        found = await latest_parts(*arguments)
        if not closing and any(key[3] == "2026-08" for key in arguments[1]):
            closing.append(asyncio.create_task(other.results.close(other.pool, NOW)))
            await eventually(lambda: _ends_or_waits(evaluator, closing[0]), 10)
        return found

    monkeypatch.setattr(editions, "latest_parts", then_august_closes)
    await evaluator.publish()
    await closing[0]
    await evaluator.publish()
    september = await evaluator.result("2026-09")
    assert september["parts"][0]["forecast"]["window"] == "2026-08"
    await compared(evaluator)


async def _ends_or_waits(evaluator: Evaluator, task: asyncio.Task[int]) -> bool:
    waits = "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
    own = " WHERE datname = current_database() AND NOT granted)"
    return task.done() or bool(await evaluator.pool.fetchval(waits + own))


async def test_a_campaign_is_recomputed_too(evaluator: Evaluator) -> None:
    campaign = Window(
        kind=WindowKind.CAMPAIGN, id="feria", first=date(2026, 9, 1), last=date(2026, 9, 12)
    )
    await evaluator.learn_town(b.carta(b.compromiso(window=campaign)))
    await evaluator.take(*some_cases())
    await evaluator.know("2026-09-20 00:00")
    await evaluator.publish("2026-09-25 00:00")
    [only] = await compared(evaluator)
    assert only.window[3] == "feria"
