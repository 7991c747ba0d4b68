"""What an addendum says of the counts that it changed."""

from typing import Any

from services.evaluator.domain.addenda import moved
from services.evaluator.domain.results import judged, part_results
from shared.contracts.results import PartResult
from shared.criteria import Tally
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.test_evaluator_results import COMPLETE, counted


def parts(*tallies: Tally) -> tuple[PartResult, ...]:
    promise = b.promise(*(b.wait() for _ in tallies))
    return part_results(promise, judged(promise, counted(*tallies), known=COMPLETE, final=True))


def published(*tallies: Tally) -> list[dict[str, Any]]:
    return [part.model_dump(mode="json") for part in parts(*tallies)]


def told(before: list[dict[str, Any]], *tallies: Tally) -> list[tuple[int, str, int, int]]:
    found = moved(before, parts(*tallies))
    return [(each.part, each.count, each.before, each.after) for each in found]


def test_each_count_that_differs_is_named_with_its_part() -> None:
    """A pending case of the second part was late; another turned out to be a duplicate."""
    before = published(Tally(met=5), Tally(met=5, pending=2))
    after = Tally(met=5, failed=1, overdue_open=1, excluded={"turno_duplicado": 1})
    assert told(before, Tally(met=5), after) == [
        (2, "excluded.turno_duplicado", 0, 1),
        (2, "failed", 0, 1),
        (2, "overdue_open", 0, 1),
        (2, "pending", 2, 0),
    ]


def test_an_exclusion_that_is_gone_is_named_too() -> None:
    before = published(Tally(met=1, excluded={"a": 3}))
    assert told(before, Tally(met=4)) == [(1, "excluded.a", 3, 0), (1, "met", 1, 4)]


def test_nothing_moved_where_the_counts_are_the_same() -> None:
    assert told(published(Tally(met=1, failed=2)), Tally(met=1, failed=2)) == []
