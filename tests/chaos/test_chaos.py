"""The short form: what is decided survives kills of those that decide, and of their servers."""

from pathlib import Path

import pytest

from tests.chaos.kills import planned
from tests.chaos.run import perform
from tests.chaos.town import chunks
from tests.chaos.world import POSTGRES, own_servers

SEED = 7
KILLS = (
    ("evaluator", 1, 1),
    ("notifier", 1, 1),
    (POSTGRES, 1, 1),
)


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_what_is_decided_survives_kills(tmp_path: Path) -> None:
    kills = planned(SEED, KILLS)
    traffic = chunks(SEED, len(kills), cases=12)
    async with own_servers(tmp_path / "servers") as servers:
        calm = await perform(servers, tmp_path / "calm", traffic, kills, disturbed=False)
        disturbed = await perform(servers, tmp_path / "kills", traffic, kills, disturbed=True)
    for name in ("verdicts", "results", "breaches", "actions", "mails", "statements"):
        assert calm.picture.number(name) > 0, f"the traffic makes no {name}"
    assert calm.faults == []
    assert calm.post.repeated == 0
    assert disturbed.faults == []
    assert calm.picture.differences(disturbed.picture) == []
