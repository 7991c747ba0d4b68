import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from services.buzon.domain.folios import folio_number, parse_folio
from tests.integration.buzon.support import (
    ANSWER,
    COORDINATION,
    MAIL,
    PLACE,
    REGISTRO,
    TEXT,
    Buzon,
    buzon,
    learn,
)
from tests.support.databases import FreshDatabase

DAY = {"window_seconds": 86_400}


async def test_filing_gives_folio_secret_and_date(box: Buzon) -> None:
    receipt = await box.filed()
    assert parse_folio(receipt["folio"]) == receipt["folio"]
    assert len(receipt["secret"]) == 11
    assert date.fromisoformat(receipt["answer_by"]) > date(2026, 1, 1)
    [message] = await box.published()
    assert message["data"]["change"] == "filed"
    assert message["data"]["unit"] == "registro"
    assert message["data"]["answer_by"] == receipt["answer_by"]


async def test_ten_submits_at_once_and_one_later_give_one_folio(box: Buzon) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*(box.file(key=key) for _ in range(10)))
    answers.append(await box.file(key=key))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await box.pool.fetchval("SELECT count(*) FROM folio") == 1
    assert len(await box.published()) == 1


async def test_a_key_that_comes_with_other_words_is_refused(box: Buzon) -> None:
    key = uuid4().hex
    await box.filed(key=key)
    again = await box.file(key=key, text="Otra cosa.")
    assert (again.status_code, again.json()["reason"]) == (409, "idempotency_key_reused")


async def test_an_expired_key_files_anew_with_another_secret(box: Buzon) -> None:
    key = uuid4().hex
    first = await box.filed(key=key)
    await box.pool.execute("UPDATE filing_request SET expires_at = now()")
    second = await box.filed(key=key)
    assert first["folio"] != second["folio"]
    assert first["secret"] != second["secret"]


async def test_the_citizen_sees_where_the_folio_stands_and_the_answer(box: Buzon) -> None:
    receipt = await box.filed()
    await box.step(receipt["folio"], "link", compromiso="CC-RC-01-01")
    await box.step(receipt["folio"], "answer", text=ANSWER, finding="upheld")
    seen = (await box.status(receipt["folio"].lower(), receipt["secret"].lower())).json()
    assert seen["answer"] == ANSWER
    assert seen["unit_name"] == "Registro"
    assert seen["answer_by"] == receipt["answer_by"]
    assert [step["change"] for step in seen["timeline"]] == ["filed", "answered", "upheld"]
    assert TEXT not in str(seen)
    assert REGISTRO not in str(seen)


async def test_an_unknown_folio_and_a_wrong_secret_look_the_same(box: Buzon) -> None:
    receipt = await box.filed()
    year = int(receipt["folio"][3:7])
    unknown = await box.status(folio_number(year, 999_999), receipt["secret"])
    wrong = await box.status(receipt["folio"], "AAAAA-AAAAA")
    assert unknown.status_code == wrong.status_code == 404
    assert unknown.content == wrong.content
    for answer in (unknown, wrong):
        del answer.headers["traceparent"]  # each request has a trace of its own
    assert dict(unknown.headers) == dict(wrong.headers)


async def test_the_citizen_answers_the_question_that_was_asked(box: Buzon) -> None:
    receipt = await box.filed()
    await box.step(receipt["folio"], "pause", text="¿Qué día fue?")
    paused = (await box.status(receipt["folio"], receipt["secret"])).json()
    assert (paused["situation"], paused["question"]) == ("paused", "¿Qué día fue?")
    assert paused["answer_by"] is None
    body = {"folio": receipt["folio"], "secret": receipt["secret"], "text": "El lunes."}
    wrong = await box.public.post("/v1/folios/clarification", json=body | {"secret": "x"})
    assert wrong.status_code == 404
    answers = [await box.public.post("/v1/folios/clarification", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["question"] is None
    assert date.fromisoformat(answers[0].json()["answer_by"]) >= date.fromisoformat(
        receipt["answer_by"]
    )
    read = (await box.read(receipt["folio"])).json()
    assert read["writings"][-1] == {"part": "clarification", "text": "El lunes."}
    assert [step["change"] for step in read["timeline"]] == ["filed", "paused", "resumed"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"municipality": "otra"}, "unknown_municipality"),
        ({"carta": "CC-NO-99"}, "unknown_carta"),
        ({"website": "http://spam.example"}, "suspected_spam"),
        ({"fill_seconds": 1}, "suspected_spam"),
    ],
)
async def test_what_cannot_be_filed_is_refused_by_name(
    box: Buzon, fields: dict[str, Any], reason: str
) -> None:
    answer = await box.file(**fields)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert await box.pool.fetchval("SELECT count(*) FROM folio") == 0
    assert await box.published() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": "   "},
        {"text": "x" * 5001},
        {"text": "nul\x00"},
        {"text": "\ud800"},
        {"text": ["a"]},
        {"kind": "petición"},
        {"carta": "CC RC 01"},
        {"carta": "CC-RC-01\n"},
        {"contact_mail": "nobody"},
        {"contact_mail": f"{'x' * 250}@correo.example"},
        {"occurred_on": "ayer"},
        {"place": "p" * 201},
        {"name": "Xochiquétzal"},
        {"fill_seconds": -1},
    ],
)
async def test_malformed_forms_are_refused_and_not_repeated(
    box: Buzon, fields: dict[str, Any]
) -> None:
    answer = await box.file(**fields)
    assert answer.status_code == 422
    assert TEXT not in answer.text
    assert (await box.file()).status_code == 201


async def test_a_filing_needs_a_key_of_its_own(box: Buzon) -> None:
    body = {"municipality": "nogal", "kind": "queja", "text": TEXT}
    for headers in ({}, {"Idempotency-Key": "short"}, {"Idempotency-Key": "ñ" * 20}):
        raw = {name.encode(): value.encode() for name, value in headers.items()}
        answer = await box.public.post("/v1/folios", json=body, headers=raw)
        assert answer.status_code == 422


async def test_a_body_that_is_too_large_is_not_read(box: Buzon) -> None:
    answer = await box.public.post("/v1/folios", content=b"{" + b" " * 10_000_000)
    assert answer.status_code == 413


async def test_who_asks_too_often_waits_and_others_do_not(database: FreshDatabase) -> None:
    url = await database("buzon")
    async with buzon(url, filings_per_client=2, **DAY) as box:
        await learn(box.pool)
        answers = [await box.file(visitor="one") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [201, 201, 429, 429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 86_400
        assert (await box.file(visitor="two")).status_code == 201
    async with buzon(url, filings_per_client=2, **DAY) as restarted:
        assert (await restarted.file(visitor="one")).status_code == 429


async def test_the_limit_for_all_holds_for_everyone(database: FreshDatabase) -> None:
    async with buzon(await database("buzon"), filings_in_all=3, **DAY) as box:
        await learn(box.pool)
        answers = await asyncio.gather(*(box.file() for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 429, 429]


async def test_what_is_refused_uses_nothing_up(database: FreshDatabase) -> None:
    async with buzon(await database("buzon"), filings_per_client=1, **DAY) as box:
        early = [await box.file(visitor="one") for _ in range(3)]
        assert {answer.json()["reason"] for answer in early} == {"unknown_municipality"}
        await learn(box.pool)
        assert (await box.file(visitor="one")).status_code == 201
        assert (await box.file(visitor="one")).status_code == 429


async def test_guessing_secrets_is_limited(database: FreshDatabase) -> None:
    async with buzon(await database("buzon"), lookups_per_client=3, **DAY) as box:
        await learn(box.pool)
        receipt = await box.filed()
        body = {"folio": receipt["folio"], "secret": "AAAAA-AAAAA"}
        codes = [
            (await box.public.post("/v1/folios/status", json=body)).status_code for _ in range(5)
        ]
        assert codes == [404, 404, 404, 429, 429]


async def test_only_a_service_of_ours_may_say_who_its_visitor_is(database: FreshDatabase) -> None:
    async with buzon(await database("buzon"), lookups_per_client=2, **DAY) as box:
        body = {"folio": folio_number(2026, 1), "secret": "AAAAA-AAAAA"}
        codes = []
        for n in range(3):
            headers = {"X-Client-Key": f"pretended-{n}"}
            answer = await box.public.post("/v1/folios/status", json=body, headers=headers)
            codes.append(answer.status_code)
        assert codes == [404, 404, 429]


async def test_what_a_citizen_says_of_itself_is_kept_sealed(box: Buzon) -> None:
    receipt = await box.filed(contact_mail=MAIL, place=PLACE, occurred_on="2026-09-10")
    sealed = await box.pool.fetchval("SELECT sealed FROM contact")
    assert MAIL.encode() not in sealed
    folio = receipt["folio"]
    read = (await box.read(folio)).json()
    assert read["has_contact"] is True
    assert MAIL not in str(read)
    contact = await box.step(folio, "contact")
    assert contact.json() == {"contact_mail": MAIL}
    reading = await box.pool.fetchrow("SELECT folio, post FROM contact_reading")
    assert tuple(reading or ()) == (folio, REGISTRO)
    assert (await box.step(folio, "contact", "enlace-agua")).status_code == 404


async def test_a_folio_without_carta_waits_for_the_coordination_to_turn_it_over(
    box: Buzon,
) -> None:
    folio = (await box.filed(carta=None))["folio"]
    assert (await box.read(folio)).status_code == 404
    assert (await box.step(folio, "assign", unit="agua")).status_code == 404
    moved = await box.step(folio, "assign", COORDINATION, unit="agua")
    assert moved.json()["unit"] == "agua"
    assert (await box.read(folio, "enlace-agua")).status_code == 200
