"""What is known of the cases that a figure does not hold, and when that leaves it in doubt.

Lost cases must not decide: a verdict stands only where they could not have turned it. Where that
cannot be worked out, at least nine tenths must have been measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Final

from shared.criteria.figures import FigureValue
from shared.criteria.model import Availability, Figure, Groups, Schedule, rises
from shared.criteria.verdict import Cells, Tally, added
from shared.criteria.vocabulary import Op

LEAST_MEASURED: Final = Fraction(9, 10)
"""Of the known cases, or of the service hours in which a source should speak."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the counts of one part.

    `reported`: some source reports on each of its events. `known` cases are known to have existed
    and `missing` of them never came in: one number for each measure of the part, its denominator's
    last. `silent` is the share of service hours, on days without a known count, in which a source
    that should speak did not.
    """

    reported: bool = True
    known: Sequence[int] = ()
    missing: Sequence[int] = ()
    silent: Fraction = Fraction(0)

    @property
    def has_lost(self) -> bool:
        return any(self.missing)

    @property
    def measured_enough(self) -> bool:
        """Whether at least nine tenths of the cases of each measure came in; equality is enough."""
        pairs = zip(self.known, self.missing, strict=True)
        return all(known - missing >= LEAST_MEASURED * known for known, missing in pairs)


ACCOUNTED: Final = Evidence()


class Leaning(Enum):
    """Where a figure can go with more facts of its population."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"


def leaning(figure: Figure) -> Leaning:
    """Return where facts that never came could have moved a figure."""
    if rises(figure) or isinstance(figure, Schedule):
        return Leaning.UP
    return Leaning.DOWN if isinstance(figure, Availability) else Leaning.EITHER


def doubts_verdict(figure: Figure, op: Op, *, is_met: bool, silent: Fraction) -> bool:
    """Return whether a verdict is in doubt because a source was silent.

    Where further facts could only have helped a kept promise, or only harmed a broken one, the
    verdict stands however long the silence was; in the other direction any silence unsettles it.
    """
    side = leaning(figure)
    if side is Leaning.EITHER:
        return 1 - silent < LEAST_MEASURED
    could_help = (side is Leaning.UP) == op.wants_more
    return silent > 0 and could_help != is_met


def with_lost(figure: Figure, cells: Sequence[Cells], missing: Sequence[int]) -> Sequence[Cells]:
    """Return the cells with the lost cases as pending ones, which may yet go either way."""
    if not any(missing) or isinstance(figure, Groups):
        return cells
    lost = [{"": Tally(pending=number)} if number else {} for number in missing]
    return [added(own, more) for own, more in zip(cells, lost, strict=True)]


def has_bounds(figure: Figure, value: FigureValue) -> bool:
    """Return whether it is known between which values lost cases can move the figure."""
    is_bounded = value.lowest is not None and value.highest is not None
    return is_bounded and not isinstance(figure, Groups)
