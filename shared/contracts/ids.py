"""Identities of our own events: the same cause always mints the same id."""

from datetime import datetime
from hashlib import blake2b
from uuid import UUID

_MILLISECOND_BITS = 48
_VERSION_8 = 0x8
_VARIANT_RFC_9562 = 0b10


def derived_id(cause: str, event_type: str, time: datetime, *, ordinal: int = 0) -> str:
    """Return the id of the event of `event_type` that handling `cause` produces.

    A UUIDv8 (RFC 9562, 5.8): 48 bits of `time` in Unix milliseconds in front, so that indexes
    stay local, then a hash of cause, type and `ordinal`. Reprocessing mints the same id.
    `cause` names the causing event, usually by `cause_of(source, id)`; `time` is its time (aware).
    """
    milliseconds = int(time.timestamp() * 1000) & ((1 << _MILLISECOND_BITS) - 1)
    text = f"{cause}\x00{event_type}\x00{ordinal}".encode()
    entropy = int.from_bytes(blake2b(text, digest_size=10).digest(), "big")
    value = milliseconds << 80
    value |= _VERSION_8 << 76 | ((entropy >> 62) & 0xFFF) << 64
    value |= _VARIANT_RFC_9562 << 62 | (entropy & ((1 << 62) - 1))
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def own_trace(event_id: str) -> str:
    """Return the trace that an event of ours begins where no single event caused it.

    Its trace id is the derived id itself: made again, it is the same. Raises ValueError.
    """
    digits = UUID(event_id).hex
    return f"00-{digits}-{digits[16:]}-00"


def cause_of(source: str, event_id: str) -> str:
    """Return one string for a CloudEvent's identity, which is the pair (source, id)."""
    return f"{source}\x00{event_id}"
