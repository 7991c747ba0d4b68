"""How long what is kept is kept: terms with their reason, a job that deletes, a log of what it did.

A term concerns what no public figure is made of: facts, verdicts, results, folios' steps and
actions stay for ever, or a figure could not be made again. Each term is deleted and logged in one
transaction; to count is the same condition without deleting.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Depends, Request

from shared.clock import utc_now
from shared.database import Connection, Pool
from shared.http.credentials import require_service

RECORD = "INSERT INTO purge (what, through, rows, purged_at) VALUES ($1, $2, $3, $4)"
LOG = "SELECT what, through, rows, purged_at FROM purge ORDER BY purge_id DESC LIMIT $1"
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('retention'))"
SHOWN: Final = 50

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Term:
    """What is deleted when it is older than `keep`; None: never, until a person decides a term.

    `condition` is that of the rows of `table`, with the instant as $1. `forget`: the columns that
    are emptied instead of deleting the row. Each is SQL of ours.
    """

    what: str
    keep: timedelta | None
    reason: str
    table: str
    condition: str
    forget: str | None = None

    @property
    def counting(self) -> str:
        return f"SELECT count(*) FROM {self.table} WHERE {self.condition}"

    @property
    def deleting(self) -> str:
        if self.forget is not None:
            return f"UPDATE {self.table} SET {self.forget} WHERE {self.condition}"
        return f"DELETE FROM {self.table} WHERE {self.condition}"


@dataclass(frozen=True, slots=True)
class Due:
    """How many rows of a term are older than `through`; None where it has no term."""

    term: Term
    through: datetime | None
    rows: int


def refused(keep: timedelta) -> Term:
    """Return the term of every service's refused payloads: they may hold anything."""
    return Term(
        "refused payloads",
        keep,
        "they may hold personal data; three months suffice to mend and replay",
        "refusal",
        "(refused_at < $1 OR keep_until < now())",
    )


async def due(connection: Connection, terms: Sequence[Term], now: datetime) -> list[Due]:
    """Count what is over its term, and delete nothing."""
    counted: list[Due] = []
    for term in terms:
        through = None if term.keep is None else now - term.keep
        rows = 0 if through is None else await connection.fetchval(term.counting, through)
        counted.append(Due(term, through, rows))
    return counted


async def purge(pool: Pool, terms: Sequence[Term], now: datetime) -> list[Due]:
    """Delete what is over its term, each term in a transaction with its line in the log."""
    done: list[Due] = []
    for term in terms:
        if term.keep is None:
            continue
        through = now - term.keep
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(ONE_AT_A_TIME)
            status: str = await connection.execute(term.deleting, through)
            rows = int(status.rsplit(" ", 1)[-1])
            if rows:
                await connection.execute(RECORD, term.what, through, rows, now)
        if rows:
            logger.info("purged", extra={"what": term.what, "rows": rows, "through": str(through)})
            done.append(Due(term, through, rows))
    return done


def retention_router(terms: Sequence[Term]) -> APIRouter:
    """Return the way by which `ops retention` asks."""
    router = APIRouter(
        prefix="/v1/retention", tags=["services"], dependencies=[Depends(require_service)]
    )

    @router.get("")
    async def show(request: Request) -> dict[str, Any]:
        """Every term with its reason and what is over it now, and what was purged last."""
        async with request.app.state.context.pool.acquire() as connection:
            counted = await due(connection, terms, utc_now())
            log = await connection.fetch(LOG, SHOWN)
        return {
            "terms": [
                {
                    "what": each.term.what,
                    "keep_days": each.term.keep.days if each.term.keep else None,
                    "reason": each.term.reason,
                    "due": each.rows,
                }
                for each in counted
            ],
            "purged": [dict(row) for row in log],
        }

    return router
