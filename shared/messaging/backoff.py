"""Which failures are an outage, to be waited out in place, and how long to wait."""

import asyncio
import random

import asyncpg
from aiokafka.errors import KafkaError

# What PostgreSQL and the network say when they are away, restarting, full or out of luck; a fault
# of our own (a wrong argument, a broken constraint) is in none of them.
OUTAGES = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
)


class Backoff:
    """Doubling delays with jitter, from 0.1 s to 5 s."""

    def __init__(self) -> None:
        self._next_seconds = 0.1

    async def sleep(self) -> None:
        """Wait the next delay."""
        await asyncio.sleep(self._next_seconds * random.uniform(0.5, 1.0))  # noqa: S311
        self._next_seconds = min(self._next_seconds * 2, 5.0)
