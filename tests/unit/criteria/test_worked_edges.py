"""Net promoters, checklists, seasons and promised dates at their edges, each worked by hand."""

from datetime import timedelta
from fractions import Fraction

import pytest

from shared.criteria import Case, CaseReason, CaseStatus, NotEvaluated, Part, Verdict, judge_case
from tests.unit.criteria.builders import GENERAL, case, happening, judged, measure, part, wait
from tests.unit.criteria.test_shapes import ANSWERED, SCORE, result, score
from tests.unit.worktime.calendars import ZONE, local

INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("notes", "value", "verdict"),
    [
        # 7 of 10 promote, 3 detract: 70 − 30 = 40, and 40 is enough.
        ("9 9 9 9 10 10 10 6 6 0", Fraction(40), Verdict.MET),
        # The 6 becomes a 7: 70 − 20 = 50. The 9 becomes an 8: 60 − 30 = 30.
        ("9 9 9 9 10 10 10 7 6 0", Fraction(50), Verdict.MET),
        ("8 9 9 9 10 10 10 6 6 0", Fraction(30), Verdict.NOT_MET),
        # 11 is off the scale and is no answer: 2 of 3 promote, 1 of 3 detracts.
        ("9 10 6 11", Fraction(100, 3), Verdict.NOT_MET),
        # 8.9999 does not promote, 6.0001 does not detract.
        ("8.9999 6.0001", Fraction(0), Verdict.NOT_MET),
    ],
)
def test_net_promoters(notes: str, value: Fraction, verdict: Verdict) -> None:
    target = {"op": ">=", "value": 40, "unit": "puntos NPS"}
    kind = part("nps", population=ANSWERED, value=SCORE, target=target)
    found = result(kind, [score(note) for note in notes.split()])
    assert (found.value, found.verdict) == (value, verdict)


def visit(kept: str, applicable: str) -> Case:
    answers = {"instrumento": "VIS-1", "cumplidos": kept, "aplicables": applicable}
    return case(instrument_scored="2026-09-07 10:00", attributes=answers)


@pytest.mark.parametrize(
    ("visits", "value", "verdict"),
    [
        # 19 + 19 of 20 + 20 = 95 %: at the edge.
        ([("19", "20"), ("19", "20")], Fraction(95), Verdict.MET),
        # What does not apply is in neither: 10 of 10 and 9 of 10, 19 of 20.
        ([("10", "10"), ("9", "10")], Fraction(95), Verdict.MET),
        ([("20", "20"), ("17", "20")], Fraction(185, 2), Verdict.NOT_MET),
        # Pooled, not a mean of visits: 1 of 1 and 17 of 19 are 18 of 20.
        ([("1", "1"), ("17", "19")], Fraction(90), Verdict.NOT_MET),
        # A visit in which nothing applied adds nothing.
        ([("0", "0"), ("19", "20")], Fraction(95), Verdict.MET),
    ],
)
def test_a_checklist(visits: list[tuple[str, str]], value: Fraction, verdict: Verdict) -> None:
    found = result(checklist(), [visit(*each) for each in visits])
    assert (found.value, found.verdict) == (value, verdict)


def test_a_checklist_of_nothing_is_no_result() -> None:
    for visits in ([], [visit("0", "0")]):
        assert result(checklist(), visits).reason is NotEvaluated.NO_DEMAND


def checklist() -> Part:
    population = {
        "event": "instrument.scored",
        "anchor": "occurred",
        "where": {"instrumento": ["VIS-1"]},
    }
    above, below = (
        {"form": "sum", "population": population, "value": {"kind": "number", "field": field}}
        for field in ("cumplidos", "aplicables")
    )
    target = {"op": ">=", "value": 95}
    return part("ratio", numerator=above, denominator=below, target=target)


@pytest.mark.parametrize(
    ("day", "minutes"),
    [
        ("2026-11-30", 15),
        ("2026-12-01", 25),  # the first day of a season that spans the new year
        ("2026-12-31", 25),
        ("2027-01-01", 25),
        ("2027-01-10", 25),  # its last day
        ("2027-01-11", 15),
    ],
)
def test_a_season_holds_on_its_first_and_its_last_local_day(day: str, minutes: int) -> None:
    season = {"first": "12-01", "last": "01-10", "value": 25}
    held = wait(limit={"op": "<=", "value": 15, "seasons": [season]})
    for start in (f"{day} 00:00", f"{day} 23:59"):
        issued = case(ticket_issued=start)
        limit = local(start) + timedelta(minutes=minutes)
        at, after = (happening(issued, "ticket.called", end) for end in (limit, limit + INSTANT))
        assert judged(held, at).due == limit
        assert judged(held, at).status is CaseStatus.MET
        assert judged(held, after).status is CaseStatus.FAILED


def test_a_date_promised_to_each_case_is_kept_to_the_instant() -> None:
    held = wait(limit={"op": "<=", "own_due": True})
    promised = local("2026-07-06 12:00")
    waiting = case(ticket_issued="2026-07-06 10:00", own_due=promised)

    def status(a_case: Case, *, known: str = "2027-12-31") -> tuple[CaseStatus, str | None]:
        through = local(known)
        verdict = judge_case(measure(held), a_case, GENERAL, zone=ZONE, complete_through=through)
        assert verdict is not None
        return verdict.status, verdict.reason

    assert status(happening(waiting, "ticket.called", promised)) == (CaseStatus.MET, None)
    late = happening(waiting, "ticket.called", promised + INSTANT)
    assert status(late) == (CaseStatus.FAILED, None)
    assert status(waiting, known="2026-07-06 11:59") == (CaseStatus.PENDING, CaseReason.OPEN)
    assert status(waiting, known="2026-07-06 12:00") == (
        CaseStatus.FAILED,
        CaseReason.OVERDUE_OPEN,
    )
    unpromised = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:01")
    assert status(unpromised) == (CaseStatus.EXCLUDED, CaseReason.UNKNOWN_LIMIT)
