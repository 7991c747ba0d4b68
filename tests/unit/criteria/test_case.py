from datetime import timedelta
from decimal import Decimal

import pytest

from shared.criteria import CaseReason, CaseStatus, ContestReason, Part, judge_case, prepare
from tests.unit.criteria.builders import (
    GENERAL,
    answer,
    case,
    counter,
    happening,
    judged,
    measure,
    part,
    paused,
    session,
    wait,
)
from tests.unit.worktime.calendars import ZONE, local

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("op", "called", "status"),
    [
        ("<=", "10:15:00", CaseStatus.MET),
        ("<=", "10:15:00.000001", CaseStatus.FAILED),
        ("<", "10:14:59.999999", CaseStatus.MET),
        ("<", "10:15:00", CaseStatus.FAILED),
        (">=", "10:15:00", CaseStatus.MET),
        (">=", "10:14:59.999999", CaseStatus.FAILED),
        (">", "10:15:00", CaseStatus.FAILED),
        (">", "10:15:00.000001", CaseStatus.MET),
    ],
)
def test_the_edge_is_exact(op: str, called: str, status: CaseStatus) -> None:
    a_case = case(ticket_issued="2026-07-06 10:00", ticket_called=f"2026-07-06 {called}")
    verdict = judged(wait(limit={"op": op, "value": 15}), a_case)
    assert (verdict.status, verdict.reason) == (status, None)
    assert verdict.due == local("2026-07-06 10:15")


@pytest.mark.parametrize(
    ("row", "op", "limit", "unit", "taken_seconds", "is_kept"),
    [
        (11, "<=", 10, "min", 600, True),
        (14, ">", 30, "s", 30, False),
        (21, "<", 6, "s", 6, False),
        (23, "<", 16, "s", 15, True),
        (37, "<", 30, "min", 1800, False),
        (43, "<", 4, "h", 4 * 3600 - 1, True),
        (54, "<=", 48, "h", 48 * 3600, True),
        (77, "<=", 45, "min", 45 * 60 + 1, False),
    ],
)
def test_real_promises_differ_at_their_edges(
    *, row: int, op: str, limit: int, unit: str, taken_seconds: int, is_kept: bool
) -> None:
    part = wait(
        clock={"start": {"event": "call.in"}, "stop": {"event": "call.out"}, "unit": unit},
        population={"event": "call.in", "anchor": "due"},
        limit={"op": op, "value": limit},
    )
    a_case = case(call_in="2026-07-06 10:00")
    start = a_case.events["call.in"]
    stop = start + timedelta(seconds=taken_seconds)
    verdict = judged(part, happening(a_case, "call.out", stop))
    assert (verdict.status is CaseStatus.MET) == is_kept, f"row {row}"
    assert verdict.amount == taken_seconds * 1_000_000


def test_a_case_outside_of_the_population_is_not_judged() -> None:
    part = wait(
        population={"event": "ticket.issued", "anchor": "due", "where": {"fila": ["preferente"]}}
    )
    issued = case(ticket_issued="2026-07-06 10:00")
    assert judge_case(measure(part), issued, None, zone=ZONE, complete_through=None) is None
    other = issued._replace(attributes={"fila": "general"})
    assert judge_case(measure(part), other, None, zone=ZONE, complete_through=None) is None
    called_only = case(ticket_called="2026-07-06 10:00", attributes={"fila": "preferente"})
    assert judge_case(measure(part), called_only, None, zone=ZONE, complete_through=None) is None
    assert judged(part, issued._replace(attributes={"fila": "preferente"}))


def test_nobody_is_overdue_before_the_source_is_known_complete_past_the_due_instant() -> None:
    issued = case(ticket_issued="2026-07-06 10:00")
    for known in (None, "2026-07-06 10:14:59.999999"):
        verdict = judged(wait(), issued, known=known)
        assert (verdict.status, verdict.reason) == (CaseStatus.PENDING, "open")
        assert not verdict.overdue_open
    late = judged(wait(), issued, known="2026-07-06 10:15")
    assert (late.status, late.reason, late.overdue_open) == (
        CaseStatus.FAILED,
        "overdue_open",
        True,
    )
    assert late.amount is None


def test_a_late_stop_fails_but_is_not_open() -> None:
    a_case = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:40")
    verdict = judged(wait(), a_case, known=None)
    assert (verdict.status, verdict.overdue_open) == (CaseStatus.FAILED, False)
    assert verdict.amount == 40 * MINUTE


def test_what_is_used_up_at_closing_time_is_late_only_when_the_office_opens_again() -> None:
    part = answer(
        clock={
            "start": {"event": "request.received"},
            "stop": {"event": "request.resolved"},
            "unit": "h_habil",
            "calendar": "HAB-GRAL",
        },
        limit={"op": "<=", "value": 9},
    )
    received = case(request_received="2026-07-03 09:00")
    waiting = judged(part, received, known="2026-07-05 12:00")
    assert waiting.due == waiting.anchor_instant == local("2026-07-03 18:00")
    assert waiting.overdue_from == local("2026-07-06 09:00")
    assert waiting.status is CaseStatus.PENDING
    assert judged(part, received, known="2026-07-06 09:00").overdue_open
    on_saturday = case(request_received="2026-07-03 09:00", request_resolved="2026-07-04 11:00")
    assert judged(part, on_saturday).status is CaseStatus.MET


def test_a_term_in_days_ends_with_its_last_day() -> None:
    def resolved(at: str) -> CaseStatus:
        return judged(
            answer(), case(request_received="2026-07-06 12:00", request_resolved=at)
        ).status

    assert resolved("2026-07-09 23:59:59.999999") is CaseStatus.MET
    assert resolved("2026-07-10 00:00") is CaseStatus.FAILED


def test_less_than_three_days_ends_with_the_second() -> None:
    part = answer(limit={"op": "<", "value": 3})
    a_case = case(request_received="2026-07-06 12:00", request_resolved="2026-07-08 23:59")
    verdict = judged(part, a_case)
    assert (verdict.status, verdict.amount, verdict.due) == (
        CaseStatus.MET,
        2,
        local("2026-07-09"),
    )
    late = case(request_received="2026-07-06 12:00", request_resolved="2026-07-09 00:00")
    assert judged(part, late).status is CaseStatus.FAILED


def test_a_term_that_ends_with_the_month_belongs_to_that_month() -> None:
    verdict = judged(answer(), case(request_received="2026-09-25 12:00"))
    assert verdict.due == local("2026-10-01 00:00")
    assert verdict.anchor_instant == local("2026-10-01 00:00") - timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("anchor", "instant"),
    [
        ("due", "2026-07-06 10:15"),
        ("occurred", "2026-07-06 10:00"),
        ("opened", "2026-07-06 10:00"),
        ("closed", "2026-07-06 10:40"),
    ],
)
def test_the_anchor_places_a_case(anchor: str, instant: str) -> None:
    part = wait(population={"event": "ticket.issued", "anchor": anchor})
    a_case = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:40")
    assert judged(part, a_case).anchor_instant == local(instant)


def test_an_open_case_has_no_closing_window_but_is_told_as_late() -> None:
    part = wait(population={"event": "ticket.issued", "anchor": "closed"})
    verdict = judged(part, case(ticket_issued="2026-07-06 10:00"))
    assert (verdict.anchor_instant, verdict.overdue_open) == (None, True)


def test_only_listed_exclusions_are_admitted() -> None:
    a_case = case(ticket_issued="2026-07-06 10:00", exclusions=frozenset({"se_cayo_el_sistema"}))
    assert judged(wait(), a_case).status is CaseStatus.FAILED
    listed = a_case._replace(exclusions=frozenset({"turno_duplicado", "se_cayo_el_sistema"}))
    verdict = judged(wait(), listed)
    assert (verdict.status, verdict.reason) == (CaseStatus.EXCLUDED, "turno_duplicado")


@pytest.mark.parametrize(
    ("left", "status", "reason"),
    [
        ("2026-07-06 10:14:59", CaseStatus.EXCLUDED, "abandono_antes_del_limite"),
        ("2026-07-06 10:15:00", CaseStatus.FAILED, "overdue_open"),
        ("2026-07-06 11:00:00", CaseStatus.FAILED, "overdue_open"),
    ],
)
def test_leaving_before_the_limit_is_no_failure_and_after_it_is(
    left: str, status: CaseStatus, reason: str
) -> None:
    a_case = case(ticket_issued="2026-07-06 10:00", abandoned_at=local(left))
    verdict = judged(wait(), a_case)
    assert (verdict.status, verdict.reason) == (status, reason)


def test_an_emitter_cannot_declare_that_somebody_left_before_the_limit() -> None:
    claimed = frozenset({"abandono_antes_del_limite"})
    a_case = case(
        ticket_issued="2026-07-06 10:00",
        exclusions=claimed,
        abandoned_at=local("2026-07-06 10:30"),
    )
    assert judged(wait(), a_case).status is CaseStatus.FAILED


def test_leaving_counts_only_where_the_promise_lists_it_and_before_the_call() -> None:
    left = local("2026-07-06 10:05")
    unlisted = wait(population={"event": "ticket.issued", "anchor": "due"})
    gone = case(ticket_issued="2026-07-06 10:00", abandoned_at=left)
    assert judged(unlisted, gone).status is CaseStatus.FAILED
    called = case(
        ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:04", abandoned_at=left
    )
    assert judged(wait(), called).status is CaseStatus.MET


def test_a_stop_before_its_start_is_a_fault_of_the_data() -> None:
    a_case = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 09:59")
    verdict = judged(wait(), a_case, known=None)
    assert (verdict.status, verdict.reason) == (CaseStatus.EXCLUDED, "fin_anterior_al_inicio")
    assert verdict.anchor_instant == local("2026-07-06 10:15")


def test_a_stop_at_its_start_takes_no_time() -> None:
    a_case = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:00")
    assert judged(wait(limit={"op": "<=", "value": 0}), a_case).status is CaseStatus.MET


def test_an_open_session_is_not_too_short_yet() -> None:
    part = session()
    open_case = case(appointment_started="2026-07-06 10:00")
    verdict = judged(part, open_case, known="2026-07-06 10:49")
    long_enough = local("2026-07-06 10:50")
    assert (verdict.status, verdict.overdue_from) == (CaseStatus.PENDING, long_enough)
    short = case(appointment_started="2026-07-06 10:00", appointment_ended="2026-07-06 10:49")
    assert judged(part, short).status is CaseStatus.FAILED


@pytest.mark.parametrize(
    ("attributes", "minutes", "status"),
    [
        ({"prioridad": "alta"}, 120, CaseStatus.MET),
        ({"prioridad": "alta"}, 121, CaseStatus.FAILED),
        ({"prioridad": "normal"}, 121, CaseStatus.MET),
        ({"prioridad": "urgente"}, 1, CaseStatus.EXCLUDED),
        ({}, 1, CaseStatus.EXCLUDED),
    ],
)
def test_the_limit_can_depend_on_the_case(
    attributes: dict[str, str], minutes: int, status: CaseStatus
) -> None:
    part = wait(
        clock={
            "start": {"event": "report.accepted"},
            "stop": {"event": "crew.on_site"},
            "unit": "h",
        },
        population={"event": "report.accepted", "anchor": "due"},
        limit={"op": "<=", "by": "prioridad", "values": {"alta": 2, "normal": 4}},
    )
    a_case = case(report_accepted="2026-07-06 10:00", attributes=attributes)
    stop = local("2026-07-06 10:00") + timedelta(minutes=minutes)
    verdict = judged(part, happening(a_case, "crew.on_site", stop))
    assert verdict.status is status
    if status is CaseStatus.EXCLUDED:
        assert verdict.reason == "limite_desconocido"
        assert verdict.anchor_instant == local("2026-07-06 10:00")


@pytest.mark.parametrize(
    ("legal_term", "last_day"),
    [("10", "2026-07-16"), ("7", "2026-07-13"), ("2.5", "2026-07-08")],
)
def test_the_limit_can_be_a_share_of_the_legal_term(legal_term: str, last_day: str) -> None:
    part = answer(limit={"op": "<=", "field": "plazo_legal", "factor": Decimal("0.8")})
    a_case = case(request_received="2026-07-06 12:00", attributes={"plazo_legal": legal_term})
    assert judged(part, a_case).due == local(last_day) + timedelta(days=1)


@pytest.mark.parametrize("written", ["", "diez", "-1", "1e9", "NaN", "٣", "9999999", "1.005"])
def test_a_legal_term_that_is_no_plain_number_is_an_unknown_limit(written: str) -> None:
    part = answer(limit={"op": "<=", "field": "plazo_legal", "factor": 1})
    a_case = case(request_received="2026-07-06 12:00", attributes={"plazo_legal": written})
    verdict = judged(part, a_case)
    assert (verdict.status, verdict.reason) == (CaseStatus.EXCLUDED, "limite_desconocido")


def test_a_term_beyond_every_calendar_is_an_unknown_limit() -> None:
    part = answer(limit={"op": "<=", "field": "plazo_legal", "factor": 1})
    a_case = case(request_received="2026-07-06 12:00", attributes={"plazo_legal": "999999"})
    assert judged(part, a_case).reason == "limite_desconocido"


def test_the_instant_promised_to_this_very_case_can_be_the_limit() -> None:
    part = wait(limit={"op": "<=", "own_due": True})
    promised = local("2026-07-06 12:00")
    a_case = case(ticket_issued="2026-07-06 10:00", own_due=promised)
    verdict = judged(part, a_case)
    assert (verdict.status, verdict.due, verdict.anchor_instant) == (
        CaseStatus.FAILED,
        promised,
        promised,
    )
    at_the_edge = happening(a_case, "ticket.called", promised)
    assert judged(part, at_the_edge).status is CaseStatus.MET
    assert judged(part, a_case._replace(own_due=None)).reason == "limite_desconocido"


def test_a_case_waits_for_its_start_until_its_source_is_complete() -> None:
    part = wait(
        clock={
            "start": {"event": "service.started"},
            "stop": {"event": "ticket.served"},
            "unit": "min",
        },
        population={"event": "ticket.served", "anchor": "occurred"},
    )
    a_case = case(ticket_served="2026-07-06 10:00")
    waiting = judged(part, a_case, known="2026-07-06 09:59")
    assert (waiting.status, waiting.reason) == (CaseStatus.PENDING, "waiting_for_start")
    assert waiting.anchor_instant == local("2026-07-06 10:00")
    lost = judged(part, a_case, known="2026-07-06 10:00")
    assert (lost.status, lost.reason) == (CaseStatus.EXCLUDED, "sin_evento_inicial")


def test_answering_or_explaining_the_delay_both_stop_the_clock() -> None:
    # Galicia 061 (row 69): answer in 15 days, or tell the person why not.
    stop = {"first_of": ["request.resolved", "request.delay_notified"]}
    clock = measure(answer()).figure.model_dump()["value"] | {"stop": stop}
    part = answer(clock=clock)
    told = case(
        request_received="2026-07-06 12:00",
        request_delay_notified="2026-07-08 12:00",
        request_resolved="2026-08-20 12:00",
    )
    assert judged(part, told).amount == 2


def test_with_an_appointment_the_wait_starts_when_both_the_hour_and_the_person_have_come() -> None:
    start = {"max_of": ["appointment.scheduled_for", "appointment.arrived"]}
    part = wait(
        clock={"start": start, "stop": {"event": "appointment.started"}, "unit": "min"},
        population={"event": "appointment.started", "anchor": "occurred"},
    )
    early = case(
        appointment_scheduled_for="2026-07-06 10:00",
        appointment_arrived="2026-07-06 09:30",
        appointment_started="2026-07-06 10:10",
    )
    assert judged(part, early).amount == 10 * MINUTE
    unknown = case(appointment_arrived="2026-07-06 09:30", appointment_started="2026-07-06 10:10")
    assert judged(part, unknown).reason == "sin_evento_inicial"


def test_only_the_reasons_of_the_clock_pause_it() -> None:
    received = case(
        request_received="2026-07-06 12:00",
        pauses=(paused("prevencion", "2026-07-07 10:00", "2026-07-09 11:00"),),
    )
    assert judged(answer(), received).due == local("2026-07-15")
    other = received._replace(pauses=(paused("vacaciones", "2026-07-07", "2026-07-09"),))
    assert judged(answer(), other).due == local("2026-07-10")


def test_an_open_pause_keeps_a_case_pending_and_unplaced() -> None:
    received = case(
        request_received="2026-07-06 12:00", pauses=(paused("prevencion", "2026-07-07", None),)
    )
    verdict = judged(answer(), received)
    assert (verdict.status, verdict.reason) == (CaseStatus.PENDING, "paused")
    assert (verdict.due, verdict.anchor_instant) == (None, None)


def test_the_stop_ends_a_pause_and_later_pauses_change_nothing() -> None:
    resolved = case(
        request_received="2026-07-06 12:00",
        request_resolved="2026-07-08 12:00",
        pauses=(
            paused("prevencion", "2026-07-07 10:00", None),
            paused("prevencion", "2026-07-09 10:00", "2026-07-30 10:00"),
        ),
    )
    verdict = judged(answer(), resolved)
    assert (verdict.status, verdict.amount, verdict.due) == (
        CaseStatus.MET,
        1,
        local("2026-07-14"),
    )


def test_a_pause_that_ends_before_it_starts_pauses_nothing() -> None:
    received = case(
        request_received="2026-07-06 12:00",
        pauses=(paused("prevencion", "2026-07-09", "2026-07-07"),),
    )
    assert judged(answer(), received).due == local("2026-07-10")


def test_a_mean_measures_what_ended_and_shows_the_rest_beside_it() -> None:
    part = counter()
    served = case(service_started="2026-07-06 10:00", ticket_served="2026-07-06 10:20")
    verdict = judged(part, served)
    assert (verdict.status, verdict.amount) == (CaseStatus.MET, 20 * MINUTE)
    still_open = judged(part, case(service_started="2026-07-06 10:00"))
    assert (still_open.status, still_open.overdue_open) == (CaseStatus.PENDING, True)
    fresh = judged(part, case(service_started="2026-07-06 10:00"), known="2026-07-06 10:05")
    assert (fresh.status, fresh.overdue_open) == (CaseStatus.PENDING, False)


def test_a_clock_without_its_calendar_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a calendar"):
        judge_case(
            measure(answer()),
            case(request_received="2026-07-06 12:00"),
            None,
            zone=ZONE,
            complete_through=None,
        )


def test_the_verdict_depends_on_written_instants_alone() -> None:
    a_case = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:10")
    verdicts = {
        judge_case(measure(wait()), a_case, GENERAL, zone=ZONE, complete_through=known)
        for known in (None, local("1999-01-01"), local("2099-01-01"))
    }
    assert len(verdicts) == 1


def test_a_question_may_be_named_like_the_service_of_its_case() -> None:
    """What a case is by its place is no answer to a question of that name."""
    asked = part(
        "mean",
        population={"event": "survey.answered", "anchor": "occurred", "where": {"unidad": ["U1"]}},
        value={"kind": "number", "field": "servicio", "lowest": 0, "highest": 10},
    )
    place = {"servicio": "7", "unidad": "U1"}
    answered = case(survey_answered="2026-09-07 10:00", attributes={"servicio": "9"}, place=place)
    silent = case(survey_answered="2026-09-07 10:00", place=place)
    assert judged(asked, answered).amount == 90_000
    assert judged(asked, silent).reason == CaseReason.NO_ANSWER


# When a case came under its promise


@pytest.mark.parametrize(
    ("clock", "events", "start"),
    [
        ({"event": "report.received"}, {"report_received": "09:00"}, "09:00"),
        (
            {"first_of": ["call.queued", "chat.opened"]},
            {"chat_opened": "09:05", "call_queued": "09:10"},
            "09:05",
        ),
        # Also where the clock itself starts with the last of several: the promise is older.
        (
            {"max_of": ["call.queued", "chat.opened"]},
            {"chat_opened": "09:05", "call_queued": "09:10"},
            "09:05",
        ),
        ({"event": "call.queued"}, {}, "08:00"),
    ],
)
def test_a_case_comes_under_a_promise_when_its_clock_starts(
    clock: dict[str, object], events: dict[str, str], start: str
) -> None:
    timed = wait(
        population={"event": "ticket.issued", "anchor": "occurred"},
        clock={"start": clock, "stop": {"event": "ticket.called"}, "unit": "min"},
    )
    told = {name: f"2026-07-06 {at}" for name, at in events.items()}
    a_case = case(ticket_issued="2026-07-06 08:00", **told)
    assert prepare(measure(timed), GENERAL, zone=ZONE).started_at(a_case) == local(
        f"2026-07-06 {start}"
    )


def test_a_date_set_beforehand_is_no_start() -> None:
    # The visit was agreed in June, under the version of June, for a day in July.
    agreed = wait(
        population={"event": "visit.scheduled", "anchor": "due"},
        clock={
            "start": {"event": "visit.scheduled_for"},
            "stop": {"event": "visit.done"},
            "unit": "h",
            "from_due": True,
        },
    )
    visit = case(visit_scheduled="2026-06-20 09:00", visit_scheduled_for="2026-07-06 09:00")
    assert prepare(measure(agreed), GENERAL, zone=ZONE).started_at(visit) == local(
        "2026-06-20 09:00"
    )
    assert (
        prepare(measure(agreed), GENERAL, zone=ZONE).started_at(case(visit_done="2026-07-06 09:00"))
        is None
    )
    counted = part("count", population={"event": "visit.done", "anchor": "occurred"})
    assert prepare(measure(counted), GENERAL, zone=ZONE).started_at(
        case(visit_done="2026-07-06 09:00")
    ) == (local("2026-07-06 09:00"))


@pytest.mark.parametrize(
    ("known", "status", "reason"),
    [
        (None, CaseStatus.PENDING, CaseReason.WAITING_FOR_START),
        ("2026-07-06 07:59:59.999999", CaseStatus.PENDING, CaseReason.WAITING_FOR_START),
        # All is known through the ticket: the call that should have come with it never did.
        ("2026-07-06 08:00", CaseStatus.EXCLUDED, CaseReason.NO_START),
    ],
)
def test_a_clock_that_never_started_is_waited_for_until_all_is_known(
    known: str | None, status: CaseStatus, reason: CaseReason
) -> None:
    clock = {"start": {"event": "call.queued"}, "stop": {"event": "ticket.called"}, "unit": "min"}
    timed = wait(population={"event": "ticket.issued", "anchor": "due"}, clock=clock)
    stopped = case(ticket_issued="2026-07-06 08:00", ticket_called="2026-07-06 08:05")
    verdict = judged(timed, stopped, known=known)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert verdict.anchor_instant == local("2026-07-06 08:00")


def test_what_ends_as_it_starts_took_nothing_and_is_no_fault() -> None:
    at_once = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 10:00")
    verdict = judged(wait(), at_once)
    assert (verdict.status, verdict.amount) == (CaseStatus.MET, 0)
    backwards = case(ticket_issued="2026-07-06 10:00", ticket_called="2026-07-06 09:59:59.999999")
    assert judged(wait(), backwards).reason == CaseReason.STOP_BEFORE_START


def test_what_ended_without_a_start_is_told_where_it_ended() -> None:
    clock = {"start": {"event": "call.queued"}, "stop": {"event": "ticket.called"}, "unit": "min"}
    timed = wait(population={"event": "ticket.issued", "anchor": "closed"}, clock=clock)
    stopped = case(ticket_issued="2026-06-30 23:59", ticket_called="2026-07-01 00:05")
    assert judged(timed, stopped).anchor_instant == local("2026-07-01 00:05")


# Numbers held to a limit of their own


SCORED = {"event": "instrument.scored", "anchor": "occurred"}


def points(**limit: object) -> Part:
    value = {"kind": "number", "field": "puntos"}
    return part("share_within", population=SCORED, value=value, limit={"op": ">=", **limit})


@pytest.mark.parametrize(
    ("limit", "attributes", "status", "reason"),
    [
        ({"by": "tipo", "values": {"a": 5, "b": 9}}, {"tipo": "a"}, CaseStatus.MET, None),
        ({"by": "tipo", "values": {"a": 5, "b": 9}}, {"tipo": "b"}, CaseStatus.FAILED, None),
        (
            {"by": "tipo", "values": {"a": 5, "b": 9}},
            {"tipo": "c"},
            CaseStatus.EXCLUDED,
            CaseReason.UNKNOWN_LIMIT,
        ),
        (
            {"by": "tipo", "values": {"a": 5, "b": 9}},
            {},
            CaseStatus.EXCLUDED,
            CaseReason.UNKNOWN_LIMIT,
        ),
        # 7 of 8.75 possible points are exactly 80 %.
        ({"field": "posibles", "factor": "0.8"}, {"posibles": "8.75"}, CaseStatus.MET, None),
        ({"field": "posibles", "factor": "0.8"}, {"posibles": "8.7501"}, CaseStatus.FAILED, None),
        (
            {"field": "posibles", "factor": "0.8"},
            {"posibles": "nueve"},
            CaseStatus.EXCLUDED,
            CaseReason.UNKNOWN_LIMIT,
        ),
    ],
)
def test_a_number_may_be_held_to_a_limit_of_the_case(
    limit: dict[str, object],
    attributes: dict[str, str],
    status: CaseStatus,
    reason: CaseReason | None,
) -> None:
    a_case = case(instrument_scored="2026-09-07 10:00", attributes={"puntos": "7", **attributes})
    verdict = judged(points(**limit), a_case)
    assert (verdict.status, verdict.reason) == (status, reason)


def test_a_contest_that_was_accepted_also_takes_out_what_is_only_counted() -> None:
    contested = frozenset({ContestReason.FORCE_MAJEURE.value})
    counted = part("count", population={"event": "visit.done", "anchor": "occurred"})
    down = part(
        "sum",
        population={"event": "visit.done", "anchor": "occurred"},
        value={"kind": "outage", "stop": "outage.ended", "unit": "min"},
    )
    visit = case(visit_done="2026-09-07 10:00", exclusions=contested)
    for each in (counted, down):
        assert judged(each, visit).reason == ContestReason.FORCE_MAJEURE
        assert (
            judged(each, happening(visit, "outage.ended", local("2026-09-07 11:00"))).span is None
        )


def test_what_is_owed_cannot_be_judged_without_its_calendar() -> None:
    monthly = part(
        "deadline",
        population={"event": "document.published", "anchor": "occurred"},
        recurrence={"every": "month", "calendar": "HAB-GRAL"},
    )
    published = case(document_published="2026-09-07 10:00")
    with pytest.raises(ValueError, match="expected by a calendar"):
        judge_case(measure(monthly), published, None, zone=ZONE, complete_through=None)
