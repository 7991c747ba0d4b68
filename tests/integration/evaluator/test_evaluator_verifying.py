"""What an operator's command asks the evaluator: the balance, and results made again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from services.evaluator import api
from services.evaluator.use_cases import sampling
from shared.credentials import service_credential
from shared.http import install_problems
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b

KEY = f"{b.TOWN}/RC-01-02/{b.UNIT}/2026-09"
BREAK = """
UPDATE judged_window SET result = jsonb_set(result, '{parts,0,met}', '7') WHERE compromiso = $1
"""


@asynccontextmanager
async def asking(evaluator: Evaluator, credential: str = "") -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.context = evaluator.context
    app.include_router(api.router)
    install_problems(app)
    ours = service_credential(evaluator.settings.service_secret)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://evaluator",
        headers={"Authorization": f"Bearer {credential or ours}"},
    ) as http:
        yield http


async def judge_three(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(), b.compromiso(id="RC-01-03")))
    await evaluator.take(b.waited("A-1", 10), b.waited("A-2", 20), b.case("A-3"))
    await evaluator.publish()


async def test_nobody_else_may_ask(evaluator: Evaluator) -> None:
    async with asking(evaluator, "x") as http:
        for path in ("/v1/balance", "/v1/recomputations?sample=1"):
            assert (await http.get(path)).status_code == 401


async def test_an_empty_system_balances(evaluator: Evaluator) -> None:
    async with asking(evaluator) as http:
        assert (await http.get("/v1/balance")).json() == {
            "compared": 0,
            "verdicts": 0,
            "differing": 0,
            "worst": [],
        }
        assert (await http.get("/v1/recomputations?sample=5")).json() == {"results": []}


async def test_windows_whose_counts_differ_are_named_the_worst_first(evaluator: Evaluator) -> None:
    await judge_three(evaluator)
    async with asking(evaluator) as http:
        assert (await http.get("/v1/balance")).json() == {
            "compared": 2,
            "verdicts": 6,
            "differing": 0,
            "worst": [],
        }
        await evaluator.pool.execute("UPDATE tally SET met = met + 2 WHERE compromiso = 'RC-01-03'")
        # One moved from met to failed: the sums are equal, and it differs all the same.
        await evaluator.pool.execute(
            "UPDATE tally SET met = met - 1, failed = failed + 1 WHERE compromiso = 'RC-01-02'"
            " AND met > 0"
        )
        told = (await http.get("/v1/balance?limit=1")).json()
    assert told["differing"] == 2
    [worst] = told["worst"]
    assert (worst["verdicts"], worst["counts"]) in {(3, 5), (3, 3)}
    assert worst["part"] == 0


async def test_a_sample_is_made_again_and_what_differs_is_named(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "LOOK_AGAIN_SECONDS", 0.0)
    await judge_three(evaluator)
    async with asking(evaluator) as http:
        [one] = (await http.get("/v1/recomputations?sample=1&seed=a")).json()["results"]
        assert one["agrees"]
        assert one == (await http.get("/v1/recomputations?sample=1&seed=a")).json()["results"][0]
        await evaluator.pool.execute(BREAK, "RC-01-02")
        first, second = (await http.get("/v1/recomputations?sample=9")).json()["results"]
    assert (first["result"], first["outcome"], first["agrees"]) == (KEY, "different", False)
    assert "parts[0].met: stored 7, recomputed 1" in first["differences"]
    assert second["agrees"]


async def test_what_differed_only_at_the_first_look_agrees(evaluator: Evaluator) -> None:
    await judge_three(evaluator)
    whole = await evaluator.pool.fetchval(
        "SELECT result FROM judged_window WHERE compromiso = 'RC-01-02'"
    )
    await evaluator.pool.execute(BREAK, "RC-01-02")

    async def published_meanwhile(seconds: float) -> None:
        await evaluator.pool.execute(
            "UPDATE judged_window SET result = $1::jsonb WHERE compromiso = 'RC-01-02'", whole
        )

    windows = await sampling.sample(evaluator.pool, seed="", size=9)
    assert not all(each.agrees for each in await sampling.compare(evaluator.pool, windows))
    compared = await sampling.compare_surely(evaluator.pool, windows, wait=published_meanwhile)
    assert all(each.agrees for each in compared)


@pytest.mark.parametrize("query", ["sample=0", "sample=201", "", f"sample=1&seed={'x' * 65}"])
async def test_a_sample_has_limits(evaluator: Evaluator, query: str) -> None:
    async with asking(evaluator) as http:
        assert (await http.get(f"/v1/recomputations?{query}")).status_code == 422
