"""Copies of the local PostgreSQL and its archived WAL, and the way back (ops.backup does the work).

What can be made again from Kafka is in them as well, but they are for what is nowhere else: folios,
approvals, actions, accounts, sent mail. The folder belongs on another disk. Restored, services read
Kafka again from the offsets of the copy and come to the same figures.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local.errors import LocalError
from deploy.local.postgres import PostgresServer, programs, wait_until_ready
from deploy.local.processes import Places, running, start, stop
from ops.backup.copies import BackupError, Copies
from ops.backup.restoring import recovery, take_over_wal

KEPT: Final = 2
"""Copies; of the WAL, what the oldest of them needs."""
REPLAYED_WITHIN_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back: the copy, the instant of the last commit, where what was there is now."""

    copy: Path
    last_commit: datetime | None
    before: Path | None


@dataclass(frozen=True, slots=True)
class Backups:
    """The copies of one server below `folder`; the server archives into `wal` there.

    `settings`: the file with the passwords of the services, kept with each copy.
    """

    folder: Path
    server: PostgresServer
    places: Places
    settings: Path

    @property
    def _kept(self) -> Copies:
        return Copies(self.folder, programs())

    @property
    def copies(self) -> list[Path]:
        """Whole copies, oldest first."""
        return self._kept.all

    @property
    def _secrets(self) -> tuple[Path, Path]:
        """Files without which a copy is of no use on another machine."""
        return (self.server.password_file, self.settings)

    @property
    def _is_running(self) -> bool:
        return running(self.server.program().name, self.places) is not None

    def take(self) -> Path:
        """Copy the running server. Raises LocalError."""
        if not self._is_running:
            raise LocalError("PostgreSQL is not running: `make up` first")
        kept = self._kept
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        kept.wal.mkdir(mode=0o700, exist_ok=True)
        self.server.give(kept.wal)
        with _told():
            copy = kept.take(self.server.url, beside=list(filter(Path.exists, self._secrets)))
            kept.forget(KEPT)
        return copy

    async def restore(self, until: datetime | None = None) -> Restored:
        """Put the newest copy back and replay the WAL, `until` an aware instant or to its end.

        What was there is moved aside; of its WAL, what had not been archived yet is replayed too.
        Raises LocalError.
        """
        if self._is_running:
            raise LocalError("PostgreSQL is running: `make down` first")
        with _told():
            copy = self._kept.before(until)
            before = self._move_aside()
            self._kept.unpack(copy, self.server.data)
        for secret in self._secrets:
            if not secret.exists():
                shutil.copy2(copy / secret.name, secret)
        if before:
            take_over_wal(self._kept, before, self.server.data)
        self.server.give(self.server.data, *self.server.data.rglob("*"))
        return Restored(copy, await self._replay(until), before)

    def _move_aside(self) -> Path | None:
        if not self.server.data.exists():
            return None
        before = self.server.home / f"data before {datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        self.server.data.rename(before)
        return before

    async def _replay(self, until: datetime | None) -> datetime | None:
        signal = self.server.data / "recovery.signal"
        signal.touch()
        self.server.give(signal)
        self.server.configure("\n".join(recovery(self._kept.wal, until)) + "\n")
        program = self.server.program()
        process = start(program, self.places)
        try:
            await wait_until_ready(self.server.url, seconds=REPLAYED_WITHIN_SECONDS)
            return await _last_commit(self.server.url)
        finally:
            stop(program, self.places)
            process.wait()
            self.server.configure()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        raise LocalError(str(error)) from error


async def _last_commit(url: str) -> datetime | None:
    """Return the instant of the last replayed commit, once all is replayed and writable."""
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(REPLAYED_WITHIN_SECONDS):
            while await connection.fetchval("SELECT pg_is_in_recovery()"):
                await asyncio.sleep(0.1)
        last: datetime | None = await connection.fetchval("SELECT pg_last_xact_replay_timestamp()")
        return last
    finally:
        await connection.close()
