"""Runs the tests that reach a mutant, from within one pytest session that has collected them."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Final

import pytest

from tests.mutation.forks import each_in_a_fork, limit_seconds
from tests.mutation.mutants import PROJECT, Mutant, mutants_of
from tests.mutation.reach import Reach, passes, reach_of
from tests.mutation.swap import functions, put_in
from tests.mutation.verdicts import FOLDER, Status, Verdict, Verdicts

TESTS: Final = ("tests/unit/criteria", "tests/unit/worktime", "tests/corpus")
PATIENCE: Final = float(os.environ.get("CARTAS_MUTATION_SECONDS", "30"))
"""Processor time for one mutant; one that lives longer counts as a survivor."""
_TIMES, _MORE_SECONDS = 10, 5
"""A test that takes so many times its usual time, and some seconds, hangs."""
_SLOW_SECONDS, _SLOW_WAITS = 0.3, 12


class Trials:
    """A pytest plugin: instead of running the tests once, it tries each mutant."""

    def __init__(self, modules: Sequence[str], verdicts: Verdicts) -> None:
        self._modules = modules
        self._verdicts = verdicts
        self._items: list[pytest.Item] = []
        self._reach: list[Reach] = []
        self._examples: list[int] = []
        self._killers: Counter[str] = Counter()

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Examples are the same each time, to have a verdict again; none is too slow."""
        from hypothesis import settings  # pytest must be the first to import it

        settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
        settings.load_profile("mutation")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("tests could not be collected")
        self._items = session.items
        self._examples = _numbered(session.items)
        self._functions = functions()
        gc.collect()
        gc.freeze()  # forks share these pages as long as nobody writes to them
        self._reach = reach_of(session.items)
        for module in self._modules:
            self._try_module(module)
        return True

    def _try_module(self, module: str) -> None:
        mutants = mutants_of(module)
        untried = [mutant for mutant in mutants if not self._verdicts.holds(mutant)]
        print(f"{module}: {len(untried)} of {len(mutants)} mutants to try", flush=True)
        for mutant, answer in each_in_a_fork(untried, self._try, at_once=_at_once()):
            if answer is not None and answer.startswith("fault"):
                print(f"  not tried: {mutant.function}: {mutant.change}: {answer}", flush=True)
                continue
            verdict = _verdict(mutant, answer)
            self._verdicts.add(verdict)
            self._killers[verdict.test] += 1
            if verdict.status is Status.SURVIVED:
                print(f"  survived: {mutant.function}: {mutant.change}", flush=True)

    def _try(self, mutant: Mutant) -> str:
        put_in(mutant, self._functions)
        for place in self._tests_of(mutant):
            limit_seconds(self._reach[place].seconds * _TIMES + _MORE_SECONDS)
            if not passes(self._items[place]):
                return f"{Status.KILLED} {self._items[place].nodeid}"
            if time.process_time() > PATIENCE:
                break
        return Status.SURVIVED

    def _tests_of(self, mutant: Mutant) -> Sequence[int]:
        """Return the tests that run the changed lines, or else the function, as they are tried."""
        everything = range(len(self._items))
        exact = [place for place in everything if self._reach[place].meets(mutant)]
        chosen = exact or [place for place in everything if self._reach[place].enters(mutant)]
        return sorted(chosen, key=self._turn)

    def _turn(self, place: int) -> tuple[int, int, float]:
        """First those that killed most; then one example of each test, the quickest first.

        A slow test waits until some examples of the quick ones have had their turn.
        """
        name, seconds = self._items[place].nodeid, self._reach[place].seconds
        wait = _SLOW_WAITS if seconds > _SLOW_SECONDS else 0
        return -self._killers[name], self._examples[place] + wait, seconds


def run(modules: Sequence[str], verdicts: Verdicts) -> int:
    """Return pytest's exit code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    options = ["-q", "--no-header", "--capture=no", "-p", "no:cacheprovider", "--timeout=0"]
    return int(pytest.main([*TESTS, *options], plugins=[Trials(modules, verdicts)]))


@cache
def tests_digest() -> str:
    """Return what a survivor's verdict rests on: the tests, and how long they had."""
    files = sorted(
        file
        for folder in TESTS
        for file in (PROJECT / folder).rglob("*")
        if file.suffix in (".py", ".yaml")
    )
    told = sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return f"{told} {PATIENCE:g}"


def _numbered(items: Sequence[pytest.Item]) -> list[int]:
    """Return which example of its test each item is."""
    seen: Counter[str] = Counter()
    numbers = []
    for item in items:
        test = item.nodeid.partition("[")[0]
        numbers.append(seen[test])
        seen[test] += 1
    return numbers


def _verdict(mutant: Mutant, answer: str | None) -> Verdict:
    if answer is None:
        return Verdict(mutant.key, Status.TIMED_OUT, "", "")
    status, _, test = answer.partition(" ")
    return Verdict(mutant.key, Status(status), test, tests_digest() if not test else "")


def _at_once() -> int:
    return int(os.environ.get("CARTAS_MUTATION_FORKS", os.cpu_count() or 1))
