"""How long a task of the wall clock pauses."""

import pytest

from shared.service import Context, Periodic


async def nothing(_: Context) -> None:
    """Run for no time."""


@pytest.mark.parametrize(
    ("share", "took", "pause"),
    [
        (1.0, 0.0, 2.0),
        (1.0, 60.0, 2.0),
        (0.25, 0.5, 2.0),
        (0.25, 4.0, 12.0),
        (0.05, 1.0, 19.0),
    ],
)
def test_a_task_with_a_share_of_the_time_pauses_as_long_as_it_leaves_the_rest(
    share: float, took: float, pause: float
) -> None:
    assert Periodic("task", 2.0, nothing, share=share).pause(took) == pytest.approx(pause)
