"""The wall clock in: what has expired is forgotten."""

from datetime import timedelta

from services.portal.store import accounts, results
from shared.clock import utc_now
from shared.contracts.topics import RETENTION_DAYS
from shared.service import Context, Periodic

FORGET_SECONDS = 3600.0
KEEP_ACCOUNTS = timedelta(days=30)


async def forget(context: Context) -> None:
    """Delete links and sessions a month after they ended, statements when their topic does."""
    now = utc_now()
    async with context.pool.acquire() as connection:
        await accounts.forget(connection, now - KEEP_ACCOUNTS)  # type: ignore[arg-type]
        await results.forget_statements(
            connection,  # type: ignore[arg-type]  # a proxy of the same interface
            now - timedelta(days=RETENTION_DAYS),
        )


def periodics() -> tuple[Periodic, ...]:
    """Return the tasks."""
    return (Periodic("forget what expired", FORGET_SECONDS, forget),)
