"""Liveness and readiness: alive is that the loop answers; ready is that work would get done."""

import asyncio
from collections.abc import Sequence

from shared.database import Pool
from shared.messaging import Consumer, Relay

# Whoever asks gives up after two seconds, and would not hear why.
DATABASE_ANSWERS_WITHIN_SECONDS = 1.5


async def not_ready(pool: Pool, loops: Sequence[Consumer | Relay]) -> list[str]:
    """Return every reason why the service is not ready; empty when it is."""
    reasons = [reason for loop in loops if (reason := loop.not_ready())]
    try:
        async with asyncio.timeout(DATABASE_ANSWERS_WITHIN_SECONDS):
            await pool.fetchval("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
        reasons.append(f"database: {type(error).__name__}")
    return reasons
