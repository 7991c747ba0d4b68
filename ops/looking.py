"""One look at all services at once: what each answers on /health/ready and /metrics."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel

from ops.settings import SERVICES, Settings
from shared.clock import utc_now

ANSWERS_WITHIN_SECONDS: Final = 2.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a service's metrics."""

    labels: dict[str, str]
    value: float


class Samples:
    """The metrics of a service by name; empty where it did not answer."""

    def __init__(self, text: str = "") -> None:
        self._by_name: dict[str, list[Sample]] = {}
        for family in text_string_to_metric_families(text):
            for name, labels, value, *_ in family.samples:
                self._by_name.setdefault(name, []).append(Sample(labels, value))

    def each(self, name: str, **labels: str) -> Iterator[Sample]:
        """Yield the samples that have these labels among theirs."""
        for sample in self._by_name.get(name, ()):
            if labels.items() <= sample.labels.items():
                yield sample

    def total(self, name: str, **labels: str) -> float | None:
        """Return their sum; None where there is none at all: not known is not zero."""
        values = [sample.value for sample in self.each(name, **labels)]
        return sum(values) if values else None

    def label(self, name: str, label: str) -> str | None:
        """Return what the first sample of `name` says of itself."""
        return next((sample.labels.get(label) for sample in self.each(name)), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said; `away` is why nothing was heard of it."""

    service: str
    samples: Samples
    reasons: tuple[str, ...] = ()
    away: str | None = None


class _Ready(BaseModel):
    """What /health/ready answers, well or not."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """All answers of one moment, in the order of SERVICES."""

    at: datetime
    answers: tuple[Answer, ...]


async def look(settings: Settings) -> Look:
    """Ask every service, all at once; nothing takes longer than two seconds."""
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWERS_WITHIN_SECONDS) as http:
        answers = await asyncio.gather(
            *(_ask(http, service, settings.address_of(service)) for service in SERVICES)
        )
    return Look(utc_now(), tuple(answers))


async def _ask(http: httpx.AsyncClient, service: str, address: str) -> Answer:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            ready, metrics = await asyncio.gather(
                _read(http, f"{address}/health/ready"), _read(http, f"{address}/metrics")
            )
        return Answer(service, Samples(metrics), _Ready.model_validate_json(ready).reasons)
    except (TimeoutError, httpx.TimeoutException):
        away = f"no answer within {ANSWERS_WITHIN_SECONDS:g} s from {address}"
    except httpx.ConnectError:
        away = f"nothing listens at {address}"
    except (httpx.HTTPError, ValueError) as error:
        away = f"{type(error).__name__} from {address}"
    return Answer(service, Samples(), away=away)


async def _read(http: httpx.AsyncClient, url: str) -> str:
    """Return what is there. Raises httpx.HTTPError; ValueError where it is no answer of ours."""
    parts: list[bytes] = []
    size = 0
    async with http.stream("GET", url) as response:
        if response.status_code not in {200, 503}:
            raise ValueError(response.status_code)
        async for part in response.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise ValueError(MAX_ANSWER_BYTES)
    return b"".join(parts).decode()
