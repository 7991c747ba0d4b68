"""The simulated systems' side of the wire: tokens, batches, what to do when the service is away."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import httpx

from simulator.scenarios import Emitter
from simulator.traffic import Emission

BATCH_TYPE: Final = "application/cloudevents-batch+json"
MAX_BATCH: Final = 200
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 10.0


@dataclass(slots=True)
class Sent:
    """What was accepted and what was refused, by the service's own count."""

    accepted: int = 0
    refused: int = 0


class Sender:
    """Sends batches with the emitter's token; an outage is waited out, a refusal is counted."""

    def __init__(self, http: httpx.AsyncClient, url: str, tokens: Mapping[str, str]) -> None:
        self._http = http
        self._url = f"{url}/v1/events"
        self._tokens = tokens
        self.sent = Sent()

    async def send(self, emissions: Iterable[Emission]) -> None:
        """Send in order; each run of one emitter's events is a batch."""
        for emitter, run in groupby(emissions, key=lambda each: each.emitter):
            events = [each.event for each in run]
            for start in range(0, len(events), MAX_BATCH):
                await self._post(emitter, events[start : start + MAX_BATCH])

    async def _post(self, emitter: Emitter, events: Sequence[object]) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            answer = await self._try(emitter, json.dumps(events).encode())
            if answer is not None and answer.status_code < 500:
                break
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
        self._count(answer, len(events))

    async def _try(self, emitter: Emitter, body: bytes) -> httpx.Response | None:
        headers = {
            "Content-Type": BATCH_TYPE,
            "Authorization": f"Bearer {self._tokens[emitter.uri]}",
        }
        try:
            return await self._http.post(self._url, content=body, headers=headers)
        except httpx.TransportError:
            return None

    def _count(self, answer: httpx.Response, number: int) -> None:
        if answer.status_code == 401:
            answer.raise_for_status()
        body = answer.json()
        self.sent.accepted += int(body.get("accepted", 0))
        self.sent.refused += len(body.get("refused", ())) or (0 if answer.is_success else number)
