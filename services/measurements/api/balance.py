"""The first equation, for an operator's command: what came in against what became of it."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Request

from services.measurements.store import activity
from shared.database import Pool
from shared.http import require_service

router = APIRouter(prefix="/v1/balance", tags=["services"], dependencies=[Depends(require_service)])


@router.get("")
async def balance(request: Request) -> dict[str, Any]:
    """Return every source's counts since the beginning, and the days on which they are wrong.

    A day differs where its events are not its outcomes, or its counts not the facts stored. Reads
    every fact: for an operator's command, not for a page.
    """
    pool: Pool = request.app.state.context.pool
    async with pool.acquire() as con, con.transaction(isolation="repeatable_read", readonly=True):
        sources = await activity.balances(con)  # type: ignore[arg-type]
        differing = await activity.disagreements(con)  # type: ignore[arg-type]
    return {
        "sources": [asdict(source) for source in sources],
        "differing": [asdict(day) for day in differing],
    }
