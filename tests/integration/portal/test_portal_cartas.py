"""The coordination's pages of carta versions: drafted by command, approved and published here."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.cartas.towns import DAY, POST, catalogue, draft, today
from tests.integration.portal.world import SETTINGS, Browser, World
from tests.support.databases import Templates, own_databases
from tests.support.servers import Servers
from tests.support.systems import running_system
from tests.support.topics import own_topics
from tests.support.waiting import eventually

SERVICES = ("cartas", "evaluator", "notifier", "portal")
COORDINATION = "c@cobre.example"
UNIT = "enlace@cobre.example"
PAGES = "/coordinacion/cartas"
CODE = re.compile(r'name="codigo" value="([0-9a-f]{8})"')


@pytest_asyncio.fixture(scope="module")
async def office(
    servers: Servers, database_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("cartas")
    async with (
        own_topics(servers) as prefix,
        own_databases(database_templates) as database,
        running_system(
            servers, database, prefix, log_dir=folder, services=SERVICES, extra=SETTINGS
        ) as system,
    ):
        world = World(system, servers, prefix)
        await load(world, folder)
        yield world


async def load(world: World, folder: Path) -> None:
    """Load the catalogue and wait until the portal and the notifier have all of it."""
    file = folder / "catalogo.yaml"
    file.write_text(catalogue(), encoding="utf-8")
    await world.system.run("services.cartas", "load", str(file))
    async with world.browser() as browser:

        async def known() -> bool:
            page = await browser.open("/cobre/c/RC-01")
            return page.status_code == 200 and "15 minutos" in page.text

        await eventually(known, 60, what="the portal has the catalogue")
        await world.sign_in(browser, COORDINATION)


async def keep_draft(world: World, folder: Path, text: str) -> None:
    file = folder / "borrador.yaml"
    file.write_text(text, encoding="utf-8")
    await world.system.run("services.cartas", "draft", str(file), "--post", POST)


def fields_of(name: str, day: date) -> dict[str, str]:
    parts = {"day": day.day, "month": day.month, "year": day.year}
    return {f"{name}-{part}": str(value) for part, value in parts.items()}


async def test_the_coordination_approves_publishes_and_withdraws(
    office: World, tmp_path: Path
) -> None:
    await keep_draft(office, tmp_path, draft())
    async with office.browser() as browser:
        await office.sign_in(browser, COORDINATION)
        assert "Borrador" in (await browser.open(PAGES)).text
        address = f"{PAGES}/RC-01/2"
        page = (await browser.open(address)).text
        assert "<del>≤ 15 minutos</del>" in page
        assert "<ins>≤ 10 minutos</ins>" in page

        empty = await browser.send(address, {"paso": "approve"})
        assert empty.status_code == 422
        assert "Escribe el número del acta" in empty.text
        acta = {
            "paso": "approve",
            "acta": "CI-7",
            "organo": "Comité Interno",
            **fields_of("fecha", today()),
            **fields_of("desde", today() - DAY),
        }
        back = await browser.send(address, acta)
        assert (back.status_code, "lo que estuvo vigente no se cambia" in back.text) == (422, True)
        acta |= fields_of("desde", today() + DAY)
        warned = await browser.send(address, acta)
        code = CODE.search(warned.text)
        assert code is not None, warned.text
        unread = await browser.send(address, {**acta, "codigo": code.group(1)})
        assert unread.status_code == 409
        taken = await browser.send(address, {**acta, "codigo": code.group(1), "enterada": "si"})
        assert taken.status_code == 303, taken.text

        for _ in range(2):  # the second is a double click
            shown = await browser.send(address, {"paso": "publish"})
            assert shown.status_code == 303, shown.text
        assert "Publicada, aún no rige" in (await browser.open(address)).text
        untold = await browser.send(address, {"paso": "retire", "motivo": ""})
        assert "Escribe por qué la retiras" in untold.text
        gone = await browser.send(address, {"paso": "retire", "motivo": "Recurso de la unidad"})
        assert gone.status_code == 303
        last = (await browser.open(address)).text
        assert "Recurso de la unidad" in last
        assert "Acta CI-7" in last
        rows = re.findall(rf'href="{PAGES}/RC-01/(\d+)"', (await browser.open(PAGES)).text)
        assert rows == ["1", "2"], "the version in force heads the one that was withdrawn"


async def test_a_unit_does_not_see_them(office: World) -> None:
    async with office.browser() as browser:
        await office.sign_in(browser, UNIT)
        for path in (PAGES, f"{PAGES}/RC-01/1"):
            assert (await browser.open(path)).status_code == 404


async def test_nobody_sees_them_without_signing_in(office: World) -> None:
    async with office.browser() as browser:
        assert (await browser.open(PAGES)).headers["location"] == "/entrar"


async def test_what_is_not_there_is_said_so(office: World) -> None:
    async with office.browser() as browser:
        await office.sign_in(browser, COORDINATION)
        for path in ("RC-01/99", "NADA/1", "RC-01/0", "RC-01/x"):
            assert (await browser.open(f"{PAGES}/{path}")).status_code in (404, 422)


async def test_a_draft_is_tried_on_a_past_window_before_anybody_promises_it(
    office: World, tmp_path: Path
) -> None:
    await keep_draft(office, tmp_path, draft())
    async with office.browser() as browser:
        await office.sign_in(browser, COORDINATION)
        listed = re.findall(rf"{PAGES}/RC-01/(\d+)", (await browser.open(PAGES)).text)
        address = f"{PAGES}/RC-01/{max(map(int, listed))}"
        detail = (await browser.open(address)).text
        found = re.search(r'href="([^"]+/prueba\?compromiso=RC-01-02)"', detail)
        assert found is not None, detail
        choice = (await browser.open(found[1])).text
        windows = re.findall(r'<option value="([^"]+)"', choice)
        assert len(windows) == 8, choice

        async def tried() -> str | None:
            page = (await browser.open(f"{found[1]}&periodo={windows[0]}")).text
            return page if "La frase pública:" in page else None

        page = await eventually(tried, 60, what="the evaluator has the catalogue")
        assert "Sin veredicto" in page
        assert "será de 10 minutos o menos" in page
        assert (await browser.open(f"{address}/prueba?compromiso=OTRO")).status_code == 404
        nothing = (await browser.open(f"{found[1]}&periodo=ayer")).text
        assert "La frase pública:" not in nothing
    async with office.browser() as browser:
        await office.sign_in(browser, UNIT)
        assert (await browser.open(found[1])).status_code in (403, 404)


async def test_days_left_without_a_version_are_taken_note_of_before_one_ends(
    office: World, tmp_path: Path
) -> None:
    await keep_draft(office, tmp_path, draft())
    async with office.browser() as browser:
        await office.sign_in(browser, COORDINATION)
        listed = re.findall(rf"{PAGES}/RC-01/(\d+)", (await browser.open(PAGES)).text)
        following, first = f"{PAGES}/RC-01/{max(map(int, listed))}", f"{PAGES}/RC-01/1"
        acta = {"paso": "approve", "acta": "CI-8", "organo": "Comité Interno"}
        acta |= fields_of("fecha", today()) | fields_of("desde", today() + 9 * DAY)
        await acknowledged(browser, following, acta)
        assert (await browser.send(following, {"paso": "publish"})).status_code == 303
        early = {"paso": "retire", "motivo": "Obra en la oficina"}
        early |= fields_of("ultimo", today() + DAY)
        warned = await acknowledged(browser, first, early)
        assert f"Del {today() + 2 * DAY} al {today() + 8 * DAY} no habrá versión" in warned
        assert "Los revisé y la retiro con ellos" in warned
        assert "Con 1 aviso tomado en cuenta" in (await browser.open(first)).text


async def acknowledged(browser: Browser, address: str, form: dict[str, str]) -> str:
    """Take a step that warns first, then with its warnings; return the page that warned."""
    warned = await browser.send(address, form)
    code = CODE.search(warned.text)
    assert (warned.status_code, code is not None) == (409, True), warned.text
    assert code is not None
    noted = {"codigo": code.group(1), "enterada": "si"}
    assert (await browser.send(address, {**form, **noted})).status_code == 303
    return warned.text
