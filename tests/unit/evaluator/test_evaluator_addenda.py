"""What an addendum says of the counts that it changed."""

from typing import Any

import pytest

from services.evaluator.domain.addenda import Replaced, causes_of, moved
from services.evaluator.domain.judging import judge
from services.evaluator.domain.results import judged, part_results
from shared.contracts.results import AddendumReason, Cause, PartResult
from shared.criteria import CaseStatus, Tally
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


@pytest.mark.parametrize(
    ("counts", "follows", "reason"),
    [
        (Tally(met=2), False, AddendumReason.LATE_FACTS),
        (Tally(met=1), True, AddendumReason.REFERENCE_MOVED),
        (Tally(met=1), False, AddendumReason.SOURCE_HEARD),
    ],
)
def test_where_no_case_is_on_record_it_says_what_else_moved_it(
    counts: Tally, follows: bool, reason: AddendumReason
) -> None:
    told = moved(published(Tally(met=1)), parts(counts))
    assert causes_of((), told, follows=follows) == (Cause(reason=reason, total=0),)


def test_a_verdict_that_counts_as_before_moves_nothing() -> None:
    data = b.waited("A-1", 10)
    [(old, _, _)] = judge(data, [(b.promise(),)], known=None).values()
    assert Replaced(data, old, old._replace(alarm_at=b.EPOCH)).moves() == []
    assert Replaced(data, None, old._replace(window_id=None)).moves() == []


def test_a_case_that_leaves_a_window_for_another_moves_both() -> None:
    data = b.waited("A-1", 10)
    [(old, _, _)] = judge(data, [(b.promise(),)], known=None).values()
    later = old._replace(window_id="2026-10")
    windows = [move.window[3] for move in Replaced(data, old, later).moves()]
    assert windows == ["2026-09", "2026-10"]


def test_an_open_case_whose_term_had_passed_says_so_and_no_fact_is_blamed() -> None:
    data = b.case("A-1")
    [(open_, _, _)] = judge(data, [(b.promise(),)], known=None).values()
    late = open_._replace(status=CaseStatus.FAILED, overdue_open=True)
    [move] = Replaced(data, open_, late, AddendumReason.TERM_PASSED).moves()
    assert (move.case, move.reason) == ("A-1", AddendumReason.TERM_PASSED)
