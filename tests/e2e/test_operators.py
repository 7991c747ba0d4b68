"""`ops status` and `ops verify` on a running system: well, and with faults that are provoked."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from simulator import MUNICIPALITY
from tests.e2e.town import PROMISE, Town
from tests.support.programs import PROJECT
from tests.support.waiting import eventually

SECONDS = 90.0
"""More than the slowest of what the services tell at a beat."""

BALANCED = "events - outcomes 0, verdicts - counts 0,"
LOSE_A_FACT = "UPDATE balance SET facts = facts + $1 WHERE facts > 0"
LOSE_A_VERDICT = "UPDATE tally SET met = met + $1 WHERE compromiso = $2"
CHANGE_A_RESULT = """
UPDATE judged_window SET result = jsonb_set(result, '{parts,0,met}', '7777')
WHERE compromiso = $1 AND result IS NOT NULL AND NOT stale
RETURNING unit
"""
PUBLISH_AGAIN = "UPDATE judged_window SET stale = true WHERE compromiso = $1"
FORGET_REFUSALS = "DELETE FROM refusal"
PUBLISHED = """
SELECT count(*) FROM judged_window WHERE compromiso = $1 AND NOT stale
AND (result #>> '{parts,0,met}')::int > 0
"""


@dataclass(frozen=True, slots=True)
class Status:
    """What `ops status --json` said."""

    code: int
    told: dict[str, Any]

    def says(self, where: str, what: str) -> bool:
        return any(each["where"] == where and what in each["what"] for each in self.told["needs"])


async def status(town: Town) -> Status:
    shown = await town.command("ops", "status", "--json")
    told = json.loads(shown.output)
    assert told["code"] == shown.code
    return Status(shown.code, told)


async def is_well(town: Town) -> None:
    async def well() -> bool:
        found = await status(town)
        assert found.told["needs"] == []
        return found.code == 0

    await eventually(well, SECONDS, what="the system is well")


async def comes_to_say(town: Town, where: str, what: str) -> None:
    async def says() -> bool:
        found = await status(town)
        assert found.says(where, what), found.told["needs"]
        return found.code == 1

    await eventually(says, SECONDS)


async def run_sql(town: Town, service: str, statement: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(town.system.database_url(service))
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


@pytest.fixture
async def well_town(whole_town: Town) -> Town:
    """With a case whose result is published, and nothing left over of another test."""
    case = await whole_town.call(seconds=30)
    await whole_town.judged(case)

    async def published() -> bool:
        [[number]] = await run_sql(whole_town, "evaluator", PUBLISHED, PROMISE)
        return bool(number)

    await eventually(published, what="a result counts the case")
    await is_well(whole_town)
    return whole_town


async def test_a_well_system_is_shown_on_one_screen_and_verified(well_town: Town) -> None:
    shown = await well_town.command("ops", "status")
    assert shown.code == 0, shown.output
    assert "\033" not in shown.output
    lines = shown.output.splitlines()
    assert lines[0].endswith(" well")
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split() for line in lines if " ready " in line}
    assert rows.keys() == well_town.system.processes.keys()
    unknown = [name for name, row in rows.items() if "-" in row[:7]]
    assert not unknown, "every service tells its uptime, memory, schema and outbox"
    assert any(line.startswith(f"balances     {BALANCED}") for line in lines)
    assert any("free: kafka 1 " in line for line in lines)

    verified = await well_town.command("ops", "verify", "--sample", "200")
    assert verified.code == 0, verified.output
    checks = verified.output.splitlines()
    assert all(line.startswith("agrees ") for line in checks)
    assert any(f"recompute {MUNICIPALITY}/{PROMISE}/" in line for line in checks)
    assert any("events https://" in line and " facts " in line for line in checks)


async def test_a_refused_message_needs_a_hand(well_town: Town) -> None:
    await well_town.produce((f"{MUNICIPALITY}/x", b"\x00 not JSON"))
    await comes_to_say(well_town, "measurements", "1 refused in the last hour")
    await run_sql(well_town, "measurements", FORGET_REFUSALS)
    await is_well(well_town)


async def test_counts_that_do_not_balance_need_a_hand(well_town: Town) -> None:
    for service, statement, arguments, said in (
        ("measurements", LOSE_A_FACT, (), "events and outcomes differ by "),
        ("evaluator", LOSE_A_VERDICT, (PROMISE,), "verdicts and counts differ by "),
    ):
        await run_sql(well_town, service, statement, 1, *arguments)
        await comes_to_say(well_town, service, said)
        verified = await well_town.command("ops", "verify")
        assert verified.code == 1, verified.output
        [first, *_] = [line for line in verified.output.splitlines() if line.startswith("DIFFERS")]
        assert ("events https://" if service == "measurements" else f"/{PROMISE}/") in first
        await run_sql(well_town, service, statement, -1, *arguments)
        await is_well(well_town)


async def test_a_result_that_cannot_be_made_again_is_named_with_its_place(well_town: Town) -> None:
    changed = await run_sql(well_town, "evaluator", CHANGE_A_RESULT, PROMISE)
    assert changed
    verified = await well_town.command("ops", "verify", "--sample", "200")
    assert verified.code == 1, verified.output
    wrong = [line for line in verified.output.splitlines() if line.startswith("DIFFERS")]
    assert len(wrong) == len(changed)
    for line in wrong:
        assert f"recompute {MUNICIPALITY}/{PROMISE}/" in line
        assert "parts[0].met: stored 7777, recomputed" in line
    await run_sql(well_town, "evaluator", PUBLISH_AGAIN, PROMISE)

    async def agrees() -> bool:
        again = await well_town.command("ops", "verify", "--sample", "200")
        assert again.code == 0, again.output
        return True

    await eventually(agrees, SECONDS)


async def test_a_service_that_is_gone_is_a_line_that_says_so(well_town: Town) -> None:
    await well_town.system.kill("evaluator")
    shown = await well_town.command("ops", "status")
    assert shown.code == 1
    assert "! evaluator: no answer: nothing listens at " in shown.output
    assert "verdicts - counts -" in shown.output
    verified = await well_town.command("ops", "verify")
    assert verified.code == 2
    lines = verified.output.splitlines()
    assert any(line.startswith("agrees   events ") for line in lines)
    assert any(line.startswith("UNKNOWN  recompute: ConnectError") for line in lines)
    await well_town.system.start("evaluator")
    await well_town.system.wait_until_ready("evaluator")
    await is_well(well_town)


async def test_a_service_that_hangs_holds_nobody_up(well_town: Town) -> None:
    process = well_town.system.processes["notifier"].process
    process.send_signal(signal.SIGSTOP)
    try:
        found = await status(well_town)
    finally:
        process.send_signal(signal.SIGCONT)
    assert found.code == 1
    assert found.says("notifier", "no answer: no answer within 2 s from http://127.0.0.1:")
    assert [each["where"] for each in found.told["needs"]] == ["notifier"]
    await is_well(well_town)


async def test_watching_looks_again_until_interrupted(well_town: Town) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "ops", "status", "--watch"),
        cwd=PROJECT,
        env={**os.environ, **well_town.system.environment, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    screens = 0
    async with asyncio.timeout(SECONDS):
        while screens < 2:
            screens += (await process.stdout.readline()).startswith(b"cartas compromiso  ")
        process.send_signal(signal.SIGINT)
        _, complaint = await process.communicate()
    assert b"Traceback" not in complaint


async def test_nowhere_to_look(well_town: Town) -> None:
    names = [name for name in well_town.system.environment if name.endswith("_URL")]
    taken = {name: well_town.system.environment.pop(name) for name in names}
    try:
        shown = await well_town.command("ops", "status")
    finally:
        well_town.system.environment.update(taken)
    assert shown.code == 2
    assert "CARTAS_EVALUATOR_URL: Field required" in shown.output
    assert "CARTAS_SERVICE_SECRET" not in shown.output
