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
    if fault := await _database_fault(pool):
        reasons.append(f"database: {fault}")
    return reasons


async def _database_fault(pool: Pool) -> str | None:
    """Return why the database does not work, or None.

    The question is left behind where there is no answer: the driver waits for the database even to
    take it back.
    """
    question = asyncio.create_task(_ask(pool), name="ask the database")
    await asyncio.wait({question}, timeout=DATABASE_ANSWERS_WITHIN_SECONDS)
    if question.done():
        return question.result()
    question.cancel()
    return f"no answer within {DATABASE_ANSWERS_WITHIN_SECONDS:g} s"


async def _ask(pool: Pool) -> str | None:
    try:
        await pool.fetchval("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
        return type(error).__name__
    return None
