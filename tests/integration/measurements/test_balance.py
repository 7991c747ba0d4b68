"""What an operator asks measurements: is every event accounted for, is every fact there."""

import httpx
from pydantic import SecretStr

from shared.credentials import service_credential
from tests.integration.measurements.support import BATCHED, QUEUE, System, event
from tests.support.processes import SERVICE_SECRET
from tests.support.waiting import eventually


async def test_the_balance_names_the_day_whose_facts_are_gone(system: System) -> None:
    token = await system.add_source()
    cases = [event(case=case) for case in ("A-1", "A-2")]
    assert (await system.post([*cases, cases[0]], content_type=BATCHED)).status_code == 202
    credential = service_credential(SecretStr(SERVICE_SECRET))
    headers = {"Authorization": f"Bearer {credential}"}
    async with httpx.AsyncClient(base_url=system.url, headers=headers) as http:

        async def all_in() -> bool:
            [source] = (await http.get("/v1/balance")).json()["sources"]
            return bool(source["events"] == 3)

        await eventually(all_in)
        told = (await http.get("/v1/balance")).json()
        assert told["differing"] == []
        counts = {"events": 3, "facts": 2, "repeats": 1, "corrections": 0, "refused": 0}
        assert told["sources"] == [{"source": QUEUE, **counts}]

        await system.pool.execute("DELETE FROM fact WHERE case_id = 'A-2'")
        [day] = (await http.get("/v1/balance")).json()["differing"]
        assert (day["source"], day["counted"], day["stored"]) == (QUEUE, 2, 1)
        assert (day["events"], day["outcomes"]) == (3, 3)

        for wrong in ("x", token):
            refused = await http.get("/v1/balance", headers={"Authorization": f"Bearer {wrong}"})
            assert refused.status_code == 401
