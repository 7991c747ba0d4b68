import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from services.evaluator.__main__ import main
from services.evaluator.domain.drafts import Draft, DraftError
from services.evaluator.use_cases.trying import Question, Tried, try_draft
from shared.contracts.cartas import Scope
from shared.contracts.results import ResultData, Verdict
from shared.criteria import Criterion, Part
from shared.database import open_pool
from tests.integration.evaluator.support import Evaluator
from tests.support.processes import environment_of
from tests.unit.evaluator import builders as b


def question(*parts: Part, window: str = "2026-09", **changes: Any) -> Question:
    terms = {"window": b.MONTH, **changes}
    draft = Draft(criterion=Criterion(parts=parts or (b.wait(),)), **terms)
    return Question(draft, b.TOWN, (b.SERVICE,), window, b.UNIT)


async def one(evaluator: Evaluator, asked: Question) -> Tried:
    [tried] = await try_draft(evaluator.pool, asked)
    return tried


def verdicts_beside(tried: Tried) -> dict[str, Verdict]:
    return {str(variant.target): result.verdict for variant, result in tried.beside}


async def with_cases(evaluator: Evaluator) -> None:
    """Seventeen of twenty in time, one left out by its emitter; nothing about August."""
    await evaluator.learn(b.municipality(), b.calendar())
    await evaluator.take(*(b.waited(f"A-{n}", 10) for n in range(17)))
    await evaluator.take(*(b.waited(f"B-{n}", 20) for n in range(3)))
    await evaluator.take(b.waited("C-1", 20, exclusions=("duplicado",)))
    await evaluator.know("2026-10-20 12:00")


async def test_a_draft_is_judged_on_facts_that_nobody_promised_anything_about(
    evaluator: Evaluator,
) -> None:
    await with_cases(evaluator)
    population = {"event": "ticket.issued", "anchor": "occurred", "exclude": ["duplicado"]}
    asked = question(b.wait(population=population))
    tried = await one(evaluator, asked)
    result = tried.explanation.result
    [part] = result.parts
    assert (part.met, part.failed, part.excluded, part.exact) == (17, 3, {"duplicado": 1}, "85")
    assert (result.verdict, str(part.target)) == (Verdict.NOT_MET, "90")
    assert tried.explanation.parts[0].figure == ("17 ÷ 20 × 100 = 85 %.",)
    assert verdicts_beside(tried) == {
        **dict.fromkeys(("70", "80", "85"), Verdict.MET),
        **dict.fromkeys(("88", "89", "91", "92", "95", "100"), Verdict.NOT_MET),
    }


async def test_what_would_have_been_is_what_is_said_once_it_is_promised(
    evaluator: Evaluator,
) -> None:
    await with_cases(evaluator)
    tried = await one(evaluator, question())
    await evaluator.learn_town()
    await evaluator.publish("2026-10-20 12:00")
    result = await evaluator.result()
    assert result["edition"] == 1
    said = ResultData.model_validate_json(json.dumps(result))
    assert said.parts == tried.explanation.result.parts


async def test_each_target_beside_judges_its_cases_anew(evaluator: Evaluator) -> None:
    """In a percentile, the target is also what an open case is late by."""
    await with_cases(evaluator)
    await evaluator.take(b.case("D-1", ticket_issued="2026-09-30 23:00"))
    await evaluator.know("2026-10-20 12:00")
    percentile = b.wait().model_dump(mode="json")
    percentile["figure"] |= {"form": "percentile", "p": 75}
    percentile["figure"].pop("limit")
    percentile["figure"]["population"]["anchor"] = "occurred"
    percentile["target"] = {"op": "<=", "value": 15, "unit": "min"}
    tried = await one(evaluator, question(Part.model_validate(percentile)))
    assert tried.explanation.result.parts[0].exact == "10"
    beside = verdicts_beside(tried)
    assert beside["7.5"] is Verdict.NOT_MET
    assert beside["12"] is Verdict.MET


async def test_units_are_tried_apart_where_the_draft_says_so(evaluator: Evaluator) -> None:
    await with_cases(evaluator)
    await evaluator.take(b.waited("E-1", 10, unit="oficina-sur"))
    found = await try_draft(evaluator.pool, question(scope=Scope.UNIT))
    units = {each.explanation.result.unit: each.explanation.result.verdict for each in found}
    assert units == {"oficina-sur": Verdict.MET, b.UNIT: Verdict.NOT_MET}


async def test_a_window_without_cases_says_so(evaluator: Evaluator) -> None:
    await with_cases(evaluator)
    result = (await one(evaluator, question(window="2026-08"))).explanation.result
    assert (result.verdict, result.reason) == (Verdict.NOT_EVALUATED, "sin_demanda")


@pytest.mark.parametrize("window", ["2026-Q3", "2026-13", "ayer", "", "9999-01"])
async def test_a_window_of_another_kind_is_refused(evaluator: Evaluator, window: str) -> None:
    await with_cases(evaluator)
    with pytest.raises(DraftError, match="is no window of kind month"):
        await try_draft(evaluator.pool, question(window=window))


async def test_an_unknown_municipality_is_refused(evaluator: Evaluator) -> None:
    with pytest.raises(DraftError, match="no municipality nogal"):
        await try_draft(evaluator.pool, question())


async def test_nothing_is_written(evaluator: Evaluator, database_url: str) -> None:
    """A database that takes no writes at all gives the same answer."""
    await with_cases(evaluator)
    expected = await one(evaluator, question())
    name = await evaluator.pool.fetchval("SELECT current_database()")
    await evaluator.pool.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    async with await open_pool(database_url, name="reader", size=1) as reader:
        assert await reader.fetchval("SHOW transaction_read_only") == "on"
        [tried] = await try_draft(reader, question())
    assert tried == expected


def commands(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Any:
    environment = environment_of("evaluator", database_url, kafka="127.0.0.1:1", prefix="", port=1)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def run(file: Path, *words: str) -> tuple[int, str]:
        wanted: Sequence[str] = (
            *("try", str(file), "--on", "2026-09", "--municipality", b.TOWN),
            *("--service", b.SERVICE, *words),
        )
        answer = await asyncio.to_thread(CliRunner().invoke, main, wanted)
        return answer.exit_code, answer.output

    return run


async def test_the_command_reads_a_file_and_tells_figure_verdict_and_targets_beside(
    evaluator: Evaluator, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await with_cases(evaluator)
    run, file = commands(monkeypatch, database_url), tmp_path / "draft.yaml"
    said = {
        "criterion": Criterion(parts=(b.wait(),)).model_dump(mode="json"),
        "window": {"kind": "month"},
        "minimum_sample": 5,
    }
    file.write_text(yaml.safe_dump(said))
    code, told = await run(file, "--unit", b.UNIT)
    assert code == 0, told
    assert "17 ÷ 21 × 100 = 1700/21 %." in told
    assert "No se cumpliría" in told
    assert "Con meta de al menos 80\u00a0% (1700/21 %): se cumpliría" in told
    assert "Con meta de al menos 85\u00a0% (1700/21 %): no se cumpliría" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not YAML"),
        ("criterion: {parts: []}\nwindow: {kind: month}", "criterion.parts"),
        ("window: &w {kind: month}\ncriterion: *w", "aliases"),
        ("window: {kind: month}", "criterion: Field required"),
        ("[" * 5000, "not YAML"),
        ("x: " + "y" * 70_000, "more than 65536 bytes"),
    ],
)
async def test_a_file_that_is_no_draft_is_refused_with_its_field(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(text)
    code, told = await commands(monkeypatch, database_url)(file)
    assert code == 1
    assert words in told
