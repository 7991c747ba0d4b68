"""What an event says, as a hash: the same identity with another hash is a conflict."""

from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from shared.contracts import hot

_encode = msgspec.json.Encoder(order="deterministic").encode
CONTENT_BYTES = 16


def content_hash(event: hot.ServiceEvent) -> bytes:
    """Hash all that bears on the case: equal instants in other offsets say the same.

    The import that sent the event is left out: running an import again repeats, it does not
    contradict.
    """
    data = event.data
    said = (
        *(event.type, _utc(event.time), data.municipality, data.case, data.service, data.unit),
        *(data.attributes, _utc(data.due_at), data.reason, data.supersedes, data.void),
    )
    return blake2b(_encode(said), digest_size=CONTENT_BYTES).digest()


def hash_of(*said: object) -> bytes:
    """Hash plain values, for the rows of files."""
    return blake2b(_encode(said), digest_size=CONTENT_BYTES).digest()


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
