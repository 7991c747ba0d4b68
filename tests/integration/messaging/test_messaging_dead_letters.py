"""What was refused is listed, shown and sent again by command."""

import json
from collections.abc import Sequence

from shared.messaging import Received, Relay, Transaction
from tests.integration.messaging.support import SERVICE, TOPIC, Bench, note_effects, running
from tests.support.processes import environment_of
from tests.support.programs import run
from tests.support.waiting import eventually
from tests.unit.contracts.documents import changed, example

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


async def dlt(bench: Bench, *arguments: str, expect: int = 0) -> str:
    environment = environment_of(
        SERVICE,
        bench.settings.database_url.get_secret_value(),
        kafka=bench.settings.kafka_servers,
        prefix=bench.settings.topic_prefix,
        port=1,
    )
    ran = await run(f"services.{SERVICE}", "dlt", *arguments, environment=environment)
    assert ran.code == expect, ran.output
    return ran.output


async def test_a_refused_message_is_listed_shown_and_taken_once_its_cause_is_mended(
    bench: Bench,
) -> None:
    is_mended = False

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        await note_effects(tx, batch)
        if not is_mended:
            raise ZeroDivisionError

    document = changed(example("complaint.v1"), "data.folio", "JAC-1")
    document["traceparent"] = TRACE
    data = json.dumps(document.pop("data")).encode()
    del document["datacontenttype"]
    headers = [(f"ce_{name}", value.encode()) for name, value in document.items()]
    relay = Relay(bench.settings, shard=0, metrics=bench.metrics)
    async with running(bench.consumer(handle), relay):
        await bench.send(data, headers=[*headers, ("content-type", b"application/json")])
        (row,) = await eventually(bench.refusals)
        is_mended = True
        listed = await dlt(bench, "list", "--reason", "unexpected_error")
        assert listed.split()[0] == row["id"]
        assert "complaints.v1[0]@0" in listed
        assert "ZeroDivisionError" in listed
        assert "JAC-1" not in listed, "the list holds no payload"
        assert "waiting" in listed
        assert TRACE in listed
        assert f"traceparent: {TRACE}" in await dlt(bench, "show", row["id"])
        assert '"JAC-1"' in await dlt(bench, "show", row["id"])
        assert await bench.effects() == {}
        sent = await dlt(bench, "replay", row["id"], "no such refusal", expect=1)
        assert "sent 1 of 2" in sent
        assert "not found: no such refusal" in sent
        await bench.wait_for("JAC-1")
        assert "replayed" in await dlt(bench, "list")
        assert await dlt(bench, "list", "--reason", "schema") == ""
        async with bench.reading(TOPIC.dead_letters, partitions=1) as reader:
            ((key, letter),) = await eventually(reader.read)
    assert key == row["id"] == letter["data"]["refusal"]
    assert letter["traceparent"] == TRACE
    assert letter["data"] | {"refusal": "", "field": None} == {
        "service": SERVICE,
        "refusal": "",
        "topic": "complaints.v1",
        "partition": 0,
        "offset": 0,
        "reason": "unexpected_error",
        "field": None,
    }
