"""What became of each mutant, kept in a file from run to run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from tests.mutation.mutants import PROJECT, Mutant

FOLDER: Final = PROJECT / ".cache" / "mutation"
FILE: Final = FOLDER / "verdicts.jsonl"


class Status(StrEnum):
    """Timed out is killed: a test would have gone on for ever."""

    KILLED = "killed"
    TIMED_OUT = "timed_out"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`test` is what killed it, `tests` a digest of those that let it live."""

    key: str
    status: Status
    test: str
    tests: str


class Verdicts:
    """A killed mutant stays killed while its function says the same; a survivor is tried again
    when a test has changed."""

    def __init__(self, tests: str) -> None:
        self._tests = tests
        self._known: dict[str, Verdict] = {}
        if FILE.exists():
            for line in FILE.read_text(encoding="utf-8").splitlines():
                read = json.loads(line)
                verdict = Verdict(**read | {"status": Status(read["status"])})
                self._known[verdict.key] = verdict

    def holds(self, mutant: Mutant) -> bool:
        known = self._known.get(mutant.key)
        if known is None:
            return False
        return known.status is not Status.SURVIVED or known.tests == self._tests

    def of(self, mutant: Mutant) -> Verdict | None:
        return self._known.get(mutant.key)

    def add(self, verdict: Verdict) -> None:
        self._known[verdict.key] = verdict
        with FILE.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")
