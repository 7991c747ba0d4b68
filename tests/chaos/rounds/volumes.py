"""Small disks of memory, each of which can be filled to the last byte and freed again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

SIZE: Final = 1_500_000_000
"""Bytes: more than a whole run writes. Memory is only taken for what is written."""
LEFT: Final = 65_536
"""Bytes that a full disk has left: the next page or two fit, and then none."""


@lru_cache
def forbidden() -> str | None:
    """Return why no disk can be mounted here, or None."""
    if os.geteuid() != 0:
        return "only root mounts disks"
    with tempfile.TemporaryDirectory() as folder:
        mounted = _run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
        if mounted.returncode == 0:
            _run("umount", folder)
    return mounted.stderr.strip() or None


@dataclass(frozen=True, slots=True)
class Volume:
    """A disk of its own at `folder`."""

    folder: Path

    def fill(self) -> None:
        """Leave no room: the disk becomes as small as what is on it."""
        used = shutil.disk_usage(self.folder).used
        self._resize(used + LEFT)

    def free(self) -> None:
        self._resize(SIZE)

    def _resize(self, size: int) -> None:
        done = _run("mount", "-o", f"remount,size={size}", str(self.folder))
        assert done.returncode == 0, done.stderr


@asynccontextmanager
async def volume(folder: Path) -> AsyncIterator[Volume | None]:
    """A disk at that folder, or None where none can be mounted: then the folder is as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if forbidden():
        yield None
        return
    done = _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder))
    assert done.returncode == 0, done.stderr
    try:
        yield Volume(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
