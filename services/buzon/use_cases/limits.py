"""How often one client, and all together, may ask; counted in the database, so that it holds."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from services.buzon.domain.secrets import Keys, keyed_hash
from services.buzon.store import requests
from services.buzon.use_cases.errors import TooManyRequestsError
from shared.messaging import Transaction


class Action(StrEnum):
    """What is limited apart."""

    FILING = "filing"
    LOOKUP = "lookup"


@dataclass(frozen=True, slots=True)
class Limit:
    """Requests in one window."""

    per_client: int
    in_all: int


def window_start(now: datetime, window_seconds: int) -> datetime:
    """Return the start of the window that `now` is in; windows are counted from the epoch."""
    started = int(now.timestamp()) // window_seconds * window_seconds
    return datetime.fromtimestamp(started, UTC)


async def count(
    tx: Transaction, keys: Keys, action: Action, *, client: str, limit: Limit, window_seconds: int
) -> None:
    """Count the request. Raises TooManyRequestsError beyond a limit.

    `client` tells callers apart (an address, or what the portal says); only a keyed hash is kept.
    """
    started = window_start(tx.now, window_seconds)
    own = keyed_hash(keys.client, action, client)
    everyone = keyed_hash(keys.client, action)
    hits = await requests.hit(tx.connection, [own, everyone], started)
    if hits[own] > limit.per_client or hits[everyone] > limit.in_all:
        left = started + timedelta(seconds=window_seconds) - tx.now
        raise TooManyRequestsError(max(1, int(left.total_seconds()) + 1))


async def purge(tx: Transaction, *, window_seconds: int) -> None:
    """Forget windows that are over and filings that can no longer be repeated."""
    started = window_start(tx.now, window_seconds)
    await requests.purge(tx.connection, now=tx.now, windows_before=started)
