"""Emitters that write to Kafka themselves: refused by name, kept, replayed; others go on."""

from typing import Any

import httpx
import msgspec

from ops.looking import Samples
from shared.contracts import topics
from tests.integration.measurements.support import QUEUE, System, event, native
from tests.support.waiting import eventually


async def test_bad_records_are_refused_by_name_and_the_good_go_on(system: System) -> None:
    await system.add_source()
    personal = native(event(event_id="n1", case="A-2"))
    personal = (personal[0], personal[1].replace(b'"case"', b'"nombre":"Ana","case"'))
    bad = {
        "not_json": ("nogal/A-1", b"{"),
        "schema": personal,
        "unknown_source": native(event(source="https://unknown.example")),
        "other_municipality": native(event(), municipality="otro"),
        "unknown_service": native(event(service="OTRO")),
        "unregistered_attribute": native(event(attributes={"curp": "x"})),
        "naive_time": native(event(time="2026-03-02T12:00:00")),
        "too_early": native(event(time="1970-01-01T00:00:00Z")),
        "in_future": native(event(time="2100-01-01T00:00:00Z")),
        "wrong_key": ("nogal/other", native(event())[1]),
        "reason_missing": native(event("case.paused")),
    }
    await system.produce(*bad.values(), native(event(case="GOOD")))
    async with system.messages(topics.MEASUREMENTS) as messages:
        assert list(await eventually(messages.cases)) == ["GOOD"]

    async def all_refused() -> set[str] | None:
        rows = await system.pool.fetch("SELECT reason FROM refusal")
        return {row["reason"] for row in rows} if len(rows) == len(bad) else None

    assert await eventually(all_refused) == set(bad)
    async with system.messages(topics.SERVICE_EVENTS) as _:
        shown = await system.activity()
    by_reason = {item["reason"]: item for item in shown["refusals"]}
    assert by_reason["schema"]["event_id"] == "n1"
    assert set(bad) - set(by_reason) == {"not_json", "unknown_source"}
    listed = await system.command("dlt", "list")
    assert "Ana" not in listed
    assert "unknown_source" in listed


async def test_characters_that_the_database_cannot_hold_cost_nobody_else_anything(
    system: System,
) -> None:
    await system.add_source()
    nul = "\0"
    await system.produce(
        native(event(event_id=f"a{nul}")),
        native(event(case=f"A{nul}")),
        native(event(supersedes=f"a{nul}")),
        native(event(source=f"{QUEUE}{nul}")),
        native(event(event_id=f"b{nul}") | {"type": "Bad Kind"}),
        native(event(case="GOOD")),
    )
    async with system.messages(topics.MEASUREMENTS) as messages:
        assert list(await eventually(messages.cases)) == ["GOOD"]

    async def reasons() -> list[str] | None:
        rows = await system.pool.fetch("SELECT reason FROM refusal ORDER BY reason")
        return [row["reason"] for row in rows] if len(rows) == 5 else None

    assert await eventually(reasons) == ["schema"] * 5
    response = await system.post(event(event_id=f"c{nul}"))
    assert response.status_code == 422


async def test_a_refused_event_is_taken_when_replayed_after_its_cause_is_mended(
    system: System,
) -> None:
    await system.produce(native(event(case="A-9")))

    async def refusal_id() -> str | None:
        found: str | None = await system.pool.fetchval("SELECT id FROM refusal")
        return found

    refused = await eventually(refusal_id)
    await system.add_source()
    await system.command("dlt", "replay", refused)
    async with system.messages(topics.MEASUREMENTS) as messages:
        assert list(await eventually(messages.cases)) == ["A-9"]


async def test_a_source_of_mostly_refusals_is_suspended_alone_and_visibly(system: System) -> None:
    await system.add_source()
    other = "https://other.example/queue"
    await system.add_source(other)
    await system.produce(*[native(event(service="OTRO")) for _ in range(30)])
    await system.produce(*[native(event(source=other, case=f"B-{n}")) for n in range(30)])

    async def suspended() -> bool:
        return str((await system.activity())["state"]) == "suspended"

    await eventually(suspended, timeout=30)
    assert (await system.post(event())).status_code == 403
    await system.produce(native(event(event_id="late")))

    async def refused_as_suspended() -> Any:
        return await system.pool.fetchval(
            "SELECT event_id FROM refusal WHERE reason = 'source_suspended'"
        )

    assert await eventually(refused_as_suspended) == "late"
    theirs = await system.post(event(source=other), token=system.tokens[other])
    assert theirs.status_code == 202
    assert "suspended" in await system.command("source", "list")

    async def told() -> bool:
        async with httpx.AsyncClient(base_url=system.url) as http:
            samples = Samples((await http.get("/metrics")).text)
        return samples.total("measurements_source_suspended", source=QUEUE) == 1

    await eventually(told, timeout=30)
    await system.command("source", "resume", QUEUE)
    assert (await system.post(event())).status_code == 202


async def test_a_heartbeat_is_evidence_and_no_case(system: System) -> None:
    await system.add_source()
    heartbeat = event("source.heartbeat", minutes_ago=1)
    await system.produce(native(heartbeat))
    async with system.messages(topics.MEASUREMENTS) as messages:

        async def told() -> str | None:
            for progress in await messages.progress():
                for state in progress.data.sources:
                    if state.complete_through is not None:
                        return state.complete_through.isoformat()
            return None

        assert await eventually(told) == heartbeat["time"]
        assert await messages.cases() == {}
    assert msgspec.json.decode(messages.values[0])["type"] == "measurement.progress.v1"
