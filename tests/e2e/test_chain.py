"""The whole chain once: promise, measure, judge, alert, correct, verify, publish."""

import csv
import io
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from shared.contracts import topics
from shared.contracts.service_events import SOURCE_HEARTBEAT
from simulator import MUNICIPALITY
from simulator.scenarios import PHONES
from tests.e2e.browser import Browser, Page
from tests.e2e.town import PROMISE, Town, event
from tests.support.waiting import eventually

UNIT_MAIL = "enlace.emergencias@jacarandas.example"
COORDINATION_MAIL = "mejora.regulatoria@jacarandas.example"
CONTRALORIA_MAIL = "contraloria@jacarandas.example"
SENTENCE = "Todas las llamadas de emergencia se canalizan en 60 segundos o menos"
PUBLIC_TEXT = "Se abrió una segunda línea de canalización de 9 a 15 horas."
COMPLAINT = "Esperé casi tres minutos con la línea en silencio."
DENUNCIA = "La persona que contestó me pidió dinero para mandar la patrulla."
ANSWER = "Tiene usted razón: la línea estaba saturada. Ya hay una segunda."


KEPT = 9
"""Calls passed on in time beside the late one: enough for figures that may be published."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the mailbox shows it."""

    subject: str
    text: str
    html: str

    @property
    def link(self) -> str:
        """The one address of ours that it leads to."""
        (found,) = set(re.findall(r"http://127\.0\.0\.1:\d+/(?:a|entrar)/[^\s\"<>]+", self.text))
        return str(found)


async def mails_to(town: Town, mailbox: str, words: str) -> list[Mail]:
    """Mails to a mailbox whose text has these words, newest first."""
    async with httpx.AsyncClient(base_url=town.system.mailbox_url, timeout=10) as http:
        listed = (await http.get("/api/v1/messages", params={"limit": 500})).json()["messages"]
        ids = [mail["ID"] for mail in listed if mail["To"] == [mailbox]]
        whole = [(await http.get(f"/api/v1/message/{each}")).json() for each in ids]
    found = [Mail(each["Subject"], each["Text"], each["HTML"]) for each in whole]
    return [mail for mail in found if words in " ".join(mail.text.split())]


async def mail_to(town: Town, mailbox: str, words: str) -> Mail:
    what = f"mail to {mailbox}: {words}"
    return (await eventually(lambda: mails_to(town, mailbox, words), 60, what=what))[0]


@asynccontextmanager
async def visitor(town: Town) -> AsyncIterator[Browser]:
    async with Browser(town.system.url("portal")) as browser:
        yield browser


@asynccontextmanager
async def signed_in(town: Town, mailbox: str) -> AsyncIterator[Browser]:
    """A visitor who came in by a one-time link; showing the link uses nothing up."""
    async with visitor(town) as browser:
        before = len(await mails_to(town, mailbox, "/entrar/"))
        asked = await browser.submit((await browser.open("/entrar")).form("correo"), correo=mailbox)
        assert asked.status == 200

        async def sent() -> list[Mail]:
            found = await mails_to(town, mailbox, "/entrar/")
            return found[: len(found) - before]

        link = (await eventually(sent, 60, what=f"sign-in mail to {mailbox}"))[0].link
        assert (await browser.open(link)).status == 200
        shown = await browser.open(link)
        inside = await browser.submit(shown.forms[-1])
        assert (inside.status, "Entrar" in inside.text.split()[:3]) == (200, False)
        assert (await browser.open(link)).status == 410
        yield browser


async def actions(town: Town) -> list[dict[str, Any]]:
    """Every corrective action about the promise, whole."""
    async with town.system.client("notifier") as http:
        listed = await http.get("/v1/actions", params={"municipality": MUNICIPALITY})
        about = [each for each in listed.json()["actions"] if each["compromiso"] == PROMISE]
        return [(await http.get(f"/v1/actions/{each['action']}")).json() for each in about]


async def test_from_a_late_call_to_a_published_correction(whole_town: Town) -> None:
    town = whole_town
    case = await an_open_call_becomes_late(town)
    alert = await the_unit_is_alerted(town, case)
    action = await the_unit_acts_by_the_link(town, alert)
    await the_coordination_approves(town, action)
    await everybody_sees_it(town)


async def an_open_call_becomes_late(town: Town) -> str:
    """Nothing but the clock and a sign of life say that the call was not passed on."""
    for met in [await town.call(seconds=20) for _ in range(KEPT)]:
        await town.judged(met)
    now, case = datetime.now(UTC), town.case("LLAMADA")
    queued = event(
        "call.queued", PHONES, case, at=now - timedelta(minutes=3), service="EM-LLAMADAS"
    )
    beat = event(SOURCE_HEARTBEAT, PHONES, "heartbeat", at=now, id=f"beat-{case}")
    token = town.tokens[PHONES.uri]
    for sent in (queued, beat):
        assert (await town.post(sent, token=token)).status_code == 202
    verdict = await town.judged(case, status="failed")
    assert verdict["overdue_open"]
    return case


async def the_unit_is_alerted(town: Town, case: str) -> Mail:
    """One alert, as HTML and as text, with sentence, figure, case and link."""
    alert = await mail_to(town, UNIT_MAIL, "no se cumplió")
    for body in (alert.text, alert.html):
        said = " ".join(body.split())
        assert SENTENCE in said
        assert case in said
        assert alert.link in said
        assert re.search(r"\b90(\.0)? ?%", said.replace("\xa0", " ")), said
    assert "http://" not in alert.html.replace(town.system.url("portal"), "")
    return alert


async def the_unit_acts_by_the_link(town: Town, alert: Mail) -> str:
    """GET shows and changes nothing; each step is taken once however often it is sent."""
    async with visitor(town) as unit:
        shown = await unit.open(alert.link)
        assert shown.status == 200
        assert SENTENCE in shown.text
        (action,) = await actions(town)
        assert (action["state"], action["revision"]) == ("requested", 1)
        acknowledge = shown.form("paso", "acuse")
        for _ in range(2):
            assert (await unit.submit(acknowledge, ("paso", "acuse"))).status == 200
        (action,) = await actions(town)
        assert action["state"] == "acknowledged"
        await _file(unit, await unit.open(alert.link))
    (filed,) = await actions(town)
    assert filed["state"] == "filed"
    assert [step["step"] for step in filed["steps"]] == ["requested", "acknowledge", "file"]
    return str(filed["action"])


async def _file(unit: Browser, shown: Page) -> None:
    form = shown.form("causa")
    empty = await unit.submit(form, ("paso", "revisar"))
    assert empty.status == 422
    later = datetime.now(UTC) + timedelta(days=20)
    answers = {
        "categoria": form.offered["categoria"][0],
        "causa": "Una sola línea para toda la mañana.",
        "accion": "Abrir una segunda línea.",
        "fecha-day": str(later.day),
        "fecha-month": str(later.month),
        "fecha-year": str(later.year),
    }
    checked = await unit.submit(form, ("paso", "revisar"), **answers)
    assert "Abrir una segunda línea." in checked.text
    confirm = checked.form("paso", "confirmar")
    for _ in range(2):
        assert (await unit.submit(confirm, ("paso", "confirmar"))).status == 200


async def the_coordination_approves(town: Town, action: str) -> None:
    async with signed_in(town, COORDINATION_MAIL) as coordination:
        assert action in (await coordination.open("/coordinacion")).text
        shown = await coordination.open(f"/coordinacion/acciones/{action}")
        form = shown.form("paso", "approve")
        for _ in range(2):
            await coordination.submit(form, ("paso", "approve"), publico=PUBLIC_TEXT)
    (approved,) = await actions(town)
    assert (approved["state"], approved["public_text"]) == ("approved", PUBLIC_TEXT)
    told = await mail_to(town, UNIT_MAIL, "aprobó la acción correctiva")
    assert SENTENCE in " ".join(told.text.split())


async def everybody_sees_it(town: Town) -> None:
    """Page and open data show the figures that the evaluator has."""
    result = await _result(town)
    part = result["parts"][0]
    assert (result["verdict"], part["met"], part["failed"]) == ("not_met", KEPT, 1)
    async with visitor(town) as citizen:

        async def published() -> Page | None:
            page = await citizen.open(f"/{MUNICIPALITY}/c/EM-01")
            return page if PUBLIC_TEXT in page.text else None

        page = await eventually(published, 30, what="the approved text on the public page")
        assert page is not None
        assert SENTENCE in page.text
        rows = await _rows(citizen)
    (row,) = [row for row in rows if row["compromiso"] == PROMISE and row["numerador"] != "0"]
    assert row["veredicto"] == "no_se_cumple"
    shown = (row["numerador"], row["denominador"], row["periodo"], row["estado"])
    counted = (str(part["numerator"]), str(part["denominator"]))
    assert shown == (*counted, result["window"]["id"], result["status"])


async def _result(town: Town) -> dict[str, Any]:
    async with town.system.client("evaluator") as http:
        answer = await http.get("/v1/results", params={"municipality": MUNICIPALITY})
    found: list[dict[str, Any]] = [
        each
        for each in answer.json()["results"]
        if each["compromiso"] == PROMISE and each["parts"][0]["denominator"]
    ]
    assert len(found) == 1
    return found[0]


async def _rows(citizen: Browser) -> list[dict[str, str]]:
    page = await citizen.open(f"/{MUNICIPALITY}/resultados.csv")
    return list(csv.DictReader(io.StringIO(page.html.removeprefix("\ufeff"))))


async def test_a_complaint_is_answered_upheld_and_becomes_the_second_trigger(
    whole_town: Town,
) -> None:
    town = whole_town
    folio, secret = await _complain(town, "queja", COMPLAINT)
    async with signed_in(town, UNIT_MAIL) as unit:
        shown = await unit.open(f"/panel/folios/{folio}")
        assert COMPLAINT in shown.text
        answer = {"answer-texto": ANSWER, "answer-finding": "upheld"}
        answered = await unit.submit(shown.form("answer-texto"), None, **answer)
        assert ANSWER in answered.text
        linked = await unit.submit(answered.form("compromiso"), compromiso=PROMISE)
        assert linked.status == 200

    async def triggered() -> list[dict[str, Any]]:
        return [
            action
            for action in await actions(town)
            if folio in {trigger["folio"] for trigger in action["triggers"]}
        ]

    assert len(await eventually(triggered, 60, what=f"an action for {folio}")) == 1
    alert = await mail_to(town, UNIT_MAIL, folio)
    assert "se declaró procedente" in " ".join(alert.text.split())
    assert COMPLAINT not in alert.text
    async with visitor(town) as citizen:
        form = (await citizen.open("/folio")).form("clave")
        wrong = await citizen.submit(form, folio=folio, clave="Z" * len(secret))
        assert (wrong.status, ANSWER in wrong.text) == (422, False)
        status = await citizen.submit(form, folio=folio, clave=secret)
        assert (status.status, ANSWER in status.text) == (200, True)
    await _nothing_written_is_on_a_topic(town, secret)


async def _complain(town: Town, kind: str, text: str) -> tuple[str, str]:
    """Send the portal's form twice, as an impatient person does; return folio and secret."""
    async with visitor(town) as citizen:

        async def loaded() -> Page | None:
            page = await citizen.open(f"/{MUNICIPALITY}/buzon")
            return page if page.status == 200 and "EM-01" in page.html else None

        page = await eventually(loaded, 30, what="the carta in the buzon's form")
        assert page is not None
        assert page.text.index("aviso de privacidad") < page.text.index("¿Qué pasó?")
        form = page.form("texto")
        form.values["abierto"] = str(int(time.time()) - 60)  # a person takes a minute
        pages = [await citizen.submit(form, tipo=kind, carta="EM-01", texto=text) for _ in range(2)]
    given = {_folio_and_secret(page) for page in pages}
    assert len(given) == 1
    return given.pop()


def _folio_and_secret(page: Page) -> tuple[str, str]:
    assert page.status == 200, page.text
    folio = re.search(r"BZ-\d{4}-\d{6}-\w", page.text)
    secret = re.search(r"folio-grande[^>]*>\s*([^<\s]+)\s*<", page.html)
    assert folio
    assert secret
    return folio[0], secret[1]


async def _nothing_written_is_on_a_topic(town: Town, secret: str) -> None:
    for topic in topics.ALL:
        for value in await town.everything_on(topic.name, topic.partitions):
            for text in (COMPLAINT, ANSWER, secret):
                assert text not in value.decode()
                assert text.encode("unicode_escape") not in value


async def test_a_complaint_about_conduct_is_seen_by_the_contraloria_only(whole_town: Town) -> None:
    town = whole_town
    folio, _ = await _complain(town, "denuncia", DENUNCIA)
    async with signed_in(town, CONTRALORIA_MAIL) as contraloria:
        assert folio in (await contraloria.open("/contraloria")).text
        assert DENUNCIA in (await contraloria.open(f"/contraloria/folios/{folio}")).text
        assert (await contraloria.open("/coordinacion")).status == 404
    for mailbox, home in ((UNIT_MAIL, "/panel"), (COORDINATION_MAIL, "/coordinacion")):
        async with signed_in(town, mailbox) as other:
            assert folio not in (await other.open(home)).text
            hidden = await other.open(f"{home}/folios/{folio}")
            assert (hidden.status, DENUNCIA in hidden.text) == (404, False)
            assert (await other.open(f"/contraloria/folios/{folio}")).status == 404
