"""Canonical bytes: equal data have equal bytes, whoever writes them and whenever."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel


def canonical(data: BaseModel) -> bytes:
    """Return JSON in UTF-8 with every member, sorted by name, and no space between.

    Decimals are strings with the digits that they have, instants RFC 3339 in their own offset: a
    model that was read from its own JSON gives the same bytes again.
    """
    return json.dumps(
        data.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def digest(payload: bytes) -> bytes:
    """Return the SHA-256 sum, 32 bytes."""
    return hashlib.sha256(payload).digest()


def fingerprint(model: type[BaseModel]) -> str:
    """Return 16 hex digits of the model's JSON Schema: other members or other types, others.

    What the schema only says to its reader (titles, descriptions) does not count.
    """
    schema = _bare(model.model_json_schema(mode="serialization"))
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _bare(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _bare(each)
        for name, each in schema.items()
        if not (name in ("title", "description") and isinstance(each, str))
    }
