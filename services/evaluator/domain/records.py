"""What a result is kept as, and where two of them differ."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from shared.contracts.canonical import canonical, digest, fingerprint
from shared.contracts.results import ResultData

RESULT_SCHEMA: Final = fingerprint(ResultData)
"""Results that were written by the same schema have the same members, so their bytes compare."""

ABSENT: Final = "(none)"


@dataclass(frozen=True, slots=True)
class Record:
    """A result as it is stored: its canonical JSON, the SHA-256 sum of it, and its schema."""

    json: str
    digest: bytes
    schema: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A place at which what is stored and what was found differ, as `parts[0].met`."""

    place: str
    stored: object
    found: object

    def __str__(self) -> str:
        return f"{self.place}: stored {self.stored}, recomputed {self.found}"


def record_of(data: ResultData) -> Record:
    """Return what is kept of a result."""
    payload = canonical(data)
    return Record(payload.decode(), digest(payload), RESULT_SCHEMA)


def differences(stored: Any, found: Any, place: str = "") -> Iterator[Difference]:
    """Yield every place at which two JSON values differ, in order of their names."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for name in sorted(stored.keys() | found.keys()):
            inner = f"{place}.{name}" if place else name
            yield from differences(stored.get(name, ABSENT), found.get(name, ABSENT), inner)
    elif isinstance(stored, list) and isinstance(found, list):
        for number in range(max(len(stored), len(found))):
            one, other = (each[number : number + 1] or [ABSENT] for each in (stored, found))
            yield from differences(one[0], other[0], f"{place}[{number}]")
    elif stored != found:
        yield Difference(place, stored, found)


def shared_members(stored: Any, found: Any) -> Any:
    """Return of `found` what `stored` has a member for: all that another schema can be asked."""
    if isinstance(stored, dict) and isinstance(found, dict):
        return {name: shared_members(stored[name], found[name]) for name in stored if name in found}
    if isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        return [shared_members(*pair) for pair in zip(stored, found, strict=True)]
    return found


def compare(
    stored: str, stored_digest: bytes | None, schema: str | None, data: ResultData
) -> tuple[Difference, ...]:
    """Return where a stored result differs from one that was found; by bytes, if schemas agree.

    Under another schema the members are compared that both have. A stored text that is what was
    found, beside a sum that is not its own, differs in the sum.
    """
    record, before = record_of(data), json.loads(stored)
    found = json.loads(record.json)
    if schema != RESULT_SCHEMA:
        return tuple(differences(shared_members(found, before), shared_members(before, found)))
    different = tuple(differences(before, found))
    if different or stored_digest == record.digest:
        return different
    return (Difference("digest", (stored_digest or b"").hex() or ABSENT, record.digest.hex()),)
