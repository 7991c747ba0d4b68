"""Branch coverage of the rules by their own tests, measured in the run of all tests.

Loaded by PYTEST_PLUGINS=tests.support.branches, so that each worker of pytest-xdist has it before
the rules are imported. It looks on during imports and during the tests of the rules: what a test of
a service happens to run does not count, and those tests run as fast as ever. Less than all branches
fails the run.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Final

import coverage
import pytest

PROJECT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ("shared/criteria", "shared/worktime")
TESTS: Final = ("tests/unit/criteria/", "tests/unit/worktime/", "tests/corpus/")
FOLDER: Final = PROJECT / ".cache" / "branches"
REPORT: Final = pytest.StashKey[str]()


def _coverage() -> coverage.Coverage:
    look = coverage.Coverage(
        data_file=str(FOLDER / "run"),
        data_suffix=True,
        config_file=False,
        branch=True,
        source=[str(PROJECT / package) for package in RULES],
    )
    look.set_option("run:disable_warnings", ["no-data-collected"])
    return look


_look: Final = _coverage()


def pytest_load_initial_conftests() -> None:
    _look.start()


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        _look.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if not item.nodeid.startswith(TESTS):
        return (yield)
    _look.start()
    try:
        return (yield)
    finally:
        _look.stop()


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Workers end within the controller's own end: then all that they saw is on the disk."""
    _look.save()
    result = yield
    if not _is_worker(session.config):
        report, is_whole = _report()
        session.config.stash[REPORT] = report
        if not is_whole and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return result


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    terminalreporter.section("branch coverage of the rules")
    terminalreporter.write(config.stash.get(REPORT, ""))


def _report() -> tuple[str, bool]:
    """Return the table of what is not covered, and whether all is."""
    whole = _coverage()
    whole.combine([str(FOLDER)])
    table = io.StringIO()
    percent = whole.report(show_missing=True, skip_covered=True, file=table)
    return table.getvalue(), percent == 100


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
