"""The connection pool, with time limits that keep one hung process from blocking the others."""

from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

# A hung owner must not hold the rows of a partition for ever; `jit` costs more than it gives here.
# Plans are made for the tables as they are: one that was kept from when a table was empty reads it
# whole until its rows are counted anew.
SERVER_SETTINGS = {
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "20s",
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",
    "timezone": "UTC",
}
COMMAND_TIMEOUT_SECONDS = 60.0


async def open_pool(database_url: str, *, name: str, size: int) -> Pool:
    """Return a pool of up to `size` connections whose sessions are called `name`."""
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=size,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
        server_settings={**SERVER_SETTINGS, "application_name": name},
        reset=_leave,
    )


async def _leave(_: object) -> None:
    """Ask nothing of PostgreSQL when a connection goes back to the pool.

    The driver still rolls back an open transaction and drops listeners. Nothing of ours leaves
    anything else behind in a session, and the usual `RESET ALL` was a statement more for each batch
    of messages.
    """
