"""Which test runs which lines of which function, so that a mutant meets only those."""

from __future__ import annotations

import ast
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Final

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.forks import each_in_a_fork
from tests.mutation.mutants import PROJECT, Mutant, modules
from tests.mutation.verdicts import FOLDER

FILE: Final = FOLDER / "reach.json"
Lines = Mapping[str, Mapping[str, frozenset[int]]]


@dataclass(frozen=True, slots=True)
class Reach:
    """What one test runs: by module and function, line numbers from the function's first one.

    They hold while the function does, wherever it moves. `seconds` are of processor time.
    """

    seconds: float
    lines: Lines

    def meets(self, mutant: Mutant) -> bool:
        """Return whether it runs a changed line."""
        ran = self._of(mutant)
        return any(line - mutant.first_line in ran for line in mutant.lines)

    def enters(self, mutant: Mutant) -> bool:
        """Return whether it runs any line of the changed function."""
        return bool(self._of(mutant))

    def _of(self, mutant: Mutant) -> frozenset[int]:
        return self.lines.get(mutant.module, {}).get(mutant.function, frozenset())


def passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def reach_of(items: Sequence[pytest.Item]) -> list[Reach]:
    """Return the reach of each test; those of a file that has not changed are remembered."""
    stamps = [f"{item.nodeid} {_digest(item.nodeid.partition('::')[0])}" for item in items]
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    unknown = [place for place, stamp in enumerate(stamps) if stamp not in known]
    print(f"what {len(unknown)} of {len(items)} tests reach", flush=True)
    jobs = [unknown] if unknown else []
    for _, answer in each_in_a_fork(jobs, lambda job: _measured(items, job), at_once=1):
        if answer is None or answer.startswith("fault"):
            raise pytest.UsageError(f"the tests do not pass as they are: {answer}")
        known.update(zip((stamps[place] for place in unknown), json.loads(answer), strict=True))
    FILE.write_text(json.dumps({stamp: known[stamp] for stamp in stamps}), encoding="utf-8")
    return [_read(known[stamp]) for stamp in stamps]


def _measured(items: Sequence[pytest.Item], places: Sequence[int]) -> str:
    files = [str(PROJECT / module) for module in modules()]
    look = coverage.Coverage(data_file=None, config_file=False, include=files)
    look.start()
    seconds = []
    for place in places:
        began = time.process_time()
        look.switch_context(str(place))
        if not passes(items[place]):
            raise AssertionError(items[place].nodeid)
        seconds.append(time.process_time() - began)
    look.stop()
    lines = _by_test(look.get_data())
    return json.dumps(
        [[each, lines[str(place)]] for place, each in zip(places, seconds, strict=True)]
    )


def _by_test(data: coverage.CoverageData) -> Mapping[str, Mapping[str, Mapping[str, list[int]]]]:
    """Return, by test and module, the lines of each function."""
    found: defaultdict[str, dict[str, dict[str, list[int]]]] = defaultdict(dict)
    for module in modules():
        places = dict(_places(module))
        for line, contexts in data.contexts_by_lineno(str(PROJECT / module)).items():
            if line in places:
                function, number = places[line]
                for test in contexts:
                    found[test].setdefault(module, {}).setdefault(function, []).append(number)
    return found


def _places(module: str) -> Iterator[tuple[int, tuple[str, int]]]:
    """Yield each line of a module's functions and methods with its function and number in it."""
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    for name, node in _functions(tree.body, ""):
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        assert node.end_lineno is not None
        for line in range(first, node.end_lineno + 1):
            yield line, (name, line - first)


def _functions(body: Sequence[ast.stmt], within: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield within + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{within}{node.name}.")


def _read(written: tuple[float, dict[str, dict[str, list[int]]]]) -> Reach:
    seconds, lines = written
    return Reach(
        seconds,
        {
            module: {function: frozenset(numbers) for function, numbers in functions.items()}
            for module, functions in lines.items()
        },
    )


@cache
def _digest(file: str) -> str:
    return sha256((PROJECT / file).read_bytes()).hexdigest()[:16]
