import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from fastapi import FastAPI

from services.evaluator import api
from services.evaluator.__main__ import main
from services.evaluator.domain.drafts import Draft, DraftError
from services.evaluator.use_cases.trying import Question, Tried, try_draft
from shared.contracts.cartas import Scope
from shared.contracts.results import ResultData, Verdict
from shared.criteria import Part
from shared.database import open_pool
from shared.http import install_problems
from shared.http.credentials import service_credential
from tests.integration.evaluator.support import Evaluator
from tests.support.processes import environment_of
from tests.unit.evaluator import builders as b


def question(*parts: Part, window: str = "2026-09", **changes: Any) -> Question:
    draft = Draft.of(b.compromiso(*(parts or (b.wait(),)), **changes), {})
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
    with pytest.raises(DraftError, match=f"«{window}» no es un mes; se escribe como 2026-09"):
        await try_draft(evaluator.pool, question(window=window))


async def test_an_unknown_municipality_is_refused(evaluator: Evaluator) -> None:
    with pytest.raises(DraftError, match="no hay ningún municipio «nogal»"):
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


async def test_who_would_have_failed_is_named(evaluator: Evaluator) -> None:
    await with_cases(evaluator)
    tried = await one(evaluator, question())
    assert (tried.failing, tried.failing_total) == (("B-0", "B-1", "B-2", "C-1"), 4)
    none = await one(evaluator, question(b.wait(limit={"op": "<=", "value": 20})))
    assert (none.failing, none.failing_total) == ((), 0)


WRITTEN = """\
id: RC-01-02
texto: Le llamaremos en 15 minutos o menos en 90 % de los casos.
indicador: {nombre: Espera, formula: a / b, fuente: turnos, medicion: continua}
eventos: {ticket.called: le llamamos por su nombre}
criterio:
  forma: share_within
  poblacion: {evento: ticket.issued, ancla: due}
  reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}
  limite: {op: <=, valor: 15}
umbral: {op: '>=', objetivo: 90, unidad: '%', inaceptable: 80}
ventana: month
min_muestra: 5
"""


def commands(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Any:
    environment = environment_of("evaluator", database_url, kafka="127.0.0.1:1", prefix="", port=1)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def run(criterion: str, *words: str) -> tuple[int, str]:
        wanted: Sequence[str] = (
            *("try", criterion, "--on", "2026-09", "--municipality", b.TOWN),
            *("--service", b.SERVICE, *words),
        )
        answer = await asyncio.to_thread(CliRunner().invoke, main, wanted)
        return answer.exit_code, answer.output

    return run


async def test_the_command_takes_what_an_author_writes_as_a_file_or_as_a_text(
    evaluator: Evaluator, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await with_cases(evaluator)
    run, file = commands(monkeypatch, database_url), tmp_path / "draft.yaml"
    file.write_text(WRITTEN)
    code, told = await run(str(file), "--unit", b.UNIT)
    assert code == 0, told
    for said in (
        "hasta que le llamamos por su nombre será de 15 minutos o menos; inaceptable: 80 % o menos",
        "Se evalúa cada mes, si hay al menos 5 casos.",
        "Fórmula: casos con tiempo ≤ 15 minutos ÷ ",
        "17 ÷ 21 × 100 = 1700/21 %.",
        "No se cumpliría",
        "Quedarían fuera 4: B-0, B-1, B-2, C-1",
        "Con meta de al menos 80\u00a0% (1700/21 %): se cumpliría",
        "Con meta de al menos 85\u00a0% (1700/21 %): no se cumpliría",
    ):
        assert said in told
    assert await run(WRITTEN, "--unit", b.UNIT) == (0, told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "línea 2: no es YAML válido"),
        ("criterio: {forma: rara}", "criterio.forma"),
        ("ventana: &w month\ncriterio: *w", "ancla"),
        ("ventana: month", "criterio: falta este grupo de campos"),
        (WRITTEN.replace("ventana: month", "ventna: month"), "ventna: campo desconocido"),
        (WRITTEN.replace("unidad: min}", "unidad: dia_habil, calendario: NADA}"), "no existe"),
        ("[" * 5000, "línea"),
        ("x: " + "y" * 70_000, "más de 65536 bytes"),
    ],
)
async def test_what_is_no_draft_is_refused_with_its_line_and_field(
    evaluator: Evaluator, text: str, words: str
) -> None:
    await evaluator.learn(b.municipality(), b.calendar())
    asked = Question(text.encode(), b.TOWN, (b.SERVICE,), "2026-09", b.UNIT)
    with pytest.raises(DraftError, match=re.escape(words)):
        await try_draft(evaluator.pool, asked)


async def test_a_file_that_is_not_there_is_named(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = commands(monkeypatch, database_url)
    code, told = await run("borrador.yaml")
    assert (code, "no se puede leer el archivo borrador.yaml" in told) == (2, True)
    code, told = await run(WRITTEN)
    assert (code, "no hay ningún municipio" in told) == (1, True)


@asynccontextmanager
async def asking(evaluator: Evaluator) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.context = evaluator.context
    app.include_router(api.router)
    install_problems(app)
    credential = service_credential(evaluator.settings.service_secret)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://evaluator",
        headers={"Authorization": f"Bearer {credential}"},
    ) as http:
        yield http


TRIAL: dict[str, Any] = {
    "municipality": b.TOWN,
    "services": [b.SERVICE],
    "unit": b.UNIT,
    "window": "2026-09",
}


async def test_over_http_a_compromiso_of_a_draft_is_tried_as_it_would_be_published(
    evaluator: Evaluator,
) -> None:
    await with_cases(evaluator)
    promised = b.compromiso(b.wait(), minimum_sample=5).model_dump(mode="json")
    body = TRIAL | {"compromiso": promised, "event_words": {"ticket.called": "le decimos que pase"}}
    async with asking(evaluator) as http:
        answer = await http.post("/v1/trials", json=body)
        written = await http.post("/v1/trials", json=TRIAL | {"written": WRITTEN})
    assert answer.status_code == 200, answer.text
    [unit] = answer.json()["units"]
    assert (unit["result"]["verdict"], unit["failing_total"]) == ("not_met", 4)
    assert "hasta que le decimos que pase" in unit["versions"][0]["sentence"]
    assert unit["parts"][0]["comparison"][0] == "Muestra: 21; mínima, 5: suficiente."
    assert {each["target"]: each["verdict"] for each in unit["beside"]}["80"] == "met"
    assert written.json()["units"][0]["result"]["verdict"] == "not_met"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "body"),
        ({"written": WRITTEN, "services": []}, "body"),
        ({"written": WRITTEN, "wanted": 1}, "body"),
        ({"written": WRITTEN, "window": "2026-Q3"}, "draft"),
        ({"written": "criterio: x"}, "draft"),
        ({"written": WRITTEN, "municipality": "otro"}, "draft"),
    ],
)
async def test_over_http_what_cannot_be_tried_says_why(
    evaluator: Evaluator, changes: dict[str, Any], reason: str
) -> None:
    await evaluator.learn(b.municipality(), b.calendar())
    async with asking(evaluator) as http:
        answer = await http.post("/v1/trials", json=TRIAL | changes)
        stranger = await http.post("/v1/trials", headers={"Authorization": ""}, json=TRIAL)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert answer.json()["faults"]
    assert stranger.status_code == 401
