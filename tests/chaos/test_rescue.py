"""A restart of everything under load and a restored backup come to the same figures."""

from pathlib import Path

import pytest

from tests.chaos.rescue import (
    rescued,
    restore_what_is_derived,
    rolling_restart,
    undisturbed,
)
from tests.chaos.town import chunks
from tests.chaos.world import own_servers

SEED = 11


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_what_is_decided_survives_a_rolling_restart_and_a_restored_backup(
    tmp_path: Path,
) -> None:
    traffic = chunks(SEED, 3, cases=12)
    async with own_servers(tmp_path / "servers") as servers:
        calm, faults = await rescued(servers, tmp_path / "calm", traffic, undisturbed)
        assert faults == []
        for name in ("verdicts", "results", "breaches", "actions", "mails"):
            assert calm.number(name) > 0, f"the traffic makes no {name}"
        for rescue in (rolling_restart, restore_what_is_derived):
            seen, faults = await rescued(servers, tmp_path / rescue.__name__, traffic, rescue)
            assert faults == [], rescue.__name__
            assert calm.differences(seen) == [], rescue.__name__
