import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page

from tests.browser.pages import Watched, new_context, watched
from tests.integration.portal.world import World
from tests.support.waiting import eventually
from tests.unit.portal import builders as b

pytestmark = pytest.mark.browser

HOME = f"/{b.M}"
PUBLIC = (
    HOME,
    f"{HOME}?q=agua",
    f"{HOME}/compromisos",
    f"{HOME}/compromisos?estado=no-se-cumple",
    f"{HOME}/c/CC-RC-01",
    f"{HOME}/c/CC-EM-01",
    f"{HOME}/c/CC-IG-01",
    f"{HOME}/c/CC-AG-01",
    f"{HOME}/resultado?compromiso=CC-RC-01-01&unidad=RC-SUR&periodo=2026-Q3",
    f"{HOME}/resultado?compromiso=CC-RC-01-01&unidad=RC-SUR&periodo=2026-Q4",
    f"{HOME}/resultado?compromiso=CC-RC-01-02&unidad=REGISTRO&periodo=2026-Q3",
    f"{HOME}/resultado?compromiso=CC-IG-01-01&unidad=IGUALDAD&periodo=2026-Q3",
    f"{HOME}/datos",
    f"{HOME}/plazo",
    f"{HOME}/plazo?desde=2026-07-10T10:00&plazo=3&unidad=dia_habil&calendario=HABIL&inicio=",
    f"{HOME}/plazo?desde=&plazo=x",
    f"{HOME}/buzon",
    "/folio",
    "/entrar",
    "/entrar/un-enlace-que-no-sirve",
    "/emisor",
    "/accesibilidad",
    "/privacidad",
    "/no-existe",
    "/docs",
    "/asyncapi",
)
MAILBOXES = {
    "/panel": "enlace-registro@fresnos.example",
    "/coordinacion": "coordinacion@fresnos.example",
    "/contraloria": "contraloria@fresnos.example",
    "/administracion": "sistemas@fresnos.example",
}


@pytest_asyncio.fixture
async def context(chromium: Chromium, world: World) -> AsyncIterator[BrowserContext]:
    async with new_context(chromium, world.url) as made:
        yield made


async def photograph(page: Page, name: str) -> None:
    """Keep a picture where CARTAS_PICTURES names a folder; tests do without."""
    folder = os.environ.get("CARTAS_PICTURES")
    if folder:
        for width in (1100, 360):
            await page.set_viewport_size({"width": width, "height": 900})
            path = Path(folder) / f"{name}-{width}.png"
            await page.screenshot(path=path, full_page=True)


async def check(page: Watched, name: str) -> None:
    await photograph(page.page, name)
    assert await page.faults() == []


@pytest.mark.parametrize("path", PUBLIC)
async def test_a_public_page_has_no_fault(context: BrowserContext, path: str) -> None:
    async with watched(context) as page:
        await page.page.goto(path)
        await check(page, path.strip("/").replace("/", "-").replace("?", "-") or "inicio")


async def sign_in(page: Page, world: World, mailbox: str) -> None:
    before = len(await world.mails_to(mailbox))
    await page.goto("/entrar")
    await page.get_by_label("Correo institucional").fill(mailbox)
    await page.get_by_role("button", name="Enviarme el enlace").click()
    await page.get_by_role("heading", name="Revisa tu correo").wait_for()

    await page.goto(await newest_link(world, mailbox, before))
    await page.get_by_role("button", name="Entrar").click()
    await page.get_by_label("Tu sesión").wait_for()


async def newest_link(world: World, mailbox: str, before: int) -> str:
    async def arrived() -> bool:
        return len(await world.mails_to(mailbox)) > before

    await eventually(arrived, 30, what=f"a link for {mailbox}")
    return await world.link_in_mail(mailbox, "/entrar")


async def file_complaint(page: Page, kind: str = "Queja") -> tuple[str, str]:
    await page.goto(f"{HOME}/buzon?carta=CC-RC-01")
    await page.get_by_label(kind).check()
    await page.get_by_label("¿Qué pasó?").fill("Esperé dos horas en la ventanilla.")
    await page.get_by_role("button", name="Enviar y obtener folio").click()
    folio = await page.locator(".govuk-panel__body strong").inner_text()
    secret = await page.locator(".folio-grande").inner_text()
    return folio, secret


async def test_the_buzon_says_what_is_missing_gives_a_folio_and_shows_how_it_stands(
    context: BrowserContext,
) -> None:
    async with watched(context) as page:
        await page.page.goto(f"{HOME}/buzon")
        await page.page.get_by_role("button", name="Enviar y obtener folio").click()
        summary = page.page.locator(".govuk-error-summary")
        await page.page.wait_for_function(
            "() => document.activeElement.matches('.govuk-error-summary')"
        )
        await summary.get_by_role("link", name="Escribe qué pasó").click()
        assert await page.page.evaluate("() => document.activeElement.id") == "texto"
        await check(page, "buzon-error")

        folio, secret = await file_complaint(page.page)
        await check(page, "buzon-recibido")
        await page.page.goto("/folio")
        await page.page.get_by_role("button", name="Consultar").click()
        await check(page, "folio-error")
        await page.page.get_by_label("Folio").fill(folio)
        await page.page.get_by_label("Clave").fill(secret)
        await page.page.get_by_role("button", name="Consultar").click()
        await page.page.get_by_text("La recibimos").wait_for()
        await check(page, "folio-estado")


@pytest.mark.parametrize("home", MAILBOXES)
async def test_the_first_page_of_a_role_has_no_fault(
    context: BrowserContext, world: World, home: str
) -> None:
    async with watched(context) as page:
        kind = "Denuncia" if home == "/contraloria" else "Queja"
        folio, _ = await file_complaint(page.page, kind)
        await sign_in(page.page, world, MAILBOXES[home])
        await page.page.goto(home)
        await check(page, home.strip("/"))
        if home != "/administracion":
            await page.page.goto(f"{home}/folios/{folio}")
            await check(page, f"{home.strip('/')}-folio")
            await page.page.get_by_role("button", name="Enviar respuesta").click()
            await page.page.get_by_text("Hay un problema").wait_for()
            await check(page, f"{home.strip('/')}-folio-error")


async def test_the_alert_leads_through_the_action_to_the_coordination(
    context: BrowserContext, world: World, chromium: Chromium
) -> None:
    link = await world.link_in_mail("enlace-mando@fresnos.example", "/a")
    async with watched(context) as page:
        await page.page.goto(link)
        await check(page, "accion")
        await page.page.get_by_role("button", name="Acusar recibo").click()
        await page.page.get_by_role("button", name="Revisar antes de registrar").click()
        await check(page, "accion-error")
        await page.page.get_by_label("Sistema: falla o límite informático").check()
        await page.page.get_by_label("¿Por qué no se cumplió?").fill("La consola se reinició.")
        await page.page.get_by_label("¿Qué van a hacer").fill("Poner una segunda consola.")
        for label, value in (("Día", "31"), ("Mes", "12"), ("Año", "2099")):
            await page.page.get_by_label(label, exact=True).fill(value)
        await page.page.get_by_role("button", name="Revisar antes de registrar").click()
        await page.page.get_by_role("heading", name="Revisa tus respuestas").wait_for()
        await check(page, "accion-revisar")
        await page.page.get_by_role("button", name="Confirmar y registrar").click()
        await page.page.get_by_text("está en revisión de la coordinación").wait_for()
        await check(page, "accion-registrada")
    async with new_context(chromium, world.url) as office, watched(office) as page:
        await sign_in(page.page, world, MAILBOXES["/coordinacion"])
        await page.page.goto("/coordinacion?estado=filed")
        await page.page.locator("a[href*='/coordinacion/acciones/']").first.click()
        await check(page, "coordinacion-accion")
        await page.page.get_by_role("button", name="Devolver a la unidad").click()
        await check(page, "coordinacion-accion-error")
        await page.page.get_by_role("button", name="Aprobar").click()
        await page.page.get_by_role("heading", name="Texto publicado").wait_for()
        await check(page, "coordinacion-accion-aprobada")


async def test_an_emitter_reads_its_activity(context: BrowserContext, world: World) -> None:
    added = await world.system.run(
        *("services.measurements", "source", "add", "--municipality", b.M),
        *("--source", "https://turnos-2.fresnos.example", "--services", "CC-RC-01"),
        *("--reports", "ticket.*,survey.answered"),
        *("--every-minutes", "30", "--calendar", "HAB-GRAL"),
    )
    async with watched(context) as page:
        await page.page.goto("/emisor")
        await page.page.get_by_label("Credencial").fill(max(added.split(), key=len))
        await page.page.get_by_role("button", name="Ver actividad").click()
        await page.page.get_by_text("turnos-2.fresnos.example").wait_for()
        await page.page.get_by_text("al menos cada 30 minutos de servicio").wait_for()
        await page.page.get_by_text("Ahora no se pueden consultar").wait_for()
        await check(page, "emisor-actividad")


async def test_too_long_a_text_is_answered_with_a_page(context: BrowserContext) -> None:
    async with watched(context) as page:
        await page.page.goto(f"{HOME}/buzon")
        await page.page.get_by_label("Queja").check()
        await page.page.get_by_label("¿Qué pasó?").fill("x" * 2_000_000)
        await page.page.get_by_role("button", name="Enviar y obtener folio").click()
        await page.page.get_by_role("heading", name="Es demasiado grande").wait_for()
        await photograph(page.page, "demasiado-grande")


async def test_searching_filters_while_one_types(context: BrowserContext) -> None:
    async with watched(context) as page:
        await page.page.goto(HOME)
        await page.page.get_by_label("Buscar un trámite").press_sequentially("fugas")
        await page.page.get_by_text("1 resultado para «fugas»").wait_for()
        assert await page.page.locator("#cartas tbody").count() == 1
        assert page.complaints == []


async def test_everything_works_without_javascript(chromium: Chromium, world: World) -> None:
    async with new_context(chromium, world.url, javascript=False) as context:
        page = await context.new_page()
        await page.goto(HOME)
        await page.get_by_label("Buscar un trámite").fill("fugas")
        await page.get_by_role("button", name="Buscar").click()
        assert await page.locator("#cartas tbody").count() == 1
        await page.goto(f"{HOME}/c/CC-EM-01")
        await page.get_by_text("Cómo lo medimos").first.click()
        assert await page.get_by_text("Se evalúa cada trimestre").first.is_visible()
        folio, secret = await file_complaint(page)
        await page.goto("/folio")
        await page.get_by_label("Folio").fill(folio)
        await page.get_by_label("Clave").fill(secret)
        await page.get_by_role("button", name="Consultar").click()
        assert await page.get_by_text("La recibimos").is_visible()
        await sign_in(page, world, "coordinacion@fresnos.example")
        assert await page.get_by_role("heading", name="Acciones correctivas").first.is_visible()
