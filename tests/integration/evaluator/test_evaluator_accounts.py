"""What sources say of their own cases and of their being awake, in PostgreSQL and in results."""

import asyncio
from datetime import date
from typing import Any

import pytest

from services.evaluator.domain.silence import MINUTES_OF_DAY
from services.evaluator.store import accounts
from shared.contracts import hot, topics
from shared.contracts.cartas import Suspension
from tests.integration.evaluator.support import Evaluator, received
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local
from tests.unit.worktime.calendars import closed, general

AFTER_CUT_OFF = "2026-10-15 00:00"
LATER = "2026-11-20 12:00"
MONDAY = "2026-09-07 18:05"


def count(cases: int | None, *, revision: int = 1, at: str = MONDAY, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "municipality": b.TOWN,
        "case": f"count/{at[:10]}",
        "revision": revision,
        "service": b.SERVICE,
        "counted": "ticket.issued",
        "cases": cases,
        "at": local(at),
        "received_at": local(at),
    }
    data = hot.CountData(**{**fields, **changes})
    return hot.CasesCounted(id="c", source="/measurements", time=data.at, data=data)


def heard(day: date, minutes: int) -> hot.SourceHeard:
    text = f"{minutes:0{MINUTES_OF_DAY // 4}x}"
    data = hot.HeardData(municipality=b.TOWN, source=b.QUEUE, day=day, minutes=text)
    return hot.SourceHeard(id="h", source="/measurements", time=local(MONDAY), data=data)


async def tell(evaluator: Evaluator, *events: Any) -> None:
    async with evaluator.open() as tx:
        batch = [received(topics.MEASUREMENTS, event) for event in events]
        await evaluator.handlers.on_measurements(tx, batch)


async def close(evaluator: Evaluator) -> dict[str, Any]:
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.publish(AFTER_CUT_OFF)
    return await evaluator.result()


async def agree(evaluator: Evaluator) -> None:
    assert await evaluator.recompute()
    assert await evaluator.disagreements() == []


async def test_half_a_day_lost_is_a_measurement_incident_until_the_count_is_corrected(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"A-{n}", 5) for n in range(20)))
    await tell(evaluator, count(40))
    result = await close(evaluator)
    assert (result["verdict"], result["reason"]) == ("not_evaluated", "incidencia_de_medicion")
    coverage = result["parts"][0]["coverage"]
    assert (coverage["measured"], coverage["known"], coverage["counted_days"]) == (20, 40, 1)
    assert coverage["uncounted_days"] == 20, "opening days of September, one of them counted"
    assert result["parts"][0]["exact"] == "100"
    await agree(evaluator)

    await tell(evaluator, count(20, revision=2))
    await evaluator.publish(AFTER_CUT_OFF)
    corrected = await evaluator.result()
    assert (corrected["edition"], corrected["verdict"]) == (2, "met")
    await tell(evaluator, count(40))
    await evaluator.publish(AFTER_CUT_OFF)
    assert (await evaluator.result())["edition"] == 2, "an older revision changes nothing"
    await agree(evaluator)


async def test_a_count_that_arrives_while_its_window_is_published_is_in_the_next_result(
    evaluator: Evaluator, other: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is to be looked at already, and what was kept beside its counts has just been read."""
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"A-{n}", 5) for n in range(20)))
    await evaluator.know(AFTER_CUT_OFF)
    await evaluator.pool.execute("UPDATE judged_window SET stale = true")
    counts = accounts.counts

    async def then_a_count_arrives(*arguments: Any) -> Any:
        monkeypatch.setattr(accounts, "counts", counts)
        found = await counts(*arguments)
        async with asyncio.timeout(10):
            await tell(other, count(40))
        return found

    monkeypatch.setattr(accounts, "counts", then_a_count_arrives)
    await evaluator.publish()
    assert (await evaluator.result())["parts"][0]["coverage"]["known"] == 40


async def test_a_case_that_comes_late_is_measured_in_the_window_that_is_frozen(
    evaluator: Evaluator,
) -> None:
    """Its day is one that was counted, though it is due in a window of its own."""
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"A-{n}", 5) for n in range(20)))
    await tell(evaluator, count(21))
    assert (await close(evaluator))["parts"][0]["coverage"]["measured"] == 20
    late = b.waited("A-20", 5, received_at=local("2026-10-14 09:00"))
    await evaluator.take(late)
    await evaluator.know("2026-10-16 00:00")
    await evaluator.publish("2026-10-16 00:00")
    result = await evaluator.result()
    assert (result["edition"], result["parts"][0]["coverage"]["measured"]) == (2, 21)
    await agree(evaluator)


async def test_a_count_of_another_kind_of_case_or_one_taken_back_says_nothing(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"A-{n}", 5) for n in range(20)))
    await tell(
        evaluator,
        count(99, case="surveys", counted="survey.answered"),
        count(99, case="elsewhere", service="TES"),
        count(99),
        count(None, revision=2),
    )
    result = await close(evaluator)
    assert result["verdict"] == "met"
    assert result["parts"][0]["coverage"]["known"] == 0


async def test_a_source_that_fell_silent_is_told_in_rows_in_the_result_and_to_operators(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"A-{n}", 5) for n in range(20)))
    expects = hot.Cadence(every_minutes=60, calendar="HAB-GRAL", since=local("2026-09-01 00:00"))
    # 9:00 to 9:59 local is the hour from 15:00 UTC, on every day of the month but the 8th.
    hour = ((1 << 540) - 1) << 15 * 60
    days = [heard(date(2026, 9, day), hour) for day in range(1, 31) if day != 8]
    await tell(evaluator, *days)
    await evaluator.know(AFTER_CUT_OFF, expects=expects)
    await evaluator.deadlines.silences(evaluator.context)
    await evaluator.publish(AFTER_CUT_OFF)
    coverage = (await evaluator.result())["parts"][0]["coverage"]
    assert {"start": "2026-09-08T15:00:00Z", "end": "2026-09-09T00:00:00Z"} in coverage["silences"]
    assert 0 < coverage["silent_minutes"] < coverage["expected_minutes"]
    assert evaluator.metrics.silent.labels(b.QUEUE, b.TOWN)._value.get() > 0, "it is silent still"
    async with evaluator.open() as tx:
        newest, *earlier = await accounts.of_source(tx.connection, b.QUEUE, b.TOWN, limit=50)
    assert newest.end is None, "it has not spoken since"
    assert local("2026-09-08 09:00") in {each.start for each in earlier}
    await agree(evaluator)


async def test_a_source_that_is_to_speak_no_more_is_not_told_as_silent(
    evaluator: Evaluator,
) -> None:
    await evaluator.learn_town()
    expects = hot.Cadence(every_minutes=60, calendar="HAB-GRAL", since=local("2026-09-01 00:00"))
    await evaluator.know(AFTER_CUT_OFF, expects=expects)
    await evaluator.deadlines.silences(evaluator.context)
    assert list(evaluator.metrics.silent._metrics) == [(b.QUEUE, b.TOWN)]
    await evaluator.know(LATER, expects=None)
    await evaluator.deadlines.silences(evaluator.context)
    assert list(evaluator.metrics.silent._metrics) == []


async def test_a_window_in_which_the_carta_was_suspended_says_so(evaluator: Evaluator) -> None:
    away = Suspension(
        first=date(2026, 9, 1), last=date(2026, 9, 30), reason="Mudanza", act="Gaceta 10"
    )
    await evaluator.learn_town(b.carta(suspensions=(away,)))
    await evaluator.take(b.waited("A-1", 5))
    await evaluator.open_windows("2026-09-10 12:00", past=1)
    result = await close(evaluator)
    assert (result["verdict"], result["reason"]) == ("not_evaluated", "carta_suspendida")
    assert await evaluator.verdicts() == {}, "what began while it was suspended is promised nothing"


async def test_a_window_without_an_opening_day_has_no_service_to_judge(
    evaluator: Evaluator,
) -> None:
    shut = general(days=(closed("2026-09-01", "2026-09-30", reason="Obra"),)).calendar
    await evaluator.learn(b.municipality(), b.calendar(), b.carta(calendar="HAB-OBRA"))
    obra = shut.model_copy(update={"id": "HAB-OBRA"})
    await evaluator.learn(b.calendar(calendar=obra))
    await evaluator.open_windows("2026-09-10 12:00", past=1)
    result = await close(evaluator)
    assert (result["verdict"], result["reason"]) == ("not_evaluated", "servicio_no_prestado")
