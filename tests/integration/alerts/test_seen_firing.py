"""The short form of `make alerts`: one service runs, is watched, and three alerts come true."""

from pathlib import Path
from time import time

from simulator import MUNICIPALITY
from tests.alerts.watching import watching
from tests.e2e.town import Town
from tests.support.databases import FreshDatabase
from tests.support.servers import Servers
from tests.support.systems import running_system

SERVICE = "measurements"
SECONDS = 60


async def test_what_is_missing_refused_or_killed_is_told_to_whom_it_is_for_and_told_as_over(
    servers: Servers, database: FreshDatabase, topic_prefix: str, tmp_path: Path
) -> None:
    async with running_system(
        servers, database, topic_prefix, log_dir=tmp_path, services=[SERVICE]
    ) as system:
        town = Town(system, servers.kafka, topic_prefix)
        await town.produce((f"{MUNICIPALITY}/x", b"\x00 not JSON"))
        (tmp_path / "watch").mkdir()
        addresses = {SERVICE: f"127.0.0.1:{system.ports[SERVICE]}"}
        async with watching(tmp_path / "watch", addresses, group_wait="1s") as watch:
            told = watch.webhook.told
            missing = await told("ServiceMissing", "critical", "firing", since=0, seconds=SECONDS)
            refused = await told("DeadLetters", "warning", "firing", since=0, seconds=SECONDS)
            killed_at = time()
            await system.kill(SERVICE)
            down = await told("ServiceDown", "critical", "firing", since=0, seconds=SECONDS)
            await system.start(SERVICE)
            await told("ServiceDown", "critical", "resolved", since=down.at, seconds=SECONDS)
            names = {notice.labels.get("job") for notice in watch.webhook.since(0)}

    assert {missing.receiver, down.receiver} == {"operators-now"}
    assert refused.receiver == "operators"
    assert refused.annotations["resumen"] == f"{SERVICE} rechazó mensajes"
    assert down.annotations["resumen"] == f"{SERVICE} no contesta"
    assert down.at > killed_at
    assert names >= {"cartas", "evaluator", "buzon", "notifier", "portal", SERVICE}
