"""A fault says where and what was expected; nothing of what was sent, which may be personal."""

import json
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from shared.contracts import hot, topics
from shared.messaging.subscription import Fault, Received, decode_record
from tests.unit.contracts.documents import changed, example

PRIVATE = "Fulana de Tal"


def fault_of(value: bytes, topic: topics.Topic, decode: Any) -> Fault:
    record = ConsumerRecord(
        topic.name, 0, 7, 1_781_277_245_000, 0, b"key", value, None, len(value), len(value), ()
    )
    decoded = decode_record(record, topic=topic, decode=decode)
    assert not isinstance(decoded, Received), "it was taken"
    return decoded[1]


CASES: list[tuple[topics.Topic, Any, str, str, Any]] = [
    (topics.MEASUREMENTS, hot.decode_measurement, "measurement.case.v1", path, value)
    for path, value in (
        ("type", PRIVATE),
        ("data.change", PRIVATE),
        ("specversion", PRIVATE),
        ("time", PRIVATE),
        ("data.revision", PRIVATE),
        ("data.municipality", PRIVATE),
        ("data.instants", {PRIVATE: "2026-06-12T15:14:05Z"}),
    )
]
CASES += [
    (topics.SERVICE_EVENTS, hot.decode_service_event, "service-event.v1", path, value)
    for path, value in ((f"data.{PRIVATE}", 1), ("data.attributes", {PRIVATE: "x"}))
]
CASES += [
    (topic, None, name, path, value)
    for topic, name, path, value in (
        (topics.COMPLAINTS, "complaint.v1", "type", PRIVATE),
        (topics.COMPLAINTS, "complaint.v1", "data.kind", PRIVATE),
        (topics.COMPLAINTS, "complaint.v1", "data.filed_at", PRIVATE),
        (topics.COMPLAINTS, "complaint.v1", "data.answer_by", PRIVATE),
        (topics.RESULTS, "result.v1", "data.calendar_versions", {PRIVATE: "x"}),
        (topics.SERVICE_EVENTS, "service-event.v1", f"data.{PRIVATE}", 1),
        (topics.SERVICE_EVENTS, "service-event.v1", "data.attributes", {PRIVATE: "x"}),
    )
]


@pytest.mark.parametrize(("topic", "decode", "name", "path", "value"), CASES)
def test_a_fault_repeats_nothing_of_what_was_sent(
    topic: topics.Topic, decode: Any, name: str, path: str, value: Any
) -> None:
    raw = json.dumps(changed(example(name), path, value)).encode()
    fault = fault_of(raw, topic, decode)
    assert fault.reason == "schema"
    assert fault.detail
    assert PRIVATE not in f"{fault.field} {fault.detail}"


def test_a_fault_names_the_member() -> None:
    raw = json.dumps(changed(example("complaint.v1"), "data.revision", "7")).encode()
    fault = fault_of(raw, topics.COMPLAINTS, None)
    assert fault == Fault("schema", "complaint.v1.data.revision", "Input should be a valid integer")
    raw = json.dumps(changed(example("measurement.case.v1"), "data.revision", "7")).encode()
    fault = fault_of(raw, topics.MEASUREMENTS, hot.decode_measurement)
    assert fault == Fault("schema", "data.revision", "Expected `int`, got `str`")
