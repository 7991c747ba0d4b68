"""CloudEvents bindings: the published vectors through ours, our events through the SDK's."""

import json
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft202012Validator

from shared.contracts import hot
from shared.contracts.cloudevents import HTTP_PREFIX, binary_to_structured, structured
from shared.contracts.schema_files import message_types
from tests.unit.contracts.documents import Document, example, examples

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


def vectors(folder: Path, binding: str) -> list[dict[str, Any]]:
    path = folder / "payloads" / f"cloudevents-{binding}-binding-vectors.json"
    found: list[dict[str, Any]] = json.loads(path.read_bytes())
    assert found
    return found


@pytest.mark.shared_data
def test_the_published_kafka_vectors_read_the_same_in_either_mode(shared_data: Path) -> None:
    for vector in vectors(shared_data, "kafka"):
        headers = [(n, v.encode()) for n, v in vector["kafka"]["headers"].items()]
        raw = structured(headers, json.dumps(vector["kafka"]["value"]).encode())
        expected = vector["expect"]["attributes"] | {"data": vector["expect"]["data"]}
        assert json.loads(raw) == expected, vector["name"]


@pytest.mark.shared_data
def test_the_published_http_vectors_read_the_same_in_binary_mode(shared_data: Path) -> None:
    binary = [v for v in vectors(shared_data, "http") if v["name"].startswith("binary")]
    assert binary
    for vector in binary:
        headers = vector["http"]["headers"]
        attributes = {
            name.removeprefix(HTTP_PREFIX): value
            for name, value in headers.items()
            if name.startswith(HTTP_PREFIX)
        }
        body = json.dumps(vector["http"]["body"]).encode()
        found = json.loads(binary_to_structured(attributes, headers["content-type"], body))
        # A charset says nothing in JSON, which is UTF-8: it is left out.
        content_type = vector["expect"]["attributes"]["datacontenttype"].partition(";")[0]
        expected = vector["expect"]["attributes"] | {"datacontenttype": content_type}
        assert found == expected | {"data": vector["expect"]["data"]}, vector["name"]


def _binary(document: Document) -> tuple[list[tuple[str, bytes]], bytes]:
    attributes = {n: v for n, v in document.items() if n not in ("data", "datacontenttype")}
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    content_type = document["datacontenttype"].encode()
    return [*headers, ("content-type", content_type)], json.dumps(document["data"]).encode()


def test_an_event_in_binary_mode_is_the_event_in_structured_mode() -> None:
    for document in examples()["service-event.v1"]:
        headers, value = _binary(document)
        upper = [(name.upper(), raw) for name, raw in headers]
        expected = hot.decode_service_event(json.dumps(document).encode())
        assert hot.decode_service_event(structured(headers, value)) == expected
        assert hot.decode_service_event(structured(upper, value)) == expected


def test_headers_of_other_origin_do_not_make_a_structured_event_binary() -> None:
    raw = json.dumps(example("service-event.v1")).encode()
    assert structured([("traceparent", b"00-x"), ("content-type", b"application/json")], raw) == raw


@pytest.mark.parametrize(("name", "documents"), examples().items())
def test_an_independent_reader_understands_our_events(name: str, documents: list[Document]) -> None:
    for document in documents:
        event = message_types()[name].model_validate_json(json.dumps(document))
        headers = {"content-type": b"application/cloudevents+json"}
        message = KafkaMessage(headers, event.key.encode(), event.to_bytes())
        read = from_structured_event(message, JSONFormat())
        assert (read.get_id(), read.get_source(), read.get_type()) == (
            event.id,
            event.source,
            event.type,
        )
        assert read.get_time() == event.time
        assert read.get_specversion() == "1.0"
        assert read.get_datacontenttype() == "application/json"
        assert read.get_data() == json.loads(event.to_bytes())["data"]


def test_an_independent_reader_and_ours_agree_on_binary_mode() -> None:
    headers, value = _binary(example("service-event.v1"))
    read = from_kafka_event(KafkaMessage(dict(headers), b"key", value), JSONFormat())
    ours = hot.decode_service_event(structured(headers, value))
    assert (read.get_id(), read.get_source(), read.get_time()) == (ours.id, ours.source, ours.time)
    assert (
        hot.decode_service_event(
            json.dumps({**example("service-event.v1"), "data": read.get_data()}).encode()
        )
        == ours
    )


# What describes an event by the specification (CloudEvents 1.0.2, 3.1), as far as we need it.
ENVELOPE = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object"},
    },
    # Attribute names: lower-case letters and digits.
    "propertyNames": {"pattern": "^[a-z0-9]+$"},
}


def test_both_encoders_write_whole_envelopes() -> None:
    for name, documents in examples().items():
        for document in documents:
            event = message_types()[name].model_validate_json(json.dumps(document))
            Draft202012Validator(ENVELOPE).validate(json.loads(event.to_bytes()))
    for name, decode in (
        ("service-event.v1", hot.decode_service_event),
        ("measurement.case.v1", hot.decode_measurement),
    ):
        raw = hot.encode(decode(json.dumps(example(name)).encode()))
        Draft202012Validator(ENVELOPE).validate(json.loads(raw))
