"""How long each service keeps what, what is over its term, and what was purged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import httpx
from pydantic import BaseModel, ValidationError

from ops.looking import ANSWERS_WITHIN_SECONDS
from ops.settings import SERVICES, Settings, SettingsError
from shared.credentials import service_credential

TIMEOUT = httpx.Timeout(60.0, connect=ANSWERS_WITHIN_SECONDS)


class Term(BaseModel):
    """What is kept so many days and why; None: for ever, until a person decides."""

    what: str
    keep_days: int | None
    reason: str
    due: int


class Purged(BaseModel):
    """One purge: so many rows from before `through`."""

    what: str
    through: datetime
    rows: int
    purged_at: datetime


class Kept(BaseModel):
    """What a service answers."""

    terms: tuple[Term, ...]
    purged: tuple[Purged, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """That of one service; `away` is why there is none."""

    service: str
    kept: Kept | None
    away: str = ""


async def ask(settings: Settings) -> list[Answer]:
    """Ask every service. Raises SettingsError without the credential."""
    if settings.service_secret is None:
        raise SettingsError("CARTAS_SERVICE_SECRET: needed to ask the services for their terms")
    headers = {"Authorization": f"Bearer {service_credential(settings.service_secret)}"}
    async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT, trust_env=False) as http:
        return [await _ask(http, service, settings.address_of(service)) for service in SERVICES]


async def _ask(http: httpx.AsyncClient, service: str, address: str) -> Answer:
    try:
        response = await http.get(f"{address}/v1/retention")
        return Answer(service, Kept.model_validate_json(response.raise_for_status().content))
    except (httpx.HTTPError, ValidationError) as error:
        return Answer(service, None, f"{type(error).__name__} from {address}")


def lines(answers: list[Answer]) -> Iterator[str]:
    """Yield the terms, then the log of the purges, newest first."""
    for answer in answers:
        if answer.kept is None:
            yield f"{answer.service}: {answer.away}"
            continue
        for term in answer.kept.terms:
            keep = "no term is set" if term.keep_days is None else f"{term.keep_days} days"
            yield f"{answer.service:13}{term.what:30}{keep:16}{term.due:>8,} due  ({term.reason})"
    log = [(each, a.service) for a in answers if a.kept for each in a.kept.purged]
    for each, service in sorted(log, key=lambda pair: pair[0].purged_at, reverse=True):
        yield (
            f"purged {each.purged_at:%Y-%m-%d %H:%M} UTC  {service}: {each.rows:,} {each.what},"
            f" from before {each.through:%Y-%m-%d %H:%M}"
        )
