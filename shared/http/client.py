"""The HTTP client with which a service calls another."""

import httpx

from shared.http.credentials import service_credential
from shared.settings import ServiceSettings

TIMEOUT_SECONDS = 5.0


def service_client(settings: ServiceSettings) -> httpx.AsyncClient:
    """Return a client that carries the service credential and gives up after five seconds."""
    return httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS,
        headers={"Authorization": f"Bearer {service_credential(settings.service_secret)}"},
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=5),
        trust_env=False,
    )
