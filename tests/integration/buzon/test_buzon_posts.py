import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.buzon.domain.folios import folio_number
from services.buzon.retention import terms
from shared.contracts import topics
from shared.retention import purge
from tests.integration.buzon.support import (
    ADMIN,
    AGUA,
    ANSWER,
    CONTRALORIA,
    COORDINATION,
    GOBIERNO,
    MAIL,
    PLACE,
    REGISTRO,
    TEXT,
    Buzon,
    settings_of,
)
from tests.unit.buzon import builders as b


def folios_of(page: Any) -> list[str]:
    return [folio["folio"] for folio in page.json()["folios"]]


async def changes(box: Buzon) -> list[str]:
    return [message["data"]["change"] for message in await box.published()]


async def test_a_folio_is_answered_judged_and_linked(box: Buzon) -> None:
    folio = (await box.filed())["folio"]
    await box.step(folio, "answer", text=ANSWER)
    await box.step(folio, "finding", finding="upheld")
    await box.step(folio, "link", compromiso="CC-RC-01-01")
    assert await changes(box) == ["filed", "answered", "upheld", "linked"]
    last = (await box.published())[-1]["data"]
    assert last["revision"] == 4
    assert (last["finding"], last["compromiso"]) == ("upheld", "CC-RC-01-01")
    assert last["filed_at"] < last["answered_at"] < last["found_at"]
    for message in await box.published():
        assert topics.COMPLAINTS.adapter.validate_python(message, strict=False)


STEPS = [
    ("pause", {"text": "¿Qué día fue?"}),
    ("answer", {"text": ANSWER, "finding": "rejected"}),
    ("not-competent", {"text": "Acuda a la comisión estatal del agua."}),
    ("link", {"compromiso": "CC-RC-01-01"}),
]


@pytest.mark.parametrize(("step", "fields"), STEPS)
async def test_a_step_that_comes_again_changes_nothing(
    box: Buzon, step: str, fields: dict[str, Any]
) -> None:
    folio = (await box.filed())["folio"]
    answers = await asyncio.gather(*(box.step(folio, step, **fields) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    said = await changes(box)
    assert len(said) == len(set(said)) == answers[0].json()["revision"]


async def test_an_answer_that_comes_again_after_later_steps_changes_nothing(box: Buzon) -> None:
    folio = (await box.filed())["folio"]
    await box.step(folio, "answer", text=ANSWER)
    found = await box.step(folio, "finding", finding="upheld")
    assert (await box.step(folio, "answer", text=ANSWER)).json() == found.json()


async def test_another_answer_is_refused_with_what_is_possible(box: Buzon) -> None:
    folio = (await box.filed())["folio"]
    await box.step(folio, "answer", text=ANSWER)
    again = await box.step(folio, "answer", text="Otra respuesta.")
    assert again.status_code == 409
    assert again.json()["allowed"] == ["finding", "link", "refer"]
    assert (await box.read(folio)).json()["allowed"] == ["finding", "link", "refer"]


async def test_every_step_is_recorded_with_its_post_and_never_changed(box: Buzon) -> None:
    folio = (await box.filed())["folio"]
    await box.step(folio, "pause", text="¿Qué día fue?")
    await box.step(folio, "resume", COORDINATION)
    await box.step(folio, "answer", GOBIERNO, text=ANSWER)
    timeline = (await box.read(folio)).json()["timeline"]
    assert [(step["change"], step["post"]) for step in timeline] == [
        ("filed", None),
        ("paused", REGISTRO),
        ("resumed", COORDINATION),
        ("answered", GOBIERNO),
    ]
    assert [step["at"] for step in timeline] == sorted({step["at"] for step in timeline})
    for statement in ("UPDATE step SET post = 'other'", "DELETE FROM step", "TRUNCATE step"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await box.pool.execute(statement)


async def test_a_unit_sees_its_own_folios_and_those_of_units_below_it(box: Buzon) -> None:
    registro = (await box.filed())["folio"]
    agua = (await box.filed(carta="CC-AG-01"))["folio"]
    nobody = (await box.filed(carta=None))["folio"]
    expected = {
        REGISTRO: [registro],
        GOBIERNO: [registro],
        AGUA: [agua],
        COORDINATION: [registro, agua, nobody],
    }
    for post, own in expected.items():
        assert folios_of(await box.listed(post)) == own
        for folio in (registro, agua, nobody):
            assert (await box.read(folio, post)).status_code == (200 if folio in own else 404)
    assert (await box.step(agua, "answer", REGISTRO, text=ANSWER)).status_code == 404
    assert (await box.listed(REGISTRO, unit="agua")).status_code == 403
    assert folios_of(await box.listed(GOBIERNO, unit="registro")) == [registro]
    for post in (ADMIN, "nobody"):
        assert (await box.listed(post)).status_code == 403
        assert (await box.read(registro, post)).status_code == 404


async def test_lists_come_in_pages_without_texts(box: Buzon) -> None:
    filed = [(await box.filed())["folio"] for _ in range(5)]
    await box.step(filed[1], "answer", text=ANSWER)
    seen: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = await box.listed(limit=2, **after)
        assert TEXT not in page.text
        seen += folios_of(page)
        if page.json()["next"] is None:
            break
        after = {"after": page.json()["next"]}
    assert seen == filed
    waiting = [folio for folio in filed if folio != filed[1]]
    assert folios_of(await box.listed(waiting=True)) == waiting
    assert (await box.listed(after="x~y")).status_code == 422


@pytest.mark.parametrize("referred_later", [False, True])
async def test_conduct_is_never_seen_by_the_unit_it_accuses(
    box: Buzon, referred_later: bool
) -> None:
    kind = "queja" if referred_later else "denuncia"
    receipt = await box.filed(kind=kind)
    folio = receipt["folio"]
    before = len(await box.published())
    if referred_later:
        await box.step(folio, "refer", text="Acusa a la persona de la ventanilla.")
    for post in (REGISTRO, GOBIERNO, COORDINATION, ADMIN):
        assert (await box.read(folio, post)).status_code == 404
        assert folio not in (await box.listed(post)).text
        assert (await box.listed(post, referred=True)).status_code == 403
        assert (await box.step(folio, "answer", post, text=ANSWER)).status_code == 404
    assert (await box.listed(CONTRALORIA)).status_code == 403
    assert folios_of(await box.listed(CONTRALORIA, referred=True)) == [folio]
    said = (await box.published())[before if referred_later else 0 :]
    assert said
    for message in said:
        assert not {"unit", "carta", "compromiso"} & message["data"].keys()
        assert message["data"]["exclusions"] == ["denuncia_turnada_contraloria"]
    seen = (await box.status(folio, receipt["secret"])).json()
    assert (seen["referred"], seen["unit_name"]) == (True, None)


async def test_the_contraloria_reads_and_answers_what_was_referred(box: Buzon) -> None:
    receipt = await box.filed(kind="denuncia", carta="CC-RC-01")
    folio = receipt["folio"]
    read = (await box.read(folio, CONTRALORIA)).json()
    assert read["writings"][0]["text"] == TEXT
    assert read["unit"] == "registro"
    assert read["allowed"] == ["answer", "pause"]
    await box.step(folio, "answer", CONTRALORIA, text=ANSWER, finding="upheld")
    assert (await box.status(folio, receipt["secret"])).json()["answer"] == ANSWER


async def test_a_duplicate_is_left_to_its_original(box: Buzon) -> None:
    original, copy = (await box.filed())["folio"], (await box.filed())["folio"]
    conduct = (await box.filed(kind="denuncia"))["folio"]
    others = (await box.filed(carta="CC-AG-01"))["folio"]
    unseen = [conduct, others, folio_number(2026, 999_999)]
    for other in unseen:
        refused = await box.step(copy, "duplicate", of=other)
        assert (refused.status_code, refused.json()["reason"]) == (422, "unknown_original")
    marked = await box.step(copy, "duplicate", of=original)
    assert marked.json()["exclusions"] == ["duplicado"]
    assert (await box.step(original, "duplicate", of=copy)).status_code == 409


async def test_links_and_units_must_exist(box: Buzon) -> None:
    folio = (await box.filed())["folio"]
    for compromiso in ("CC-RC-01-99", "CC-AG-01-01"):
        refused = await box.step(folio, "link", compromiso=compromiso)
        assert (refused.status_code, refused.json()["reason"]) == (422, "unknown_compromiso")
    refused = await box.step(folio, "assign", COORDINATION, unit="nowhere")
    assert (refused.status_code, refused.json()["reason"]) == (422, "unknown_unit")
    assert (await box.step(folio, "assign", REGISTRO, unit="agua")).status_code == 403


async def test_without_the_service_credential_nothing_can_be_read_or_done(box: Buzon) -> None:
    folio = (await box.filed())["folio"]
    params = {"municipality": b.TOWN, "post": COORDINATION}
    assert (await box.public.get("/v1/folios", params=params)).status_code == 401
    assert (await box.public.get(f"/v1/folios/{folio}", params=params)).status_code == 401
    body = {"post": COORDINATION, "text": ANSWER}
    assert (await box.public.post(f"/v1/folios/{folio}/answer", json=body)).status_code == 401
    assert await changes(box) == ["filed"]


async def test_no_word_of_text_and_no_person_leaves_the_buzon(
    box: Buzon, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    receipt = await box.filed(contact_mail=MAIL, place=PLACE)
    folio = receipt["folio"]
    await box.step(folio, "pause", text="¿Qué día fue?")
    body = {"folio": folio, "secret": receipt["secret"], "text": "El lunes, señora Quiahuitl."}
    await box.public.post("/v1/folios/clarification", json=body)
    await box.step(folio, "answer", text=ANSWER)
    await box.step(folio, "refer", text="Nota reservada.")
    told = await box.outbox_bytes() + caplog.text.encode()
    assert folio.encode() in told
    words = {*TEXT.split(), *PLACE.split()[2:4], "lunes", "Quiahuitl", "reservada", "disculpa"}
    words |= {MAIL, MAIL.split("@", maxsplit=1)[0], receipt["secret"]}
    for word in {word for word in words if len(word) > 3}:
        assert word.encode() not in told, word
        assert word.encode("unicode_escape") not in told, word


async def test_contacts_are_forgotten_after_their_term_unless_the_contraloria_may_need_them(
    box: Buzon,
) -> None:
    kinds = ("queja", "queja", "denuncia")
    answered, waiting, conduct = [
        (await box.filed(contact_mail=MAIL, kind=kind))["folio"] for kind in kinds
    ]
    await box.step(answered, "answer", text=ANSWER)
    await box.step(conduct, "answer", CONTRALORIA, text=ANSWER)
    settings = settings_of("postgresql://unused", contact_keep_days=30)
    done = await purge(box.pool, terms(settings), datetime(2199, 1, 1, tzinfo=UTC))
    assert [(each.term.what, each.rows) for each in done] == [("contacts of answered folios", 1)]
    kept = await box.pool.fetch("SELECT folio FROM contact ORDER BY folio")
    assert [row["folio"] for row in kept] == sorted([waiting, conduct])
    assert (await box.step(answered, "contact")).json() == {"contact_mail": None}
