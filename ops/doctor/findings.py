"""What a check found, and what a whole examination comes to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Of a check. What could not be looked at is neither."""

    WELL = "well"
    MEND = "MEND"
    UNKNOWN = "could not look"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and, unless it is well, what to do."""

    what: str
    outcome: Outcome
    told: str
    do: str = ""


def well(what: str, told: str) -> Finding:
    return Finding(what, Outcome.WELL, told)


def mend(what: str, told: str, do: str) -> Finding:
    return Finding(what, Outcome.MEND, told, do)


def unknown(what: str, why: object, do: str = "") -> Finding:
    """Return that it could not be looked at; an error by its kind and first line."""
    told = f"{type(why).__name__}: {why}" if isinstance(why, BaseException) else str(why)
    return Finding(what, Outcome.UNKNOWN, told.strip().split("\n")[0], do)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 where something is to be mended, else 2 where something could not be looked at."""
    outcomes = {finding.outcome for finding in findings}
    if Outcome.MEND in outcomes:
        return 1
    return 2 if Outcome.UNKNOWN in outcomes else 0


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a line for each; what to do stands below what is not well."""
    for finding in findings:
        yield f"{finding.outcome:15}{finding.what}: {finding.told}"
        if finding.do:
            yield f"{'':15}  -> {finding.do}"
