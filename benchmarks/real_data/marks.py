"""Boston's own mark of each request beside our verdict, and the cases where the two differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

COMPROMISO: Final = "BOS-01-PLAZO"
UNIT, WINDOW = "todos-los-departamentos", "2022-01"
ON_TIME, OVERDUE = "ONTIME", "OVERDUE"
_STATUSES: Final = ("met", "failed", "pending", "excluded")
_SAME_AS: Final = {"met": ON_TIME, "failed": OVERDUE, "pending": ON_TIME}
"""What the city's mark is where it agrees: before its target, an open case is on time."""
WHO_IS_RIGHT: Final = {
    "limite_desconocido": (
        "we: it has no target date, so nothing was promised; on time it can be neither nor late"
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A case that the city marks otherwise than we judge it; `ours` is a status or its reason."""

    case: str
    city: str
    ours: str
    is_open: bool

    @property
    def who_is_right(self) -> str:
        return WHO_IS_RIGHT.get(self.ours, "not settled")


async def differences(evaluator: httpx.AsyncClient, municipality: str) -> list[Difference]:
    """Return every case whose mark is not what our verdict says, in order of case."""
    verdicts = {
        case["case"]: case["reason"] if status == "excluded" else status
        for status in _STATUSES
        for case in await _cases(evaluator, municipality, status)
    }
    facts = {case: await _facts(evaluator, municipality, case) for case in verdicts}
    return sorted(_differing(verdicts, facts))


async def _cases(
    evaluator: httpx.AsyncClient, municipality: str, status: str
) -> list[dict[str, Any]]:
    named = {"municipality": municipality, "compromiso": COMPROMISO, "unit": UNIT}
    answer = await evaluator.get(
        "/v1/cases", params={**named, "window": WINDOW, "status": status, "limit": 1000}
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["cases"]
    return found


async def _facts(evaluator: httpx.AsyncClient, municipality: str, case: str) -> dict[str, Any]:
    answer = await evaluator.get(
        "/v1/explanations",
        params={"municipality": municipality, "compromiso": COMPROMISO, "case": case},
    )
    facts: dict[str, Any] = answer.raise_for_status().json()["facts"]
    return facts


def _differing(
    verdicts: Mapping[str, str], facts: Mapping[str, dict[str, Any]]
) -> Iterator[Difference]:
    for case, ours in verdicts.items():
        mark = facts[case]["attributes"]["marca"]
        if _SAME_AS.get(ours) != mark:
            yield Difference(case, mark, ours, "request.closed" not in facts[case]["instants"])


def as_markdown(found: Sequence[Difference]) -> str:
    """Return one line a case."""
    lines = ["| case | the city's mark | ours | who is right |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {each.case}{' (still open)' if each.is_open else ''} | {each.city} | {each.ours} "
        f"| {each.who_is_right} |"
        for each in found
    ]
    return "\n".join(lines) + "\n"
