"""Pid files: they never lead to a stranger's process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.processes import Places, Program, last_lines, running, start, stop
from tests.support.waiting import eventually

SLEEPS = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('here', flush=True); time.sleep(600)",
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.below(tmp_path)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEPS, stdout=subprocess.DEVNULL) as process:
        yield process
        process.kill()


async def test_a_program_is_found_and_stopped(places: Places) -> None:
    program = Program("sleeper", SLEEPS)
    with start(program, places) as process:
        found = running("sleeper", places)
        assert found
        assert found.pid == process.pid
        assert stop(program, places)
        assert process.wait() == -signal.SIGTERM
    assert running("sleeper", places) is None


async def test_a_program_that_will_not_stop_is_killed(places: Places) -> None:
    program = Program("stubborn", STUBBORN, stop_seconds=0.3)
    with start(program, places) as process:
        await eventually(lambda: "here" in last_lines("stubborn", places))
        assert not stop(program, places)
        assert process.wait() == -signal.SIGKILL


def test_a_pid_taken_over_by_a_stranger_is_left_alone(
    places: Places, stranger: subprocess.Popen[bytes]
) -> None:
    began = psutil.Process(stranger.pid).create_time()
    noted = {"pid": stranger.pid, "began": began - 3600}
    places.pid_file("service").write_text(json.dumps(noted))
    assert running("service", places) is None
    assert stop(Program("service", SLEEPS), places)
    assert stranger.poll() is None


def test_a_broken_pid_file_means_nothing_runs(places: Places) -> None:
    places.pid_file("service").write_text('{"pid": ')
    assert running("service", places) is None


def test_the_environment_of_a_program_is_added_to_ours(places: Places) -> None:
    show = (sys.executable, "-c", "import os; print(os.environ['ADDED'], os.environ['PATH'])")
    with start(Program("show", show, {"ADDED": "one more"}), places) as process:
        process.wait()
    assert f"one more {os.environ['PATH']}" in last_lines("show", places)
