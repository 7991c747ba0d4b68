"""Work in forks of this process: each begins with what is imported here, and leaves no trace."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

Job = TypeVar("Job")
MEMORY_BYTES: Final = 3 << 30


def each_in_a_fork(
    jobs: Iterable[Job], work: Callable[[Job], str], *, at_once: int
) -> Iterator[tuple[Job, str | None]]:
    """Yield each job with what its work returned, as they end; None: it was ended from outside.

    Work that raises returns a text that begins with "fault".
    """
    running: dict[int, Job] = {}
    with tempfile.TemporaryDirectory() as folder:
        for job in jobs:
            if len(running) == at_once:
                yield _next_ended(running, Path(folder))
            running[_start(job, work, Path(folder))] = job
        while running:
            yield _next_ended(running, Path(folder))


def limit_seconds(more: float) -> None:
    """Let this process use the processor for so many seconds more: what loops for ever is ended."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + more) + 1, resource.RLIM_INFINITY))


def _start(job: Job, work: Callable[[Job], str], folder: Path) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        _silence()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        (folder / f"{os.getpid()}").write_text(work(job), encoding="utf-8")
    except BaseException:  # noqa: BLE001 - nobody above could be told
        fault = f"fault: {traceback.format_exc()}"
        (folder / f"{os.getpid()}").write_text(fault, encoding="utf-8")
    finally:
        os._exit(0)


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _next_ended(running: dict[int, Job], folder: Path) -> tuple[Job, str | None]:
    pid, status = os.wait()
    answer = folder / f"{pid}"
    text = answer.read_text(encoding="utf-8") if status == 0 else None
    answer.unlink(missing_ok=True)
    return running.pop(pid), text
