import asyncio
import re

import pytest
from click.testing import CliRunner

from services.evaluator.__main__ import main
from services.evaluator.use_cases.explaining import Explained, as_json, explain_result
from tests.integration.evaluator.support import Evaluator
from tests.support.processes import environment_of
from tests.unit.evaluator import builders as b

KEY = (b.TOWN, "RC-01-02", b.UNIT, "2026-09")
NAME = "/".join(KEY)


async def explained(evaluator: Evaluator, edition: int | None = None) -> Explained | None:
    return await explain_result(evaluator.pool, KEY, edition)


async def with_an_addendum(evaluator: Evaluator) -> None:
    """Nine of eleven in time at the cut-off; a tenth is heard of afterwards."""
    await evaluator.learn_town()
    await evaluator.take(*(b.waited(f"A-{n}", 10) for n in range(9)))
    await evaluator.take(b.waited("B-1", 20), b.waited("B-2", 20))
    await evaluator.know("2026-10-20 12:00")
    await evaluator.publish("2026-10-20 12:00")
    await evaluator.take(b.waited("A-9", 10))
    await evaluator.publish()


async def test_a_running_window_is_explained_as_it_stands(evaluator: Evaluator) -> None:
    await evaluator.learn_town()
    await evaluator.take(b.waited("A-1", 10), b.waited("B-1", 20))
    await evaluator.publish()
    found = await explained(evaluator)
    assert found is not None
    [part] = found.explanation.parts
    assert part.figure == ("1 ÷ 2 × 100 = 50 %.",)
    assert found.failing == ("B-1",)
    assert [each.edition for each in found.editions] == [0]


async def test_each_edition_keeps_its_own_sums(evaluator: Evaluator) -> None:
    await with_an_addendum(evaluator)
    first, last = await explained(evaluator, 1), await explained(evaluator)
    assert first is not None
    assert last is not None
    assert first.explanation.parts[0].figure[0] == "9 ÷ 11 × 100 = 900/11 %."
    assert last.explanation.parts[0].figure[0] == "10 ÷ 12 × 100 = 250/3 %."
    assert (first.failing, last.failing) == ((), ("B-1", "B-2"))
    told = as_json(last)
    assert [each["edition"] for each in told["editions"]] == [1, 2]
    assert told["editions"][0]["causes"] == []
    [cause] = told["editions"][1]["causes"]
    assert (cause["reason"], cause["cases"]) == ("late_facts", ["A-9"])
    assert told["versions"][0]["sentence"].endswith("Se evalúa cada mes.")
    assert await explained(evaluator, 0) is None
    assert await explained(evaluator, 3) is None


async def test_every_edition_that_was_published_is_kept(evaluator: Evaluator) -> None:
    await with_an_addendum(evaluator)
    published = [r["edition"] for r in await evaluator.published() if r["window"]["id"] == KEY[3]]
    stored = await evaluator.pool.fetch("SELECT edition FROM edition WHERE window_id = $1", KEY[3])
    assert sorted(row["edition"] for row in stored) == [n for n in published if n]


async def test_the_command_tells_the_result_line_by_line(
    evaluator: Evaluator, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_an_addendum(evaluator)
    environment = environment_of("evaluator", database_url, kafka="127.0.0.1:1", prefix="", port=1)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def run(*words: str) -> tuple[int, str]:
        answer = await asyncio.to_thread(CliRunner().invoke, main, words)
        return answer.exit_code, answer.output

    code, told = await run("explain", f"{NAME}/1")
    assert code == 0
    assert "9 ÷ 11 × 100 = 900/11 %." in told
    assert "900/11 = 81.8182 %" in told
    assert "versión 1, vigente desde el 1 de enero de 2026" in told
    assert "Periodo: del 1 de septiembre de 2026 al 30 de septiembre de 2026; corte: " in told
    assert re.search(r"completos hasta el \d+ de octubre de 2026, \d\d:\d\d\u00a0h\n", told)
    assert not re.search(r"\d{4}-\d\d-\d\dT", told)
    # The wait is counted by the clock alone; days with and without a count are the service's own.
    assert "Calendario HAB-GRAL, versión 1" in told
    corrected = (await run("explain", NAME))[1]
    assert "B-1" in corrected
    assert "Se corrigió por hechos que llegaron después del corte (1 caso): A-9" in corrected
    assert "Parte 1, a tiempo o medidos: de 9 a 10" in corrected
    assert await run("explain", f"{NAME}/9") == (1, f"Error: no hay ningún resultado «{NAME}/9»\n")
    assert (await run("explain", "nogal/RC-01-02"))[0] == 2
