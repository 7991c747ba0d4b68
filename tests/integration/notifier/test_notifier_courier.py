"""How mail is taken to the server: sessions, their ends, stops, and what is recorded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from services.notifier.smtp import Sent
from services.notifier.use_cases.breaches import take_breaches
from services.notifier.use_cases.delivery import send_sign_in
from shared.messaging import transaction
from tests.integration.notifier.support import MailServer, Notifier
from tests.support.waiting import eventually
from tests.unit.notifier import builders as b

LATER = b.NOON + timedelta(minutes=1)
WAITING = "SELECT count(*) FROM mail WHERE state = 'waiting'"
FREE = "SELECT count(*) FROM mail WHERE state = 'waiting' AND leased_until IS NULL"


async def write(desk: Notifier, count: int) -> None:
    await desk.take(*(b.breach(unit=f"caja-{number}") for number in range(count)))


async def write_to(desk: Notifier, *mailboxes: str) -> None:
    async with desk.at(b.NOON) as tx:
        for mailbox in mailboxes:
            link = f"https://cartas.puerto.example/entrar/{mailbox}"
            await send_sign_in(tx, desk.office, mailbox=mailbox, link=link, valid_minutes=600)


@asynccontextmanager
async def running(
    desk: Notifier, now: list[datetime], **settings: float
) -> AsyncIterator["asyncio.Task[None]"]:
    """A courier at work; `now` holds the time of its clock."""
    task = asyncio.create_task(desk.courier(lambda: now[0], **settings).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_many_mails_share_a_few_sessions(desk: Notifier, server: MailServer) -> None:
    await write(desk, 30)
    await desk.deliver()

    assert len(server.accepted) == 30
    assert len(server.sessions) <= desk.settings.smtp_connections
    assert {line.outcome for line in await desk.ledger()} == {"accepted"}
    assert len(await desk.ledger()) == 30


@pytest.mark.parametrize("farewell", [None, "421 4.4.2 Closing", "452 4.5.3 Too many mails"])
async def test_a_session_that_the_server_ends_between_mails_costs_no_attempt(
    desk: Notifier, server: MailServer, farewell: str | None
) -> None:
    server.mails_a_session, server.farewell = 2, farewell
    await write(desk, 12)
    await desk.deliver()

    assert len(server.accepted) == len(server.offered) == 12
    assert {line.outcome for line in await desk.ledger()} == {"accepted"}
    assert len(server.sessions) >= 6


async def test_a_server_that_hangs_up_before_it_answers_is_offered_the_same_bytes_later(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["a@puerto.example"] = ["hang up"]
    await write_to(desk, "a@puerto.example", "b@puerto.example", "c@puerto.example")
    await desk.deliver()
    assert sorted(server.told) == ["b@puerto.example", "c@puerto.example"]
    await desk.deliver(LATER + timedelta(seconds=15))

    first, second = [raw for recipient, raw in server.offered if recipient == "a@puerto.example"]
    assert first == second
    assert await desk.pool.fetchval(WAITING) == 0


async def test_one_refused_mail_leaves_the_others_of_its_session_alone(
    desk: Notifier, server: MailServer
) -> None:
    mailboxes = [f"m{number}@puerto.example" for number in range(12)]
    server.answers[mailboxes[3]] = ["550 5.1.1 No such user"]
    server.answers[mailboxes[5]] = [server_says := "451 4.3.0 Later"]
    await write_to(desk, *mailboxes)
    courier = desk.courier(lambda: LATER, smtp_connections=1)
    await courier.deliver_due()
    await courier.close()

    assert sorted(server.told) == sorted({*mailboxes} - {mailboxes[3], mailboxes[5]})
    assert len(server.sessions) == 1
    rows = await desk.pool.fetch("SELECT mailbox, outcome, code, reply FROM delivery")
    said = {row["mailbox"]: (row["outcome"], row["code"], row["reply"]) for row in rows}
    assert said[mailboxes[3]] == (Sent.REFUSED, 550, "5.1.1 No such user")
    assert said[mailboxes[5]] == (Sent.DEFERRED, 451, server_says.removeprefix("451 "))
    assert await desk.pool.fetchval("SELECT mailbox FROM rejecting_mailbox") == mailboxes[3]


async def test_mail_goes_out_when_it_is_committed_without_waiting_for_the_beat(
    desk: Notifier, server: MailServer
) -> None:
    await write_to(desk, "a@puerto.example")
    now = [b.NOON + timedelta(hours=1)]
    async with running(desk, now, delivery_poll_seconds=600):
        await eventually(lambda: len(server.accepted) == 1, what="what waited at the start")
        async with transaction(desk.pool, service="notifier") as tx:
            tx.now = b.NOON
            await take_breaches(tx, desk.office, [b.breach()])
        await eventually(lambda: len(server.accepted) == 2, what="what was written meanwhile")


async def test_a_stop_finishes_the_mails_under_way_and_gives_back_the_others(
    desk: Notifier, server: MailServer
) -> None:
    gate = server.hold()
    await write(desk, 12)
    async with running(desk, [LATER], smtp_attempt_seconds=20) as task:
        await eventually(lambda: len(server.offered) == 4, what="every session is busy")
        task.cancel()
        gate.set()
        await asyncio.gather(task, return_exceptions=True)

    assert len(server.accepted) == 4
    assert await desk.pool.fetchval(FREE) == 8
    assert await desk.pool.fetchval("SELECT count(*) FROM delivery") == 4


async def test_what_has_waited_in_hand_for_long_is_leased_anew_before_it_is_offered(
    desk: Notifier, server: MailServer
) -> None:
    first_gate = server.hold()
    await write(desk, 3)
    now = [LATER]
    async with running(desk, now, smtp_attempt_seconds=20, smtp_connections=1):
        await eventually(lambda: len(server.offered) == 1, what="one under way, two in hand")
        second_gate = server.hold()
        now[0] += timedelta(seconds=11)
        first_gate.set()
        await eventually(lambda: len(server.offered) == 2, what="the next under way")
        leases = await desk.pool.fetch("SELECT leased_until FROM mail WHERE state = 'waiting'")
        second_gate.set()
        await eventually(lambda: len(server.accepted) == 3, what="all of them")

    assert [row["leased_until"] for row in leases] == [now[0] + timedelta(seconds=35)] * 2
    assert len(server.offered) == 3
