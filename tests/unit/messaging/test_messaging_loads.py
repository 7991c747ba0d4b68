"""What is on its way is told by runs of ids, and no other id is taken for one of them."""

from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.loads import runs


def bounds(ids: list[int]) -> list[tuple[int, int]]:
    return [(run.lower or 0, run.upper or 0) for run in runs(ids)]


@given(st.sets(st.integers(min_value=1, max_value=60)))
def test_runs_hold_these_ids_and_no_other(ids: set[int]) -> None:
    held = [number for first, end in bounds(sorted(ids)) for number in range(first, end)]
    assert held == sorted(ids)


def test_a_run_ends_only_at_a_gap() -> None:
    assert bounds([1, 2, 3, 5, 8, 9]) == [(1, 4), (5, 6), (8, 10)]
