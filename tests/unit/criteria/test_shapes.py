"""Each shape of the algebra on cases that can be followed by hand; rows: the domain reference."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shared.criteria import (
    Band,
    Case,
    CaseReason,
    CaseStatus,
    Counts,
    Criterion,
    NotEvaluated,
    Part,
    Recurrence,
    Reference,
    Result,
    Tally,
    Verdict,
    Window,
    Windows,
    broken,
    figures_of,
    judge_result,
    measures_of,
    window_of,
)
from shared.criteria.ledger import Bench, Ledger, judged
from shared.criteria.schedule import occurrences
from tests.unit.criteria.builders import (
    GENERAL,
    case,
    counter,
    counts,
    part,
    result_of,
    setting,
    wait,
)
from tests.unit.criteria.builders import judged as judged_case
from tests.unit.worktime.calendars import ZONE, general, local

INSTANT = timedelta(microseconds=1)
MONTH, YEAR = (Window.model_validate({"kind": kind}) for kind in ("month", "year"))
SCORE = {"kind": "number", "field": "nota", "lowest": 0, "highest": 10}
CLOCK = {"start": {"event": "ticket.issued"}, "stop": {"event": "ticket.called"}, "unit": "min"}
ISSUED = {"event": "ticket.issued", "anchor": "occurred"}
ANSWERED = {"event": "survey.answered", "anchor": "occurred"}


def score(nota: str, **changes: Any) -> Case:
    return case(survey_answered="2026-09-07 10:00", attributes={"nota": nota}, **changes)


def waited(minutes: int, *, day: int = 7, **attributes: str) -> Case:
    start = f"2026-09-{day:02} 10:00"
    end = f"2026-09-{day:02} {10 + minutes // 60}:{minutes % 60:02}"
    return case(ticket_issued=start, ticket_called=end, attributes=attributes)


def at_hand(
    part_: Part,
    cases: Iterable[Case],
    *,
    known: str | None = "2027-12-31",
    window: Window = MONTH,
    at: str = "2026-09-07",
) -> Counts:
    criterion = Criterion(parts=(part_,))
    measures = measures_of(criterion)
    calendars = [GENERAL if measure.calendar else None for measure in measures]
    bench = Bench(criterion, Windows(window, ZONE), calendars)
    ledger = Ledger()
    through = None if known is None else local(known)
    for number, each in enumerate(cases):
        ledger.take(str(number), judged(bench, each, known=through))
    around = setting(at=at, known=known, window=window)
    return Counts(
        type(around)(around.window, ZONE, calendars, through),
        ledger.cells(around.window.id, len(measures)),
    )


def result(part_: Part, cases: Iterable[Case], **changes: Any) -> Result:
    told: dict[str, Any] = {"minimum_sample": 0, "source_known": True, "final": True}
    told |= {key: changes.pop(key) for key in list(changes) if key in told}
    return judge_result(Criterion(parts=(part_,)), at_hand(part_, cases, **changes), **told)


# Scores


def test_a_share_of_scores_counts_answers_on_the_scale_and_names_the_others() -> None:
    # Palma (row 18): 8 or more in 80 % of the answers.
    kind = part(
        "share_within",
        population=ANSWERED,
        value=SCORE,
        limit={"op": ">=", "value": 8},
        target={"op": ">=", "value": 75},
    )
    told = [score("8"), score("7.9999"), score("10"), score("9"), score("11"), score("sí")]
    told.append(case(survey_answered="2026-09-07 10:00"))
    found = result(kind, told)
    assert (found.value, found.verdict) == (Fraction(75), Verdict.MET)
    assert found.parts[0].tally.excluded == {"fuera_de_escala": 2, "sin_respuesta": 1}


def test_without_a_scale_a_number_is_not_negative_so_a_sum_that_is_broken_stays_so() -> None:
    def hours(**scale: int) -> Part:
        value = {"kind": "number", "field": "nota", **scale}
        most = {"op": "<=", "value": 10, "unit": "horas"}
        return part("sum", population=ANSWERED, value=value, target=most)

    told = [score("11"), score("-5")]
    found = result(hours(), told)
    assert found.value == result(hours(), told[:1]).value == Fraction(11)
    assert found.parts[0].tally.excluded == {"fuera_de_escala": 1}
    assert result(hours(lowest=-9, highest=99), told).value == Fraction(6)


def test_an_inverse_share_is_kept_by_few() -> None:
    # Madrid, lost property (row 7): under 5 in at most 10 %.
    kind = part(
        "share_within",
        population=ANSWERED,
        value=SCORE,
        limit={"op": "<", "value": 5},
        target={"op": "<=", "value": 10, "unacceptable": 20},
    )
    assert result(kind, [score("9")] * 9 + [score("4")]).verdict is Verdict.MET
    many = result(kind, [score("9")] * 8 + [score("4"), score("5"), score("0")])
    assert (many.verdict, many.band) == (Verdict.NOT_MET, Band.AMBER)


def test_a_mean_of_scores_is_exact() -> None:
    # Madrid (row 8): at least 7.5.
    kind = part(
        "mean", population=ANSWERED, value=SCORE, target={"op": ">=", "value": "7.5", "unit": "p"}
    )
    assert result(kind, [score("7.5"), score("7.4999"), score("7.5001")]).value == Fraction(15, 2)
    assert result(kind, [score("7.4999")]).verdict is Verdict.NOT_MET


@pytest.mark.parametrize(
    ("notes", "value"),
    [("9 10 8 7 6 0", 0), ("9 9 9 8", 75), ("6.5 7 8", 0), ("6 0", -100), ("10", 100)],
)
def test_net_promoters_are_nines_and_tens_less_sixes_and_below(notes: str, value: int) -> None:
    target = {"op": ">=", "value": 40, "unit": "puntos NPS"}
    kind = part("nps", population=ANSWERED, value=SCORE, target=target)
    assert result(kind, [score(note) for note in notes.split()]).value == value


def test_too_few_answers_leave_a_reason() -> None:
    kind = part("mean", population=ANSWERED, value=SCORE, target={"op": ">=", "value": 7})
    found = result(kind, [score("9")] * 2, minimum_sample=3)
    assert (found.reason, found.value) == (NotEvaluated.SMALL_SAMPLE, Fraction(9))


# Percentiles


def p(percent: float, **target: Any) -> Part:
    told = {"op": "<=", "value": 20, "unit": "min"} | target
    return part("percentile", p=Decimal(str(percent)), population=ISSUED, clock=CLOCK, target=told)


@pytest.mark.parametrize(
    ("percent", "minutes", "value"),
    [
        (50, [1, 2, 3, 4], 2),
        (50.1, [1, 2, 3, 4], 3),
        (95, list(range(1, 21)), 19),
        (100, [3, 1, 2], 3),
        (1, [3, 1, 2], 1),
    ],
)
def test_a_percentile_is_the_nearest_rank(percent: float, minutes: list[int], value: int) -> None:
    assert result(p(percent), map(waited, minutes)).value == value


def test_an_open_case_past_the_target_is_beyond_every_value() -> None:
    still_open = case(ticket_issued="2026-09-07 10:00")
    found = result(p(100), [waited(1), still_open])
    assert (found.verdict, found.value, found.band) == (Verdict.NOT_MET, None, Band.RED)
    assert result(p(50), [waited(1), still_open]).verdict is Verdict.MET
    fresh = result(p(100), [waited(1), still_open], known="2026-09-07 10:05")
    assert fresh.reason is NotEvaluated.PENDING_CASES


def test_whole_seconds_decide_a_percentile_as_the_times_themselves_would() -> None:
    just_over = case(ticket_issued="2026-09-07 10:00", ticket_called="2026-09-07 10:20:00.000001")
    exact = case(ticket_issued="2026-09-07 10:00", ticket_called="2026-09-07 10:20")
    under = case(ticket_issued="2026-09-07 10:00", ticket_called="2026-09-07 10:19:59.999999")
    assert result(p(100), [just_over]).verdict is Verdict.NOT_MET
    assert result(p(100), [exact]).verdict is Verdict.MET
    assert result(p(100, op="<"), [exact]).verdict is Verdict.NOT_MET
    assert result(p(100, op="<"), [under]).verdict is Verdict.MET
    with pytest.raises(ValidationError, match="whole number of seconds"):
        p(50, value="0.001")


# Counts, sums, ratios


def visits(target: dict[str, Any] | None, **changes: Any) -> Part:
    population = {"event": "visit.done", "anchor": "occurred"}
    return part("count", **({"population": population, "target": target} | changes))


def test_a_count_reaches_or_stays_below() -> None:
    # CEMCI (row 47): no wrong answer at all; museums (row 9): enough visits.
    visit = case(visit_done="2026-09-07 10:00")
    none = visits({"op": "<=", "value": 0, "unit": "errores"})
    assert result(none, []).verdict is Verdict.MET
    assert result(none, [visit]).verdict is Verdict.NOT_MET
    assert broken(Criterion(parts=(none,)), at_hand(none, [visit]), minimum_sample=0)
    assert not broken(Criterion(parts=(none,)), at_hand(none, []), minimum_sample=0)
    enough = visits({"op": ">=", "value": 2, "unit": "visitas", "unacceptable": 1})
    assert result(enough, [visit] * 2).verdict is Verdict.MET
    assert result(enough, [visit]).band is Band.RED
    assert not broken(Criterion(parts=(enough,)), at_hand(enough, []), minimum_sample=0)


def test_nothing_counted_is_success_only_where_the_source_is_heard_of() -> None:
    none = visits({"op": "<=", "value": 0, "unit": "errores"})
    assert result(none, [], source_known=False).reason is NotEvaluated.SILENT_SOURCE


def test_a_figure_without_a_target_informs_and_is_never_judged() -> None:
    # Madrid, registry (row 10).
    found = result(visits(None), [case(visit_done="2026-09-07 10:00")])
    assert (found.verdict, found.reason, found.value) == (
        Verdict.NOT_EVALUATED,
        NotEvaluated.INFORMATIVE,
        Fraction(1),
    )
    both = result_of(visits(None), wait(), tallies=(Tally(met=3), Tally(met=9)))
    assert both.verdict is Verdict.MET


def test_a_count_may_hold_each_case_to_a_limit() -> None:
    # CLM 112 (row 25): unanswered after more than 10 s, under 3 % of the calls.
    left = {
        "form": "count",
        "population": {"event": "call.abandoned", "anchor": "occurred"},
        "value": {
            "kind": "duration",
            "start": {"event": "call.queued"},
            "stop": {"event": "call.abandoned"},
            "unit": "s",
        },
        "limit": {"op": ">", "value": 10},
    }
    calls = {"form": "count", "population": {"event": "call.queued", "anchor": "occurred"}}
    kind = part("ratio", numerator=left, denominator=calls, target={"op": "<", "value": 50})
    told = [
        case(call_queued="2026-09-07 10:00:00", call_abandoned="2026-09-07 10:00:10"),
        case(call_queued="2026-09-07 10:00:00", call_abandoned="2026-09-07 10:00:11"),
        case(call_queued="2026-09-07 10:00:00", call_answered="2026-09-07 10:00:30"),
    ]
    found = result(kind, told)
    assert (found.value, found.verdict) == (Fraction(100, 3), Verdict.MET)
    assert result(kind, told[1:]).verdict is Verdict.NOT_MET
    assert result(kind, []).reason is NotEvaluated.NO_DEMAND


def test_a_ratio_of_sums_divides_what_was_given_by_what_was_owed() -> None:
    # CC-IG-03-03: hours taught of hours planned; the planned ones are placed by their date.
    hours = {"kind": "number", "field": "horas"}
    kind = part(
        "ratio",
        numerator={
            "form": "sum",
            "population": {"event": "class.ended", "anchor": "occurred"},
            "value": hours,
        },
        denominator={
            "form": "sum",
            "population": {"event": "class.scheduled", "anchor": "due"},
            "value": hours,
        },
        target={"op": ">=", "value": 95},
    )
    planned = local("2026-09-10 10:00")
    held = case(
        class_scheduled="2026-08-01 09:00",
        class_ended="2026-09-10 12:00",
        attributes={"horas": "2.5"},
        own_due=planned,
    )
    lost = case(class_scheduled="2026-08-01 09:00", attributes={"horas": "1"}, own_due=planned)
    undated = case(class_scheduled="2026-09-01 09:00", attributes={"horas": "1"})
    found = result(kind, [held, lost, undated])
    assert found.value == Fraction(500, 7)
    assert found.parts[0].tally.excluded == {"sin_fecha_prometida": 1}


# Groups


def daily(**changes: Any) -> Part:
    fields: dict[str, Any] = {
        "by": "day",
        "inner": {"form": "mean", "population": ISSUED, "value": {"kind": "duration", **CLOCK}},
        "limit": {"op": "<=", "value": 10},
        "target": {"op": ">=", "value": 50},
    }
    return part("nested_share", **(fields | changes))


def test_the_days_on_which_the_mean_was_kept_and_no_others() -> None:
    # Palma (row 16): the daily mean within 10 minutes; days without service are no days.
    told = [waited(5), waited(15), waited(11, day=8), waited(30, day=9), waited(1, day=10)]
    found = result(daily(), told)
    assert (found.value, found.parts[0].denominator) == (Fraction(50), Fraction(4))
    assert found.verdict is Verdict.MET
    assert result(daily(), []).reason is NotEvaluated.NO_DEMAND


def test_a_season_has_its_own_limit() -> None:
    seasonal = {
        "op": "<=",
        "value": 10,
        "seasons": [{"first": "09-08", "last": "09-08", "value": 12}],
    }
    told = [waited(11, day=7), waited(11, day=8)]
    assert result(daily(limit=seasonal), told).value == 50
    share = wait(limit={**seasonal, "value": 10}, population=ISSUED)
    assert result(share, told).value == 50


def test_groups_may_be_the_values_of_an_attribute() -> None:
    told = [waited(5, sede="norte"), waited(16, sede="norte"), waited(3, sede="sur")]
    assert result(daily(by=None, attribute="sede"), told).value == 50


def test_a_group_that_could_still_turn_leaves_the_window_open() -> None:
    share = {
        "form": "share_within",
        "population": ISSUED,
        "value": {"kind": "duration", **CLOCK},
        "limit": {"op": "<=", "value": 10},
    }
    kind = daily(inner=share, limit={"op": ">=", "value": 60}, target={"op": ">=", "value": 100})
    told = [waited(5), case(ticket_issued="2026-09-07 10:00")]
    assert result(kind, told, known="2026-09-07 10:09").reason is NotEvaluated.PENDING_CASES
    assert result(kind, told).verdict is Verdict.NOT_MET


def test_a_day_without_a_measured_case_may_still_become_one() -> None:
    told = [waited(5), case(ticket_issued="2026-09-08 10:00")]
    counted = at_hand(daily(), told, known="2026-09-08 10:05")
    (figure,) = figures_of(Criterion(parts=(daily(),)), counted)
    assert (figure.value, figure.sample) == (Fraction(100), 1)
    # The second day kept or not: two of two days, or one of two.
    assert (figure.lowest, figure.highest) == (Fraction(50), Fraction(100))


def test_a_case_without_a_place_yet_has_no_group_yet() -> None:
    closed = {"event": "ticket.issued", "anchor": "closed"}
    kind = daily(
        inner={"form": "mean", "population": closed, "value": {"kind": "duration", **CLOCK}}
    )
    waiting = case(ticket_issued="2026-09-07 10:00")
    told = judged_case(kind, waiting, known="2026-09-07 10:05")
    assert (told.status, told.anchor_instant, told.cell) == (CaseStatus.PENDING, None, "")
    assert judged_case(kind, waited(5, day=8)).cell == "2026-09-08"


# Deadlines


def on_date(**changes: Any) -> Part:
    fields: dict[str, Any] = {
        "population": {"event": "visit.scheduled", "anchor": "due"},
        "clock": {
            "start": {"event": "visit.scheduled_for"},
            "stop": {"event": "visit.done"},
            "unit": "dia_natural",
            "calendar": "HAB-GRAL",
            "from_due": True,
        },
        "limit": {"op": "<=", "value": 0},
        "target": {"op": ">=", "value": 100},
    }
    return part("share_within", **(fields | changes))


@pytest.mark.parametrize(
    ("done", "late_kept", "exact_kept"),
    [
        ("2026-09-09 23:00", True, False),
        ("2026-09-10 00:00", True, True),
        ("2026-09-10 23:59:59", True, True),
        ("2026-09-11 00:00", False, False),
        (None, False, False),
    ],
)
def test_a_date_agreed_is_kept_until_its_last_moment(
    done: str | None, late_kept: bool, exact_kept: bool
) -> None:
    # CC-CAT-01-06; UV campus (row 63): on the very date.
    told = {"visit_scheduled": "2026-09-01 09:00", "visit_scheduled_for": "2026-09-10 12:00"}
    visit = case(**told | ({"visit_done": done} if done else {}))
    assert (result(on_date(), [visit]).verdict is Verdict.MET) is late_kept
    clock = {
        "start": {"event": "visit.scheduled_for"},
        "stop": {"event": "visit.done"},
        "unit": "dia_natural",
        "calendar": "HAB-GRAL",
        "from_due": True,
        "exact_day": True,
    }
    assert (result(on_date(clock=clock), [visit]).verdict is Verdict.MET) is exact_kept


def owed(**recurrence: Any) -> Part:
    return part(
        "deadline",
        population={"event": "document.published", "anchor": "occurred"},
        recurrence={"calendar": "HAB-GRAL", **recurrence},
        target={"op": ">=", "value": 100},
    )


FIFTH = owed(every="month", working_day=5, time="18:00")
QUARTER = Window.model_validate({"kind": "quarter"})


@pytest.mark.parametrize(
    ("published", "known", "counted"),
    [
        # In September 2026 the fifth working day is Monday 7th.
        (["2026-07-07 10:00", "2026-08-07 18:00", "2026-09-07 18:00"], "2027-01-01", (3, 0, 0)),
        (["2026-07-07 10:00", "2026-08-07 18:00", "2026-09-07 18:00:01"], "2027-01-01", (2, 1, 0)),
        (["2026-07-07 10:00", "2026-07-07 11:00"], "2027-01-01", (1, 2, 0)),
        (["2026-07-07 10:00"], "2026-09-07 18:00", (1, 1, 1)),
        ([], "2026-07-07 18:00", (0, 0, 3)),
        ([], "2026-07-07 18:00:01", (0, 1, 2)),
        # Known through the very end of its time.
        ([], "2026-07-07 18:00:00.000001", (0, 1, 2)),
    ],
)
def test_what_is_owed_each_month_fails_by_not_happening(
    published: list[str], known: str, counted: tuple[int, int, int]
) -> None:
    # CC-PC-01-06: by 18:00 of the fifth working day of each month.
    told = [case(document_published=at) for at in published]
    found = result(FIFTH, told, known=known, window=QUARTER, final=False)
    tally = found.parts[0].tally
    assert (tally.met, tally.failed, tally.pending) == counted


def test_a_missed_date_breaks_the_promise_for_good() -> None:
    late = at_hand(FIFTH, [], known="2026-07-08", window=QUARTER)
    assert broken(Criterion(parts=(FIFTH,)), late, minimum_sample=0)
    early = at_hand(FIFTH, [], known="2026-07-07", window=QUARTER)
    assert not broken(Criterion(parts=(FIFTH,)), early, minimum_sample=0)


def test_each_working_day_is_owed_and_no_other() -> None:
    # Palma (row 22): September 2026 has 22 weekdays, of which the 16th is a holiday.
    daily_ = owed(every="day")
    assert result(daily_, []).parts[0].denominator == 21
    sunday = case(document_published="2026-09-06 10:00")
    monday = case(document_published="2026-09-07 23:59:59")
    assert result(daily_, [sunday, monday]).value == Fraction(100, 21)


def test_a_fixed_date_of_the_year() -> None:
    # UV planning office (row 64): before 31 January.
    book = owed(every="year", month=1, day=30)
    in_time = case(document_published="2026-01-30 23:59:59")
    assert result(book, [in_time], window=YEAR).verdict is Verdict.MET
    assert result(book, [case(document_published="2026-01-31")], window=YEAR).verdict is (
        Verdict.NOT_MET
    )


def test_what_came_late_has_come_and_what_is_missing_is_overdue() -> None:
    late = case(document_published="2026-07-08 10:00")
    tally = result(FIFTH, [late], window=QUARTER, known="2026-09-01").parts[0].tally
    assert tally == Tally(failed=2, pending=1, overdue_open=1)


def test_what_is_owed_with_the_end_of_january_is_not_owed_in_february() -> None:
    book = owed(every="year", month=1)
    in_january, in_february = (
        result(book, [], at=f"2026-0{month}-15").parts[0].tally.population for month in (1, 2)
    )
    assert (in_january, in_february) == (1, 0)


def test_the_periods_of_what_is_owed_are_those_of_the_zone_of_the_place() -> None:
    # East of Greenwich a local day begins on the day before in UTC.
    warsaw = ZoneInfo("Europe/Warsaw")
    bounds = window_of(MONTH, local("2026-09-15", warsaw), warsaw)
    assert bounds is not None
    first_day = Recurrence.model_validate(
        {"every": "month", "calendar": "HAB-GRAL", "working_day": 1}
    )
    calendar = general(zone="Europe/Warsaw", days=(), start_rule="start_day")
    assert list(occurrences(first_day, bounds, calendar, warsaw)) == [
        ("2026-09-01", local("2026-09-02", warsaw))
    ]
    each_day = Recurrence.model_validate({"every": "day", "calendar": "HAB-GRAL"})
    days = [cell for cell, _ in occurrences(each_day, bounds, calendar, warsaw)]
    assert (days[0], days[-1], len(days)) == ("2026-09-01", "2026-09-30", 22)


def test_what_is_owed_has_no_figure_without_its_calendar() -> None:
    without = counts(Tally(), calendar=None)
    with pytest.raises(ValueError, match="expected by a calendar"):
        figures_of(Criterion(parts=(FIFTH,)), without)


@pytest.mark.parametrize(
    ("recurrence", "at", "last_moment"),
    [
        # The last day of the second month of a quarter: 31 August.
        ({"every": "quarter", "month": 2}, "2026-07-02", "2026-08-31 23:59:59.999999"),
        ({"every": "quarter"}, "2026-07-02", "2026-09-30 23:59:59.999999"),
        ({"every": "month", "day": 31}, "2026-09-02", "2026-09-30 23:59:59.999999"),
        ({"every": "month", "day": 31}, "2026-08-02", "2026-08-31 23:59:59.999999"),
        # Wednesday 16 September is a holiday: the third working day of its week is Thursday.
        ({"every": "week", "working_day": 3}, "2026-09-15", "2026-09-17 23:59:59.999999"),
        ({"every": "week"}, "2026-09-15", "2026-09-20 23:59:59.999999"),
        # The first five days of January are a holiday: its first working day is Tuesday 6th.
        ({"every": "year", "working_day": 1}, "2027-05-01", "2027-01-06 23:59:59.999999"),
        (
            {"every": "quarter", "month": 3, "working_day": 1, "time": "09:30"},
            "2026-08-15",
            "2026-09-01 09:30",
        ),
    ],
)
def test_the_last_moment_in_time_is_in_time(
    recurrence: dict[str, Any], at: str, last_moment: str
) -> None:
    kind = owed(**recurrence)
    published = case(document_published=at)
    assert judged_case(kind, published).due == local(last_moment) + INSTANT


def test_an_excused_occurrence_is_no_failure() -> None:
    excused = part(
        "deadline",
        population={
            "event": "document.published",
            "anchor": "occurred",
            "exclude": ["contingencia"],
        },
        recurrence={"calendar": "HAB-GRAL", "every": "month"},
        target={"op": ">=", "value": 100},
    )
    told = [
        case(document_published="2026-07-10", exclusions=frozenset({"contingencia"})),
        case(document_published="2026-08-10"),
        case(document_published="2026-09-10"),
    ]
    found = result(excused, told, window=QUARTER)
    assert (found.verdict, found.parts[0].tally.excluded) == (Verdict.MET, {"contingencia": 1})


# Outages


def outage(start: str, end: str | None, **changes: Any) -> Case:
    told = {"outage_started": start} | ({"outage_ended": end} if end else {})
    return case(**told, **changes)


def portal(**changes: Any) -> Part:
    fields: dict[str, Any] = {
        "population": {
            "event": "outage.started",
            "anchor": "occurred",
            "exclude": ["mantenimiento_avisado"],
        },
        "value": {"kind": "outage", "stop": "outage.ended", "unit": "min"},
        "target": {"op": ">=", "value": 99},
    }
    return part("availability", **(fields | changes))


PLANNED = frozenset({"mantenimiento_avisado"})


def test_overlapping_outages_count_once_and_planned_ones_leave_the_service_time() -> None:
    # CC-TES-01-06; Valencia 112 (row 34). September has 43,200 minutes.
    told = [
        outage("2026-09-07 10:00", "2026-09-07 11:00"),
        outage("2026-09-07 10:30", "2026-09-07 11:30"),
        outage("2026-09-08 00:00", "2026-09-08 10:00", exclusions=PLANNED),
        outage("2026-09-08 09:00", "2026-09-08 10:30"),
    ]
    found = result(portal(), told)
    assert found.value == 100 * Fraction(43_200 - 600 - 120, 43_200 - 600)
    assert found.parts[0].denominator == 42_600
    assert found.parts[0].numerator == 42_480


def test_an_outage_over_midnight_of_the_last_day_counts_in_both_months() -> None:
    over = [outage("2026-08-31 23:00", "2026-09-01 02:00")]
    assert result(portal(), over).parts[0].numerator == 43_200 - 120
    assert result(portal(), over, at="2026-08-10").parts[0].numerator == 31 * 1440 - 60


def test_an_outage_that_goes_on_counts_as_far_as_is_known() -> None:
    found = result(portal(), [outage("2026-09-30 22:00", None)], known="2026-09-30 23:00")
    assert found.parts[0].denominator == 43_200 - 60
    assert found.parts[0].numerator == 43_200 - 120


def test_an_outage_within_a_planned_one_takes_nothing_away() -> None:
    told = [
        outage("2026-09-08 00:00", "2026-09-08 10:00", exclusions=PLANNED),
        outage("2026-09-08 00:00", "2026-09-08 10:00"),
        outage("2026-09-08 01:00", "2026-09-08 02:00"),
    ]
    found = result(portal(), told)
    assert found.value == 100
    assert found.parts[0].denominator == 42_600


def test_an_outage_that_ends_before_it_starts_is_a_fault_of_the_data() -> None:
    start = "2026-09-08 10:00"
    backwards = judged_case(portal(), outage(start, "2026-09-08 09:59:59.999999"))
    assert (backwards.status, backwards.reason) == (
        CaseStatus.EXCLUDED,
        CaseReason.STOP_BEFORE_START,
    )
    assert backwards.anchor_instant == local(start)
    at_once = judged_case(portal(), outage(start, start))
    assert (at_once.status, at_once.amount) == (CaseStatus.MET, 0)


def test_service_hours_alone_are_owed() -> None:
    hours = {"kind": "outage", "stop": "outage.ended", "unit": "min_habil", "calendar": "HAB-GRAL"}
    found = result(portal(value=hours), [outage("2026-09-05 00:00", "2026-09-07 10:00")])
    assert found.parts[0].denominator - found.parts[0].numerator == 60  # Monday from 9 to 10


def test_outages_add_up_for_each_contract() -> None:
    # R telecom (row 79): 48 hours in a billing period for each line.
    kind = part(
        "nested_share",
        attribute="linea",
        inner={
            "form": "sum",
            "population": {"event": "outage.started", "anchor": "occurred"},
            "value": {"kind": "outage", "stop": "outage.ended", "unit": "h"},
        },
        limit={"op": "<=", "value": 48},
        target={"op": ">=", "value": 100},
    )
    one = outage("2026-09-01 00:00", "2026-09-02 00:00", attributes={"linea": "a"})
    two = outage("2026-09-10 00:00", "2026-09-11 00:00", attributes={"linea": "a"})
    three = outage("2026-09-20 00:00", "2026-09-22 00:01", attributes={"linea": "b"})
    assert result(kind, [one, two]).verdict is Verdict.MET
    assert result(kind, [one, two, three]).value == 50


# Earlier windows


def fewer(**changes: Any) -> Part:
    target = {"op": "<=", "value": 1, "unit": "quejas", "reference": "last_year"} | changes
    return part("count", population={"event": "buzon.upheld", "anchor": "occurred"}, target=target)


def followed(kind: Part, now: int, before: int | None) -> Result:
    assert kind.target is not None
    assert kind.target.reference is not None
    earlier = {} if before is None else {kind.target.reference: counts(Tally(met=before))}
    around = counts(Tally(met=now))
    return judge_result(
        Criterion(parts=(kind,)),
        Counts(around.setting, around.cells, earlier),
        minimum_sample=0,
        source_known=True,
        final=True,
    )


@pytest.mark.parametrize(
    ("now", "before", "verdict", "reason"),
    [
        (5, 5, Verdict.MET, None),
        (6, 5, Verdict.NOT_MET, None),
        (0, 0, Verdict.MET, None),
        (1, 0, Verdict.NOT_MET, None),
        (0, None, Verdict.NOT_EVALUATED, NotEvaluated.NO_REFERENCE),
    ],
)
def test_a_target_may_follow_last_year(
    now: int, before: int | None, verdict: Verdict, reason: NotEvaluated | None
) -> None:
    # UV campus (row 62): no more than the year before; CC-SP-01-06.
    found = followed(fewer(), now, before)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_falling_trend_and_a_reference_of_nothing() -> None:
    # UV campus (row 58).
    falling = fewer(op="<", reference="previous")
    assert followed(falling, 4, 5).verdict is Verdict.MET
    assert followed(falling, 5, 5).verdict is Verdict.NOT_MET
    unsaid = fewer(zero_reference="not_evaluated")
    assert followed(unsaid, 0, 0).reason is NotEvaluated.ZERO_REFERENCE
    banded = fewer(unacceptable="1.2")
    assert followed(banded, 6, 5).band is Band.RED
    assert followed(banded, 11, 10).band is Band.AMBER
    assert followed(banded, 11, 10).parts[0].bound == 10
    assert Reference.LAST_YEAR is banded.target.reference  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("tally", "minimum_sample", "is_broken"),
    [
        (Tally(met=9), 0, False),
        (Tally(met=9, failed=1), 0, True),
        (Tally(met=9, failed=1), 10, True),
        (Tally(met=9, failed=1, pending=5), 11, False),
    ],
)
def test_a_promise_for_every_case_is_broken_by_its_first_failed_one(
    tally: Tally, minimum_sample: int, is_broken: bool
) -> None:
    every = Criterion(parts=(wait(target={"op": ">=", "value": 100}),))
    most = Criterion(parts=(wait(target={"op": ">=", "value": 99}),))
    assert broken(every, counts(tally), minimum_sample=minimum_sample) is is_broken
    assert not broken(most, counts(tally), minimum_sample=0)


def test_what_has_no_target_of_its_own_window_is_never_broken() -> None:
    many = counts(Tally(met=99))
    target = {"op": "<=", "value": 1, "unit": "quejas", "reference": "previous"}
    for kind in (visits(None), visits(target)):
        assert not broken(Criterion(parts=(kind,)), many, minimum_sample=0)
    fixed = visits({"op": "<=", "value": 98, "unit": "quejas"})
    assert broken(Criterion(parts=(fixed,)), many, minimum_sample=0)


def test_a_mean_of_nothing_has_no_demand() -> None:
    assert result(counter(), []).reason is NotEvaluated.NO_DEMAND
