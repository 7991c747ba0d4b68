"""Disks of their own: a small one to be filled, one for Kafka that the machine does not fill."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SIZE: Final = 8 * 1024 * 1024
OF_KAFKA: Final = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Disk:
    """Where it is mounted."""

    path: Path

    def fill(self, percent: int) -> None:
        """Have so many percent of it in use."""
        (self.path / "ballast").write_bytes(bytes(SIZE * percent // 100))

    def empty(self) -> None:
        (self.path / "ballast").unlink(missing_ok=True)


@asynccontextmanager
async def own_disk(path: Path, *, size: int = SIZE) -> AsyncIterator[Disk | None]:
    """Mount one of so many bytes; None where we may not."""
    path.mkdir(parents=True)
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None:
        yield None
        return
    command = (mount, "-t", "tmpfs", "-o", f"size={size}", "cartas-alerts", str(path))
    if await _ends_badly(*command):
        yield None
        return
    try:
        yield Disk(path)
    finally:
        await _ends_badly(unmount, str(path))


async def _ends_badly(*command: str) -> bool:
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    return bool(done.returncode)
