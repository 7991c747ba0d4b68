"""How verdicts are counted, and how counts add up and are taken away."""

import pytest

from shared.criteria import Case, CaseReason, CaseStatus, CaseVerdict, Tally
from shared.criteria.verdict import RunningTally, added, merged

MET = CaseVerdict(CaseStatus.MET, None, None, amount=30)
RANKED = CaseVerdict(CaseStatus.MET, None, None, amount=30, span=(30, 30))
LATE = CaseVerdict(CaseStatus.FAILED, None, None, amount=70)
OVERDUE = CaseVerdict(CaseStatus.FAILED, CaseReason.OVERDUE_OPEN, None, overdue_open=True)
WAITING = CaseVerdict(CaseStatus.PENDING, CaseReason.OVERDUE_OPEN, None, overdue_open=True)
OUT = CaseVerdict(CaseStatus.EXCLUDED, CaseReason.NO_ANSWER, None, amount=5)
PLANNED = CaseVerdict(CaseStatus.EXCLUDED, "aviso", None, span=(1, 2))


@pytest.mark.parametrize(
    ("verdict", "tally"),
    [
        (MET, Tally(met=1, amount_sum=30, amount_count=1)),
        (MET._replace(amount=0), Tally(met=1, amount_count=1)),
        (MET._replace(amount=None), Tally(met=1)),
        (RANKED, Tally(met=1, amount_sum=30, amount_count=1, spread={(30, 30): 1})),
        (LATE, Tally(failed=1, amount_sum=70, amount_count=1)),
        (OVERDUE, Tally(failed=1, overdue_open=1)),
        (WAITING, Tally(pending=1, overdue_open=1)),
        # What is out adds nothing up, and its span leaves the service time.
        (OUT, Tally(excluded={"sin_respuesta": 1})),
        (PLANNED, Tally(excluded={"aviso": 1}, spread={(1, 2): 1})),
    ],
)
def test_a_verdict_counts_once_under_its_status(verdict: CaseVerdict, tally: Tally) -> None:
    assert Tally.of(verdict) == tally
    assert tally.population == 1


ALL = (MET, RANKED, RANKED, LATE, OVERDUE, WAITING, OUT, OUT, PLANNED)
TOTAL = Tally(
    met=3,
    failed=2,
    pending=1,
    excluded={"sin_respuesta": 2, "aviso": 1},
    overdue_open=2,
    amount_sum=160,
    amount_count=4,
    spread={(30, 30): 2, (1, 2): 1},
)


def running(*verdicts: CaseVerdict) -> RunningTally:
    total = RunningTally()
    for verdict in verdicts:
        total.add(verdict)
    return total


def test_many_verdicts_add_up_as_one_by_one() -> None:
    assert running(*ALL).tally() == TOTAL
    assert sum(map(Tally.of, ALL), Tally()) == TOTAL


def test_the_population_is_what_was_decided_what_waits_and_what_is_out() -> None:
    assert (TOTAL.decided, TOTAL.population) == (5, 9)
    assert (Tally().decided, Tally().population) == (0, 0)


def test_what_is_taken_away_leaves_no_trace() -> None:
    total = running(*ALL)
    for verdict in ALL[1:]:
        total.add(verdict, sign=-1)
    assert total.tally() == Tally.of(MET)
    total.add(MET, sign=-1)
    assert total.tally() == Tally()
    assert Tally() == TOTAL - TOTAL
    assert TOTAL - Tally.of(OUT) == running(*ALL[:7], PLANNED).tally()


def test_a_difference_may_be_negative() -> None:
    change = Tally.of(RANKED) - (Tally.of(OVERDUE) + Tally.of(OUT))
    assert change == Tally(
        met=1,
        failed=-1,
        excluded={"sin_respuesta": -1},
        overdue_open=-1,
        amount_sum=30,
        amount_count=1,
        spread={(30, 30): 1},
    )
    assert Tally() - Tally.of(RANKED) == Tally(
        met=-1, amount_sum=-30, amount_count=-1, spread={(30, 30): -1}
    )
    assert Tally() - Tally.of(WAITING) == Tally(pending=-1, overdue_open=-1)


def test_groups_are_counted_together_or_one_by_one() -> None:
    one, two = Tally(met=1), Tally(failed=2)
    assert merged({"a": one, "b": two}) == Tally(met=1, failed=2)
    assert merged({}) == Tally()
    left, right = {"a": one, "b": two, "c": one}, {"b": one, "d": two, "c": Tally(met=-1)}
    assert added(left, right) == {"a": one, "b": Tally(met=1, failed=2), "d": two}


def test_what_a_case_is_by_itself_comes_before_what_it_is_by_its_place() -> None:
    asked = Case(events={}, attributes={"fila": "general"}, place={"fila": "alta", "unidad": "U1"})
    assert [asked.code(name) for name in ("fila", "unidad", "sede")] == ["general", "U1", None]
