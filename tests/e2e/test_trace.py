"""One trace is followed from an emitter's event, or a folio's step, to the mail that it caused."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.contracts import topics
from shared.contracts.service_events import SOURCE_HEARTBEAT
from simulator import MUNICIPALITY
from simulator.scenarios import PHONES
from tests.e2e.conftest import JUDGING
from tests.e2e.town import PROMISE, Town, event
from tests.support.databases import FreshDatabase
from tests.support.servers import Servers
from tests.support.systems import running_system
from tests.support.waiting import eventually

KEPT = 9
UNIT_POST = "enlace-centro-mando"


def trace(digit: str) -> str:
    return f"00-{digit * 32}-{digit * 16}-01"


@pytest_asyncio.fixture
async def town(
    servers: Servers,
    database: FreshDatabase,
    topic_prefix: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Town]:
    logs, extra = tmp_path_factory.mktemp("traces"), {"CARTAS_LOG_FORMAT": "json"}
    async with running_system(
        servers, database, topic_prefix, log_dir=logs, services=JUDGING, extra=extra
    ) as system:
        town = Town(system, servers.kafka, topic_prefix)
        await town.found()
        yield town


def told(town: Town, service: str, traceparent: str) -> list[str]:
    """As `grep` over the JSON logs of a service: the outcomes told of a trace, in order."""
    lines = (town.system.log_dir / f"{service}.log").read_text().splitlines()
    found = [json.loads(line) for line in lines if traceparent.split("-")[1] in line]
    outcomes = [one for line in found for one in line.get("told", ())]
    return [one["outcome"] for one in outcomes if one.get("traceparent") == traceparent]


async def on_topic(town: Town, topic: topics.Topic, traceparent: str) -> list[dict[str, Any]]:
    values = await town.everything_on(topic.name, topic.partitions)
    events = [json.loads(value) for value in values]
    return [each for each in events if each.get("traceparent") == traceparent]


async def ledger(town: Town, traceparent: str) -> list[tuple[str, str]]:
    async with town.system.client("notifier") as http:
        answer = await http.get("/v1/deliveries", params={"municipality": MUNICIPALITY})
    lines = answer.json()["deliveries"]
    return [(each["kind"], each["outcome"]) for each in lines if each["traceparent"] == traceparent]


async def explained(town: Town, case: str) -> dict[str, Any]:
    query = {"municipality": MUNICIPALITY, "compromiso": PROMISE, "case": case}
    async with town.system.client("evaluator") as http:
        found: dict[str, Any] = (await http.get("/v1/explanations", params=query)).json()
    return found


async def test_a_trace_leads_from_the_event_to_the_mail(town: Town) -> None:
    case = await a_call_becomes_late(town, trace("a"))
    await eventually(lambda: ledger(town, trace("a")), 60, what="the mail in the ledger")
    await a_complaint_is_upheld(town, trace("b"))
    await eventually(lambda: ledger(town, trace("b")), 60, what="the complaint's mail")

    assert await ledger(town, trace("a")) == [("breached", "accepted")]
    said = [each["data"]["kind"] for each in await on_topic(town, topics.BREACHES, trace("a"))]
    assert sorted(said) == ["breached", "late_case"]
    actions = await on_topic(town, topics.CORRECTIVE_ACTIONS, trace("a"))
    assert [each["data"]["change"] for each in actions] == ["requested"]
    assert sorted(told(town, "evaluator", trace("a"))) == ["breached", "late_case"]
    assert set(told(town, "notifier", trace("a"))) == {
        "noted_late_case",
        "action_requested",
        "mail_accepted",
    }
    assert told(town, "measurements", trace("a")) == [], "no line for what was merely taken"
    assert (await explained(town, case))["traceparent"] == trace("a")

    assert await ledger(town, trace("b")) == [("complaint", "accepted")]
    [trigger] = await on_topic(town, topics.BREACHES, trace("b"))
    assert trigger["data"]["kind"] == "complaint_trigger"
    [merged] = await on_topic(town, topics.CORRECTIVE_ACTIONS, trace("b"))
    assert merged["data"]["change"] == "merged"
    assert "folio_upheld" in told(town, "buzon", trace("b"))
    assert told(town, "evaluator", trace("b")) == ["complaint_trigger"]
    assert set(told(town, "notifier", trace("b"))) == {"action_merged", "mail_accepted"}


async def test_a_refused_event_is_found_by_its_trace(town: Town) -> None:
    await town.produce(("x", json.dumps({"traceparent": trace("c"), "id": 1}).encode()))

    async def listed() -> bool:
        printed = await town.command("services.measurements", "dlt", "list")
        return trace("c") in printed.output

    await eventually(listed, 60, what="dlt list shows the trace")
    assert told(town, "measurements", trace("c")) == ["refused"]
    letters = await town.everything_on(topics.SERVICE_EVENTS.dead_letters, 1)
    assert [json.loads(letter)["traceparent"] for letter in letters] == [trace("c")]


async def a_call_becomes_late(town: Town, traceparent: str) -> str:
    """Late by the clock alone: the event's trace is long gone from memory by then."""
    for met in [await town.call(seconds=20) for _ in range(KEPT)]:
        await town.judged(met)
    now, case = datetime.now(UTC), town.case("LLAMADA")
    queued = event(
        "call.queued",
        PHONES,
        case,
        at=now - timedelta(minutes=3),
        service="EM-LLAMADAS",
        traceparent=traceparent,
    )
    beat = event(SOURCE_HEARTBEAT, PHONES, "heartbeat", at=now, id=f"beat-{case}")
    for sent in (queued, beat):
        assert (await town.post(sent, token=town.tokens[PHONES.uri])).status_code == 202
    await town.judged(case, status="failed")
    return case


async def a_complaint_is_upheld(town: Town, traceparent: str) -> None:
    filing = {
        "municipality": MUNICIPALITY,
        "kind": "queja",
        "text": "Nadie contestó.",
        "carta": "EM-01",
        "fill_seconds": 60,
    }
    async with town.system.client("buzon") as http:
        filed = await http.post("/v1/folios", json=filing, headers={"Idempotency-Key": "a" * 32})
        assert filed.status_code == 201, filed.text
        folio = filed.json()["folio"]
        http.headers["traceparent"] = traceparent
        for step, form in (
            ("link", {"compromiso": PROMISE}),
            ("answer", {"text": "Tiene usted razón.", "finding": "upheld"}),
        ):
            body = {"post": UNIT_POST, **form}
            taken = await http.post(f"/v1/folios/{folio}/{step}", json=body)
            assert taken.is_success, taken.text
