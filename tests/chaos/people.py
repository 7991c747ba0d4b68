"""Citizens who complain and posts that act, through whatever is killed: they ask again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from simulator import MUNICIPALITY
from tests.support.systems import System
from tests.support.waiting import eventually

PATIENCE_SECONDS: Final = 180
COORDINATION: Final = "coordinacion"
SUBJECTS: Final = (
    ("RC-01", "RC-01-01"),
    ("TE-01", "TE-01-01"),
    ("AG-01", "AG-01-01"),
    ("EM-01", "EM-01-01"),
)
"""Cartas and promises that complaints are about: none of them is broken by the traffic."""
ACKNOWLEDGING: Final = {
    "SEGURIDAD": "titular-seguridad",
    "CENTRO-MANDO": "titular-centro-mando",
    "REGISTRO-CIVIL": "titular-registro-civil",
    "TESORERIA": "titular-tesoreria",
    "AGUA": "titular-agua",
    "URBANO": "titular-urbano",
    "IGUALDAD": "titular-igualdad",
}


@dataclass(slots=True)
class People:
    """What they do is idempotent, so that after a lost answer they may simply do it again."""

    system: System
    run: str
    municipality: str = MUNICIPALITY

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ask until there is an answer; a refusal (4xx) is a fault of the run."""

        async def answered() -> dict[str, Any]:
            async with self.system.client(service) as http:
                try:
                    response = await http.request(method, path, json=body, headers=headers)
                except httpx.TransportError as error:
                    raise AssertionError(repr(error)) from error
            assert response.status_code < 500, response.text
            assert response.status_code not in (404, 409), response.text
            response.raise_for_status()
            found: dict[str, Any] = response.json()
            return found

        what = f"{method} {service}{path}"
        answer: dict[str, Any] = await eventually(answered, PATIENCE_SECONDS, what=what)
        return answer

    async def complain(self, number: int) -> None:
        """File a complaint; the coordination upholds it and says which promise it is about."""
        carta, compromiso = SUBJECTS[number % len(SUBJECTS)]
        complaint = {
            "municipality": self.municipality,
            "kind": "queja",
            "carta": carta,
            "text": f"Esperé demasiado ({number}).",
            "fill_seconds": 30,
        }
        key = {"Idempotency-Key": f"{self.run}-queja-{number:06d}"}
        filed = await self.ask("buzon", "POST", "/v1/folios", body=complaint, headers=key)
        path = f"/v1/folios/{filed['folio']}"
        answer = {"post": COORDINATION, "text": "Tiene razón.", "finding": "upheld"}
        await self.ask("buzon", "POST", f"{path}/answer", body=answer)
        link = {"post": COORDINATION, "compromiso": compromiso}
        await self.ask("buzon", "POST", f"{path}/link", body=link)

    async def acknowledge_all(self) -> int:
        """Acknowledge every action that waits for it; return how many there were."""
        path = f"/v1/actions?municipality={self.municipality}&state=requested"
        waiting = (await self.ask("notifier", "GET", path))["actions"]
        await asyncio.gather(*(self._acknowledge(action) for action in waiting))
        return len(waiting)

    async def _acknowledge(self, action: Mapping[str, Any]) -> None:
        body = {"post": ACKNOWLEDGING[action["responsible_unit"]]}
        await self.ask("notifier", "POST", f"/v1/actions/{action['action']}/acknowledge", body=body)
