"""Who may call what only our own services may call."""

import hmac

from fastapi import Request

from shared.credentials import derived_key, service_credential
from shared.http.problems import Problem

__all__ = ["derived_key", "require_service", "service_credential"]


async def require_service(request: Request) -> None:
    """Let only a service of ours pass. Raises Problem 401; the comparison takes constant time."""
    expected = "Bearer " + service_credential(request.app.state.context.settings.service_secret)
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Problem(401, "a service credential is needed", headers={"WWW-Authenticate": "Bearer"})
