"""JSON Schemas of every message type as files, for emitters and for review.

`python -m shared.contracts.schema_files` writes them; it refuses a change that consumers of the
committed ones could not take: that is a new message type (`….v2`).
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from shared.contracts.compatibility import incompatibilities
from shared.contracts.dead_letters import DeadLetter
from shared.contracts.events import Event
from shared.contracts.topics import ALL, Topic

FOLDER = Path(__file__).parent / "schemas"
EXAMPLES = Path(__file__).parent / "examples"


def message_types() -> dict[str, type[Event]]:
    """Return every message type by its name. An emitter's event is one, whatever its kind."""
    models: list[type[Event]] = [
        *(model for topic in ALL for model in models_of(topic)),
        DeadLetter,
    ]
    return {_name(model): model for model in sorted(models, key=_name)}


def models_of(topic: Topic) -> Iterator[type[Event]]:
    """Yield the models that travel on `topic`."""
    if isinstance(topic.message, type):
        yield topic.message
        return
    union, *_ = get_args(topic.message)
    yield from get_args(union)


def _name(model: type[Event]) -> str:
    name = model.model_fields["type"].default
    return name if isinstance(name, str) else "service-event.v1"


def schema_of(model: type[Event]) -> dict[str, Any]:
    """Return the schema as a consumer applies it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


def as_text(schema: dict[str, Any]) -> str:
    """Return the schema as its file holds it: the same for the same models."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> list[str]:
    """Write every schema that is compatible with its file; return what is wrong with the others."""
    folder.mkdir(exist_ok=True)
    faults: list[str] = []
    for name, model in message_types().items():
        path, schema = folder / f"{name}.json", schema_of(model)
        committed = json.loads(path.read_text(encoding="utf-8")) if path.exists() else schema
        broken = incompatibilities(committed, schema)
        faults += [f"{name} {fault}" for fault in broken]
        if not broken:
            path.write_text(as_text(schema), encoding="utf-8")
    return faults


if __name__ == "__main__":
    if faults := write():
        sys.exit("\n".join(("a new message type is needed:", *faults)))
