import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.notifier import api
from services.notifier.domain.lifecycle import Step
from services.notifier.store import terms
from services.notifier.use_cases.actions import escalate
from services.notifier.use_cases.steps import (
    Filing,
    IllegalStepError,
    Request,
    StaleStepError,
    StepNotAllowedError,
    UnknownActionError,
    revoke_links,
    take_step,
)
from shared.contracts.breaches import BreachKind
from shared.contracts.cartas import Status
from shared.contracts.corrective_actions import ActionState, CauseCategory
from shared.http import install_problems, service_client
from tests.integration.notifier.support import MailServer, Notifier
from tests.unit.notifier import builders as b

ACTION = "INC-2026-0001"
ACKNOWLEDGE_DUE = b.NOON.replace(day=15, hour=6)
"""End of Monday the 14th: two working days after Thursday the 10th."""
PLAN_DUE = b.NOON.replace(day=26, hour=6)
FILING = Filing(
    cause_category=CauseCategory.DEMAND,
    cause="Más turnos que ventanillas entre las 9 y las 11.",
    containment="Se abrió una ventanilla más.",
    plan="Dos ventanillas fijas de 9 a 11.",
    planned_for=date(2026, 10, 1),
    propose_change=False,
)


async def take(
    desk: Notifier, step: Step, *, post: str = "enlace", now: datetime = b.NOON, **fields: Any
) -> ActionState:
    async with desk.at(now) as tx:
        request = Request(step, ACTION, post, **fields)
        return (await take_step(tx, desk.office, request)).state


async def escalate_at(desk: Notifier, now: datetime) -> int:
    told = 0
    async with desk.at(now) as tx:
        due = await terms.due_actions(tx.connection, now, limit=10)
    for action in due:
        async with desk.at(now) as tx:
            told += await escalate(tx, desk.office, action)
    return told


async def changes(desk: Notifier) -> list[str]:
    return [json.loads(payload)["data"]["change"] for payload in await desk.outbox()]


async def test_the_life_of_an_action_as_others_hear_of_it(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    await take(desk, Step.ACKNOWLEDGE)
    await take(desk, Step.FILE, filing=FILING)
    await take(desk, Step.RETURN, post="coordinacion", reason="Falta la fecha.")
    await take(desk, Step.FILE, filing=FILING)
    state = await take(desk, Step.APPROVE, post="coordinacion", public_text="Dos ventanillas más.")
    await desk.deliver()

    assert state is ActionState.APPROVED
    assert await changes(desk) == [
        "requested",
        "acknowledged",
        "filed",
        "returned",
        "filed",
        "approved",
    ]
    kinds = await desk.pool.fetch("SELECT kind FROM mail ORDER BY kind")
    assert [row["kind"] for row in kinds] == ["approved", "breached", "returned"]
    assert server.told == ["enlace@puerto.example"] * 3


async def test_no_text_of_the_unit_travels_before_the_coordination_approved_one(
    desk: Notifier,
) -> None:
    await desk.take(b.breach())
    await take(desk, Step.FILE, filing=FILING)
    await take(desk, Step.RETURN, post="coordinacion", reason="Motivo interno.")
    await take(desk, Step.FILE, filing=FILING)
    await take(desk, Step.APPROVE, post="coordinacion", public_text="Texto público.")

    *before, last = await desk.outbox()
    for payload in (*before, last):
        for text in (FILING.cause, FILING.plan, FILING.containment, "Motivo interno."):
            assert text not in payload
    assert not any("Texto público." in payload for payload in before)
    assert json.loads(last)["data"]["public_text"] == "Texto público."


async def test_a_form_that_is_sent_twice_counts_once(desk: Notifier, server: MailServer) -> None:
    await desk.take(b.breach())
    for _ in range(2):
        await take(desk, Step.ACKNOWLEDGE)
    for _ in range(2):
        await take(desk, Step.FILE, filing=FILING)
    for _ in range(2):
        await take(desk, Step.RETURN, post="coordinacion", reason="Falta la causa.")
    await desk.deliver()

    assert await changes(desk) == ["requested", "acknowledged", "filed", "returned"]
    assert len(server.accepted) == 2


async def test_a_form_that_is_sent_twice_at_once_counts_once(desk: Notifier) -> None:
    await desk.take(b.breach())
    await asyncio.gather(*(take(desk, Step.FILE, filing=FILING) for _ in range(4)))

    assert await changes(desk) == ["requested", "filed"]


async def test_an_illegal_step_says_what_is_allowed(desk: Notifier) -> None:
    await desk.take(b.breach())
    with pytest.raises(IllegalStepError) as refused:
        await take(desk, Step.APPROVE, post="coordinacion")

    assert refused.value.allowed == (Step.ACKNOWLEDGE, Step.FILE)


async def test_a_stale_page_is_refused(desk: Notifier) -> None:
    await desk.take(b.breach())
    await take(desk, Step.FILE, filing=FILING, seen=1)
    await take(desk, Step.RETURN, post="coordinacion", reason="Falta.", seen=2)
    await take(desk, Step.FILE, filing=FILING, seen=3)
    with pytest.raises(StaleStepError):
        await take(desk, Step.RETURN, post="coordinacion", reason="Falta.", seen=2)


@pytest.mark.parametrize("post", ["contraloria", "nobody", "obras"])
async def test_posts_without_a_say_are_refused(desk: Notifier, post: str) -> None:
    await desk.learn(b.published(b.post("obras", unit="obras")))
    await desk.take(b.breach())
    with pytest.raises(StepNotAllowedError):
        await take(desk, Step.ACKNOWLEDGE, post=post)


async def test_a_unit_does_not_approve_its_own_action(desk: Notifier) -> None:
    await desk.take(b.breach())
    await take(desk, Step.FILE, filing=FILING)
    with pytest.raises(StepNotAllowedError):
        await take(desk, Step.APPROVE, post="titular")


async def test_an_unknown_action_is_named(desk: Notifier) -> None:
    with pytest.raises(UnknownActionError):
        await take(desk, Step.ACKNOWLEDGE)


async def test_nobody_is_escalated_before_the_term_has_passed(desk: Notifier) -> None:
    await desk.take(b.breach())

    assert await escalate_at(desk, ACKNOWLEDGE_DUE - timedelta(microseconds=1)) == 0


async def test_without_acknowledgement_the_next_level_is_told_once(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    await desk.deliver()
    for _ in range(3):
        await escalate_at(desk, ACKNOWLEDGE_DUE)
    await desk.deliver(ACKNOWLEDGE_DUE + timedelta(minutes=1))

    assert server.told == ["enlace@puerto.example", "titular@puerto.example"]


async def test_without_plan_dependencia_and_coordination_are_told_in_turn(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    await take(desk, Step.ACKNOWLEDGE)
    assert await escalate_at(desk, ACKNOWLEDGE_DUE) == 0
    assert await escalate_at(desk, PLAN_DUE) == 1
    assert await escalate_at(desk, PLAN_DUE + timedelta(days=30)) == 1
    await desk.deliver(PLAN_DUE + timedelta(days=31))

    assert sorted(server.told) == [
        "coordinacion@puerto.example",
        "direccion@puerto.example",
        "enlace@puerto.example",
    ]


async def test_after_a_long_stop_each_step_is_caught_up_with_once(desk: Notifier) -> None:
    await desk.take(b.breach())

    assert await escalate_at(desk, PLAN_DUE + timedelta(days=60)) == 3
    assert await escalate_at(desk, PLAN_DUE + timedelta(days=61)) == 0
    posts = await desk.pool.fetch("SELECT post FROM mail ORDER BY post")
    assert [row["post"] for row in posts] == ["coordinacion", "direccion", "enlace", "titular"]


async def test_an_escalation_goes_past_a_level_that_was_told_already(desk: Notifier) -> None:
    await desk.learn(b.published(b.ENLACE.model_copy(update={"version": 2, "mailbox": None})))
    await desk.take(b.breach())  # falls to the titular
    await escalate_at(desk, ACKNOWLEDGE_DUE)

    posts = await desk.pool.fetch("SELECT post FROM mail ORDER BY created_at")
    assert [row["post"] for row in posts] == ["titular", "direccion"]


async def test_filing_in_time_stops_all_terms(desk: Notifier) -> None:
    await desk.take(b.breach())
    await take(desk, Step.FILE, filing=FILING)

    assert await escalate_at(desk, PLAN_DUE + timedelta(days=60)) == 0


async def test_a_returned_plan_has_its_term_again_from_the_return(desk: Notifier) -> None:
    await desk.take(b.breach())
    await take(desk, Step.FILE, filing=FILING)
    late = PLAN_DUE + timedelta(days=30)
    await take(desk, Step.RETURN, post="coordinacion", reason="Falta.", now=late)

    assert await escalate_at(desk, late + timedelta(days=2)) == 0
    assert await escalate_at(desk, late + timedelta(days=60)) == 2


async def test_nobody_is_escalated_for_a_window_that_recovered(desk: Notifier) -> None:
    await desk.take(b.breach(), b.breach(BreachKind.RECOVERED))

    assert await escalate_at(desk, PLAN_DUE + timedelta(days=60)) == 0


async def test_a_recovered_window_that_breaks_again_is_asked_for_again(desk: Notifier) -> None:
    await desk.take(b.breach(window=b.month(8)), b.breach(BreachKind.RECOVERED, window=b.month(8)))
    later = b.NOON + timedelta(days=30)
    await desk.take(b.breach(window=b.month(9)), now=later)

    assert await escalate_at(desk, later) == 0
    assert await escalate_at(desk, later + timedelta(days=60)) == 3


async def test_steps_and_escalations_at_once_do_not_block_each_other(desk: Notifier) -> None:
    await desk.take(b.breach())
    await asyncio.gather(
        escalate_at(desk, ACKNOWLEDGE_DUE),
        take(desk, Step.ACKNOWLEDGE, now=ACKNOWLEDGE_DUE),
        escalate_at(desk, ACKNOWLEDGE_DUE),
    )

    told = await desk.pool.fetchval("SELECT count(*) FROM alert WHERE kind = 'not_acknowledged'")
    escalated = await desk.pool.fetchval(
        "SELECT count(*) FROM deadline WHERE outcome = 'escalated'"
    )
    assert told == escalated


@pytest_asyncio.fixture
async def http(desk: Notifier) -> AsyncIterator[httpx.AsyncClient]:
    """The notifier's API over its own database, called with the service credential."""
    app = FastAPI()
    install_problems(app)
    app.include_router(api.router(desk.office))
    app.state.context = desk
    async with service_client(desk.settings) as known:
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": known.headers["Authorization"]}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://notifier", headers=headers
        ) as client:
            yield client


def token_of(server: MailServer) -> str:
    body = server.messages()[0].get_body(("plain",))
    assert body is not None
    [link] = [line for line in body.get_content().splitlines() if "/a/" in line]
    return str(link.rpartition("/")[2])


async def test_the_link_of_the_mail_opens_the_action_until_it_is_revoked(
    desk: Notifier, server: MailServer, http: httpx.AsyncClient
) -> None:
    await desk.take(b.breach())
    await desk.deliver()
    token = token_of(server)

    opened = await http.get(f"/v1/links/{token}")
    assert opened.status_code == 200
    assert opened.json()["post"] == "enlace"
    assert opened.json()["action"]["triggers"][0]["data"]["failing_cases"] == ["VU-1042", "VU-1043"]
    async with desk.at(b.NOON) as tx:
        await revoke_links(tx, ACTION)
    assert (await http.get(f"/v1/links/{token}")).status_code == 410
    assert (await http.get("/v1/links/never-signed")).status_code == 404


async def test_a_link_ends_when_its_action_closes(
    desk: Notifier, server: MailServer, http: httpx.AsyncClient
) -> None:
    await desk.take(b.breach())
    await desk.deliver()
    await desk.pool.execute("UPDATE action SET state = 'closed'")

    closed = await http.get(f"/v1/links/{token_of(server)}")
    assert (closed.status_code, closed.json()["reason"]) == (410, "closed")


async def test_a_link_ends_with_its_post(
    desk: Notifier, server: MailServer, http: httpx.AsyncClient
) -> None:
    await desk.take(b.breach())
    await desk.deliver()
    retired = b.ENLACE.model_copy(update={"version": 2, "status": Status.RETIRED})
    await desk.learn(b.published(retired))

    assert (await http.get(f"/v1/links/{token_of(server)}")).status_code == 410


async def test_steps_over_http_are_idempotent_and_refuse_by_name(
    desk: Notifier, http: httpx.AsyncClient
) -> None:
    await desk.take(b.breach())
    form = {
        "post": "enlace",
        "cause_category": "demanda",
        "cause": "Más turnos que ventanillas.",
        "plan": "Dos ventanillas más.",
        "planned_for": "2026-10-01",
    }
    answers = [await http.post(f"/v1/actions/{ACTION}/file", json=form) for _ in range(2)]
    assert [answer.json()["state"] for answer in answers] == ["filed", "filed"]
    assert answers[0].json() == answers[1].json()

    illegal = await http.post(f"/v1/actions/{ACTION}/file", json={**form, "plan": "Otro."})
    assert illegal.status_code == 409
    assert illegal.json()["allowed"] == ["approve", "return"]
    refused = await http.post(f"/v1/actions/{ACTION}/approve", json={"post": "enlace"})
    assert refused.status_code == 403
    empty = await http.post(f"/v1/actions/{ACTION}/return", json={"post": "coordinacion"})
    assert empty.status_code == 422
    unknown = await http.post("/v1/actions/INC-1/acknowledge", json={"post": "enlace"})
    assert unknown.status_code == 404


async def test_lists_and_the_ledger_over_http(desk: Notifier, http: httpx.AsyncClient) -> None:
    await desk.take(b.breach(), b.breach(unit="caja-1"))
    await desk.deliver()

    listed = (await http.get("/v1/actions", params={"municipality": b.M})).json()["actions"]
    assert {each["action"] for each in listed} == {"INC-2026-0001", "INC-2026-0002"}
    above = await http.get("/v1/actions", params={"municipality": b.M, "unit": "tesoreria"})
    assert len(above.json()["actions"]) == 2
    other = await http.get("/v1/actions", params={"municipality": b.M, "unit": "obras"})
    assert other.json()["actions"] == []
    approved = await http.get("/v1/actions", params={"municipality": b.M, "state": "approved"})
    assert approved.json()["actions"] == []
    sent = await http.get("/v1/deliveries", params={"municipality": b.M, "action": ACTION})
    assert [line["outcome"] for line in sent.json()["deliveries"]] == ["accepted"]


async def test_nothing_is_answered_without_the_service_credential(http: httpx.AsyncClient) -> None:
    for wrong in ("", "Bearer", "Bearer x"):
        answer = await http.get(f"/v1/actions/{ACTION}", headers={"Authorization": wrong})
        assert answer.status_code == 401


async def test_sign_in_mail_leads_to_the_portal_only(http: httpx.AsyncClient) -> None:
    mail = {"mailbox": "jefa@puerto.example", "valid_minutes": 15}
    elsewhere = "https://cartas.puerto.example.evil.example/entrar/k"

    refused = await http.post("/v1/mails/sign-in", json={**mail, "link": elsewhere})
    assert refused.status_code == 422
    taken = await http.post(
        "/v1/mails/sign-in", json={**mail, "link": "https://cartas.puerto.example/entrar/k"}
    )
    assert taken.status_code == 202
    hostile = {**mail, "mailbox": "a@b.example,c@d.example"}
    twice = await http.post(
        "/v1/mails/sign-in", json={**hostile, "link": "https://cartas.puerto.example/entrar/k"}
    )
    assert twice.status_code == 422
