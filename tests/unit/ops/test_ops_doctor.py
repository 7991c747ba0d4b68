"""What the doctor makes of settings, and that it knows the services' topics."""

from importlib import import_module
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI

from deploy.local.environment import SERVICE_PORTS
from ops.doctor import kafka
from ops.doctor.findings import Outcome, exit_code, lines, mend, unknown, well
from ops.doctor.settings import CLASSES, known
from tests.support.exported import _settings

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
COMMON = {
    "CARTAS_KAFKA_SERVERS": "127.0.0.1:1",
    "CARTAS_SERVICE_SECRET": SECRET,
    "CARTAS_PUBLIC_URL": "http://127.0.0.1:8000",
    "CARTAS_ENV_FILE": "/dev/null",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in COMMON.items():
        monkeypatch.setenv(name, value)


def told() -> dict[str, tuple[Outcome, str]]:
    return {each.what: (each.outcome, each.told) for each in known().findings}


def name_database(monkeypatch: pytest.MonkeyPatch, service: str, password: str) -> None:
    url = f"postgresql://{service}:{password}@127.0.0.1:1/{service}"
    monkeypatch.setenv(f"CARTAS_{service.upper()}_DATABASE_URL", url)


def test_a_service_that_is_not_set_here_is_not_called_faulty() -> None:
    assert told()["settings of evaluator"][0] is Outcome.UNKNOWN
    assert known().any is None


def test_a_setting_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    name_database(monkeypatch, "cartas", SECRET)
    monkeypatch.setenv("CARTAS_PUBLIC_URL", "cartas.municipio.example")
    outcome, said = told()["settings of cartas"]
    assert outcome is Outcome.MEND
    assert "CARTAS_PUBLIC_URL" in said


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (SECRET, SECRET[::-1] + "a", Outcome.WELL),
        (SECRET, SECRET, Outcome.MEND),
        ("cartas", SECRET, Outcome.MEND),
        ("changeme-changeme-changeme", SECRET, Outcome.MEND),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SECRET, Outcome.MEND),
    ],
)
def test_passwords_that_can_be_guessed_or_are_shared_are_named(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str, outcome: Outcome
) -> None:
    name_database(monkeypatch, "cartas", first)
    name_database(monkeypatch, "portal", second)
    found = told()["database passwords"]
    assert found[0] is outcome
    assert SECRET not in found[1]


def test_secrets_for_trying_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    name_database(monkeypatch, "buzon", SECRET)
    assert told()["service secret"][0] is Outcome.WELL
    assert told()["key of the contacts"][0] is Outcome.MEND
    monkeypatch.setenv("CARTAS_BUZON_CONTACT_KEY", SECRET)
    assert told()["key of the contacts"][0] is Outcome.WELL
    monkeypatch.setenv("CARTAS_SERVICE_SECRET", "only-for-trying-out-on-ones-own-machine")
    assert told()["service secret"][0] is Outcome.MEND


def test_what_is_to_be_mended_counts_more_than_what_could_not_be_seen() -> None:
    fine, hidden, broken = well("a", "b"), unknown("c", OSError("d\ne")), mend("f", "g", "h")
    assert [exit_code(each) for each in ([fine], [fine, hidden], [hidden, broken])] == [0, 2, 1]
    assert hidden.told == "OSError: d"
    assert list(lines([fine, broken])) == [
        "well           a: b",
        "MEND           f: g",
        "                 -> h",
    ]


@pytest.mark.parametrize("service", SERVICE_PORTS)
async def test_topics_are_those_that_the_service_reads_and_publishes(service: str) -> None:
    with _settings():
        settings = import_module(f"services.{service}.settings").Settings()
    app = import_module(f"services.{service}.app").build_app(settings)
    document = await asyncapi_of(app)
    used: dict[str, set[str]] = {"receive": set(), "send": set()}
    for operation in document["operations"].values():
        channel = unquote(operation["channel"]["$ref"].rpartition("/")[2]).replace("~1", "/")
        used[operation["action"]].add(document["channels"][channel]["address"])
    letters = {topic.dead_letters for topic in kafka.READS[service]}
    assert {topic.name for topic in kafka.READS[service]} == used["receive"]
    assert {topic.name for topic in kafka.WRITES[service]} == used["send"] - letters


async def asyncapi_of(app: FastAPI) -> Any:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://own") as http:
        return (await http.get("/asyncapi.json")).json()


@pytest.mark.parametrize("service", SERVICE_PORTS)
def test_settings_are_read_from_the_variables_of_the_service(service: str) -> None:
    theirs = import_module(f"services.{service}.settings").Settings
    for field in CLASSES[service].model_fields:
        assert CLASSES[service].variable(field) == theirs.variable(field)
        assert field in theirs.model_fields
