"""Contacts at rest: sealed with AES-256-GCM under a key that the database does not hold."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12


class UnreadableContactError(Exception):
    """The contact was sealed under another key, or for another folio."""


def seal(key: bytes, folio: str, contact: str) -> bytes:
    """Return nonce and ciphertext, bound to the folio: it cannot be moved to another one."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, contact.encode(), folio.encode())


def unseal(key: bytes, folio: str, sealed: bytes) -> str:
    """Return the contact. Raises UnreadableContactError."""
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, folio.encode()).decode()
    except InvalidTag as error:
        raise UnreadableContactError(folio) from error
