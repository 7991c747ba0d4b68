"""The project's programs, `python -m MODULE ...`, as processes of their own.

Each has its own arguments, environment and output, and can be killed as any other. In a run of the
tests they are forked from a process that has the project's code loaded: of a second of processor
time that a program takes to start nine tenths go into that, and the tests start hundreds.
Whatever measures, or makes faults for an hour, starts each by itself.
"""

import asyncio
import atexit
import os
import runpy
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final, Protocol

PROJECT: Final = Path(__file__).resolve().parents[2]
LOADED: Final = (
    *("services.buzon.app", "services.cartas.app", "services.evaluator.app"),
    *("services.measurements.app", "services.notifier.app", "services.portal.app"),
    *("services.measurements.commands", "aiosmtpd.controller", "simulator"),
)
"""Loaded before anything is forked; what a program needs beyond it, it loads itself."""

_forks = get_context("forkserver")
_forks.set_forkserver_preload(list(LOADED))
_running: set[ForkServerProcess] = set()


class Program(Protocol):
    """A process: what tests do with it, however it was started."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...

    def send_signal(self, signal: int) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program that ended said; `errors` is empty unless they were asked for apart."""

    code: int
    output: str
    errors: str = ""


async def run(
    module: str, *arguments: str, environment: Mapping[str, str], apart: bool = False
) -> Ran:
    """Run `python -m MODULE ARGUMENTS...` in the project's folder to its end.

    `apart`: what it writes to standard error is not mixed with its output.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        errors = Path(folder) / "errors" if apart else None
        program = await start(
            module, *arguments, environment=environment, output=output, errors=errors
        )
        code = await program.wait()
        return Ran(code, output.read_text(), errors.read_text() if errors else "")


async def start(
    module: str,
    *arguments: str,
    environment: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
) -> Program:
    """Start `python -m MODULE ARGUMENTS...`; what it writes is added to `output`.

    `environment` is added to that of the caller. A library to be loaded before all others, as one
    that sets a clock wrong, needs a process of its own from the beginning.
    """
    whole = {**os.environ, **environment}
    output.touch(0o600)
    if "LD_PRELOAD" in environment or "PYTEST_VERSION" not in os.environ:
        return await _begun(module, *arguments, environment=whole, output=output, errors=errors)
    process = _forks.Process(target=_become, args=(module, arguments, whole, output, errors))
    process.start()
    _running.add(process)
    return _Fork(process)


async def _begun(
    module: str,
    *arguments: str,
    environment: Mapping[str, str],
    output: Path,
    errors: Path | None,
) -> Program:
    with output.open("ab") as file, (errors or output).open("ab") as complaints:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            cwd=PROJECT,
            env=environment,
            stdout=file,
            stderr=complaints,
        )


class _Fork:
    """A forked process, with the part of asyncio's interface to a process that is needed."""

    def __init__(self, process: ForkServerProcess) -> None:
        assert process.pid is not None
        self.pid = process.pid
        self._process = process
        self._ended: asyncio.Future[None] | None = None

    @property
    def returncode(self) -> int | None:
        code = self._process.exitcode
        if code is not None:
            _running.discard(self._process)
        return code

    async def wait(self) -> int:
        if self.returncode is None:
            await asyncio.shield(self._end())
        code = self.returncode
        assert code is not None
        return code

    def _end(self) -> asyncio.Future[None]:
        """Return what is done once the process is gone: its sentinel is readable then."""
        if self._ended is None:
            loop = asyncio.get_running_loop()
            ended = self._ended = loop.create_future()
            sentinel = self._process.sentinel

            def is_over() -> None:
                loop.remove_reader(sentinel)
                ended.set_result(None)

            loop.add_reader(sentinel, is_over)
        return self._ended

    def send_signal(self, signal: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(
    module: str,
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    output: Path,
    errors: Path | None,
) -> None:
    """Be the program: called in the forked process, which ends when this returns."""
    os.chdir(PROJECT)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    _write_to(output, 1)
    _write_to(errors or output, 2)
    sys.stdout.reconfigure(line_buffering="PYTHONUNBUFFERED" in environment)  # type: ignore[union-attr]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _write_to(path: Path, descriptor: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(file, descriptor)
    os.close(file)


@atexit.register
def _end_what_is_left() -> None:
    """A test that broke off may leave a process behind; the library would wait for it for ever."""
    for process in list(_running):
        process.kill()
