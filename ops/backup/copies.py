"""A folder with copies of one server: take one, prove it, drop old ones with their WAL."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from ops.backup.proving import BASE, CHECKSUMS, MANIFEST, DamagedError, prove
from shared.clock import utc_now

SEGMENT_BYTES: Final = 16 * 2**20
"""PostgreSQL's default; a server made with another `--wal-segsize` keeps more WAL than it needs."""
WAL_OF_COPY: Final = "pg_wal.tar.gz"
NOTHING_MORE: Final[Mapping[str, str]] = MappingProxyType({})
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_PATTERN: Final = "[0-9]*T[0-9]*Z"


class BackupError(Exception):
    """What could not be done, and why; holds no password."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Whole copies are folders named by the UTC second of their begin, as 20261123T093000Z.

    `programs`: the folder of PostgreSQL's programs; None: they are on the path.
    """

    folder: Path
    programs: Path | None = None

    @property
    def wal(self) -> Path:
        """What the server archives."""
        return self.folder / "wal"

    @property
    def all(self) -> list[Path]:
        """Whole copies, oldest first."""
        return sorted(path for path in self.folder.glob(_PATTERN) if path.is_dir())

    def before(self, until: datetime | None) -> Path:
        """Return the newest copy from before an aware instant (or now). Raises BackupError.

        Also where anything may not be read: to a server the archive would seem to end there.
        """
        for path in (self.folder, *self.folder.rglob("*")):
            if path.exists() and not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
                raise BackupError(
                    f"{path} belongs to user {path.stat().st_uid} and may not be read by user"
                    f" {os.geteuid()}: give it the folder with all that is in it"
                )
        stamp = (until or utc_now()).astimezone(UTC).strftime(_STAMP)
        fitting = [copy for copy in self.all if copy.name <= stamp]
        if not fitting:
            raise BackupError(f"no copy in {self.folder} from before {until or 'now'}")
        return fitting[-1]

    def take(self, url: str, *, beside: Sequence[Path] = ()) -> Path:
        """Copy the server at `url` as it works, prove the copy, put the files `beside` into it.

        Until all of that is done it is called `.part` and is no copy. Raises BackupError.
        """
        copy = self.folder / utc_now().strftime(_STAMP)
        unfinished = copy.with_suffix(".part")
        for left in self.folder.glob("*.part"):
            shutil.rmtree(left, ignore_errors=True)
        bare, password = _without_password(url)
        options = ("--format=tar", "--gzip", "--checkpoint=fast", "--wal-method=stream")
        self.run(
            "pg_basebackup",
            *options,
            f"--manifest-checksums={CHECKSUMS}",
            "--no-password",
            f"--pgdata={unfinished}",
            f"--dbname={bare}",
            environment=password,
        )
        self.verify(unfinished)
        for file in beside:
            shutil.copy2(file, unfinished / file.name)
        unfinished.rename(copy)
        return copy

    def verify(self, copy: Path) -> None:
        """Compare every file in a copy with its manifest. Raises BackupError."""
        try:
            prove(copy)
        except (DamagedError, OSError) as error:
            raise BackupError(str(error)) from error

    def forget(self, keep: int) -> None:
        """Drop all copies but the newest `keep`, and the WAL that only they needed."""
        for old in self.all[:-keep]:
            shutil.rmtree(old)
        needed = _first_segment(self.all[0])
        for kept in self.wal.glob("*.gz"):
            name = kept.name.partition(".")[0]
            if len(name) == len(needed) and name < needed:
                kept.unlink()

    def unpack(self, copy: Path, data: Path) -> None:
        """Write a copy into an empty folder. Raises BackupError."""
        others = {file.name for file in copy.glob("*.tar.gz")} - {BASE, WAL_OF_COPY}
        if others:
            raise BackupError(f"{copy.name} has tablespaces: unpack {', '.join(sorted(others))}")
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        _call("tar", "-xzf", str(copy / BASE), "-C", str(data))
        _call("tar", "-xzf", str(copy / WAL_OF_COPY), "-C", str(data / "pg_wal"))

    def find(self, program: str) -> str:
        """Return where one of PostgreSQL's programs is. Raises BackupError."""
        folder = str(self.programs) if self.programs else None
        found = shutil.which(program, path=folder)
        if found is None:
            where = folder or "the path"
            raise BackupError(f"{program} is not in {where}: set CARTAS_BACKUP_PROGRAMS")
        return found

    def run(self, program: str, *arguments: str, environment: Mapping[str, str] = {}) -> None:
        """Run one of PostgreSQL's programs. Raises BackupError."""
        _call(self.find(program), *arguments, environment=environment)


def begun_at(copy: Path) -> datetime:
    """Return the instant in which a copy was begun (UTC)."""
    return datetime.strptime(copy.name, _STAMP).replace(tzinfo=UTC)


def size_of(copy: Path) -> int:
    """Return its bytes."""
    return sum(file.stat().st_size for file in copy.iterdir())


def _first_segment(copy: Path) -> str:
    """Return the name of the first segment of WAL that a copy needs."""
    found = json.loads((copy / MANIFEST).read_text())["WAL-Ranges"][0]
    high, low = (int(part, 16) for part in found["Start-LSN"].split("/"))
    return f"{found['Timeline']:08X}{high:08X}{low // SEGMENT_BYTES:08X}"


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    """Split the password off: what stands on a command line is seen by everybody on the machine."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, {}
    user, _, place = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=f"{user.partition(':')[0]}@{place}").geturl()
    return bare, {"PGPASSWORD": unquote(parts.password)}


def _call(*command: str, environment: Mapping[str, str] = {}) -> None:
    done = subprocess.run(  # noqa: S603 - programs of the system with arguments of ours
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        program = Path(command[0]).name
        raise BackupError(f"{program}: {(done.stderr or done.stdout).strip()[-500:]}")
