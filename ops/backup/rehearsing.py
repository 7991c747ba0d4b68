"""The way back, tried: the newest copy and the archive on a server of its own, beside the real one.

Nothing of the real server is touched: another folder, another port, its own WAL not archived. Who
has never done it does not have a backup.
"""

import asyncio
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from ops.backup.copies import Copies
from ops.backup.restoring import restore

REPLAYED_WITHIN_SECONDS: Final = 6 * 3600
RECOVERS: Final = "SELECT pg_is_in_recovery()"
LAST_COMMIT: Final = "SELECT pg_last_xact_replay_timestamp()"
DATABASES: Final = """
SELECT count(*) AS databases, sum(pg_database_size(oid))::bigint AS bytes
FROM pg_database WHERE NOT datistemplate
"""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the restored server said, and how long each part took."""

    copy: Path
    last_commit: datetime | None
    databases: int
    bytes: int
    unpacked_seconds: float
    replayed_seconds: float


def rehearse(copies: Copies, url: str, below: Path | None = None) -> Rehearsed:
    """Restore into a folder `below` (the system's for temporary files), ask, and take it away.

    `url` signs in, with another host and port. Raises BackupError, TimeoutError.
    """
    copies.find("pg_ctl")
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=below) as made:
        data = Path(made) / "data"
        began = time.monotonic()
        restored = restore(copies, data)
        unpacked = time.monotonic()
        port = _free_port()
        with _serving(copies, data, port):
            told = asyncio.run(_ask(_elsewhere(url, port)))
            replayed = time.monotonic()
    last_commit, databases, size = told
    return Rehearsed(
        restored.copy, last_commit, databases, size, unpacked - began, replayed - unpacked
    )


@contextmanager
def _serving(copies: Copies, data: Path, port: int) -> Iterator[None]:
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c archive_mode=off"
        " -c ssl=off"
    )
    log = data.parent / "log"
    copies.run("pg_ctl", "-D", str(data), "-l", str(log), "-o", options, "--no-wait", "start")
    try:
        yield
    finally:
        copies.run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


async def _ask(url: str) -> tuple[datetime | None, int, int]:
    async with asyncio.timeout(REPLAYED_WITHIN_SECONDS):
        connection = await _connected(url)
        try:
            while await connection.fetchval(RECOVERS):
                await asyncio.sleep(0.2)
            databases, size = await connection.fetchrow(DATABASES) or (0, 0)
            return await connection.fetchval(LAST_COMMIT), databases, size
        finally:
            await connection.close()


async def _connected(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    while True:
        try:
            return await asyncpg.connect(url, timeout=5)
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.2)


def _elsewhere(url: str, port: int) -> str:
    parts = urlsplit(url)
    who = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{who}@127.0.0.1:{port}", query="").geturl()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
