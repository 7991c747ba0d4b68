"""Emitters over HTTP: what is taken, what is refused, and that nobody else notices."""

import asyncio
import json
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.measurements.use_cases.intake import read_events
from shared.contracts import topics
from tests.integration.measurements.support import BATCHED, QUEUE, STRUCTURED, System, event
from tests.support.processes import end, environment_of, start_service
from tests.support.servers import free_port
from tests.support.waiting import eventually


async def test_an_event_becomes_a_case_and_is_shown_to_its_emitter(system: System) -> None:
    await system.add_source()
    issued = event("ticket.issued", minutes_ago=9, nombre="Ana", attributes={"tipo": "copia"})
    traceparent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    response = await system.post(issued, headers={"traceparent": traceparent})
    assert (response.status_code, response.json()) == (202, {"accepted": 1, "refused": []})
    async with system.messages(topics.MEASUREMENTS) as messages:
        cases = await eventually(messages.cases)
        assert all(b"Ana" not in value for value in messages.values)
    measured = cases["A-1"]
    assert measured.traceparent == traceparent
    assert measured.data.revision == 1
    assert measured.data.attributes == {"tipo": "copia"}
    assert [fact["event_id"] for fact in (await system.activity())["events"]] == [issued["id"]]


async def test_a_batch_takes_the_good_and_names_the_bad(system: System) -> None:
    await system.add_source()
    good = [event(case="A-1"), event(case="A-2")]
    bad = event(case="A-3", time="2026-03-02T12:00:00")
    response = await system.post([good[0], bad, 7, good[1]], content_type=BATCHED)
    assert response.status_code == 202
    answer = response.json()
    assert answer["accepted"] == 2
    named = [(item["index"], item["reason"], item["field"]) for item in answer["refused"]]
    assert named == [(1, "naive_time", "time"), (2, "not_an_event", None)]
    shown = await eventually(lambda: _shown(system, events=2, refusals=2))
    assert {item["event_id"] for item in shown["events"]} == {item["id"] for item in good}
    assert {item["reason"] for item in shown["refusals"]} == {"naive_time", "not_an_event"}


async def _shown(system: System, *, events: int, refusals: int) -> dict[str, Any] | None:
    shown = await system.activity()
    complete = (len(shown["events"]), len(shown["refusals"])) == (events, refusals)
    return shown if complete else None


async def test_bad_requests_leave_the_service_up_and_others_flowing(system: System) -> None:
    await system.add_source()
    other = await system.add_source("https://other.example/queue")
    for body, content_type, status in (
        (b"{", STRUCTURED, 422),
        (b"\xff\xfe", STRUCTURED, 422),
        (b"[" * 200_000, STRUCTURED, 422),
        (b"{}", BATCHED, 422),
        (b"[]", STRUCTURED, 422),
        (b"x" * 10_000_000, STRUCTURED, 413),
        ([event()] * 1001, BATCHED, 413),
        (event(), "application/json", 415),
        (event(), "text/plain", 415),
        (event(time="1970-01-01T00:00:00Z"), STRUCTURED, 422),
        (event(time="2100-01-01T00:00:00Z"), STRUCTURED, 422),
        (event(service="OTRO"), STRUCTURED, 422),
        (event(source="https://other.example/queue"), STRUCTURED, 422),
        (event() | {"id": 7}, STRUCTURED, 422),
    ):
        response = await system.post(body, content_type=content_type)
        assert response.status_code == status, (str(body)[:60], response.text)
        assert response.headers["content-type"] == "application/problem+json"
    theirs = event(source="https://other.example/queue", case="B-1")
    assert (await system.post(theirs, token=other)).status_code == 202
    async with system.messages(topics.MEASUREMENTS) as messages:
        assert list(await eventually(messages.cases)) == ["B-1"]


async def test_only_a_current_token_opens(system: System) -> None:
    token = await system.add_source()
    for wrong in ("x", token + "x", "x" * 500):
        assert (await system.post(event(), token=wrong)).status_code == 401
    await system.command("source", "suspend", QUEUE)
    assert (await system.post(event())).status_code == 403
    await system.command("source", "resume", QUEUE)
    assert (await system.post(event())).status_code == 202
    renewed = (await system.command("source", "token", QUEUE, "--replace")).strip()
    assert (await system.post(event(), token=token)).status_code == 401
    assert (await system.post(event(), token=renewed)).status_code == 202
    await system.command("source", "revoke", QUEUE)
    assert (await system.post(event(), token=renewed)).status_code == 401
    await system.command("source", "resume", QUEUE, expect=1)
    await system.command(
        *("source", "add", "--municipality", "x", "--source", QUEUE),
        *("--services", "*", "--reports", "*"),
        expect=1,
    )


async def test_requests_that_come_together_are_told_apart(system: System) -> None:
    """Tokens are looked up together, and what they let in leaves together."""
    other = "https://other.example/queue"
    tokens = [await system.add_source(), await system.add_source(other), "wrong"]
    sent = [
        (token, event(source=uri, case=f"{place}-{number}"))
        for number in range(10)
        for place, (token, uri) in enumerate(product(tokens, (QUEUE, other)))
    ]
    answers = await asyncio.gather(*(system.post(body, token=token) for token, body in sent))
    assert [answer.status_code for answer in answers] == [202, 422, 422, 202, 401, 401] * 10
    async with system.messages(topics.MEASUREMENTS) as messages:

        async def all_taken() -> bool:
            expected = {f"{place}-{number}" for number in range(10) for place in (0, 3)}
            return (await messages.cases()).keys() == expected

        await eventually(all_taken)


async def test_the_time_of_a_request_is_shown_by_part(system: System) -> None:
    await system.add_source()
    await system.post(event())
    await system.post([event(case="A-2"), 7], content_type=BATCHED)
    async with httpx.AsyncClient(base_url=system.url) as http:
        text = (await http.get("/metrics")).text
    for part in ("authorise", "receive", "decode", "check", "encode", "acknowledge", "refuse"):
        assert f'measurements_intake_seconds_count{{part="{part}"}} 2.0' in text


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--municipality", "villa del nogal"),
        ("--services", ","),
        ("--services", "RC ACTAS"),
        ("--attributes", "CURP"),
        ("--grace-seconds", "-1"),
        ("--reports", "tickets"),
        ("--reports", "ticket.*.x"),
        ("--every-minutes", "30"),
    ],
)
async def test_a_source_that_could_never_speak_is_not_registered(
    stopped: System, option: str, value: str
) -> None:
    valid = {"--municipality": "nogal", "--source": QUEUE, "--services": "*", "--reports": "*"}
    arguments = [text for pair in (valid | {option: value}).items() for text in pair]
    assert option in await stopped.command("source", "add", *arguments, expect=1)
    assert await stopped.count("source") == 0


async def test_tokens_are_not_stored_in_clear(stopped: System) -> None:
    token = await stopped.add_source()
    stored = await stopped.pool.fetchval("SELECT hash FROM source_token")
    assert len(stored) == 32
    assert token.encode() not in stored


async def test_a_repeat_is_counted_and_other_content_is_refused_afterwards(system: System) -> None:
    await system.add_source()
    first = event(event_id="t-1")
    await system.post(first)
    await system.post(first)
    assert (await system.post(event(event_id="t-1", unit="V2"))).status_code == 202
    shown = await eventually(lambda: _shown(system, events=1, refusals=1))
    (refusal,) = shown["refusals"]
    assert (refusal["reason"], refusal["event_id"]) == ("identity_conflict", "t-1")
    assert refusal["after_acceptance"]
    expected = {"events": 3, "facts": 1, "repeats": 1, "corrections": 0, "refused": 1}
    assert await system.balance() == expected
    assert "events 3 = facts 1 + repeats 1" in await system.command("balance")


async def test_a_stop_before_its_start_and_a_correction_out_of_order(system: System) -> None:
    await system.add_source()
    issued = event("ticket.issued", event_id="i", minutes_ago=30)
    called = event("ticket.called", event_id="c1", minutes_ago=40)
    right = event("ticket.called", event_id="c2", minutes_ago=20, supersedes="c1")
    for sent in (right, called, issued):
        assert (await system.post(sent)).status_code == 202
    async with system.messages(topics.MEASUREMENTS) as messages:

        async def whole() -> Any:
            case = (await messages.cases()).get("A-1")
            return case if case is not None and case.data.revision == 3 else None

        data = (await eventually(whole)).data
    wait = data.instants["ticket.called"] - data.instants["ticket.issued"]
    assert wait.total_seconds() == 600


async def test_metrics_and_the_documents_are_there(system: System) -> None:
    await system.add_source()
    await system.post(event())
    async with httpx.AsyncClient(base_url=system.url) as http:

        async def counted() -> bool:
            text = (await http.get("/metrics")).text
            line = f'measurements_events_total{{outcome="facts",source="{QUEUE}"}} 1.0'
            return line in text and "measurements_balance_difference" in text

        await eventually(counted, timeout=30)
        assert (await http.get("/asyncapi")).json()["channels"]
        assert "/v1/events" in (await http.get("/openapi.json")).json()["paths"]
        assert (await http.get("/v1/sources")).status_code == 401


async def test_nothing_is_promised_while_kafka_is_away(stopped: System) -> None:
    await stopped.add_source()
    port = free_port()
    environment = environment_of(
        "measurements",
        stopped.database_url,
        kafka=f"127.0.0.1:{free_port()}",
        prefix=stopped.prefix,
        port=port,
    )
    log = stopped.folder / "log"
    running = await start_service("measurements", environment, log=log, port=port)
    stopped.url = running.url
    try:
        async with httpx.AsyncClient(base_url=stopped.url) as http:
            await eventually(lambda: _is_alive(http), timeout=30)
            assert (await http.get("/health/ready")).status_code == 503
        response = await stopped.post(event())
        assert response.status_code == 503
        assert response.headers["retry-after"]
    finally:
        await end(running)
    assert await stopped.count("edge_refusal") == 0


async def _is_alive(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/health/live")).status_code == 204
    except httpx.HTTPError:
        return False


VECTORS = "cloudevents-http-binding-vectors.json"


@pytest.mark.shared_data
def test_the_published_vectors_are_read_as_they_say(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "payloads" / VECTORS).read_text())
    assert vectors
    for vector in vectors:
        body = json.dumps(vector["http"]["body"]).encode()
        (found,) = read_events(vector["http"]["headers"], body, limit=10)
        assert isinstance(found, dict)
        expected = vector["expect"]
        assert found["data"] == expected["data"], vector["name"]
        for name in ("id", "specversion", "type", "source", "time"):
            assert found[name] == expected["attributes"][name], vector["name"]


@pytest.mark.shared_data
async def test_each_mode_of_the_vectors_is_taken_over_http(
    system: System, shared_data: Path
) -> None:
    source = "/mycontext/subcontext"
    token = await system.add_source(source)
    vectors = json.loads((shared_data / "payloads" / VECTORS).read_text())
    for number, vector in enumerate(vectors):
        headers, body = vector["http"]["headers"], vector["http"]["body"]
        ours = {"case": "A-1", "service": "RC-ACTAS"}
        if "specversion" in body:
            body |= {"id": str(number), "data": ours}
        else:
            headers["ce-id"], body = str(number), ours
        response = await system.post(
            body, token=token, content_type=headers.pop("content-type"), headers=headers
        )
        assert response.status_code == 202, (vector["name"], response.text)
    shown = await eventually(lambda: _events_of(system, source, len(vectors)))
    assert {item["kind"] for item in shown} == {"com.example.someevent"}


async def _events_of(system: System, uri: str, number: int) -> list[dict[str, Any]] | None:
    shown = (await system.activity(uri))["events"]
    return shown if len(shown) == number else None
