from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.portal.test_portal_buzon import file
from tests.integration.portal.world import Browser, World
from tests.support.waiting import eventually
from tests.unit.portal import builders as b

ENLACE = "enlace-mando@fresnos.example"
REGISTRO = "enlace-registro@fresnos.example"
AGUA = "enlace-agua@fresnos.example"
COORDINACION = "coordinacion@fresnos.example"
CONTRALORIA = "contraloria@fresnos.example"


@pytest_asyncio.fixture
async def browser(world: World) -> AsyncIterator[Browser]:
    async with world.browser() as opened:
        yield opened


async def test_a_link_is_not_used_up_by_looking_and_opens_once(
    world: World, browser: Browser
) -> None:
    printed = await world.system.run("services.portal", "create-admin", "Jefa@Ayto.example")
    link = printed.strip().removeprefix(world.url)
    for _ in range(3):
        assert (await browser.open(link)).status_code == 200
        assert (await browser.http.head(link)).status_code in (200, 405)
    assert (await browser.open("/administracion")).headers["location"] == "/entrar"
    assert (await browser.send(link, {})).status_code == 303
    page = await browser.open("/administracion")
    assert "jefa@ayto.example" in page.text
    assert "Puestos de Fresnos del Río" in page.text
    async with world.browser() as other:
        assert (await other.open(link)).status_code == 410
        spent = await other.send(link, {}, page="/entrar")
        assert spent.status_code == 410


async def test_asking_for_a_link_never_tells_who_is_known(world: World, browser: Browser) -> None:
    known = await browser.send("/entrar", {"correo": CONTRALORIA})
    unknown = await browser.send("/entrar", {"correo": "nadie@otro.example"})
    assert known.status_code == unknown.status_code == 200
    strip = len(known.text)
    assert strip == len(unknown.text)
    await world.link_in_mail(CONTRALORIA, "/entrar")
    assert await world.mails_to("nadie@otro.example") == []


@pytest.mark.parametrize(
    "path",
    [
        "/panel",
        "/coordinacion",
        "/contraloria",
        "/administracion",
        "/puesto",
        "/panel/acciones/INC-2026-0001",
        "/panel/folios/BZ-2026-000001-K",
        "/coordinacion/acciones/INC-2026-0001",
    ],
)
async def test_nobody_enters_without_signing_in(browser: Browser, path: str) -> None:
    answer = await browser.open(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/entrar")


async def test_the_alert_leads_to_an_action_that_is_acknowledged_filed_and_approved(
    world: World, browser: Browser
) -> None:
    link = await world.link_in_mail(ENLACE, "/a")
    page = await browser.open(link)
    assert page.status_code == 200
    assert "LL-2026-08812" in page.text
    assert page.headers["cache-control"] == "no-store"
    for _ in range(2):  # the second is a double click
        assert (await browser.send(link, {"paso": "acuse"})).status_code in (303, 409)
    assert "Acusar recibo" not in (await browser.open(link)).text

    answers = {
        "categoria": "sistema",
        "causa": "La consola se reinició dos veces.",
        "accion": "Instalar una segunda consola.",
        "fecha-day": "31",
        "fecha-month": "12",
        "fecha-year": "2099",
    }
    bad = await browser.send(link, {**answers, "causa": "", "fecha-day": "40", "paso": "revisar"})
    assert bad.status_code == 422
    assert "Escribe por qué no se cumplió" in bad.text
    review = await browser.send(link, {**answers, "paso": "revisar"})
    assert "Revisa tus respuestas" in review.text
    assert "Instalar una segunda consola." in review.text
    done = await browser.send(link, {**answers, "paso": "confirmar"})
    assert done.status_code == 303, done.text

    async with world.browser() as office:
        await world.sign_in(office, COORDINACION)
        listed = (await office.open("/coordinacion")).text
        number = listed.split("/coordinacion/acciones/")[1].split('"')[0]
        address = f"/coordinacion/acciones/{number}"
        assert "La consola se reinició dos veces." in (await office.open(address)).text
        assert (await office.send(address, {"paso": "return", "motivo": ""})).status_code == 422
        public = "Pondremos una segunda consola."
        approved = await office.send(address, {"paso": "approve", "publico": public})
        assert approved.status_code == 303, approved.text

    async def told() -> bool:
        return public in (await browser.open(f"/{b.M}/c/CC-EM-01")).text

    assert await eventually(told, what="the public page tells of the action")


async def test_a_unit_sees_its_own_actions_only(world: World, browser: Browser) -> None:
    await world.sign_in(browser, ENLACE)
    own = (await browser.open("/panel")).text
    assert "Compromisos en curso (1)" in own
    assert "Ya no puede cumplirse" in own
    number = own.split("/panel/acciones/")[1].split('"')[0]
    assert (await browser.open(f"/panel/acciones/{number}")).status_code == 200
    async with world.browser() as other:
        await world.sign_in(other, REGISTRO)
        panel = (await other.open("/panel")).text
        assert number not in panel
        assert "Pronóstico: si llegan 210 casos, como en el mismo periodo del año anterior" in panel
        assert "Ya no puede cumplirse" not in panel
        assert (await other.open(f"/panel/acciones/{number}")).status_code == 404
        assert (await other.open("/coordinacion")).status_code == 404
        assert (await other.open("/administracion")).status_code == 404


async def test_a_unit_answers_a_folio_and_the_citizen_reads_it(
    world: World, browser: Browser
) -> None:
    folio, secret = await file(browser, solicitud="para-responder-000001")
    async with world.browser() as unit:
        await world.sign_in(unit, REGISTRO)
        address = f"/panel/folios/{folio}"
        assert folio in (await unit.open("/panel")).text
        assert "Esperé dos horas." in (await unit.open(address)).text
        empty = await unit.send(address, {"paso": "answer", "answer-texto": ""})
        assert empty.status_code == 422
        fields = {"paso": "answer", "answer-texto": "Ya abrimos otra ventanilla."}
        answered = await unit.send(address, {**fields, "answer-finding": "upheld"})
        assert answered.status_code == 303, answered.text
    async with world.browser() as stranger:
        await world.sign_in(stranger, ENLACE)
        assert (await stranger.open(address)).status_code == 404
    seen = await browser.send("/folio", {"folio": folio, "clave": secret})
    assert "Ya abrimos otra ventanilla." in seen.text


async def test_a_complaint_on_conduct_is_the_contralorias_alone(
    world: World, browser: Browser
) -> None:
    folio, _ = await file(
        browser, tipo="denuncia", texto="Me pidió dinero.", solicitud="denuncia-00000000001"
    )
    for mailbox, home in ((REGISTRO, "/panel"), (COORDINACION, "/coordinacion")):
        async with world.browser() as other:
            await world.sign_in(other, mailbox)
            assert folio not in (await other.open(home)).text
            assert (await other.open(f"{home}/folios/{folio}")).status_code == 404
    async with world.browser() as office:
        await world.sign_in(office, CONTRALORIA)
        assert folio in (await office.open("/contraloria")).text
        assert "Me pidió dinero." in (await office.open(f"/contraloria/folios/{folio}")).text


async def test_cases_are_for_the_unit_that_answers(world: World, browser: Browser) -> None:
    await world.sign_in(browser, ENLACE)
    where = "/casos?compromiso=CC-EM-01-01&periodo=2026-Q3&unidad="
    assert (await browser.open(f"{where}RC-SUR")).status_code == 404
    own = await browser.open(f"{where}MANDO")  # the evaluator does not run here
    assert own.status_code == 503
    assert "No responde la evaluación" in own.text
    away = (await browser.open("/metrics")).text
    assert 'portal_peer_away_total{peer="evaluator"} 1.0' in away


async def test_the_contact_is_shown_when_asked_for(world: World, browser: Browser) -> None:
    folio, _ = await file(browser, correo="vecina@correo.example", solicitud="con-correo-00000001")
    async with world.browser() as unit:
        await world.sign_in(unit, REGISTRO)
        address = f"/panel/folios/{folio}"
        assert "vecina@correo.example" not in (await unit.open(address)).text
        shown = await unit.send(address, {"paso": "contact"})
        assert "vecina@correo.example" in shown.text


async def test_demonstrations_have_a_link_for_each_role(world: World, browser: Browser) -> None:
    printed = await world.system.run("services.portal", "demo-links")
    lines = [line.split() for line in printed.splitlines()]
    assert [words[0] for words in lines] == [
        "Unidad",
        "Coordinación",
        "Contraloría",
        "Administración",
    ]
    for words, home in zip(
        lines, ("/panel", "/coordinacion", "/contraloria", "/administracion"), strict=True
    ):
        async with world.browser() as visitor:
            assert (await visitor.send(words[1].removeprefix(world.url), {})).status_code == 303
            assert (await visitor.open("/entrar")).headers["location"] == home


async def test_a_demonstration_leads_the_unit_to_its_action(world: World, browser: Browser) -> None:
    async with world.system.client("notifier") as http:
        listed = await http.get("/v1/actions", params={"municipality": b.M})
    (action,) = [a["action"] for a in listed.json()["actions"] if a["unit"] == "MANDO"]
    printed = await world.system.run(
        *("services.portal", "demo-links", "--unit", ENLACE, "--action", action)
    )
    link = printed.split()[1].removeprefix(world.url)
    form = await browser.open(link)
    assert f'name="accion" value="{action}"' in form.text
    entered = await browser.send(link, {"accion": action})
    assert entered.headers["location"] == f"/panel/acciones/{action}"
    assert action in (await browser.open(entered.headers["location"])).text


async def test_leaving_ends_the_session(world: World, browser: Browser) -> None:
    await world.sign_in(browser, REGISTRO)
    assert (await browser.open("/panel")).status_code == 200
    kept = dict(browser.http.cookies)
    assert (await browser.send("/salir", {}, page="/panel")).status_code == 303
    browser.http.cookies.update(kept)
    assert (await browser.open("/panel")).headers["location"] == "/entrar"


async def test_an_emitter_sees_what_became_of_its_events(world: World, browser: Browser) -> None:
    added = await world.system.run(
        *("services.measurements", "source", "add", "--municipality", b.M),
        *("--source", "https://turnos.fresnos.example", "--services", "CC-RC-01"),
        *("--reports", "ticket.*"),
    )
    token = max(added.split(), key=len)
    bad = await browser.send("/emisor", {"credencial": "no-es-una-credencial"})
    assert bad.status_code == 422
    assert "no-es-una-credencial" not in bad.text
    page = await browser.send("/emisor", {"credencial": token})
    assert page.status_code == 200
    assert "https://turnos.fresnos.example" in page.text
    assert token not in page.text


async def test_a_page_stays_up_when_a_service_is_away(world: World, browser: Browser) -> None:
    await world.sign_in(browser, AGUA)
    await world.system.kill("buzon")
    try:
        page = await browser.open("/panel")
        assert page.status_code == 200
        assert "Ahora no responde el buzón" in page.text
        filled = {"tipo": "queja", "texto": "Hola", "carta": ""}
        sent = await browser.send(f"/{b.M}/buzon", filled)
        assert sent.status_code == 503
        assert (await browser.open(f"/{b.M}")).status_code == 200
    finally:
        await world.system.start("buzon")
        await world.system.wait_until_ready("buzon")
