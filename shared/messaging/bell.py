"""Tells the relay that something was committed for it: at once where it runs in this process.

A notification inside the transaction would take a lock of the whole cluster until its commit is on
disk: the commits of all services would go one behind the other. So it is told after the commit; a
process that dies in between leaves it to the relay's own look, a second later.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.database import Connection
from shared.messaging.backoff import OUTAGES

logger = logging.getLogger(__name__)

SHARDS = 1
OUTBOX_CHANNEL = "outbox"
NOTIFY = "SELECT pg_notify('outbox', '')"

_leading: list[Callable[[], None]] = []


@contextmanager
def hearing(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` after each commit of this process, while its relay leads a shard."""
    _leading.append(tell)
    try:
        yield
    finally:
        _leading.remove(tell)


async def tell_relay(connection: Connection) -> None:
    """Say that rows were committed to the outbox; never fails, the commit has happened."""
    for tell in _leading:
        tell()
    if len(_leading) < SHARDS:
        try:
            await connection.execute(NOTIFY)
        except OUTAGES:
            logger.warning("relay_not_told", exc_info=True)
