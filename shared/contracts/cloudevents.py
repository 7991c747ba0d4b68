"""CloudEvents bindings: binary mode (attributes in headers) turned into structured JSON."""

from collections.abc import Iterable
from typing import Any

import msgspec

KAFKA_PREFIX = "ce_"
HTTP_PREFIX = "ce-"


def structured(headers: Iterable[tuple[str, bytes | None]], value: bytes) -> bytes:
    """Return a Kafka record's event as structured-mode JSON (Kafka binding 1.0.2, 3).

    Without `ce_` headers the value is taken as structured already. Header names match in any case;
    header values are UTF-8; a header without a value is as none. Raises UnicodeDecodeError,
    msgspec.DecodeError.
    """
    attributes = {
        name.lower().removeprefix(KAFKA_PREFIX): raw.decode()
        for name, raw in headers
        if name.lower().startswith(KAFKA_PREFIX) and raw is not None
    }
    if not attributes:
        return value
    content_type = _content_type(headers)
    return binary_to_structured(attributes, content_type, value)


def _content_type(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    for name, raw in headers:
        if name.lower() == "content-type" and raw is not None:
            return raw.decode()
    return None


def binary_to_structured(
    attributes: dict[str, str], content_type: str | None, body: bytes
) -> bytes:
    """Return attributes and a JSON body as one structured event. Raises msgspec.DecodeError."""
    event: dict[str, Any] = dict(attributes)
    if content_type is not None:
        event["datacontenttype"] = content_type.partition(";")[0].strip()
    if body:
        event["data"] = msgspec.Raw(body)
        msgspec.json.decode(body)
    return msgspec.json.encode(event)
