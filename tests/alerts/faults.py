"""The faults: each is provoked on entering and mended on leaving."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from simulator import MUNICIPALITY
from simulator.scenarios import PHONES, TURNS
from tests.alerts import changes
from tests.alerts.stage import Stage, firing, wrong_clock
from tests.e2e.town import BATCHED, PROMISE, event
from tests.support.processes import start_service
from tests.support.servers import free_port, kill_server
from tests.support.waiting import eventually

Provoke = Callable[[Stage], AbstractAsyncContextManager[None]]

UNIT_MAIL: Final = "enlace.emergencias@jacarandas.example"
SECONDS: Final = 240.0
HALT = "UPDATE kafka_offset SET next_offset = coalesce(next_offset, 0) + 1000000"
UNHALT = "UPDATE kafka_offset SET next_offset = next_offset - 1000000"
OF_BREACHES = "WHERE topic LIKE '%breaches.v1' AND partition = 0"
OTHER_TOPIC = "UPDATE kafka_offset SET topic_id = reverse(topic_id) WHERE topic LIKE '%results.v1'"
HOLD_PUBLISHING = f"""
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'provoked'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON judged_window FOR EACH ROW
    WHEN (NEW.compromiso = '{PROMISE}' AND NEW.result IS DISTINCT FROM OLD.result)
    EXECUTE FUNCTION refuse()
"""
# What PostgreSQL says of transactions that may simply be tried again.
OUT_OF_LUCK = """
CREATE FUNCTION out_of_luck() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'provoked' USING ERRCODE = 'serialization_failure'; END $$;
CREATE TRIGGER out_of_luck BEFORE INSERT OR UPDATE ON measured_case FOR EACH STATEMENT
    EXECUTE FUNCTION out_of_luck()
"""
CHANGE_A_RESULT = f"""
UPDATE judged_window SET result = jsonb_set(result, '{{parts,0,met}}', '7777')
WHERE compromiso = '{PROMISE}' AND result IS NOT NULL AND NOT stale RETURNING unit
"""
TERMINATE_RELAY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE '%relay' AND datname = current_database()
"""


@asynccontextmanager
async def service_down(stage: Stage) -> AsyncIterator[None]:
    await stage.town.system.kill("portal")
    yield
    await stage.town.system.start("portal")
    await stage.town.system.wait_until_ready("portal")


@asynccontextmanager
async def process_down(stage: Stage) -> AsyncIterator[None]:
    port = free_port()
    environment = {**stage.town.system.environment, "CARTAS_PORTAL_PORT": str(port)}
    log = stage.folder / "portal-2.log"
    second = await start_service("portal", environment, log=log, port=port)
    await eventually(second.is_ready, 90, what="a second process is ready")
    stage.watch.look_at("portal", [stage.address("portal"), f"127.0.0.1:{port}"])

    async def both_up() -> bool:
        return len(await stage.watch.query('up{job="portal"} == 1')) == 2

    try:
        await eventually(both_up, 30)
    finally:
        await second.kill()
    stage.strike()
    yield
    stage.watch.look_at("portal", [stage.address("portal")])


@asynccontextmanager
async def service_missing(stage: Stage) -> AsyncIterator[None]:
    stage.watch.look_at("buzon", [])
    yield
    stage.watch.look_at("buzon", [stage.address("buzon")])


@asynccontextmanager
async def task_late(stage: Stage) -> AsyncIterator[None]:
    await stage.execute("cartas", "ALTER TABLE state RENAME TO state_away")
    yield
    await stage.execute("cartas", "ALTER TABLE state_away RENAME TO state")


@asynccontextmanager
async def clock_wrong(stage: Stage) -> AsyncIterator[None]:
    async with wrong_clock(stage, "buzon", timedelta(minutes=5)):
        yield


@asynccontextmanager
async def portal_errors(stage: Stage) -> AsyncIterator[None]:
    async def visit() -> None:
        headers = {"Cookie": f"sesion={'x' * 43}"}
        async with httpx.AsyncClient(headers=headers, timeout=10) as http:
            while True:
                with suppress(httpx.HTTPError):
                    await http.get(f"{stage.town.system.url('portal')}/panel")
                await asyncio.sleep(0.3)

    await stage.execute("portal", "ALTER TABLE session RENAME TO session_away")
    visits = asyncio.create_task(visit())
    try:
        yield
    finally:
        visits.cancel()
        await stage.execute("portal", "ALTER TABLE session_away RENAME TO session")


@asynccontextmanager
async def postgres_away(stage: Stage) -> AsyncIterator[None]:
    await kill_server(stage.servers, "postgres")
    yield
    await stage.servers.start()
    await stage.all_ready()


@asynccontextmanager
async def kafka_away(stage: Stage) -> AsyncIterator[None]:
    await kill_server(stage.servers, "kafka")
    await changes.load(stage, "Coordinación Municipal de Mejora", "Coordinación de Mejora")
    yield
    await stage.servers.start()
    await stage.all_ready()


@asynccontextmanager
async def broker_missing(stage: Stage) -> AsyncIterator[None]:
    assert stage.second is not None
    await stage.second.kill()
    await changes.load(stage, "Enlace de", "Enlace para")  # many posts: of some partition of its
    yield
    await stage.second.start()
    await stage.all_ready()


def fills(percent: int) -> Provoke:
    @asynccontextmanager
    async def provoke(stage: Stage) -> AsyncIterator[None]:
        assert stage.disk is not None
        stage.disk.fill(percent)
        yield
        stage.disk.empty()

    return provoke


@asynccontextmanager
async def lag_grows(stage: Stage) -> AsyncIterator[None]:
    queued = datetime.now(UTC) - timedelta(minutes=3)
    async with stage.connected("evaluator") as connection, connection.transaction():
        await connection.execute("LOCK TABLE measured_case IN ACCESS EXCLUSIVE MODE")
        for _ in range(4):
            cases = [stage.town.case("LLAMADA") for _ in range(400)]
            events = [
                event(kind, PHONES, case, at=queued + after, service="EM-LLAMADAS")
                for case in cases
                for kind, after in (
                    ("call.queued", timedelta()),
                    ("call.dispatched", timedelta(seconds=20)),
                )
            ]
            token = stage.town.tokens[PHONES.uri]
            response = await stage.town.post(events, token=token, content_type=BATCHED)
            assert response.status_code == 202, response.text
        yield


@asynccontextmanager
async def consumer_stands(stage: Stage) -> AsyncIterator[None]:
    await stage.execute("evaluator", OUT_OF_LUCK)
    try:
        await stage.town.call(seconds=30)
        yield
    finally:
        drop = "DROP TRIGGER out_of_luck ON measured_case"
        await stage.execute("evaluator", drop, "DROP FUNCTION out_of_luck()")


@asynccontextmanager
async def outbox_ages(stage: Stage) -> AsyncIterator[None]:
    async with stage.connected("cartas") as connection:
        lock = "SELECT pg_advisory_lock(hashtext('outbox relay'), 0)"
        waiting = asyncio.create_task(connection.execute(lock))

        async def taken() -> bool:
            await stage.execute("cartas", TERMINATE_RELAY)
            return waiting.done()

        await eventually(taken, 60, what="nobody relays")
        stage.strike()
        await changes.load(stage, "Enlace de la carta de fugas", "Enlace de fugas")
        yield


@asynccontextmanager
async def pipeline_behind(stage: Stage) -> AsyncIterator[None]:
    async with stage.connected("measurements") as connection:
        await connection.execute("SELECT pg_advisory_lock(hashtext('measurements progress'))")
        yield


@asynccontextmanager
async def partition_halted(stage: Stage) -> AsyncIterator[None]:
    await stage.stop("notifier")
    await stage.change("notifier", f"{HALT} {OF_BREACHES}")
    await stage.restart("notifier", is_well=False)
    yield
    await stage.stop("notifier")
    await stage.change("notifier", f"{UNHALT} {OF_BREACHES}")
    await stage.restart("notifier")


@asynccontextmanager
async def consumer_stopped(stage: Stage) -> AsyncIterator[None]:
    await stage.stop("portal")
    await stage.change("portal", OTHER_TOPIC)
    await stage.restart("portal", is_well=False)
    yield
    await stage.stop("portal")
    await stage.change("portal", OTHER_TOPIC)
    await stage.restart("portal")


@asynccontextmanager
async def dead_letters(stage: Stage) -> AsyncIterator[None]:
    await stage.town.produce((f"{MUNICIPALITY}/x", b"\x00 not JSON"))
    yield
    await stage.change("measurements", "DELETE FROM refusal")


@asynccontextmanager
async def events_unbalanced(stage: Stage) -> AsyncIterator[None]:
    await stage.town.judged(await stage.town.call(seconds=30))
    stage.strike()
    change = "UPDATE balance SET facts = facts {} 1 WHERE facts > 0"
    await stage.change("measurements", change.format("+"))
    yield
    await stage.change("measurements", change.format("-"))


@asynccontextmanager
async def verdicts_unbalanced(stage: Stage) -> AsyncIterator[None]:
    await stage.town.judged(await stage.town.call(seconds=30))
    stage.strike()
    change = f"UPDATE tally SET met = met {{}} 1 WHERE compromiso = '{PROMISE}'"
    await stage.change("evaluator", change.format("+"))
    yield
    await stage.change("evaluator", change.format("-"))


@asynccontextmanager
async def recompute_differs(stage: Stage) -> AsyncIterator[None]:
    await stage.town.judged(await stage.town.call(seconds=30))

    async def changed() -> bool:
        return bool(await stage.rows("evaluator", CHANGE_A_RESULT))

    await eventually(changed, 60, what="a result is published and changed by hand")
    stage.strike()
    await stage.restart("evaluator")
    yield
    again = f"UPDATE judged_window SET stale = true WHERE compromiso = '{PROMISE}'"
    await stage.change("evaluator", again)


@asynccontextmanager
async def window_not_published(stage: Stage) -> AsyncIterator[None]:
    await stage.execute("evaluator", HOLD_PUBLISHING)
    try:
        await stage.town.call(seconds=30)
        yield
    finally:
        drop = "DROP TRIGGER refuse ON judged_window"
        await stage.execute("evaluator", drop, "DROP FUNCTION refuse()")


@asynccontextmanager
async def certificate_ends(stage: Stage) -> AsyncIterator[None]:
    async def certify(days: int) -> None:
        until = datetime.now(UTC).date() + timedelta(days=days)
        about = ("--until", str(until), "--document", f"AENOR {days}")
        await stage.town.system.run(
            *("services.cartas", "certify", "EM-01", "1", "--post", "coordinacion"), *about
        )

    await certify(30)
    yield
    await certify(400)


@asynccontextmanager
async def calendar_missing(stage: Stage) -> AsyncIterator[None]:
    following = datetime.now(UTC).year + 1
    await changes.load(stage, rf"    no_habiles_{following}:\n(?:      - .*\n)+", "")
    yield
    await changes.reload(stage)


@asynccontextmanager
async def source_silent(stage: Stage) -> AsyncIterator[None]:
    declare = ("services.measurements", "source", "declare", PHONES.uri, "--reports", "call.*")
    speaks = ("--every-minutes", "1", "--calendar", "TODOS-LOS-DIAS")
    await stage.town.call(seconds=30)
    await stage.town.system.run(*declare, *speaks)
    yield
    await stage.town.system.run(*declare)
    await stage.town.call(seconds=30)


@asynccontextmanager
async def source_suspended(stage: Stage) -> AsyncIterator[None]:
    await stage.town.system.run("services.measurements", "source", "suspend", TURNS.uri)
    yield
    await stage.town.system.run("services.measurements", "source", "resume", TURNS.uri)


@asynccontextmanager
async def mail_stuck(stage: Stage) -> AsyncIterator[None]:
    stage.answer_mail("451 4.3.0 later")
    await changes.ask_for_link(stage, UNIT_MAIL)
    yield
    await changes.mail_goes(stage)


@asynccontextmanager
async def mailbox_rejects(stage: Stage) -> AsyncIterator[None]:
    stage.answer_mail("550 5.1.1 unknown", (UNIT_MAIL,))
    await changes.ask_for_link(stage, UNIT_MAIL)
    yield
    await changes.mailboxes(stage)
    await changes.mail_goes(stage)


@asynccontextmanager
async def alerts_unaddressed(stage: Stage) -> AsyncIterator[None]:
    await changes.load(stage, r"correo: \S+@[^\s}]+", "correo: null")
    await stage.town.judged(await stage.town.call(seconds=30))  # the catalogue goes the same way
    stage.strike()
    await stage.town.call(seconds=90)
    yield
    await changes.reload(stage)


@asynccontextmanager
async def nothing(stage: Stage) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def alertmanager_fails(stage: Stage) -> AsyncIterator[None]:
    """The webhook takes nothing for a while; afterwards it hears of that, too."""
    stage.watch.webhook.refuses = True
    stage.watch.look_at("buzon", [])
    try:
        await firing(stage, "AlertmanagerFails", SECONDS)
    finally:
        stage.watch.webhook.refuses = False
        stage.watch.look_at("buzon", [stage.address("buzon")])
    yield


@asynccontextmanager
async def rules_fail(stage: Stage) -> AsyncIterator[None]:
    ambiguous = {"record": "provoked", "expr": "up * on () up"}
    await stage.watch.add_rules("provoked", [ambiguous])
    yield
    await stage.watch.add_rules("provoked", [])
