"""Do the figures agree: both balances, and a sample of results made again from the facts.

Each service compares its own; this asks them with the services' credential and reads the answers.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import httpx

from ops.settings import Settings, SettingsError
from shared.credentials import service_credential

# The services read every fact and every verdict for this.
TIMEOUT: Final = httpx.Timeout(660.0, connect=2.0)


class Outcome(StrEnum):
    """Of a check, or of one line of it."""

    AGREES = "agrees"
    DIFFERS = "DIFFERS"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was compared, how it came out, and in which figures."""

    what: str
    outcome: Outcome
    told: str


Read = Callable[[Any], Iterator[Finding]]


async def verify(settings: Settings, *, sample: int, seed: str) -> list[Finding]:
    """Make every check, one after the other. Raises SettingsError without the credential."""
    if settings.service_secret is None:
        raise SettingsError("CARTAS_SERVICE_SECRET: needed to ask the services for their balances")
    credential = service_credential(settings.service_secret)
    headers = {"Authorization": f"Bearer {credential}"}
    drawn = {"sample": str(sample), "seed": seed}
    async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT, trust_env=False) as http:

        async def ask(service: str, path: str, **query: str) -> Any:
            response = await http.get(settings.address_of(service) + path, params=query)
            return response.raise_for_status().json()

        return [
            *await _check("events", events, lambda: ask("measurements", "/v1/balance")),
            *await _check("population", population, lambda: ask("evaluator", "/v1/balance")),
            *await _check(
                "recompute", recomputed, lambda: ask("evaluator", "/v1/recomputations", **drawn)
            ),
        ]


async def _check(what: str, read: Read, ask: Callable[[], Awaitable[Any]]) -> list[Finding]:
    try:
        return list(read(await ask()))
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        return [Finding(what, Outcome.UNKNOWN, f"{type(error).__name__}: {error}".split("\n")[0])]


def events(body: Any) -> Iterator[Finding]:
    """Events = facts + repeats + corrections + refused, for each source and day."""
    differing = body["differing"]
    for source in body["sources"]:
        told = (
            f"{source['events']} events = {source['facts']} facts + {source['repeats']} repeats"
            f" + {source['corrections']} corrections + {source['refused']} refused"
        )
        days = [day for day in differing if day["source"] == source["source"]]
        if not days:
            yield Finding(f"events {source['source']}", Outcome.AGREES, told)
    for day in differing:
        told = (
            f"{day['events']} events, {day['outcomes']} outcomes;"
            f" {day['counted']} facts counted, {day['stored']} stored"
        )
        yield Finding(f"events {day['source']} {day['day']}", Outcome.DIFFERS, told)
    if not body["sources"] and not differing:
        yield Finding("events", Outcome.AGREES, "no source has sent any")


def population(body: Any) -> Iterator[Finding]:
    """Population = met + failed + pending + excluded, for each compromiso, unit and window."""
    for line in body["worst"]:
        told = f"part {line['part']}: {line['verdicts']} verdicts, {line['counts']} counted"
        yield Finding(f"population {line['window']}", Outcome.DIFFERS, told)
    compared, differing = body["compared"], body["differing"]
    told = f"{body['verdicts']} verdicts in {compared} parts of windows, {differing} differ"
    outcome = Outcome.DIFFERS if differing else Outcome.AGREES
    yield Finding("population", outcome, told)


def recomputed(body: Any) -> Iterator[Finding]:
    """A result that is stored and the same result made again from the facts."""
    for result in body["results"]:
        outcome = Outcome.AGREES if result["agrees"] else Outcome.DIFFERS
        told = "; ".join((result["outcome"], *result["differences"]))
        yield Finding(f"recompute {result['result']}", outcome, told)
    if not body["results"]:
        yield Finding("recompute", Outcome.AGREES, "there are no results yet")
