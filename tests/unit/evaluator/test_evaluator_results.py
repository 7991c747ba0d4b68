import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.cohorts import Cohorts
from services.evaluator.domain.identity import breach_id, result_id, statement_id
from services.evaluator.domain.results import (
    Counted,
    Known,
    Subject,
    breach_is_certain,
    judged,
    result_data,
    shown,
    window_of_result,
)
from shared.contracts import hot
from shared.contracts.breaches import BreachKind
from shared.contracts.results import ResultData
from shared.contracts.topics import BREACHES
from shared.criteria import NotEvaluated, Tally, Verdict, WindowBounds
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
START, END = local("2026-09-01 00:00"), local("2026-10-01 00:00")
CLOSES = local("2026-10-15 00:00")
COMPLETE = Known(END, has_source=True)
RUNNING = Known(local("2026-09-15 00:00"), has_source=True)


def result(promise: Promise, *tallies: Tally, known: Known = COMPLETE, final: bool = True) -> Any:
    return judged(promise, counted(*tallies), known=known, final=final)


def counted(*tallies: Tally) -> Counted:
    bounds = WindowBounds("2026-09", START, END)
    return Counted(bounds, [{"": tally} for tally in tallies])


def certain_of(promise: Promise, *tallies: Tally) -> bool:
    return breach_is_certain(promise, counted(*tallies), known=RUNNING)


def subject(promise: Promise) -> Subject:
    window = window_of_result("2026-09", promise, start=START, end=END, closes_at=CLOSES)
    return Subject(promise, b.UNIT, window)


def published(promise: Promise, tally: Tally, **changes: Any) -> ResultData:
    fields: dict[str, Any] = {
        "cohorts": Cohorts(promise, {(1, 0): {"": tally}}, frozenset()),
        "calendar_versions": promise.calendar_versions,
        "unit": b.UNIT,
        "window": subject(promise).window,
        "known": COMPLETE,
        "edition": 1,
        "sequence": 3,
        "historical": False,
    }
    return result_data(promise, result(promise, tally), **{**fields, **changes})


def test_a_share_just_below_its_target_is_not_met_though_it_is_shown_as_equal() -> None:
    """89.99996 % is shown as 90.0000 and breaks a promise of 90 %."""
    data = published(b.promise(), Tally(met=2_249_999, failed=250_001))
    assert data.parts[0].value == Decimal("90.0000")
    assert data.verdict.value == "not_met"
    assert (data.parts[0].numerator, data.parts[0].denominator) == (2_249_999, 2_500_000)


@pytest.mark.parametrize(
    ("exact", "text"),
    [(Fraction(1, 8), "0.1250"), (Fraction(200, 3), "66.6667"), (Fraction(1, 20_000), "0.0000")],
)
def test_figures_are_shown_with_four_places_half_to_even(exact: Fraction, text: str) -> None:
    assert str(shown(exact)) == text


def test_a_result_has_its_evidence() -> None:
    data = published(b.promise(b.answer()), Tally(met=9, failed=1, pending=2, excluded={"b": 1}))
    assert data.status == "final"
    assert data.calendar_versions == {"HAB-GRAL": 1}
    assert data.as_of == END
    assert data.parts[0].model_dump(include={"met", "failed", "pending", "excluded"}) == {
        "met": 9,
        "failed": 1,
        "pending": 2,
        "excluded": {"b": 1},
    }


def test_a_mean_shows_what_is_open_and_overdue_beside_it() -> None:
    """Two payments of 4 and 6 minutes; one more has been open for an hour."""
    tally = Tally(met=2, pending=1, overdue_open=1, amount_sum=600_000_000, amount_count=2)
    part = published(b.promise(b.counter()), tally).parts[0]
    assert (part.value, part.pending, part.overdue_open) == (Decimal("5.0000"), 1, 1)


@pytest.mark.parametrize(
    ("tally", "minimum", "certain"),
    [
        (Tally(met=99), 0, False),
        (Tally(met=99, failed=1), 0, True),
        (Tally(failed=1), 2, False),
        (Tally(met=1, failed=1), 2, True),
        (Tally(met=9, pending=1, overdue_open=0), 0, False),
    ],
)
def test_an_every_case_promise_is_broken_by_its_first_failed_case_of_a_sufficient_sample(
    tally: Tally, minimum: int, certain: bool
) -> None:
    promise = b.promise(b.wait(**b.EVERY_CASE), minimum_sample=minimum)
    assert certain_of(promise, tally) is certain


def test_a_share_is_never_certain_before_its_cut_off() -> None:
    assert not certain_of(b.promise(), Tally(met=1, failed=99))


def test_one_every_case_part_breaks_the_conjunction() -> None:
    promise = b.promise(b.wait(), b.wait(**b.EVERY_CASE))
    assert not certain_of(promise, Tally(failed=1), Tally(met=1))
    assert certain_of(promise, Tally(met=1), Tally(failed=1))


def test_a_final_result_needs_its_source_known_through_the_windows_end() -> None:
    kept = Tally(met=10)
    assert result(b.promise(), kept).verdict == Verdict.MET
    silent = result(b.promise(), kept, known=RUNNING)
    assert (silent.verdict, silent.reason) == (Verdict.NOT_EVALUATED, NotEvaluated.SILENT_SOURCE)
    assert result(b.promise(), kept, known=RUNNING, final=False).verdict == Verdict.MET


@pytest.mark.parametrize(
    ("through", "reason"),
    [(END, NotEvaluated.NO_DEMAND), (None, NotEvaluated.SILENT_SOURCE)],
)
def test_a_window_without_cases_had_no_demand_or_no_source(through: Any, reason: str) -> None:
    found = result(b.promise(), Tally(), known=Known(through, has_source=through is not None))
    assert (found.verdict, found.reason) == (Verdict.NOT_EVALUATED, reason)


def test_the_end_of_the_window_itself_must_be_known() -> None:
    assert COMPLETE.covers(END)
    assert not RUNNING.covers(END)
    assert not Known(None, has_source=True).covers(START)


@pytest.mark.parametrize("due", [END, None])
@pytest.mark.parametrize("trace", [TRACE, None])
def test_a_late_case_from_the_hot_path_reads_as_any_statement(due: Any, trace: Any) -> None:
    about = subject(b.promise())
    late = about.late_case('Año "7"\\8', due, received_at=START, traceparent=trace)
    plain = about.statement(
        BreachKind.LATE_CASE,
        due or about.window.start,
        detail='Año "7"\\8',
        case='Año "7"\\8',
        due_at=due,
        received_at=START,
        traceparent=trace,
    )
    assert BREACHES.decode(hot.encode(late)) == plain
    assert late.key == plain.key


def test_the_same_statement_has_the_same_id_and_another_has_another() -> None:
    about = subject(b.promise())
    first = about.statement(BreachKind.LATE_CASE, START, detail="A-1", case="A-1")
    assert first == about.statement(BreachKind.LATE_CASE, START, detail="A-1", case="A-1")
    others = {
        about.statement(BreachKind.LATE_CASE, START, detail="A-2").id,
        about.statement(BreachKind.BREACHED, START, detail="A-1").id,
        about.statement(BreachKind.LATE_CASE, END, detail="A-1").id,
    }
    assert first.id not in others
    assert len(others) == 3


def test_all_statements_about_a_window_share_its_breach() -> None:
    about = subject(b.promise())
    kinds = (BreachKind.LATE_CASE, BreachKind.BREACHED, BreachKind.RECOVERED)
    assert {about.statement(kind, START).data.breach for kind in kinds} == {about.breach}


def test_identities_hold_for_ever() -> None:
    """A restore must mint the ids that receivers have stored: these literals may never change."""
    breach = breach_id("nogal", "RC-01-02", "registro-civil", "2026-09", START)
    assert breach == "01a05b8d-9300-8d67-817e-d0913f561ae7"
    assert statement_id(breach, "late_case", START, "A-1") == "01a05b8d-9300-89e6-a98b-005469c0c255"
    assert (
        result_id("nogal/RC-01-02/registro-civil/2026-09", 3, START)
        == "01a05b8d-9300-81cd-951c-903eede97cb6"
    )


def test_a_complete_import_covers_a_window_that_ends_after_it() -> None:
    """A file of 1 to 22 January is all there will be of it; its result says as of when."""
    end = datetime(2020, 2, 1, tzinfo=UTC)
    through = datetime(2020, 1, 23, tzinfo=UTC)
    assert Known(through, has_source=True, historical=True).covers(end)
    assert not Known(through, has_source=True).covers(end)
    assert not Known(None, has_source=True, historical=True).covers(end)


def test_a_result_without_verdict_and_without_its_reason_cannot_be_said() -> None:
    """Real sheets have years without data that nobody explains."""
    data = published(b.promise(), Tally())
    assert data.reason is not None
    for unexplained in (data, data.parts[0]):
        silent = unexplained.model_dump(mode="json") | {"reason": None}
        with pytest.raises(ValidationError, match="a verdict that is missing has its reason"):
            type(unexplained).model_validate_json(json.dumps(silent))
