"""Copies of PostgreSQL and its archived WAL, and the way back: to the end, or to an instant before.

What can be made again from Kafka is in them as well, but they are for what is nowhere else: folios,
approvals, actions, accounts, sent mail. The folder belongs on another disk. Restored, services read
Kafka again from the offsets of the copy and come to the same figures.
"""

import asyncio
import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local.errors import LocalError
from deploy.local.postgres import PostgresServer, programs, wait_until_ready
from deploy.local.processes import Places, running, start, stop

KEPT: Final = 2
"""Copies; of the WAL, what the oldest of them needs."""
SEGMENT_BYTES: Final = 16 * 2**20
REPLAYED_WITHIN_SECONDS: Final = 3600
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_RECOVERY: Final = """\
restore_command = 'gunzip -c "{folder}/%f.gz" > "%p"'
recovery_target_action = 'promote'
"""


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
    def wal(self) -> Path:
        """What the server archives."""
        return self.folder / "wal"

    @property
    def copies(self) -> list[Path]:
        """Whole copies, oldest first."""
        return sorted(path for path in self.folder.glob("*Z") if path.is_dir())

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
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.wal.mkdir(mode=0o700, exist_ok=True)
        self.server.give(self.wal)
        copy = self.folder / datetime.now(UTC).strftime(_STAMP)
        unfinished = copy.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ("--format=tar", "--gzip", "--checkpoint=fast", "--wal-method=fetch")
        _run(
            str(programs() / "pg_basebackup"),
            *options,
            f"--pgdata={unfinished}",
            f"--dbname={self.server.url}",
        )
        for secret in filter(Path.exists, self._secrets):
            shutil.copy2(secret, unfinished / secret.name)
        unfinished.rename(copy)
        self._forget_the_oldest()
        return copy

    def _forget_the_oldest(self) -> None:
        for old in self.copies[:-KEPT]:
            shutil.rmtree(old)
        needed = _first_segment(self.copies[0])
        for kept in self.wal.glob("*.gz"):
            name = kept.name.partition(".")[0]
            if len(name) == len(needed) and name < needed:
                kept.unlink()

    async def restore(self, until: datetime | None = None) -> Restored:
        """Put the newest copy back and replay the WAL, `until` an aware instant or to its end.

        What was there is moved aside; of its WAL, what had not been archived yet is replayed too.
        Raises LocalError.
        """
        if self._is_running:
            raise LocalError("PostgreSQL is running: `make down` first")
        copy = self._copy_before(until)
        before = self._move_aside()
        self.server.data.mkdir(parents=True, mode=0o700)
        _run("tar", "-xzf", str(copy / "base.tar.gz"), "-C", str(self.server.data))
        for secret in self._secrets:
            if not secret.exists():
                shutil.copy2(copy / secret.name, secret)
        self._take_over_wal(before)
        self.server.give(self.server.data, *self.server.data.rglob("*"))
        return Restored(copy, await self._replay(until), before)

    def _copy_before(self, until: datetime | None) -> Path:
        stamp = (until or datetime.now(UTC)).astimezone(UTC).strftime(_STAMP)
        fitting = [copy for copy in self.copies if copy.name <= stamp]
        if not fitting:
            raise LocalError(f"no copy in {self.folder} from before {until or 'now'}")
        return fitting[-1]

    def _move_aside(self) -> Path | None:
        if not self.server.data.exists():
            return None
        before = self.server.home / f"data before {datetime.now(UTC).strftime(_STAMP)}"
        self.server.data.rename(before)
        return before

    def _take_over_wal(self, before: Path | None) -> None:
        """What the server had not archived yet is only in its own folder."""
        for segment in sorted((before / "pg_wal").glob("0*")) if before else ():
            if segment.is_file() and not (self.wal / f"{segment.name}.gz").exists():
                shutil.copyfile(segment, self.server.data / "pg_wal" / segment.name)

    async def _replay(self, until: datetime | None) -> datetime | None:
        recovery = _RECOVERY.format(folder=self.wal)
        if until is not None:
            recovery += f"recovery_target_time = '{until.isoformat()}'\n"
        signal = self.server.data / "recovery.signal"
        signal.touch()
        self.server.give(signal)
        self.server.configure(recovery)
        program = self.server.program()
        process = start(program, self.places)
        try:
            await wait_until_ready(self.server.url, seconds=REPLAYED_WITHIN_SECONDS)
            return await _last_commit(self.server.url)
        finally:
            stop(program, self.places)
            process.wait()
            self.server.configure()


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


def _first_segment(copy: Path) -> str:
    """Return the name of the first segment of WAL that a copy needs."""
    found = json.loads((copy / "backup_manifest").read_text())["WAL-Ranges"][0]
    high, low = (int(part, 16) for part in found["Start-LSN"].split("/"))
    return f"{found['Timeline']:08X}{high:08X}{low // SEGMENT_BYTES:08X}"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"{command[0]}: {done.stderr.strip()[-500:]}")
