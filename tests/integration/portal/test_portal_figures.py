"""Figures for operators: what the public page says, as metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.portal.deadlines import FIGURES_SECONDS
from tests.integration.portal.world import World
from tests.support.waiting import eventually
from tests.unit.portal import builders as b


async def test_promises_are_told_by_dependencia_once_they_were_read(world: World) -> None:
    async def told() -> dict[tuple[str, str, str], float]:
        async with httpx.AsyncClient(timeout=10) as http:
            text = (await http.get(f"{world.url}/metrics")).text
        found = {
            (sample.name, sample.labels["department"], where): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels.get("municipality") == b.M
            and (where := sample.labels.get("state") or sample.labels.get("standing"))
        }
        assert found.get(("portal_promises", "IGUALDAD", "met")) == 1, found
        return found

    found = await eventually(told, 3 * FIGURES_SECONDS, what="the figures are read")
    assert found["portal_promises", "SECRETARIA", "met"] == 0
    assert found["portal_promises", "SECRETARIA", "tolerable"] == 1
    assert found["portal_promises", "AGUA", "tolerable"] == 1
    assert found["portal_open_promises", "SEGURIDAD", "lost"] == 1
    assert found["portal_open_promises", "SECRETARIA", "at_risk"] == 1
    assert ("portal_open_promises", "IGUALDAD", "on_track") not in found
