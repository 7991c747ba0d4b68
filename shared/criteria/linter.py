"""What the shape of a criterion cannot tell: names that must exist, promises that judge nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.criteria.model import AnyCriterion, Mean, Share, Unsupported


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a declared criterion; `path` leads to the field, `message` is for its author."""

    path: tuple[str | int, ...]
    message: str


def lint(criterion: AnyCriterion, *, calendars: Collection[str]) -> tuple[Problem, ...]:
    """Return the problems of a criterion whose carta may use `calendars` (ids)."""
    if isinstance(criterion, Unsupported):
        return ()
    return tuple(
        Problem(("parts", index, *problem.path), problem.message)
        for index, part in enumerate(criterion.parts)
        for problem in _problems(part, calendars)
    )


def _problems(part: Share | Mean, calendars: Collection[str]) -> list[Problem]:
    problems = []
    clock = part.clock
    if clock.calendar is not None and clock.calendar not in calendars:
        message = f"no existe el calendario «{clock.calendar}»"
        problems.append(Problem(("clock", "calendar"), message))
    if clock.start == clock.stop:
        problems.append(Problem(("clock", "stop"), "el reloj empieza y termina con lo mismo"))
    problems.extend(
        Problem(("population", "where", name), f"ningún valor de «{name}» se admite")
        for name, values in part.population.where.items()
        if not values
    )
    return problems
