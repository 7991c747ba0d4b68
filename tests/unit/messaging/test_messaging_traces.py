"""A trace goes on from what was refused and from a known caller, and into one line of the log."""

import json
import logging
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr

from shared.clock import utc_now
from shared.contracts.ids import derived_id, own_trace
from shared.contracts.service_events import ServiceEvent
from shared.http import service_client
from shared.http.tracing import TraceContext
from shared.logs import JsonFormatter, log_fields
from shared.messaging.traces import MAX_TOLD, Outcomes, trace_in
from shared.settings import ServiceSettings
from tests.support.processes import SERVICE_SECRET
from tests.unit.contracts.documents import changed, example

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


class Settings(ServiceSettings, service="buzon"):
    pass


SETTINGS = Settings(
    kafka_servers="127.0.0.1:1",
    service_secret=SecretStr(SERVICE_SECRET),
    public_url="http://127.0.0.1",
    database_url=SecretStr("postgresql://unused"),
    port=1,
)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[1]",
        b"{",
        b"\xff\xfe",
        b'{"traceparent": 1}',
        b'{"traceparent": null}',
        b'{"traceparent": "' + TRACE.encode() + b'\\n"}',
        b'{"traceparent": "Juan"}',
        b'{"a": ' + b"[" * 100_000,
    ],
)
def test_nothing_but_a_well_formed_trace_is_found_in_a_refused_payload(payload: bytes) -> None:
    assert trace_in(payload) is None


def test_a_trace_is_found_whatever_else_is_wrong() -> None:
    assert trace_in(json.dumps({"id": 1, "traceparent": TRACE, "curp": "x"}).encode()) == TRACE


def test_an_event_may_begin_a_trace_of_its_own_that_every_contract_takes() -> None:
    identity = derived_id("cause", "breach.v1", utc_now())
    trace = own_trace(identity)
    assert trace.split("-")[1] == UUID(identity).hex
    document = changed(example("service-event.v1"), "traceparent", trace)
    assert ServiceEvent.model_validate_json(json.dumps(document)).traceparent == trace


def test_the_log_names_some_outcomes_and_counts_all(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = Outcomes()
    for number in range(MAX_TOLD + 10):
        outcomes.add("late_case", TRACE, {"event_id": str(number), "action": None})
    outcomes.add("breached", None, {})
    with caplog.at_level(logging.INFO):
        outcomes.log()
        Outcomes().log()
    [record] = caplog.records
    line = json.loads(JsonFormatter("evaluator").format(record))
    assert line["event"] == "outcomes"
    assert line["counts"] == {"late_case": MAX_TOLD + 10, "breached": 1}
    assert len(line["told"]) == MAX_TOLD
    first = {"outcome": "late_case", "traceparent": TRACE, "event_id": "0"}
    assert line["told"][0] == first


@pytest.mark.parametrize(
    ("headers", "is_followed"),
    [
        ({"traceparent": TRACE, "authorization": "Bearer x"}, True),
        ({"traceparent": TRACE}, False),
        ({"traceparent": TRACE + "0", "authorization": "Bearer x"}, False),
        ({"authorization": "Bearer x"}, False),
    ],
)
async def test_a_strangers_trace_is_not_followed(
    headers: dict[str, str], is_followed: bool
) -> None:
    app = FastAPI()
    app.add_middleware(TraceContext)

    @app.get("/")
    async def trace(request: Request) -> str:
        return str(request.state.traceparent)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        answer = await http.get("/", headers=headers)
    assert answer.json() == answer.headers["traceparent"]
    assert (answer.json() == TRACE) is is_followed


async def test_a_service_that_is_called_hears_of_the_callers_trace() -> None:
    async with service_client(SETTINGS) as http:
        [hand_on] = http.event_hooks["request"]
        request = httpx.Request("GET", "http://buzon/")
        await hand_on(request)
        assert "traceparent" not in request.headers
        with log_fields(traceparent=TRACE):
            await hand_on(request)
    assert request.headers["traceparent"] == TRACE
