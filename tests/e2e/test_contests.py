"""A unit contests a late case: what the coordination accepts stops counting, by name, in public."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from shared.contracts import topics
from simulator import MUNICIPALITY
from tests.e2e.browser import Browser, Page
from tests.e2e.test_chain import COORDINATION_MAIL, UNIT_MAIL, mail_to, signed_in, visitor
from tests.e2e.town import PROMISE, Town
from tests.support.waiting import eventually

OTHER_UNIT_MAIL = "enlace.registro@jacarandas.example"
NAME = "impugnado_registro_equivocado"
WORDS = "casos impugnados por un registro equivocado"
TEXT = "La consola cerró la llamada de otra extensión."
EVIDENCE = "Bitácora 14/2026, foja 3"
ACCEPTED = "Consta en la bitácora del turno."
REJECTED = "En la bitácora no consta."
KEPT = 9


@pytest_asyncio.fixture(scope="module")
async def late(whole_town: Town) -> AsyncIterator[list[str]]:
    """Three calls passed on too late, beside enough that were not."""
    cases = [await whole_town.call(seconds=90) for _ in range(3)]
    for each in [await whole_town.call(seconds=20) for _ in range(KEPT)]:
        await whole_town.judged(each)
    for case in cases:
        await whole_town.judged(case, status="failed")
    yield cases


def form_of(case: str) -> str:
    return str(httpx.URL("/casos/impugnar", params={"compromiso": PROMISE, "caso": case}))


async def contest(unit: Browser, case: str) -> Page:
    """Fill in the form, forgetting something first; return the contest's page."""
    form = (await unit.open(form_of(case))).form("explicacion")
    empty = await unit.submit(form, explicacion=TEXT)
    assert (empty.status, TEXT in empty.html) == (422, True)
    assert "Elige por qué no debe contar" in empty.text
    assert "Escribe dónde consta lo que pasó" in empty.text
    filled = {"motivo": NAME, "explicacion": TEXT, "evidencia": EVIDENCE}
    pages = [await unit.submit(empty.form("explicacion"), None, **filled) for _ in range(2)]
    assert pages[0].address == pages[1].address
    assert "/panel/impugnaciones/" in pages[0].address
    return pages[1]


async def test_from_the_list_of_late_cases_to_a_public_exclusion(
    whole_town: Town, late: list[str]
) -> None:
    town, (case, *_) = whole_town, late
    before = await published(town, KEPT + len(late))
    verdict = await town.judged(case, status="failed")
    async with signed_in(town, UNIT_MAIL) as unit:
        where = {
            "compromiso": PROMISE,
            "unidad": verdict["unit"],
            "periodo": verdict["window_id"],
        }
        listed = await unit.open(str(httpx.URL("/casos", params=where)))
        assert form_of(case).replace("&", "&amp;") in listed.html
        filed = await contest(unit, case)
        assert "La coordinación todavía no decide" in filed.text
        await the_coordination_accepts(town, case, filed.address)
        told = await unit.open(filed.address)
        assert ACCEPTED in told.text
        assert ("paso", "withdraw") not in [b for f in told.forms for b in f.buttons]
        excluded = await unit.open(form_of(case))
        assert "no hace falta impugnarlo" in excluded.text
        assert "explicacion" not in excluded.html
    assert (await town.judged(case, status="excluded"))["reason"] == NAME
    await both_are_told(town, case)
    await everybody_sees_it(town, before)
    recomputed = await town.command("services.evaluator", "recompute", MUNICIPALITY)
    assert recomputed.code == 0, recomputed.output
    await its_texts_are_on_no_topic(town)


async def the_coordination_accepts(town: Town, case: str, filed: str) -> None:
    address = filed.replace("/panel/", "/coordinacion/")
    async with signed_in(town, COORDINATION_MAIL) as coordination:
        assert case in (await coordination.open("/coordinacion")).text
        shown = await coordination.open(address)
        for said in (TEXT, EVIDENCE, "Entra su llamada", "Dónde cuenta este caso"):
            assert said in shown.text
        form = shown.form("paso", "accept")
        empty = await coordination.submit(form, ("paso", "accept"))
        assert (empty.status, "Escribe por qué" in empty.text) == (422, True)
        for _ in range(2):
            done = await coordination.submit(
                form, ("paso", "accept"), **{"motivo-accept": ACCEPTED}
            )
            assert (done.status, ACCEPTED in done.text) == (200, True)
        late_no = await coordination.submit(
            shown.form("paso", "reject"), ("paso", "reject"), **{"motivo-reject": REJECTED}
        )
        assert (late_no.status, "ya terminó" in late_no.text) == (409, True)


async def both_are_told(town: Town, case: str) -> None:
    """One mail each, with the case and the reason's name, and none of the texts."""
    for mailbox, words in (
        (COORDINATION_MAIL, "Un caso impugnado espera decisión"),
        (UNIT_MAIL, "Se aceptó la impugnación"),
    ):
        mail = await mail_to(town, mailbox, words)
        said = " ".join(mail.text.split())
        assert case in said
        assert WORDS in said
        assert "/impugnaciones/" in said
        for text in (TEXT, EVIDENCE, ACCEPTED):
            assert text not in said
            assert text not in mail.html


async def figures(town: Town) -> dict[str, Any]:
    """The result's part as the evaluator has it now."""
    async with town.system.client("evaluator") as http:
        answer = await http.get("/v1/results", params={"municipality": MUNICIPALITY})
    parts: list[dict[str, Any]] = [
        each["parts"][0]
        for each in answer.json()["results"]
        if each["compromiso"] == PROMISE and each["parts"][0]["denominator"]
    ]
    return parts[0] if parts else {}


async def published(town: Town, cases: int) -> dict[str, Any]:
    """The result's part once that many cases count in it: it is published after the verdicts."""

    async def all_count() -> dict[str, Any] | None:
        found = await figures(town)
        return found if found.get("denominator") == cases else None

    return await eventually(all_count, 30, what=f"a result of {cases} cases")


async def everybody_sees_it(town: Town, before: dict[str, Any]) -> None:
    async def recounted() -> dict[str, Any] | None:
        found = await figures(town)
        return found if found["excluded"].get(NAME) else None

    part = await eventually(recounted, 30, what="the result with the exclusion")
    assert part is not None
    assert part["excluded"] == {**before["excluded"], NAME: 1}
    assert part["failed"] == before["failed"] - 1
    assert part["denominator"] == part["met"] + part["failed"]
    async with visitor(town) as citizen:

        async def shown() -> bool:
            page = await citizen.open(f"/{MUNICIPALITY}/c/EM-01")
            return WORDS in page.text

        await eventually(shown, 30, what="the exclusion on the public page")
        data = await citizen.open(f"/{MUNICIPALITY}/resultados.csv")
        assert f"{NAME}=" in data.html


async def its_texts_are_on_no_topic(town: Town) -> None:
    for topic in topics.ALL:
        for value in await town.everything_on(topic.name, topic.partitions):
            for text in (TEXT, EVIDENCE, ACCEPTED):
                assert text not in value.decode()
                assert text.encode("unicode_escape") not in value


async def test_a_rejected_case_goes_on_counting_and_the_unit_is_told(
    whole_town: Town, late: list[str]
) -> None:
    town, case = whole_town, late[1]
    async with signed_in(town, UNIT_MAIL) as unit:
        filed = await contest(unit, case)
        async with signed_in(town, COORDINATION_MAIL) as coordination:
            shown = await coordination.open(filed.address.replace("/panel/", "/coordinacion/"))
            await coordination.submit(
                shown.form("paso", "reject"), ("paso", "reject"), **{"motivo-reject": REJECTED}
            )
        told = await unit.open(filed.address)
        assert REJECTED in told.text
        assert "El caso sigue contando" in told.text
        assert "Rechazada" in (await unit.open("/panel/impugnaciones")).text
        form = (await unit.open(form_of(case))).form("explicacion")
        filled = {"motivo": NAME, "explicacion": "Otra vez.", "evidencia": EVIDENCE}
        again = await unit.submit(form, None, **filled)
        assert (again.status, "El caso ya fue impugnado" in again.text) == (409, True)
    assert (await town.judged(case, status="failed"))["reason"] is None


async def test_a_unit_withdraws_and_others_see_nothing(whole_town: Town, late: list[str]) -> None:
    town, case = whole_town, late[2]
    async with signed_in(town, UNIT_MAIL) as unit:
        filed = await contest(unit, case)
        async with signed_in(town, OTHER_UNIT_MAIL) as other:
            unknown = await other.open(form_of("LLAMADA-0"))
            foreign = await other.open(form_of(case))
            assert (foreign.status, foreign.text) == (404, unknown.text)
            assert (await other.open(filed.address)).status == 404
            assert case not in (await other.open("/panel/impugnaciones")).text
            elsewhere = filed.address.replace("/panel/", "/coordinacion/")
            assert (await other.open(elsewhere)).status == 404
        form = (await unit.open(filed.address)).form("paso", "withdraw")
        for _ in range(2):
            done = await unit.submit(form, ("paso", "withdraw"))
            assert (done.status, "Retirada" in done.text) == (200, True)
        assert (await unit.open(form_of(case))).form("explicacion")
    async with visitor(town) as citizen:
        asked = await citizen.open(form_of(case))
        assert "/entrar" in asked.address


async def test_after_the_cut_off_nothing_is_taken_out_and_the_date_is_said(
    whole_town: Town, late: list[str]
) -> None:
    """The window's cut-off is set back, as a calendar would; last, for it stays so."""
    town, case = whole_town, late[2]
    async with (
        signed_in(town, UNIT_MAIL) as unit,
        signed_in(town, COORDINATION_MAIL) as coordination,
    ):
        filed = await contest(unit, case)
        address = filed.address.replace("/panel/", "/coordinacion/")
        form = (await coordination.open(address)).form("paso", "accept")
        await set_cutoff_back(town, case)
        accepted = await coordination.submit(
            form, ("paso", "accept"), **{"motivo-accept": ACCEPTED}
        )
        assert accepted.status == 409
        page = await unit.open(form_of(case))
        for said in (accepted.text, page.text):
            assert "Ya pasó el corte" in said
            assert "El corte fue el 1 de enero de 2026." in said
        assert "explicacion" not in page.html
    assert (await town.judged(case, status="failed"))["reason"] is None


async def set_cutoff_back(town: Town, case: str) -> None:
    connection = await asyncpg.connect(town.system.database_url("evaluator"))
    try:
        await connection.execute(
            "UPDATE judged_window w SET closes_at = '2026-01-02 06:00:00+00'"
            " FROM verdict v WHERE v.case_id = $1 AND v.municipality = w.municipality"
            " AND v.compromiso = w.compromiso AND v.unit = w.unit AND v.window_id = w.window_id",
            case,
        )
    finally:
        await connection.close()
