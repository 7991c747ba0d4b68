"""Bad input: each is refused by name, leaves every service up and everybody else's events flowing.

One system for all: what a test leaves behind must not trouble the next one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.buzon.domain.folios import folio_number
from shared.contracts import topics
from shared.contracts.topics import DEAD_LETTER_PARTITIONS
from shared.criteria import CaseReason
from simulator import CATALOGUE, MUNICIPALITY
from simulator.scenarios import PHONES, TURNS, Emitter
from tests.e2e.conftest import JUDGING
from tests.e2e.town import BATCHED, STRUCTURED, Town, as_record, catalogue_with, event
from tests.support.programs import Ran
from tests.support.waiting import eventually

STRANGER = Emitter("https://desconocida.example", ("RC-COPIAS",), ("*",))
NAME = "Guadalupe Victoria Ejemplar"
TELEPHONE = "5550001122"


@dataclass(frozen=True, slots=True)
class Bad:
    """One bad request: what is sent as what, and how it is answered."""

    body: object
    status: int
    reason: str | None
    content_type: str = STRUCTURED
    field: str | None = None


def issued(**members: Any) -> dict[str, Any]:
    return event("ticket.issued", case="MAL-1", **members)


def without(raw: Mapping[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name != member}


REFUSED: dict[str, Bad] = {
    "not JSON": Bad(b"{'id': 1", 422, "not_json"),
    "not UTF-8": Bad(b'{"id": "\xff\xfe"}', 422, "not_json"),
    "nested without end": Bad(b"[" * 200_000, 422, "not_json"),
    "an empty body": Bad(b"", 422, "not_json"),
    "a list instead of an event": Bad([], 422, "not_an_event"),
    "an event without data": Bad(without(issued(), "data"), 422, "not_an_event"),
    "a number as id": Bad(issued(id=7), 422, "schema", field="id"),
    "a list as case": Bad(issued(data={"case": ["x"]}), 422, "schema", field="data.case"),
    "a number as time": Bad(issued(time=1764000000), 422, "schema", field="time"),
    "words as time": Bad(issued(time="ayer a las diez"), 422, "schema", field="time"),
    "no type": Bad(without(issued(), "type"), 422, "schema"),
    "a NUL in the case": Bad(issued(data={"case": "a\x00b"}), 422, "schema", field="data.case"),
    "a naive time": Bad(issued(time="2026-11-20T10:00:00"), 422, "naive_time", field="time"),
    "a time in 1970": Bad(issued(time="1970-01-01T00:00:00Z"), 422, "too_early", field="time"),
    "a time in 2100": Bad(issued(time="2100-01-01T00:00:00Z"), 422, "in_future", field="time"),
    "a source that is not the token's": Bad(issued(source=STRANGER.uri), 422, "other_source"),
    "an unknown service": Bad(
        issued(service="NO-EXISTE"), 422, "unknown_service", field="data.service"
    ),
    "another municipality": Bad(
        issued(data={"municipality": "otro"}), 422, "other_municipality", field="data.municipality"
    ),
    "a body of 10 MB": Bad(b"x" * 10_000_000, 413, None),
    "a batch of 1001 events": Bad([issued()] * 1001, 413, None, content_type=BATCHED),
    "a batch that is no list": Bad({}, 422, "not_json", content_type=BATCHED),
    "a content type of no kind": Bad(issued(), 415, None, content_type="text/plain"),
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
async def test_a_bad_request_is_refused_by_name(judging_town: Town, bad: Bad) -> None:
    response = await judging_town.post(bad.body, content_type=bad.content_type)
    assert response.status_code == bad.status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    if bad.reason is not None:
        told = response.json()
        first = told["refused"][0] if "refused" in told else told
        assert first["reason"] == bad.reason
        shown = (await judging_town.activity())["refusals"][0]
        assert shown["reason"] == bad.reason
        assert shown["explanation"]
        assert bad.field in (None, shown["field"])
    await judging_town.flows(JUDGING)


async def test_a_batch_with_one_bad_event_loses_only_that_one(judging_town: Town) -> None:
    cases = [judging_town.case("LOTE") for _ in range(3)]
    at = datetime.now(UTC) - timedelta(minutes=30)
    events = [
        each
        for case in cases
        for each in (
            event("ticket.issued", case=case, at=at),
            event("ticket.called", case=case, at=at + timedelta(minutes=4)),
        )
    ]
    events[3] = events[3] | {"time": "2026-11-20T10:00:00"}
    response = await judging_town.post(events, content_type=BATCHED)
    assert response.status_code == 202
    told = response.json()
    assert told["accepted"] == 5
    named = [(item["index"], item["id"], item["reason"]) for item in told["refused"]]
    assert named == [(3, events[3]["id"], "naive_time")]
    for case in (cases[0], cases[2]):
        await judging_town.judged(case, "RC-01-02", status="met")
    await judging_town.flows(JUDGING)


async def test_a_stop_before_its_start_is_excluded_by_name(judging_town: Town) -> None:
    case = judging_town.case("AL-REVES")
    at = datetime.now(UTC) - timedelta(minutes=30)
    events = [
        event("ticket.issued", case=case, at=at),
        event("ticket.called", case=case, at=at - timedelta(minutes=5)),
    ]
    assert (await judging_town.post(events, content_type=BATCHED)).status_code == 202

    verdict = await judging_town.judged(case, "RC-01-02", status="excluded")
    assert verdict["reason"] == CaseReason.STOP_BEFORE_START
    await judging_town.flows(JUDGING)


async def test_a_repeated_id_with_other_content_is_refused_after_the_202(
    judging_town: Town,
) -> None:
    case = judging_town.case("REPETIDO")
    first = event("ticket.issued", case=case)
    other = first | {"data": {**first["data"], "unit": "RC-NORTE"}}
    for sent in (first, first, other):
        assert (await judging_town.post(sent)).status_code == 202

    refusal = await eventually(lambda: _refusal_of(judging_town, first["id"]))
    assert (refusal["reason"], refusal["after_acceptance"]) == ("identity_conflict", True)
    await judging_town.flows(JUDGING)


async def _refusal_of(town: Town, event_id: str) -> dict[str, Any] | None:
    refusals = (await town.activity())["refusals"]
    return next((each for each in refusals if each["event_id"] == event_id), None)


async def test_a_wrong_or_revoked_token_opens_nothing(judging_town: Town) -> None:
    emitter = Emitter("https://revocada.jacarandas.example", ("RC-COPIAS",), ("*",))
    token = await judging_town.register(emitter)
    sent = event("ticket.issued", emitter, case=judging_town.case("CLAVE"))
    assert (await judging_town.post(sent, token=token)).status_code == 202
    for wrong in ("x", token[:-1], token + "x", "x" * 5000):
        response = await judging_town.post(sent, token=wrong)
        assert response.status_code == 401, wrong
        assert response.headers["www-authenticate"] == "Bearer"
    await judging_town.system.run("services.measurements", "source", "revoke", emitter.uri)
    assert (await judging_town.post(sent, token=token)).status_code == 401
    await judging_town.flows(JUDGING)


async def test_personal_fields_never_reach_kafka_over_http(judging_town: Town) -> None:
    case = judging_town.case("PERSONA")
    personal = {"nombre": NAME, "telefono": TELEPHONE, "attributes": {"curp": NAME.split()[0]}}
    sent = event("ticket.issued", case=case, data=personal, ciudadano=NAME)
    assert (await judging_town.post(sent)).status_code == 202
    await judging_town.judged(case, "RC-01-02", status="pending")
    values: list[bytes] = []
    for topic in (topics.SERVICE_EVENTS, topics.MEASUREMENTS):
        values += await judging_town.everything_on(topic.name, topic.partitions)
    assert any(case.encode() in value for value in values)
    for secret in (NAME, TELEPHONE, *NAME.split()):
        assert not any(secret.encode() in value for value in values)
    await judging_town.flows(JUDGING)


Native = Callable[[str], tuple[str, bytes]]


def native(**members: Any) -> Native:
    """A record that would be good but for `members`, under a case of its own."""
    return lambda case: as_record(event("ticket.issued", case=case, **members))


NATIVE: dict[str, tuple[Native, str]] = {
    "not JSON": (lambda case: (f"{MUNICIPALITY}/{case}", b"\x00\x01 not JSON"), "not_json"),
    "no value": (lambda case: (f"{MUNICIPALITY}/{case}", b""), "not_json"),
    "an unknown source": (native(source=STRANGER.uri), "unknown_source"),
    "an unknown service": (native(service="NO-EXISTE"), "unknown_service"),
    "personal fields": (native(data={"nombre": NAME}), "schema"),
    "a naive time": (native(time="2026-11-20T10:00:00"), "naive_time"),
    "a time in 2100": (native(time="2100-01-01T00:00:00Z"), "in_future"),
    "a key of another case": (
        lambda case: (f"{MUNICIPALITY}/otro", native()(case)[1]),
        "wrong_key",
    ),
}


@pytest.mark.parametrize(("record", "reason"), NATIVE.values(), ids=NATIVE)
async def test_a_bad_record_on_kafka_becomes_a_dead_letter(
    judging_town: Town, record: Native, reason: str
) -> None:
    before = len(await _letters(judging_town, reason))
    await judging_town.produce(record(judging_town.case("NATIVO")))

    async def one_more() -> list[bytes] | None:
        letters = await _letters(judging_town, reason)
        return letters if len(letters) > before else None

    for letter in await eventually(one_more) or ():
        assert NAME.split()[0].encode() not in letter
    shown = await judging_town.command("services.measurements", "dlt", "list", "--reason", reason)
    assert shown.code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines
    assert all(reason in line for line in lines)
    await judging_town.flows(JUDGING)


async def _letters(town: Town, reason: str) -> list[bytes]:
    """Dead letters for a reason."""
    dead = topics.SERVICE_EVENTS.dead_letters
    letters = await town.everything_on(dead, DEAD_LETTER_PARTITIONS)
    return [letter for letter in letters if reason.encode() in letter]


async def test_an_unknown_folio_and_a_wrong_secret_look_the_same(judging_town: Town) -> None:
    url = judging_town.system.url("buzon")
    complaint = {
        "municipality": MUNICIPALITY,
        "kind": "queja",
        "carta": "RC-01",
        "text": "La fila no avanza.",
        "fill_seconds": 30,
    }
    async with httpx.AsyncClient(base_url=url, timeout=10) as http:
        headers = {"Idempotency-Key": uuid4().hex}
        filed = await http.post("/v1/folios", json=complaint, headers=headers)
        assert filed.status_code == 201, filed.text
        folio, secret = filed.json()["folio"], filed.json()["secret"]
        wrong = [
            {"folio": folio, "secret": "x" * len(secret)},
            {"folio": folio, "secret": secret[:-1] + ("2" if secret[-1] != "2" else "3")},
            {"folio": folio_number(2026, 999_999), "secret": secret},
        ]
        no_folio = [{"folio": text, "secret": secret} for text in ("BZ-1", "' OR 1=1 --", "\x00")]
        answers = [await http.post("/v1/folios/status", json=body) for body in wrong]
        unwritten = [await http.post("/v1/folios/status", json=body) for body in no_folio]
        right = await http.post("/v1/folios/status", json={"folio": folio, "secret": secret})
    assert right.status_code == 200
    assert {answer.status_code for answer in (*answers, *unwritten)} == {404}
    assert len({answer.content for answer in answers}) == 1
    await judging_town.flows(JUDGING)


async def test_a_mapping_for_a_column_that_is_not_there_names_it(
    judging_town: Town, tmp_path: Path
) -> None:
    file, mapping = tmp_path / "turnos.csv", tmp_path / "turnos.yaml"
    file.write_text("turno,emitido\nA-1,2026-11-20T10:00:00-06:00\n", encoding="utf-8")
    declared = {
        "mapping": "measurements/1",
        "source": "https://archivo.example/turnos",
        "municipality": MUNICIPALITY,
        "zone": "America/Mexico_City",
        "historical": {"as_of": "2026-11-21T00:00:00-06:00"},
        "complete": True,
        "case": ["turno"],
        "service": "RC-COPIAS",
        "events": [{"kind": "ticket.issued", "column": "hora_de_emision", "format": "%H"}],
    }
    mapping.write_text(json.dumps(declared), encoding="utf-8")
    run = await judging_town.command(
        "services.measurements", "import", str(file), "--mapping", str(mapping)
    )
    assert_refused(run, "hora_de_emision")
    await judging_town.flows(JUDGING)


async def test_a_carta_that_cites_a_calendar_which_does_not_exist_is_not_published(
    judging_town: Town, tmp_path: Path
) -> None:
    file = catalogue_with("calendario: TODOS-LOS-DIAS", "calendario: NO-EXISTE", tmp_path)
    line = 1 + file.read_text(encoding="utf-8").splitlines().index("    calendario: NO-EXISTE")
    run = await judging_town.command("services.cartas", "load", str(file))
    assert_refused(run, "NO-EXISTE", f"{file}:{line}", "calendario")
    again = await judging_town.command("services.cartas", "load", str(CATALOGUE))
    assert "Nada nuevo" in again.output
    await judging_town.flows(JUDGING)


def assert_refused(run: Ran, *named: str) -> None:
    assert run.code == 1, run.output
    assert "Traceback" not in run.output
    for each in named:
        assert each in run.output, run.output


async def test_afterwards_every_count_balances(judging_town: Town) -> None:
    balance = await judging_town.command("services.measurements", "balance")
    assert balance.code == 0, balance.output
    recomputed = await judging_town.command("services.evaluator", "recompute", MUNICIPALITY)
    assert ", 0 different" in recomputed.output
    activity = await judging_town.activity(PHONES.uri)
    assert (activity["state"], activity["refusals"]) == ("active", [])
    assert (await judging_town.activity(TURNS.uri))["state"] == "active"
