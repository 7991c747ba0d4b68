"""Everything that a verdict says of one case, form by form; local times lie 6 hours behind UTC."""

from typing import Any

from shared.criteria import (
    BEYOND,
    PLANNED,
    Case,
    CaseReason,
    CaseStatus,
    CaseVerdict,
    ContestReason,
    Part,
    judge_case,
    prepare,
)
from shared.criteria.outages import microseconds
from tests.unit.criteria.builders import GENERAL, case, judged, measure, part, wait
from tests.unit.criteria.test_shapes import SCORE, outage, portal
from tests.unit.worktime.calendars import ZONE, local

MINUTE = 60_000_000
ACCEPTED = frozenset({ContestReason.FORCE_MAJEURE.value})
LISTED = frozenset({"suspendido"})


def test_a_judge_keeps_the_calendar_that_its_verdicts_are_told_with() -> None:
    for of in (owed(every="month"), down(by="day"), scored("mean"), wait()):
        assert prepare(measure(of), GENERAL, zone=ZONE).calendar is GENERAL


# What is owed once a period


def owed(**recurrence: Any) -> Part:
    population = {"event": "report.published", "anchor": "occurred", "exclude": ["suspendido"]}
    told = {"calendar": "HAB-GRAL", **recurrence}
    return part("deadline", population=population, recurrence=told)


def test_what_is_owed_by_a_day_is_kept_until_that_day_ends() -> None:
    monthly = owed(every="month", day=5)
    end = local("2026-09-06")
    last = case(report_published="2026-09-05 23:59:59.999999")
    assert judged(monthly, last) == CaseVerdict(
        CaseStatus.MET, None, last.events["report.published"], due=end, cell="2026-09-01"
    )
    late = case(report_published="2026-09-06 00:00")
    assert judged(monthly, late) == CaseVerdict(
        CaseStatus.FAILED, None, end, due=end, cell="2026-09-01"
    )
    excused = late._replace(exclusions=LISTED)
    assert judged(monthly, excused) == CaseVerdict(
        CaseStatus.EXCLUDED, "suspendido", end, due=end, cell="2026-09-01"
    )


def test_what_comes_on_a_day_that_owes_nothing_is_kept_without_a_term() -> None:
    # A Saturday; in UTC it is Sunday already.
    saturday = case(report_published="2026-09-05 23:00")
    assert judged(owed(every="day"), saturday) == CaseVerdict(
        CaseStatus.MET, None, local("2026-09-05 23:00"), cell="2026-09-05"
    )


# Time without service


def down(**grouping: str) -> Part:
    """At most an hour without service, by day or by line."""
    population = {"event": "outage.started", "anchor": "occurred", "exclude": ["suspendido"]}
    inner = {
        "form": "sum",
        "population": population,
        "value": portal().figure.model_dump()["value"],
    }
    return part("nested_share", inner=inner, limit={"op": "<=", "value": 60}, **grouping)


def test_an_outage_counts_from_its_start_to_its_end_in_the_local_day_of_its_start() -> None:
    begun, ended = local("2026-08-31 23:30"), local("2026-09-01 00:30")
    whole = outage("2026-08-31 23:30", "2026-09-01 00:30")
    assert judged(down(by="day"), whole) == CaseVerdict(
        CaseStatus.MET,
        None,
        begun,
        amount=60 * MINUTE,
        cell="2026-08-31",
        span=(microseconds(begun), microseconds(ended)),
    )


def test_an_outage_that_goes_on_is_pending_and_has_no_end() -> None:
    begun = local("2026-08-31 23:30")
    assert judged(down(by="day"), outage("2026-08-31 23:30", None)) == CaseVerdict(
        CaseStatus.PENDING,
        CaseReason.OPEN,
        begun,
        cell="2026-08-31",
        span=(microseconds(begun), BEYOND),
    )


def test_only_what_the_promise_calls_planned_leaves_the_service_time() -> None:
    begun, ended = local("2026-09-08 10:00"), local("2026-09-08 11:00")
    listed = frozenset({"mantenimiento_avisado"})
    planned = outage("2026-09-08 10:00", "2026-09-08 11:00", exclusions=listed)
    assert judged(portal(), planned) == CaseVerdict(
        CaseStatus.EXCLUDED,
        "mantenimiento_avisado",
        begun,
        cell=PLANNED,
        span=(microseconds(begun), microseconds(ended)),
    )
    # What was contested is out, and the service was owed all the same.
    contested = planned._replace(exclusions=listed | ACCEPTED)
    assert judged(portal(), contested) == CaseVerdict(
        CaseStatus.EXCLUDED, ContestReason.FORCE_MAJEURE, begun
    )


def test_an_excluded_outage_of_a_sum_is_out_of_its_own_group_and_takes_no_time() -> None:
    begun = local("2026-08-31 23:30")
    line = outage(
        "2026-08-31 23:30", "2026-09-01 00:30", exclusions=LISTED, attributes={"linea": "a"}
    )
    for grouping, cell in (({"attribute": "linea"}, "a"), ({"by": "day"}, "2026-08-31")):
        verdict = judged(down(**grouping), line)
        assert verdict == CaseVerdict(CaseStatus.EXCLUDED, "suspendido", begun, cell=cell)


def test_an_outage_counts_in_the_group_of_its_attribute() -> None:
    begun, ended = local("2026-09-08 10:00"), local("2026-09-08 11:00")
    line = outage("2026-09-08 10:00", "2026-09-08 11:00", attributes={"linea": "a"})
    span = (microseconds(begun), microseconds(ended))
    assert judged(down(attribute="linea"), line) == CaseVerdict(
        CaseStatus.MET, None, begun, amount=60 * MINUTE, cell="a", span=span
    )


def test_an_outage_that_ends_before_it_starts_is_out_and_one_that_ends_at_once_is_not() -> None:
    begun = local("2026-09-08 10:00")
    assert judged(portal(), outage("2026-09-08 10:00", "2026-09-08 09:59")) == CaseVerdict(
        CaseStatus.EXCLUDED, CaseReason.STOP_BEFORE_START, begun
    )
    at_once = (microseconds(begun), microseconds(begun))
    assert judged(portal(), outage("2026-09-08 10:00", "2026-09-08 10:00")) == CaseVerdict(
        CaseStatus.MET, None, begun, amount=0, span=at_once
    )


# Numbers


ANSWERED = {"event": "survey.answered", "anchor": "occurred", "exclude": ["suspendido"]}


def scored(form: str, **changes: Any) -> Part:
    return part(form, **({"population": ANSWERED, "value": SCORE} | changes))


def by_desk(form: str = "mean", **inner: Any) -> Part:
    told = {"form": form, "population": ANSWERED, "value": SCORE, **inner}
    return part("nested_share", attribute="mesa", inner=told, limit={"op": ">=", "value": 8})


def answered(nota: str | None = "8.5", **attributes: str) -> Case:
    told = attributes if nota is None else {"nota": nota, **attributes}
    return case(survey_answered="2026-08-31 23:30", attributes=told)


WHEN = local("2026-08-31 23:30")
LEAST = {"op": ">=", "value": 8}


def test_a_score_is_measured_in_ten_thousandths_in_its_group() -> None:
    kept = CaseVerdict(CaseStatus.MET, None, WHEN, amount=85_000)
    assert judged(scored("mean"), answered()) == kept
    assert judged(by_desk(), answered(mesa="2")) == kept._replace(cell="2")
    assert judged(by_desk(), answered()) == kept
    unlisted = answered()._replace(exclusions=frozenset({"otro_motivo"}))
    assert judged(by_desk(), unlisted) == kept
    daily = part(
        "nested_share", by="day", inner=by_desk().figure.model_dump()["inner"], limit=LEAST
    )
    assert judged(daily, answered(mesa="2")) == kept._replace(cell="2026-08-31")


def test_an_answer_that_does_not_count_says_why_and_stays_in_its_group() -> None:
    out = CaseVerdict(CaseStatus.EXCLUDED, None, WHEN, cell="2")
    for nota, reason in (
        (None, CaseReason.NO_ANSWER),
        ("", CaseReason.NO_ANSWER),
        ("10.1", CaseReason.OFF_THE_SCALE),
        ("mucho", CaseReason.OFF_THE_SCALE),
    ):
        assert judged(by_desk(), answered(nota, mesa="2")) == out._replace(reason=reason)
    excused = answered("mucho", mesa="2")._replace(exclusions=LISTED)
    assert judged(by_desk(), excused) == out._replace(reason="suspendido")


def test_a_score_keeps_its_limit_or_fails_and_is_added_up_either_way() -> None:
    held = by_desk("share_within", limit=LEAST)
    for nota, amount, status in (
        ("8", 80_000, CaseStatus.MET),
        ("7.9999", 79_999, CaseStatus.FAILED),
    ):
        verdict = judged(held, answered(nota, mesa="2"))
        assert verdict == CaseVerdict(status, None, WHEN, amount=amount, cell="2")


def test_a_score_without_a_known_limit_is_out_where_it_was_given() -> None:
    limits: tuple[dict[str, Any], ...] = (
        {"by": "tipo", "values": {"a": 8}},
        {"field": "posibles", "factor": 1},
    )
    for limit in limits:
        held = by_desk("share_within", limit={"op": ">=", **limit})
        assert judged(held, answered(mesa="2")) == CaseVerdict(
            CaseStatus.EXCLUDED, CaseReason.UNKNOWN_LIMIT, WHEN, cell="2"
        )


def test_only_what_is_ranked_or_weighs_keeps_each_amount() -> None:
    plain = CaseVerdict(CaseStatus.MET, None, WHEN, amount=85_000)
    each = plain._replace(span=(85_000, 85_000))
    assert judged(scored("percentile", p=90), answered()) == each
    for form in ("mean", "sum"):
        assert judged(scored(form), answered()) == plain
    counted = part("count", population=ANSWERED)
    assert judged(counted, answered()) == CaseVerdict(CaseStatus.MET, None, WHEN)


def test_a_promoter_counts_for_one_and_a_detractor_against() -> None:
    for nota, points in (("10", 10_000), ("9", 10_000), ("8.9", 0), ("6.1", 0), ("6", -10_000)):
        assert judged(scored("nps"), answered(nota)) == CaseVerdict(
            CaseStatus.MET, None, WHEN, amount=points
        )


def test_what_is_placed_by_a_promised_date_is_out_without_one() -> None:
    planned = scored("sum", population={**ANSWERED, "anchor": "due"}, value=SCORE)
    promised = local("2026-09-10 10:00")
    assert judged(planned, answered()._replace(own_due=promised)) == CaseVerdict(
        CaseStatus.MET, None, promised, amount=85_000
    )
    assert judged(planned, answered()) == CaseVerdict(CaseStatus.EXCLUDED, CaseReason.NO_DUE, WHEN)


def test_the_record_of_an_instrument_counts_only_where_the_instrument_is_measured() -> None:
    shopper = answered(instrumento="CM-01")
    kept = CaseVerdict(CaseStatus.MET, None, WHEN, amount=85_000)
    ours = scored("mean", population={**ANSWERED, "where": {"instrumento": ["CM-01"]}})
    assert judge(scored("mean"), shopper) is None
    assert judge(scored("mean"), answered()) == kept
    assert judge(ours, shopper) == kept
    assert judge(ours, answered()) is None


def judge(of: Part, a_case: Case) -> CaseVerdict | None:
    return judge_case(measure(of), a_case, None, zone=ZONE, complete_through=None)
