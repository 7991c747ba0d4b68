"""Calls to the other services: what must not travel on topics, and people's steps."""

import logging
from collections.abc import Collection, Mapping
from typing import Any, Final

import httpx

from services.portal.metrics import Metrics
from services.portal.settings import Settings

logger = logging.getLogger(__name__)

JSON = dict[str, Any]
NAMES: Final = {
    "buzon": "el buzón",
    "cartas": "el catálogo de cartas",
    "evaluator": "la evaluación",
    "measurements": "la recepción de mediciones",
    "notifier": "los avisos y acciones correctivas",
}
HEALTH_SECONDS: Final = 2.0
SERVER_FAULT: Final = 500


class PeerAwayError(Exception):
    """The other service did not answer, or not as it should; the page says so and stays up."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service

    @property
    def words(self) -> str:
        """How people call what is away."""
        return NAMES[self.service]


class RefusedError(Exception):
    """The other service answered no: `status` and `reason` say why."""

    def __init__(self, status: int, reason: str, body: JSON) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.body = body


class Peers:
    """The other services behind their base addresses; `http` carries the service credential."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._http = http

    async def get(
        self,
        service: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str | Collection[str] | None] | None = None,
    ) -> JSON:
        """Ask; members of `query` that are None are left out, a list is said value by value."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        return await self._call("GET", service, path, headers=headers, params=asked)

    async def post(
        self, service: str, path: str, *, headers: Mapping[str, str] | None = None, body: JSON
    ) -> JSON:
        """Have something done."""
        return await self._call("POST", service, path, headers=headers, json=body)

    async def is_well(self, service: str) -> bool:
        """Whether the service says that it is ready."""
        url = f"{self._settings.address_of(service)}/health/ready"
        try:
            answer = await self._http.get(url, timeout=HEALTH_SECONDS)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def _call(self, method: str, service: str, path: str, **request: Any) -> JSON:
        """Raises PeerAwayError, and RefusedError for an answer from 400 to 499."""
        url = f"{self._settings.address_of(service)}{path}"
        try:
            answer = await self._http.request(method, url, **request)
            body = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise self._away(service, type(error).__name__) from error
        if answer.status_code >= SERVER_FAULT or not isinstance(body, dict):
            raise self._away(service, f"status {answer.status_code}")
        if not answer.is_success:
            raise RefusedError(answer.status_code, str(body.get("reason", "")), body)
        return body

    def _away(self, service: str, said: str) -> PeerAwayError:
        self._metrics.peer_away.labels(service).inc()
        logger.warning("peer_away", extra={"peer": service, "said": said})
        return PeerAwayError(service)
