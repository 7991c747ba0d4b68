"""The services' own credential, and keys derived from the one secret they share."""

import hashlib
import hmac

from pydantic import SecretStr


def derived_key(secret: SecretStr, purpose: str) -> bytes:
    """Return 32 bytes for one purpose: knowing one key tells nothing of another (HMAC-SHA-256)."""
    return hmac.new(secret.get_secret_value().encode(), purpose.encode(), hashlib.sha256).digest()


def service_credential(secret: SecretStr) -> str:
    """Return the bearer token with which one service calls another."""
    return derived_key(secret, "service credential").hex()
