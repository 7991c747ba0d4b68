"""The services' own credential, and keys derived from the one secret they share."""

import hashlib
import hmac

from fastapi import Request
from pydantic import SecretStr

from shared.http.problems import Problem


def derived_key(secret: SecretStr, purpose: str) -> bytes:
    """Return 32 bytes for one purpose: knowing one key tells nothing of another (HMAC-SHA-256)."""
    return hmac.new(secret.get_secret_value().encode(), purpose.encode(), hashlib.sha256).digest()


def service_credential(secret: SecretStr) -> str:
    """Return the bearer token with which one service calls another."""
    return derived_key(secret, "service credential").hex()


async def require_service(request: Request) -> None:
    """Let only a service of ours pass. Raises Problem 401; the comparison takes constant time."""
    expected = "Bearer " + service_credential(request.app.state.context.settings.service_secret)
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Problem(401, "a service credential is needed", headers={"WWW-Authenticate": "Bearer"})
