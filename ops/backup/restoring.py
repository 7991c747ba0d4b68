"""A copy put where a server looks for its data, so that it replays the WAL when it starts."""

import os
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ops.backup.copies import BackupError, Copies
from shared.clock import utc_now

# The end of the archive is no fault: PostgreSQL asks until there is no more.
_FETCH: Final = 'gzip -dc {folder}/"%f".gz > "%p"'
_OURS: Final = ("restore_command", "recovery_target")
"""Settings of recovery; those of an earlier one came with the copy and are not to hold again."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put where; `before`: what had been there, moved aside."""

    copy: Path
    data: Path
    before: Path | None


def restore(
    copies: Copies,
    data: Path,
    *,
    until: datetime | None = None,
    wal_as_seen: Path | None = None,
    is_stopped: bool = False,
) -> Restored:
    """Put the newest copy from before `until` (an aware instant; None: now) into `data`.

    The server replays the archived WAL to its end, or to `until`, when it is started on it. What
    of the WAL was not archived is taken from the folder that was there. `wal_as_seen`: where the
    archive is for the server, if it is elsewhere for us. `is_stopped`: somebody saw that no server
    runs although a killed one left its mark: from another container that cannot be told. Raises
    BackupError and OSError; then all is as it was.
    """
    copy = copies.before(until)
    if (data / "postmaster.pid").exists() and not is_stopped:
        raise BackupError(f"a server runs on {data}: stop it. Or was it killed? Then --stopped")
    owner = _owner(data)
    # A server started on half of it would take the copy for all there is. An empty folder may be a
    # disk of its own, so what it is to hold is not made beside it.
    ready = data.with_name(f"{data.name} unfinished") if _holds_any(data) else data
    is_beside = ready != data
    try:
        if is_beside:
            shutil.rmtree(ready, ignore_errors=True)  # of one that was killed
        copies.unpack(copy, ready)
        if is_beside:
            take_over_wal(copies, data, ready)
        _write_recovery(ready, until, wal_as_seen or copies.wal)
        if os.geteuid() == 0 and owner is not None:
            for path in (ready, *ready.rglob("*")):
                os.chown(path, *owner)
    except (BackupError, OSError):
        shutil.rmtree(ready, ignore_errors=True)
        raise
    before = None
    if is_beside:
        before = _move_aside(data)
        ready.rename(data)
    return Restored(copy, data, before)


def take_over_wal(copies: Copies, before: Path, data: Path) -> None:
    """What a server had not archived yet is only in its own folder."""
    for segment in sorted((before / "pg_wal").glob("0*")):
        known = copies.wal / f"{segment.name}.gz"
        if segment.is_file() and not known.exists():
            (data / "pg_wal" / segment.name).write_bytes(segment.read_bytes())


def recovery(wal: Path, until: datetime | None) -> list[str]:
    """Return the settings under which a server replays, in the form of its configuration file."""
    fetch = _FETCH.format(folder=shlex.quote(str(wal))).replace("'", "''")
    lines = [f"restore_command = '{fetch}'", "recovery_target_action = 'promote'"]
    if until is not None:
        lines.append(f"recovery_target_time = '{until.isoformat()}'")
    return lines


def _owner(data: Path) -> tuple[int, int] | None:
    """Whose the folder (or what will hold it) is: PostgreSQL runs as nobody else."""
    held = data if data.exists() else data.parent
    if not held.exists():
        return None
    status = held.stat()
    return status.st_uid, status.st_gid


def _holds_any(data: Path) -> bool:
    return data.exists() and any(data.iterdir())


def _move_aside(data: Path) -> Path:
    before = data.with_name(f"{data.name} before {utc_now():%Y%m%dT%H%M%SZ}")
    data.rename(before)
    return before


def _write_recovery(data: Path, until: datetime | None, wal: Path) -> None:
    file = data / "postgresql.auto.conf"
    kept = file.read_text().splitlines() if file.exists() else []
    file.write_text("\n".join([*_without_ours(kept), *recovery(wal, until)]) + "\n")
    (data / "recovery.signal").touch()


def _without_ours(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not line.startswith(_OURS)]
