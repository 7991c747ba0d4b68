"""The coordination's pages of carta versions in a real Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page

from tests.browser.pages import new_context, watched
from tests.browser.test_pages import check, sign_in
from tests.integration.cartas.towns import DAY, draft, today
from tests.integration.portal.test_portal_cartas import COORDINATION, PAGES, keep_draft, office
from tests.integration.portal.world import World

__all__ = ["office"]
pytestmark = pytest.mark.browser
SECOND = """\
    - id: RC-01-09
      base: propio
      texto: Entregamos la copia en 3 días hábiles o menos en todos los casos.
      indicador: {nombre: Entrega, formula: a / b, fuente: ventanilla, medicion: continua}
      criterio:
        forma: share_within
        poblacion: {evento: request.received, ancla: due}
        reloj: {inicio: request.received, fin: request.delivered, unidad: dia_habil}
        limite: {op: <=, valor: 3}
      umbral: {op: '>=', objetivo: 100, unidad: '%'}
      ventana: quarter
"""


@pytest_asyncio.fixture
async def context(chromium: Chromium, office: World) -> AsyncIterator[BrowserContext]:
    async with new_context(chromium, office.url) as made:
        yield made


async def fill_day(page: Page, name: str, text: tuple[str, str, str]) -> None:
    for part, value in zip(("day", "month", "year"), text, strict=True):
        await page.locator(f"#{name}-{part}").fill(value)


async def test_a_version_is_read_approved_and_published(
    context: BrowserContext, office: World, tmp_path: Path
) -> None:
    await keep_draft(office, tmp_path, draft(extra=SECOND))
    async with watched(context) as watcher:
        page = watcher.page
        await sign_in(page, office, COORDINATION)
        await page.goto("/coordinacion")
        await page.get_by_role("link", name="Cartas y sus versiones").click()
        await check(watcher, "coordinacion-cartas")
        await page.get_by_role("link", name="Versión 2").click()
        await check(watcher, "coordinacion-carta-borrador")
        await page.get_by_role("button", name="Aprobar").click()
        await check(watcher, "coordinacion-carta-error")
        await page.get_by_label("Número del acta").fill("CI-7")
        await page.get_by_label("¿Quién la aprobó?").fill("Comité Interno")
        now, then = today(), today() + 9 * DAY
        await fill_day(page, "fecha", (str(now.day), str(now.month), str(now.year)))
        await fill_day(page, "desde", (str(then.day), str(then.month), str(then.year)))
        await page.get_by_role("button", name="Aprobar").click()
        await page.get_by_text("Avisos por tomar en cuenta").wait_for()
        await check(watcher, "coordinacion-carta-avisos")
        await page.get_by_label("Los revisé y la apruebo con ellos").check()
        await page.get_by_role("button", name="Aprobar").click()
        await page.get_by_role("button", name="Publicar").wait_for()
        await check(watcher, "coordinacion-carta-aprobada")
        await page.get_by_role("button", name="Publicar").click()
        await page.get_by_text("Publicada, aún no rige").wait_for()
        await check(watcher, "coordinacion-carta-publicada")
        await page.goto(f"{PAGES}/RC-01/1")
        await check(watcher, "coordinacion-carta-vigente")
        await page.get_by_label("¿Por qué la retiras?").fill("Obra en la oficina")
        await page.get_by_role("button", name="Retirar").click()
        await page.get_by_text("no habrá versión vigente").wait_for()
        await check(watcher, "coordinacion-carta-vigente-avisos")
        await page.get_by_label("Los revisé y la retiro con ellos").check()
        await page.get_by_role("button", name="Retirar").click()
        await page.get_by_text("Obra en la oficina").wait_for()
