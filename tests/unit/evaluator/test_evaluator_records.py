from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.evaluator.domain.judging import Judgement
from services.evaluator.domain.records import ABSENT, Difference, differences, shared_members
from services.evaluator.domain.totals import Totals
from shared.criteria import CaseStatus, Tally

LEAVES = st.none() | st.integers() | st.text(max_size=3)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_there_is_a_difference_exactly_where_values_differ(one: Any, other: Any) -> None:
    assert list(differences(one, one)) == []
    assert bool(list(differences(one, other))) == (one != other)


def test_a_difference_names_its_place() -> None:
    stored = {"parts": [{"met": 7}, {"met": 1}], "band": "red"}
    found = {"parts": [{"met": 2}], "band": "red", "reason": None}
    named = list(differences(stored, found))
    assert named == [
        Difference("parts[0].met", 7, 2),
        Difference("parts[1]", {"met": 1}, ABSENT),
        Difference("reason", ABSENT, None),
    ]
    assert str(named[0]) == "parts[0].met: stored 7, recomputed 2"


def test_of_another_schema_only_what_both_have_is_compared() -> None:
    before = {"gone": 1, "parts": [{"met": 7, "old": 0}]}
    now = {"parts": [{"met": 7, "new": 0}], "more": 2}
    assert shared_members(before, now) == {"parts": [{"met": 7}]} == shared_members(now, before)


STATUSES = st.sampled_from(CaseStatus)
JUDGEMENTS = st.lists(
    st.builds(
        Judgement,
        compromiso=st.sampled_from(("C-1", "C-2")),
        part=st.integers(0, 1),
        slice=st.just(0),
        carta_version=st.integers(1, 2),
        unit=st.just("u"),
        window_id=st.none() | st.sampled_from(("w-1", "w-2")),
        status=STATUSES,
        reason=st.sampled_from(("duplicado", "retirado")),
        due_at=st.none(),
        amount=st.none() | st.integers(0, 5),
        overdue_open=st.booleans(),
        cell=st.sampled_from(("", "a")),
        span=st.none() | st.tuples(st.integers(0, 2), st.integers(0, 2)),
        historical=st.booleans(),
        alarm_at=st.none(),
    ),
    max_size=30,
)


@given(JUDGEMENTS)
def test_totals_are_the_sums_of_the_tallies_of_each_verdict(judgements: list[Judgement]) -> None:
    totals = Totals()
    expected: dict[Any, tuple[Tally, int]] = {}
    for each in judgements:
        totals.add(each)
        if each.window_id is not None:
            own = (each.compromiso, each.unit, each.window_id)
            place = (*own, each.carta_version, each.part, each.cell)
            tally, imported = expected.get(place, (Tally(), 0))
            expected[place] = (tally + Tally.of(each), imported + each.historical)
    assert {place: (tally, n) for place, tally, n in totals.counted()} == expected
