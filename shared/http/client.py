"""The HTTP client with which a service calls another."""

import httpx

from shared.http.credentials import service_credential
from shared.logs import bound_field
from shared.settings import ServiceSettings

TIMEOUT_SECONDS = 5.0


def service_client(settings: ServiceSettings) -> httpx.AsyncClient:
    """Return a client that carries the service credential and gives up after five seconds.

    What it calls belongs to the trace of the request that is being served.
    """
    return httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS,
        headers={"Authorization": f"Bearer {service_credential(settings.service_secret)}"},
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=5),
        trust_env=False,
        event_hooks={"request": [_hand_on_trace]},
    )


async def _hand_on_trace(request: httpx.Request) -> None:
    if traceparent := bound_field("traceparent"):
        request.headers["traceparent"] = traceparent
