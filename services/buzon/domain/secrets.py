"""What only the citizen knows: the secret beside the folio, and how it is kept."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from services.buzon.domain.folios import ALPHABET, plain

SECRET_SYMBOLS: Final = 10
"""31 to the 10th: 49.5 bits, against 20 tries an hour."""
_GROUP: Final = SECRET_SYMBOLS // 2


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys derived from one root, one for each purpose."""

    secret: bytes
    secret_hash: bytes
    request: bytes
    client: bytes
    contact: bytes

    @classmethod
    def derive(cls, root: str, contact_root: str | None = None) -> "Keys":
        """Derive the keys; contacts have a root of their own where one is given."""
        return cls(
            secret=_derived(root, "secret"),
            secret_hash=_derived(root, "secret-hash"),
            request=_derived(root, "request"),
            client=_derived(root, "client"),
            contact=_derived(contact_root or root, "contact"),
        )


def citizen_secret(key: bytes, folio: str, idempotency_key: str) -> str:
    """Return the secret, e.g. `7QF4N-2WDXK`: random to all who do not hold `key`.

    It comes from the request's own key, so that a repeated request gets the same answer although
    only a hash of the secret is stored.
    """
    number = int.from_bytes(keyed_hash(key, folio, idempotency_key), "big")
    symbols = ""
    for _ in range(SECRET_SYMBOLS):
        number, place = divmod(number, len(ALPHABET))
        symbols += ALPHABET[place]
    return f"{symbols[:_GROUP]}-{symbols[_GROUP:]}"


def secret_hash(key: bytes, folio: str, secret: str) -> bytes:
    """Return what is stored of the secret; forgiving of case, spaces and misread letters."""
    return keyed_hash(key, folio, plain(secret))


def same_secret(key: bytes, folio: str, secret: str, *, stored: bytes | None) -> bool:
    """Compare in constant time; without a stored hash the same work is done in vain."""
    expected = stored if stored is not None else bytes(hashlib.sha256().digest_size)
    matches = hmac.compare_digest(secret_hash(key, folio, secret), expected)
    return matches and stored is not None


def keyed_hash(key: bytes, *parts: str) -> bytes:
    """Return HMAC-SHA-256 of `parts`, each with its length, so that no two lists run together."""
    message = b"".join(len(raw).to_bytes(4, "big") + raw for raw in map(str.encode, parts))
    return hmac.digest(key, message, "sha256")


def _derived(root: str, purpose: str) -> bytes:
    return keyed_hash(root.encode(), "buzon", purpose)
