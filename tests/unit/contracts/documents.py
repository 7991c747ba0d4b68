"""Committed examples, and how a test changes one of them."""

import copy
import json
from typing import Any

from shared.contracts.schema_files import EXAMPLES, message_types

Document = dict[str, Any]


def examples() -> dict[str, list[Document]]:
    """The committed examples by message type."""
    found: dict[str, list[Document]] = {name: [] for name in message_types()}
    for path in sorted(EXAMPLES.glob("*.json")):
        fits = [name for name in found if path.stem == name or path.stem.startswith(f"{name}.")]
        found[max(fits, key=len)].append(json.loads(path.read_bytes()))
    return found


def example(message_type: str) -> Document:
    path = EXAMPLES / f"{message_type}.json"
    document: Document = json.loads(path.read_bytes())
    return document


def changed(document: Document, path: str, value: Any) -> Document:
    """A copy with the member at `path` (dots between names) set."""
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    target = result
    for name in parents:
        target = target[name]
    target[last] = value
    return result
