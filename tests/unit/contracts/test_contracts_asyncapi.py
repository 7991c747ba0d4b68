"""Each service says what it reads and writes, and real messages fit what it says."""

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, SecretStr

from shared.contracts import topics
from tests.support.processes import SERVICE_SECRET
from tests.unit.contracts.documents import example, examples

# Of each service: the topics it reads, and those it writes.
TRAFFIC = {
    "measurements": ({"service-events.v1"}, {"measurements.v1", "service-events.v1"}),
    "buzon": ({"cartas.v1"}, {"complaints.v1"}),
    "evaluator": (
        {"cartas.v1", "measurements.v1", "complaints.v1"},
        {"results.v1", "breaches.v1"},
    ),
    "notifier": ({"cartas.v1", "breaches.v1"}, {"corrective-actions.v1"}),
    "cartas": (set(), {"cartas.v1"}),
    "portal": (
        {"cartas.v1", "results.v1", "breaches.v1", "complaints.v1", "corrective-actions.v1"},
        set(),
    ),
}
OWN: dict[str, dict[str, Any]] = {
    "notifier": {"smtp_host": "127.0.0.1"},
    "portal": {
        f"{peer}_url": "http://127.0.0.1:1"
        for peer in ("buzon", "cartas", "evaluator", "measurements", "notifier")
    },
}


async def document_of(service: str, folder: Path) -> dict[str, Any]:
    settings_class = import_module(f"services.{service}.settings").Settings
    settings = settings_class(
        kafka_servers="127.0.0.1:1",
        service_secret=SecretStr(SERVICE_SECRET),
        public_url="http://127.0.0.1:8000",
        database_url=SecretStr("postgresql://nobody@127.0.0.1:1/nothing"),
        port=1,
        **OWN.get(service, {}),
    )
    if service == "portal":
        _front_end(folder)
        settings = settings.model_copy(update={"static_dir": folder})
    app = import_module(f"services.{service}.app").build_app(settings)
    # The transport runs no lifespan: nothing is started, nothing is connected to.
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        document: dict[str, Any] = (await http.get("/asyncapi")).json()
    return document


def _front_end(folder: Path) -> None:
    """The portal starts with its built files only; what they hold does not matter here."""
    for name in import_module("services.portal.web.static").REQUIRED:
        (folder / name).write_text("")


def addresses(document: dict[str, Any], action: str) -> set[str]:
    return {
        document["channels"][_target(operation["channel"])]["address"]
        for operation in document["operations"].values()
        if operation["action"] == action
    }


def _target(reference: dict[str, str]) -> str:
    """The last name of a reference, which is a URI: a space is %20 in it."""
    return unquote(reference["$ref"].rsplit("/", 1)[-1])


def payloads(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The schemas of what travels, by topic, able to find their definitions."""
    found: dict[str, list[dict[str, Any]]] = {}
    for channel in document["channels"].values():
        for message in channel["messages"].values():
            payload = document["components"]["messages"][_target(message)]["payload"]
            found.setdefault(channel["address"], []).append(
                {**payload, "components": document["components"]}
            )
    return found


@pytest.mark.parametrize("service", TRAFFIC)
async def test_a_service_names_every_topic_and_its_messages_fit(
    service: str, tmp_path: Path
) -> None:
    document = await document_of(service, tmp_path)
    assert document["asyncapi"].startswith("3.")
    reads, writes = TRAFFIC[service]
    assert addresses(document, "receive") == reads
    assert addresses(document, "send") == writes
    by_name = {topic.name: topic for topic in topics.ALL}
    for address, schemas in payloads(document).items():
        messages = [
            message
            for documents in examples().values()
            for message in documents
            if _travels_on(by_name[address], message)
        ]
        assert messages, address
        for schema in schemas:
            for message in messages:
                Draft202012Validator(schema).validate(message)
            stranger = example("dead-letter.v1")
            assert not Draft202012Validator(schema).is_valid(stranger), address


def _travels_on(topic: topics.Topic, message: dict[str, Any]) -> bool:
    try:
        topic.adapter.validate_python(message, strict=False)
    except ValueError:
        return False
    return True


def test_no_two_contracts_have_a_name_in_common() -> None:
    """What a service reads is described in one document, in which a name is one schema."""
    modules = [
        import_module(f"shared.contracts.{file.stem}")
        for file in Path(topics.__file__).parent.glob("*.py")
        if not file.stem.startswith("_")
    ]
    models = {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, BaseModel)
    }
    names = Counter(model.__name__ for model in models)
    assert [name for name, number in names.items() if number > 1] == []
