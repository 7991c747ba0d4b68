"""docs/mutation.md, from the verdicts and from the reasons in survivors.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

import yaml

from tests.mutation.mutants import PROJECT, Mutant, modules, mutants_of
from tests.mutation.verdicts import Status, Verdicts

PAGE: Final = PROJECT / "docs" / "mutation.md"
REASONS: Final = Path(__file__).with_name("survivors.yaml")
LEAST: Final = Fraction(95, 100)
_HEAD: Final = """\
# Mutation testing of the rules

Written by `make mutation`. One thing in one function of `shared/criteria` or `shared/worktime` is
changed at a time (mutmut's operators: comparisons and their edges, arithmetic, booleans, numbers,
texts, arguments left out or replaced by `None`, branches forced, cases dropped); then the tests of
`tests/unit/criteria`, `tests/unit/worktime` and `tests/corpus` that reach the changed lines run
until one fails. Decorated functions, such as the validators of a model, are mutated like all
others. Not mutated: annotations, decorators, constants of modules, fields of classes, the wording
of exceptions. {score}

| module | mutants | killed | of these timed out | survived | score | not tried yet |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
"""
Place = tuple[str, str, str]
"""Module, function, change."""


def write(verdicts: Verdicts) -> int:
    """Write the page. Return 1 where a mutant is untried or unexplained, or too many survive."""
    reasons = _reasons()
    rows: list[str] = []
    survivors: list[tuple[Mutant, str]] = []
    total: Counter[Status] = Counter()
    untried = 0
    for module in modules():
        counted: Counter[Status] = Counter()
        before = untried
        for mutant in mutants_of(module):
            verdict = verdicts.of(mutant)
            if verdict is None:
                untried += 1
                continue
            counted[verdict.status] += 1
            if verdict.status is Status.SURVIVED:
                place = (mutant.module, mutant.function, mutant.change)
                survivors.append((mutant, reasons.pop(place, "")))
        rows.append(_row(f"`{module}`", counted, untried - before))
        total += counted
    rows.append(_row("**all**", total, untried))
    score = f"Killed: **{_percent(total)} %** of the {total.total():,} that were tried."
    text = _HEAD.format(score=score) + "".join(rows) + "".join(_survivors(survivors))
    PAGE.write_text(text, encoding="utf-8")
    return _told(total, untried, [each for each, reason in survivors if not reason], reasons)


def _told(
    total: Counter[Status], untried: int, unexplained: list[Mutant], stale: Mapping[Place, str]
) -> int:
    for mutant in unexplained:
        print(f"unexplained: {mutant.module} {mutant.function}: {mutant.change}")
    for module, function, change in stale:
        print(f"explained, but no survivor: {module} {function}: {change}")
    print(f"{_percent(total)} % killed, {total[Status.SURVIVED]} survived, {untried} untried")
    return int(bool(untried or unexplained or stale) or _score(total) < LEAST)


def _score(counted: Counter[Status]) -> Fraction:
    return 1 - Fraction(counted[Status.SURVIVED], counted.total() or 1)


def _percent(counted: Counter[Status]) -> str:
    """One decimal, rounded down: what is nearly enough is not enough."""
    tenths = int(_score(counted) * 1000)
    return f"{tenths // 10}.{tenths % 10}"


def _row(name: str, counted: Counter[Status], untried: int) -> str:
    killed = counted.total() - counted[Status.SURVIVED]
    late, survived = counted[Status.TIMED_OUT], counted[Status.SURVIVED]
    score = f"{_percent(counted)} %" if counted.total() else "–"
    everything = counted.total() + untried
    return (
        f"| {name} | {everything:,} | {killed:,} | {late} | {survived} | {score} | {untried:,} |\n"
    )


def _survivors(survivors: list[tuple[Mutant, str]]) -> Iterator[str]:
    yield "\n## Survivors\n\nWhy each one may live:\n\n"
    yield "| module | function | change | why |\n| --- | --- | --- | --- |\n"
    for mutant, reason in survivors:
        module = mutant.module.removeprefix("shared/").removesuffix(".py")
        cells = (module, f"`{mutant.function}`", _code(mutant.change), reason or "**unexplained**")
        yield f"| {' | '.join(cells)} |\n"


def _code(change: str) -> str:
    fence = "``" if "`" in change else "`"
    return f"{fence} {change} {fence}".replace("|", "\\|")


def _reasons() -> dict[Place, str]:
    """Read why survivors may live: module, then function, then a reason with its changes."""
    written = yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {}
    return {
        (f"shared/{module}.py", function, change): each["why"]
        for module, functions in written.items()
        for function, given in functions.items()
        for each in given
        for change in each["changes"]
    }
