"""Comparisons, at their edge and to both sides of it."""

from decimal import Decimal
from fractions import Fraction

import pytest

from shared.criteria import Op


@pytest.mark.parametrize(
    ("op", "below", "at", "above", "wants_more"),
    [
        (Op.AT_MOST, True, True, False, False),
        (Op.LESS, True, False, False, False),
        (Op.AT_LEAST, False, True, True, True),
        (Op.MORE, False, False, True, True),
    ],
)
def test_the_edge_is_inside_only_where_equality_is_written(
    op: Op, below: bool, at: bool, above: bool, wants_more: bool
) -> None:
    assert [op.holds(Decimal(value), Decimal(20)) for value in (19, 20, 21)] == [below, at, above]
    third = Fraction(1, 3)
    little = Fraction(1, 10**9)
    values = (third - little, third, third + little)
    assert [op.holds(value, third) for value in values] == [below, at, above]
    assert op.wants_more is wants_more
