"""Whose token it is, asked of the database for all requests that come together."""

from collections.abc import Sequence

from services.measurements.domain.checks import Source
from services.measurements.store.sources import sources_by_token
from shared.database import Pool
from shared.rounds import Rounds

ROUND_TOKENS = 1000


class Tokens:
    """Nothing is remembered: the answer to a request was read after the request had come.

    So a token that was revoked, and a source that was suspended, before a request is so for it.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rounds: Rounds[str, Source | None] = Rounds(self._look_up, at_most=ROUND_TOKENS)

    async def source_of(self, token: str) -> Source | None:
        """Return whose token it is, or None for one that never was or is revoked."""
        return await self._rounds.ask(token)

    async def _look_up(self, tokens: Sequence[str]) -> list[Source | None]:
        async with self._pool.acquire() as con:
            found = await sources_by_token(con, set(tokens))  # type: ignore[arg-type]
        return [found.get(token) for token in tokens]
