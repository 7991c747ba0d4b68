"""The committed schemas are the models', and change only in ways that consumers can take."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.contracts.compatibility import incompatibilities, is_compatible
from shared.contracts.schema_files import (
    FOLDER,
    as_text,
    message_types,
    schema_of,
    write,
)
from tests.unit.contracts.documents import Document, examples


def committed(name: str) -> Document:
    found: Document = json.loads((FOLDER / f"{name}.json").read_bytes())
    return found


@pytest.mark.parametrize("name", message_types())
def test_a_committed_schema_is_its_models(name: str) -> None:
    now = schema_of(message_types()[name])
    assert incompatibilities(committed(name), now) == [], "a new message type is needed"
    text = (FOLDER / f"{name}.json").read_text()
    assert text == as_text(now), "run python -m shared.contracts.schema_files"


def test_every_message_type_has_its_file_and_no_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(message_types())


@pytest.mark.parametrize(("name", "documents"), examples().items())
def test_every_message_type_has_examples_that_fit(name: str, documents: list[Document]) -> None:
    assert documents, "an example is missing"
    schema, model = committed(name), message_types()[name]
    Draft202012Validator.check_schema(schema)
    for document in documents:
        Draft202012Validator(schema).validate(document)
        event = model.model_validate_json(json.dumps(document))
        assert model.model_validate_json(event.to_bytes()) == event


def test_an_incompatible_schema_is_not_written(tmp_path: Path) -> None:
    earlier = committed("unit.v1")
    earlier["properties"]["was_here"] = {"type": "string"}
    (tmp_path / "unit.v1.json").write_text(as_text(earlier))
    assert write(tmp_path) == ["unit.v1 $.was_here: removed"]
    assert json.loads((tmp_path / "unit.v1.json").read_text()) == earlier
    assert {path.stem for path in tmp_path.iterdir()} == set(message_types())


OLD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 8, "pattern": "^a"},
        "n": {"type": "integer", "minimum": 0, "maximum": 9},
        "kind": {"enum": ["x", "y"], "type": "string"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "part": {"$ref": "#/$defs/Part"},
        "list": {"type": "array", "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "required": ["id"],
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {"again": {"$ref": "#/$defs/Part"}, "v": {"type": "integer"}},
        }
    },
}


def _with(path: str, value: Any) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json.dumps(OLD))
    *parents, last = path.split("/")
    target = result
    for name in parents:
        target = target[name]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/new", {"type": "string"}),
        ("properties/id/maxLength", 16),
        ("properties/id/pattern", ...),
        ("properties/n/maximum", ...),
        ("properties/n/minimum", -1),
        ("properties/n/type", "number"),
        ("properties/kind/enum", ["x", "y", "z"]),
        ("properties/kind/description", "said better"),
        ("properties/list/items", {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ("$defs/Part/properties/w", {"type": "string"}),
        ("$defs/Renamed", {"type": "object"}),
    ],
)
def test_consumers_take_what_is_added_or_widened(path: str, value: Any) -> None:
    assert incompatibilities(OLD, _with(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("properties/n", ..., "$.n: removed"),
        ("required", ["id", "n"], "$.n: required now"),
        ("required", [], "$.id: not required any more, and old consumers need it"),
        ("properties/id/maxLength", 7, "$.id: maxLength lowered"),
        ("properties/id/minLength", 1, "$.id: minLength raised"),
        ("properties/id/pattern", "^b", "$.id: pattern changed"),
        ("properties/id/format", "uuid", "$.id: format changed"),
        ("properties/n/maximum", 8, "$.n: maximum lowered"),
        ("properties/n/minimum", 1, "$.n: minimum raised"),
        ("properties/n/type", "string", "$.n: type integer became string"),
        ("properties/kind/enum", ["x"], "$.kind: values removed: ['y']"),
        ("properties/kind/const", "x", "$.kind: const changed"),
        ("properties/maybe", {"type": "string"}, "$.maybe: alternative 1 is not taken any more"),
        ("properties/list/items", {"type": "integer"}, "$.list[items]: type string became integer"),
        (
            "properties/map/additionalProperties",
            {"type": "integer", "minimum": 0},
            "$.map[additionalProperties]: minimum raised",
        ),
        ("additionalProperties", False, "$[additionalProperties]: closed"),
        ("additionalProperties", {"type": "string"}, "$[additionalProperties]: restricted"),
        ("$defs/Part/properties/v", ..., "$.part.v: removed"),
        ("$defs/Part/properties/v/type", "string", "$.part.v: type integer became string"),
    ],
)
def test_what_is_taken_away_or_narrowed_is_named(path: str, value: Any, fault: str) -> None:
    assert incompatibilities(OLD, _with(path, value)) == [fault]
    assert not is_compatible(OLD, _with(path, value))


@pytest.mark.parametrize("name", message_types())
def test_what_may_be_absent_is_not_required(name: str) -> None:
    """`to_bytes` leaves out absent members: a required one that is null could not be read back."""
    schema = schema_of(message_types()[name])
    found = [
        f"{title}.{member}"
        for title, part in {"": schema, **schema.get("$defs", {})}.items()
        for member in part.get("required", ())
        if {"type": "null"} in part["properties"][member].get("anyOf", ())
    ]
    assert found == []
