"""Starting and stopping programs by pid files that cannot hit a stranger."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.errors import LocalError
from deploy.local.paths import PROJECT

# Two clocks tell when a process began; they agree within this.
START_TOLERANCE_SECONDS = 1.0
LOG_KEPT_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Program:
    """One process of a run: how it starts, how it is asked to stop and how long it may take."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where the programs of one run keep their pid files and logs."""

    pids: Path
    logs: Path

    @classmethod
    def below(cls, home: Path) -> "Places":
        places = cls(home / "pids", home / "logs")
        places.pids.mkdir(parents=True, exist_ok=True)
        places.logs.mkdir(parents=True, exist_ok=True)
        return places

    def pid_file(self, name: str) -> Path:
        return self.pids / f"{name}.json"

    def log_file(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def start(program: Program, places: Places) -> subprocess.Popen[bytes]:
    """Start in a session of its own, so that a terminal's Ctrl-C does not reach it."""
    log = places.log_file(program.name)
    if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **program.environment},
            cwd=PROJECT,
            start_new_session=True,
        )
    _write_pid(places.pid_file(program.name), process.pid)
    return process


def record_self(name: str, places: Places) -> None:
    _write_pid(places.pid_file(name), os.getpid())


def _write_pid(path: Path, pid: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        began = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:  # it ended at once; whoever waits for it will see
        return
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps({"pid": pid, "began": began}))
    partial.replace(path)


def running(name: str, places: Places) -> psutil.Process | None:
    """The process that the pid file means: same pid and same start, so never a stranger's."""
    try:
        noted = json.loads(places.pid_file(name).read_text())
        process = psutil.Process(noted["pid"])
        began, state = process.create_time(), process.status()
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    is_ours = abs(began - noted["began"]) < START_TOLERANCE_SECONDS
    return process if is_ours and state != psutil.STATUS_ZOMBIE else None


def ask_to_stop(program: Program, places: Places) -> None:
    if process := running(program.name, places):
        process.send_signal(program.stop_signal)


def stop(program: Program, places: Places) -> bool:
    """Ask, wait, then kill. True where it ended by itself within its time."""
    process = running(program.name, places)
    if process is None:
        places.pid_file(program.name).unlink(missing_ok=True)
        return True
    process.send_signal(program.stop_signal)
    ended = _wait_end(program.name, places, program.stop_seconds)
    if not ended:
        process.kill()
        _wait_end(program.name, places, 5.0)
    places.pid_file(program.name).unlink(missing_ok=True)
    return ended


def _wait_end(name: str, places: Places, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while running(name, places):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def last_lines(name: str, places: Places, count: int = 15) -> str:
    """The end of a program's log, for whoever has to understand why it failed."""
    try:
        lines = places.log_file(name).read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(f"    {line}" for line in lines[-count:])


def failed(name: str, places: Places, what: str) -> LocalError:
    return LocalError(
        f"{name} {what}; the end of {places.log_file(name)}:\n{last_lines(name, places)}"
    )
