import asyncio
import json
from datetime import UTC, datetime, timedelta

from services.notifier.deadlines import catch_up_with_catalogue, send_digests
from services.notifier.smtp import Answer, Sent
from services.notifier.store import mails
from services.notifier.use_cases.delivery import record, send_sign_in
from services.notifier.use_cases.digests import send_digest
from shared.contracts.breaches import BreachKind
from shared.contracts.cartas import QuietHours
from tests.integration.notifier.support import MailServer, Notifier, notifier
from tests.support.databases import FreshDatabase
from tests.unit.notifier import builders as b

FOLIO = "BZ-2026-000001-K"


async def test_a_breach_opens_one_action_and_mails_the_post_that_answers(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    await desk.deliver()

    assert server.told == ["enlace@puerto.example"]
    [message] = server.messages()
    assert message["Subject"].startswith("[INC-2026-0001] ")
    [changed] = [json.loads(payload) for payload in await desk.outbox()]
    assert changed["data"]["change"] == "requested"
    assert changed["data"]["acknowledge_by"] == "2026-09-15T06:00:00Z"
    [line] = await desk.ledger()
    assert (line.post, line.outcome, line.code) == ("enlace", "accepted", 250)
    assert line.reply == "2.0.0 Queued"


async def test_the_same_breach_delivered_again_is_told_once(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach(), b.breach())
    await desk.take(b.breach(), now=b.NOON + timedelta(hours=1))
    await desk.deliver()

    assert len(server.accepted) == 1
    assert len(await desk.outbox()) == 1


async def test_history_raises_no_mail_and_opens_no_action(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(
        b.breach(historical=True),
        b.breach(BreachKind.COMPLAINT_TRIGGER, folio=FOLIO, historical=True),
        b.breach(BreachKind.RECOVERED, historical=True),
    )
    await desk.deliver()

    assert server.offered == []
    assert await desk.outbox() == []
    assert await desk.pool.fetchval("SELECT count(*) FROM action") == 0


async def test_an_upheld_complaint_joins_the_action_of_its_window(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    await desk.take(b.breach(BreachKind.COMPLAINT_TRIGGER, folio=FOLIO, parts=()))
    await desk.deliver()

    last = json.loads((await desk.outbox())[-1])["data"]
    assert last["action"] == "INC-2026-0001"
    assert last["folios"] == [FOLIO]
    assert last["revision"] == 2
    second, first = sorted(server.messages(), key=lambda mail: str(mail["Subject"]))
    assert second["Subject"] == f"Re: {first['Subject']}"
    assert second["In-Reply-To"] == first["Message-ID"]
    assert FOLIO not in str(second["Subject"])


async def test_a_breach_in_the_next_window_joins_and_is_told_one_level_up(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach(window=b.month(8)))
    await desk.take(b.breach(window=b.month(9)), now=b.NOON + timedelta(days=30))
    await desk.deliver(b.NOON + timedelta(days=30, minutes=1))

    assert await desk.pool.fetchval("SELECT level FROM action") == 2
    assert sorted(server.told) == [
        "enlace@puerto.example",
        "enlace@puerto.example",
        "titular@puerto.example",
    ]


async def test_a_breach_after_a_good_window_is_an_action_of_its_own(desk: Notifier) -> None:
    await desk.take(b.breach(window=b.month(6)), b.breach(window=b.month(8)))

    numbers = await desk.pool.fetch("SELECT action FROM action ORDER BY action")
    assert [row["action"] for row in numbers] == ["INC-2026-0001", "INC-2026-0002"]


async def test_offices_of_one_compromiso_have_actions_of_their_own(desk: Notifier) -> None:
    await desk.take(b.breach(unit="caja-1"), b.breach(unit="caja-2"))

    assert await desk.pool.fetchval("SELECT count(*) FROM action") == 2


async def test_recovered_is_told_once_and_stops_the_terms(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    await desk.take(b.breach(BreachKind.RECOVERED))
    await desk.take(b.breach(BreachKind.RECOVERED, time=b.NOON + timedelta(days=1)))
    await desk.deliver()

    assert len(server.accepted) == 2
    pending = await desk.pool.fetchval("SELECT count(*) FROM deadline WHERE outcome = 'pending'")
    assert pending == 0


async def test_a_breach_that_holds_again_after_recovering_is_asked_for_again(
    desk: Notifier, server: MailServer
) -> None:
    again = b.breach(BreachKind.CONFIRMED, time=b.NOON + timedelta(days=2))
    await desk.take(b.breach(), b.breach(BreachKind.RECOVERED))
    await desk.take(again, again, now=b.NOON + timedelta(days=2))
    await desk.deliver(b.NOON + timedelta(days=2, minutes=1))

    assert len(server.accepted) == 3
    pending = await desk.pool.fetchval("SELECT count(*) FROM deadline WHERE outcome = 'pending'")
    assert pending == 3


async def test_a_confirmation_of_what_stands_is_not_told(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach(), b.breach(BreachKind.CONFIRMED))
    await desk.deliver()

    assert len(server.accepted) == 1


async def test_a_recovery_of_what_was_never_said_is_not_told(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach(BreachKind.RECOVERED))
    await desk.deliver()

    assert server.offered == []


async def test_late_cases_are_noted_and_not_mailed(desk: Notifier, server: MailServer) -> None:
    late = [b.breach(BreachKind.LATE_CASE, case=f"VU-{number}") for number in range(3)]
    await desk.take(*late, *late)
    await desk.deliver()

    assert server.offered == []
    assert await desk.pool.fetchval("SELECT count(*) FROM notice") == 3


async def test_a_risk_is_told_once_for_a_window_and_asks_for_nothing(
    desk: Notifier, server: MailServer
) -> None:
    risk = b.breach(BreachKind.AT_RISK, parts=(b.at_risk(),))
    again = b.breach(BreachKind.AT_RISK, parts=(b.at_risk(),), time=b.NOON + timedelta(days=2))
    await desk.take(risk, risk)
    await desk.take(again)
    await desk.deliver()

    [message] = server.messages()
    body = message.get_body(("plain",))
    assert body is not None
    assert (
        "Quedan 12 casos abiertos; si 3 más no cumplen, no se cumple, salvo" in body.get_content()
    )
    assert "Si llegan 300 casos, como en el mismo periodo del año anterior" in body.get_content()
    assert message["Subject"] == "Compromiso en riesgo: Pago del impuesto predial"
    assert await desk.pool.fetchval("SELECT count(*) FROM action") == 0


async def test_a_risk_that_is_past_is_told_to_nobody(desk: Notifier, server: MailServer) -> None:
    await desk.take(b.breach(BreachKind.AT_RISK, parts=(b.at_risk(),), historical=True))
    await desk.deliver()

    assert server.offered == []


async def test_a_server_that_is_busy_gets_the_same_bytes_again(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["enlace@puerto.example"] = ["451 4.3.0 Later"]
    await desk.take(b.breach())
    await desk.deliver()
    assert server.accepted == []
    await desk.deliver(b.NOON + timedelta(days=1))

    (_, first), (_, second) = server.offered
    assert first == second
    assert [line.outcome for line in await desk.ledger()] == ["deferred", "accepted"]
    assert [line.code for line in await desk.ledger()] == [451, 250]


async def test_a_server_that_says_nothing_is_left_and_asked_again(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["enlace@puerto.example"] = ["silence"]
    await desk.take(b.breach())
    await desk.deliver()
    await desk.deliver(b.NOON + timedelta(days=1))

    assert server.told == ["enlace@puerto.example"]
    first, second = await desk.ledger()
    assert (first.outcome, first.code) == ("deferred", None)
    assert "Timeout" in first.reply
    assert second.outcome == "accepted"


async def test_a_silent_server_holds_up_its_own_mail_only(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["enlace@puerto.example"] = ["silence"]
    await desk.take(*(b.breach(unit=f"caja-{number}") for number in range(12)))
    await desk.deliver()

    assert len(server.accepted) == 11


async def test_no_server_at_all_loses_nothing(database: FreshDatabase, server: MailServer) -> None:
    async with notifier(await database("notifier"), MailServer(port=1)) as desk:
        await desk.learn(b.catalogue())
        await desk.take(b.breach())
        await desk.deliver()

        [line] = await desk.ledger()
        assert (line.outcome, line.code) == ("deferred", None)
        assert await desk.pool.fetchval("SELECT state FROM mail") == "waiting"
        async with desk.at(b.NOON) as tx:
            waiting = await mails.waiting(tx.connection, tx.now)
        assert waiting["undelivered"] == 1, "it was tried, and is not due again yet"


async def test_a_refused_mailbox_falls_to_the_next_level_visibly(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["enlace@puerto.example"] = ["550 5.1.1 No such user"]
    await desk.take(b.breach())
    await desk.deliver(b.NOON + timedelta(days=1))

    assert server.told == ["titular@puerto.example"]
    refused, accepted = await desk.ledger()
    assert (refused.post, refused.outcome, refused.code) == ("enlace", "refused", 550)
    assert "No such user" in refused.reply
    assert (accepted.post, accepted.outcome) == ("titular", "accepted")


async def test_the_next_alert_does_not_try_a_refused_mailbox_again(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["enlace@puerto.example"] = ["550 5.1.1 No such user"]
    await desk.take(b.breach())
    await desk.deliver(b.NOON + timedelta(days=1))
    await desk.take(b.breach(unit="caja-1"))
    await desk.deliver(b.NOON + timedelta(days=1))

    assert server.told == ["titular@puerto.example", "titular@puerto.example"]
    assert "rejected_before" in [line.outcome for line in await desk.ledger()]


async def test_a_mailbox_that_takes_mail_again_is_told_again(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["enlace@puerto.example"] = ["550 5.2.1 Disabled"]
    await desk.take(b.breach())
    await desk.deliver(b.NOON + timedelta(days=1))
    async with desk.at(b.NOON) as tx:
        await send_sign_in(
            tx,
            desk.office,
            mailbox="enlace@puerto.example",
            link="https://cartas.puerto.example/entrar/k",
            valid_minutes=60 * 24,
        )
    await desk.deliver(b.NOON + timedelta(days=1))
    await desk.take(b.breach(unit="caja-1"))
    await desk.deliver(b.NOON + timedelta(days=1))

    assert server.told[-1] == "enlace@puerto.example"


async def test_a_message_that_is_refused_falls_to_the_next_level_too(
    desk: Notifier, server: MailServer
) -> None:
    server.answers["enlace@puerto.example"] = []
    await desk.take(b.breach())
    async with desk.at(b.NOON) as tx:
        [mail] = await mails.lease_mails(tx.connection, b.NOON, limit=5, lease=timedelta(minutes=1))
    async with desk.at(b.NOON + timedelta(seconds=5)) as tx:
        await record(tx, desk.office, mail, Answer(Sent.REFUSED, 554, "5.7.1 Policy"))
    await desk.deliver()

    assert server.told == ["titular@puerto.example"]


async def test_after_five_days_of_silence_the_next_level_is_told(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    async with desk.at(b.NOON) as tx:
        [mail] = await mails.lease_mails(tx.connection, b.NOON, limit=5, lease=timedelta(minutes=1))
    async with desk.at(b.NOON + timedelta(days=5)) as tx:
        outcome = await record(tx, desk.office, mail, Answer(Sent.DEFERRED, None, "away"))
    await desk.deliver(b.NOON + timedelta(days=6))

    assert outcome is Sent.ABANDONED
    assert server.told == ["titular@puerto.example"]


async def test_without_any_address_the_alert_falls_to_the_coordination(
    database: FreshDatabase, server: MailServer
) -> None:
    silent = tuple(
        post.model_copy(update={"mailbox": None}) for post in (b.ENLACE, b.TITULAR, b.DIRECTORA)
    )
    async with notifier(await database("notifier"), server) as desk:
        await desk.learn(b.catalogue(posts=(*silent, b.COORDINACION)))
        await desk.take(b.breach())
        await desk.deliver()

        assert server.told == ["coordinacion@puerto.example"]
        assert [(line.post, line.outcome) for line in await desk.ledger()] == [
            ("enlace", "no_address"),
            ("titular", "no_address"),
            ("direccion", "no_address"),
            ("coordinacion", "accepted"),
        ]


async def test_an_alert_that_nobody_can_be_told_waits_until_somebody_can(
    database: FreshDatabase, server: MailServer
) -> None:
    async with notifier(await database("notifier"), server) as desk:
        await desk.learn(b.catalogue(posts=()))
        await desk.take(b.breach())
        await desk.deliver()
        assert [line.outcome for line in await desk.ledger()] == ["nobody"]

        await desk.learn(b.published(b.COORDINACION))
        await catch_up_with_catalogue(desk.pool, desk.office)
        await desk.deliver(datetime.now(UTC) + timedelta(hours=1))
        assert server.told == ["coordinacion@puerto.example"]


async def test_a_breach_that_comes_before_the_catalogue_is_told_when_it_has_come(
    database: FreshDatabase, server: MailServer
) -> None:
    async with notifier(await database("notifier"), server) as desk:
        await desk.take(b.breach())
        await catch_up_with_catalogue(desk.pool, desk.office)
        assert await desk.pool.fetchval("SELECT count(*) FROM mail") == 0

        await desk.learn(b.catalogue())
        await catch_up_with_catalogue(desk.pool, desk.office)
        await desk.deliver(datetime.now(UTC) + timedelta(hours=1))

        assert server.told == ["enlace@puerto.example"]
        assert await desk.pool.fetchval("SELECT acknowledge_by IS NOT NULL FROM action")
        revisions = [json.loads(payload)["data"]["revision"] for payload in await desk.outbox()]
        assert revisions == [1, 2]


async def test_two_senders_never_offer_the_same_mail_at_once(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(*(b.breach(unit=f"caja-{number}") for number in range(12)))
    await asyncio.gather(*(desk.deliver() for _ in range(4)))

    assert len(server.offered) == 12
    assert len({raw for _, raw in server.offered}) == 12


async def test_a_mail_of_a_process_that_died_is_offered_again_with_the_same_bytes(
    desk: Notifier, server: MailServer
) -> None:
    await desk.take(b.breach())
    async with desk.at(b.NOON) as tx:
        [lost] = await mails.lease_mails(
            tx.connection, b.NOON, limit=5, lease=timedelta(seconds=30)
        )
    await desk.deliver(b.NOON + timedelta(seconds=10))
    assert server.offered == []  # the lease still holds
    await desk.deliver(b.NOON + timedelta(seconds=31))

    [(_, raw)] = server.accepted
    assert raw.replace(b"\r\n", b"\n").rstrip() == lost.message.replace(b"\r\n", b"\n").rstrip()
    async with desk.at(b.NOON) as tx:
        late = await record(tx, desk.office, lost, Answer(Sent.ACCEPTED, 250, "late"))
    assert late is None


async def test_only_the_holder_of_the_lease_says_what_became_of_a_mail(desk: Notifier) -> None:
    await desk.take(b.breach())
    leases = []
    for seconds in (0, 31):
        async with desk.at(b.NOON) as tx:
            now = b.NOON + timedelta(seconds=seconds)
            lease = timedelta(seconds=30)
            leases += await mails.lease_mails(tx.connection, now, limit=5, lease=lease)
    outcomes = []
    for mail in leases:
        async with desk.at(b.NOON + timedelta(seconds=32)) as tx:
            outcomes.append(await record(tx, desk.office, mail, Answer(Sent.ACCEPTED, 250, "")))

    assert outcomes == [None, Sent.ACCEPTED]


async def test_quiet_hours_hold_back_only_what_can_wait(desk: Notifier) -> None:
    quiet = QuietHours.model_validate({"start": "18:00", "end": "08:00"}, strict=False)
    await desk.learn(b.published(b.municipality(version=2, quiet_hours=quiet)))
    night = b.NOON + timedelta(hours=10)  # 22:00 in Mexico City
    await desk.take(b.breach(), b.breach(BreachKind.RECOVERED), now=night)

    rows = await desk.pool.fetch("SELECT kind, next_attempt_at FROM mail")
    assert {row["kind"]: row["next_attempt_at"] for row in rows} == {
        "breached": night,
        "recovered": b.NOON + timedelta(hours=20),  # Friday, 08:00
    }
    async with desk.at(night) as tx:
        waiting = await mails.waiting(tx.connection, tx.now)
    assert (waiting["mails"], waiting["undelivered"]) == (2, 1)
    assert waiting["oldest_undelivered"] == night


async def test_the_digest_is_one_letter_a_unit_and_day(desk: Notifier, server: MailServer) -> None:
    wishes = b.municipality(version=2, digest=True)
    await desk.learn(b.published(wishes))
    await desk.take(
        *(b.breach(BreachKind.LATE_CASE, case=f"VU-{number}") for number in range(3)),
        b.breach(BreachKind.AT_RISK, parts=(b.at_risk(),)),
    )
    for minutes in (0, 10):
        async with desk.at(b.NOON + timedelta(minutes=minutes)) as tx:
            await send_digest(tx, desk.office, wishes)
    await desk.deliver(b.NOON + timedelta(hours=1))

    [message] = server.messages()
    body = message.get_body(("plain",))
    assert body is not None
    assert "3 casos fuera de plazo y 1 compromiso en riesgo" in body.get_content()
    assert "Quedan 12 casos abiertos; si 3 más no cumplen" in body.get_content()


async def test_without_the_wish_there_is_no_digest(desk: Notifier, server: MailServer) -> None:
    await desk.take(b.breach(BreachKind.LATE_CASE, case="VU-1"))
    await send_digests(desk.pool, desk.office)
    await desk.deliver(b.NOON + timedelta(days=1))

    assert server.offered == []


async def test_a_sign_in_link_is_forgotten_once_it_was_sent(
    desk: Notifier, server: MailServer
) -> None:
    link = "https://cartas.puerto.example/entrar/one-time"
    for _ in range(2):
        async with desk.at(b.NOON) as tx:
            await send_sign_in(
                tx, desk.office, mailbox="jefa@puerto.example", link=link, valid_minutes=15
            )
    await desk.deliver()

    [message] = server.messages()
    body = message.get_body(("plain",))
    assert body is not None
    assert link in body.get_content()
    assert await desk.pool.fetchval("SELECT message FROM mail") is None


STORED = """
SELECT 'action' AS what, a.unit, a.window_id, a.state, a.level, a.told_rank,
       concat_ws(' ', a.revision, a.scheduled, a.acknowledge_by, a.plan_by, a.recovered_at) AS rest
FROM action AS a
UNION ALL
SELECT 'trigger', a.unit, a.window_id, t.breach, 0, 0, concat_ws(' ', t.folio, t.recovered_at)
FROM action_trigger AS t JOIN action AS a USING (action)
UNION ALL
SELECT 'deadline', a.unit, a.window_id, d.awaited, d.round, d.level, concat(d.due_at, d.outcome)
FROM deadline AS d JOIN action AS a USING (action)
UNION ALL
SELECT 'alert', a.unit, a.window_id, l.kind, l.from_rank, 0, concat(l.state, l.skips_noted)
FROM alert AS l JOIN action AS a USING (action)
UNION ALL
SELECT 'mail', a.unit, a.window_id, m.kind, 0, 0,
       concat_ws(' ', m.mailbox, m.mail, a.thread IS NOT DISTINCT FROM m.message_id)
FROM mail AS m JOIN action AS a USING (action)
ORDER BY what, unit, window_id, state, level, told_rank, rest
"""


async def test_a_batch_ends_as_its_events_do_one_by_one(
    database: FreshDatabase, server: MailServer
) -> None:
    again = b.breach(BreachKind.CONFIRMED, unit="caja-3", time=b.NOON + timedelta(days=1))
    batch = [
        *(b.breach(unit=f"caja-{number}") for number in range(5)),
        b.breach(BreachKind.RECOVERED, unit="caja-1"),
        b.breach(unit="caja-2", window=b.month(9)),
        b.breach(BreachKind.COMPLAINT_TRIGGER, unit="caja-5", folio=FOLIO, parts=()),
        b.breach(BreachKind.RECOVERED, unit="caja-3"),
        again,
        b.breach(unit="caja-0"),
        b.breach(BreachKind.LATE_CASE, unit="caja-4", case="VU-1"),
        b.breach(BreachKind.RECOVERED, unit="caja-9"),
    ]
    stored = []
    for steps in ([batch], [[event] for event in batch]):
        async with notifier(await database("notifier"), server) as desk:
            await desk.learn(b.catalogue())
            for step in steps:
                await desk.take(*step)
            rows = await desk.pool.fetch(STORED)
            numbers = await desk.pool.fetch("SELECT action FROM action ORDER BY action")
            published = sorted(
                (data["unit"], data["revision"], data["change"], *data["breaches"])
                for data in (json.loads(payload)["data"] for payload in await desk.outbox())
            )
            stored.append(([tuple(row) for row in rows], numbers, published))

    assert stored[0] == stored[1]
    assert len(stored[0][1]) == 6


async def test_numbers_of_a_year_have_no_gaps_over_municipalities(desk: Notifier) -> None:
    await desk.take(b.breach(municipality="otro"), b.breach(unit="caja-1"))

    rows = await desk.pool.fetch("SELECT action FROM action ORDER BY action")
    assert [row["action"] for row in rows] == ["INC-2026-0001", "INC-2026-0002"]
