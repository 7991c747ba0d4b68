"""The manifests and the services say the same: settings, ports, paths, groups, topics, programs."""

import os
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from fastapi import FastAPI

from deploy.local.environment import SERVICE_PORTS
from shared.contracts import topics
from shared.messaging.topics import _TopicSettings
from shared.settings import ServiceSettings
from tests.support.kustomize import Manifest, containers
from tests.unit.kubernetes.conftest import BASE, OVERLAY

SERVICES = tuple(SERVICE_PORTS)
GUIDE = Path("docs/guides/kubernetes.md")
# Of a secret that may be missing: without it the setting is not made.
OPTIONAL_SECRETS = {"cartas-smtp", "cartas-buzon-contacts", "cartas-postgres-ca"}
SECRET_VALUES = {"uri": "postgresql://role:secret@postgres/database", "service-secret": "s" * 32}
USER = re.compile(r"^ *\| `cartas-(\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
UID = re.compile(r"\buseradd .*--uid (\d+)", re.MULTILINE)


def settings_of(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = import_module(f"services.{service}.settings").Settings
    return found


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def all_containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Each container with the service whose program it runs."""
    for manifest in manifests:
        for container in containers(manifest):
            module = container["args"][0].split(".")
            yield (module[1] if module[0] == "services" else "cartas"), container


def environment_of(
    container: Manifest, manifests: list[Manifest], *, optional: bool = True
) -> dict[str, str]:
    """What the process is told, with words of our own in place of the secrets'."""
    words = dict[str, str]()
    for source in container["envFrom"]:
        words |= of_kind(manifests, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for each in container["env"]:
        secret = each.get("valueFrom", {}).get("secretKeyRef")
        if secret is None:
            words[each["name"]] = each["value"]
        elif optional or not secret.get("optional"):
            words[each["name"]] = SECRET_VALUES.get(secret["key"], "x" * 32)
    return words


def told(
    container: Manifest, manifests: list[Manifest], *, optional: bool = True
) -> ServiceSettings:
    """The settings that the process would have read. Raises ValidationError where it would end."""
    words = environment_of(container, manifests, optional=optional)
    module = container["args"][0].split(".")
    settings = settings_of(module[1]) if module[0] == "services" else _TopicSettings
    with mock.patch.dict(os.environ, {**words, "CARTAS_ENV_FILE": "/nowhere"}, clear=True):
        return settings()


def settings_in(manifests: list[Manifest], service: str) -> ServiceSettings:
    [container] = containers(of_kind(manifests, "Deployment")[service])
    return told(container, manifests)


@pytest.mark.parametrize("optional", [True, False], ids=["all secrets", "needed secrets"])
def test_every_process_starts_with_the_settings_it_is_given(
    manifests: list[Manifest], optional: bool
) -> None:
    for service, container in all_containers(manifests):
        settings = told(container, manifests, optional=optional)
        assert settings.kafka_username == f"cartas-{service}"
        assert settings.port == SERVICE_PORTS[service]
        assert settings.host == "0.0.0.0"


def test_every_setting_that_is_named_exists_in_a_service(manifests: list[Manifest]) -> None:
    known = {
        service: {cls.variable(field) for field in cls.model_fields}
        for service in SERVICES
        if (cls := settings_of(service))
    }
    addresses = {f"CARTAS_{service.upper()}_URL" for service in SERVICES}
    everywhere = set().union(*known.values()) | addresses
    shared = of_kind(manifests, "ConfigMap")["cartas-settings"]["data"]
    assert shared.keys() <= everywhere
    for service, container in all_containers(manifests):
        own = {each["name"] for each in container["env"]}
        assert own <= known[service], container["name"]


def test_settings_of_the_overlay_change_or_complete_those_of_the_base() -> None:
    """What has no default and is the same nowhere is left to the overlay, and named there."""
    lines = (BASE / "settings.env").read_text(), (OVERLAY / "settings.env").read_text()
    base, overlay = (set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)) for text in lines)
    assert {"CARTAS_KAFKA_SERVERS", "CARTAS_PUBLIC_URL", "CARTAS_SMTP_HOST"} <= overlay - base


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_listens_where_its_probes_and_its_service_look(
    manifests: list[Manifest], service: str
) -> None:
    deployment = of_kind(manifests, "Deployment")[service]
    [container] = containers(deployment)
    [port] = container["ports"]
    assert (port["name"], port["containerPort"]) == ("http", SERVICE_PORTS[service])
    app = import_module(f"services.{service}.app").build_app(settings_in(manifests, service))
    paths = app.openapi()["paths"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["port"] == "http"
        assert asked["path"] in paths
    front = of_kind(manifests, "Service")[service]["spec"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert front["selector"].items() <= labels.items()
    assert front["ports"] == [
        {"name": "http", "port": SERVICE_PORTS[service], "targetPort": "http"}
    ]
    budget = of_kind(manifests, "PodDisruptionBudget")[service]["spec"]
    assert budget["selector"] == deployment["spec"]["selector"] == {"matchLabels": labels}


def test_programs_exist_in_the_image(manifests: list[Manifest]) -> None:
    copied = (BASE.parents[1] / "Dockerfile").read_text()
    for _, container in all_containers(manifests):
        module, command = container["args"]
        assert find_spec(module) is not None
        assert f"COPY {module.split('.')[0]} " in copied
        assert command in ("serve", "migrate", "create")


def test_the_migration_makes_topics_first_and_then_every_database(
    manifests: list[Manifest],
) -> None:
    pod = of_kind(manifests, "Job")["migrate"]["spec"]["template"]["spec"]
    assert [each["args"] for each in pod["initContainers"]] == [
        ["shared.messaging.topics", "create"]
    ]
    assert {tuple(each["args"]) for each in pod["containers"]} == {
        (f"services.{service}", "migrate") for service in SERVICES
    }


def test_lag_is_that_of_groups_and_topics_that_exist(manifests: list[Manifest]) -> None:
    known = {topic.name: topic for topic in topics.ALL}
    deployments = of_kind(manifests, "Deployment")
    scaled = of_kind(manifests, "ScaledObject")
    assert {"measurements", "evaluator"} <= scaled.keys()
    for name, manifest in scaled.items():
        spec = manifest["spec"]
        assert spec["scaleTargetRef"] == {"name": name}
        assert "replicas" not in deployments[name]["spec"]
        [trigger] = spec["triggers"]
        watched = trigger["metadata"]
        declared = declared_by(name, settings_in(manifests, name))
        subscribed = {each.topic.name: each.group for each in declared["subscriptions"]}
        assert watched["consumerGroup"] == f"{subscribed[watched['topic']]}.{watched['topic']}"
        # A process beyond the partitions would have nothing to do.
        assert spec["minReplicaCount"] <= spec["maxReplicaCount"]
        assert spec["maxReplicaCount"] <= known[watched["topic"]].partitions
    for name in deployments.keys() - scaled.keys():
        assert deployments[name]["spec"]["replicas"] >= 2


def declared_by(service: str, settings: ServiceSettings) -> dict[str, Any]:
    """What the service tells its frame; nothing is started."""
    app = import_module(f"services.{service}.app")
    with mock.patch.object(app, "build", return_value=FastAPI()) as frame:
        app.build_app(settings)
    return dict(frame.call_args.kwargs)


def test_the_guide_tells_what_each_user_of_kafka_reads_and_writes(
    manifests: list[Manifest],
) -> None:
    found = USER.findall(GUIDE.read_text())
    told = {user: (names_in(reads), names_in(writes)) for user, reads, writes in found}
    for service in SERVICES:
        declared = declared_by(service, settings_in(manifests, service))
        reads = {each.topic.name for each in declared.get("subscriptions", ())}
        assert told[service] == (reads, {topic.name for topic in declared.get("publishes", ())})


def names_in(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z.0-9-]+)`", cell))


def test_the_guide_names_every_secret_with_its_keys(manifests: list[Manifest]) -> None:
    text = GUIDE.read_text()
    for service, container in all_containers(manifests):
        for each in container["env"]:
            secret = each.get("valueFrom", {}).get("secretKeyRef")
            if secret:
                name = re.sub(
                    rf"^cartas-{service}(?=$|-database$)", "cartas-<service>", secret["name"]
                )
                row = re.search(rf"^ *\| `{re.escape(name)}` \| (.*)$", text, re.MULTILINE)
                assert row is not None, secret["name"]
                assert f"`{secret['key']}`" in row[1]


def test_nothing_runs_as_root_or_writes_to_the_image_or_may_ask_kubernetes(
    manifests: list[Manifest],
) -> None:
    uid = UID.search((BASE.parents[1] / "Dockerfile").read_text())
    assert uid is not None
    pods = [each["spec"]["template"]["spec"] for each in manifests if list(containers(each))]
    assert len(pods) == len(SERVICES) + 1
    for pod in pods:
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, int(uid[1]))
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        # Variables of a Service `cartas` would begin as our settings do.
        assert pod["enableServiceLinks"] is False
    for _, container in all_containers(manifests):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]


def test_secrets_are_named_and_never_written_down(manifests: list[Manifest]) -> None:
    assert not of_kind(manifests, "Secret")
    for _, container in all_containers(manifests):
        for each in container["env"]:
            is_secret = re.search(r"(PASSWORD|SECRET|KEY|DATABASE_URL)$", each["name"])
            assert bool(is_secret) == ("valueFrom" in each) or each["name"].endswith("USERNAME")
            secret = each.get("valueFrom", {}).get("secretKeyRef")
            if secret:
                assert secret.get("optional", False) == (secret["name"] in OPTIONAL_SECRETS)


def test_mail_databases_and_brokers_are_all_that_can_be_reached_outside(
    manifests: list[Manifest],
) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    closed = policies["nothing-by-default"]["spec"]
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & closed.keys()
    everywhere = [
        policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/name")
        for policy in policies.values()
        for rule in policy["spec"].get("egress", ())
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    assert everywhere == ["notifier"]
    for manifest in manifests:
        if list(containers(manifest)):
            labels = manifest["spec"]["template"]["metadata"]["labels"]
            assert closed["podSelector"]["matchLabels"].items() <= labels.items()


def test_what_operators_read_is_not_published_with_the_pages(manifests: list[Manifest]) -> None:
    [rule] = of_kind(manifests, "Ingress")["portal"]["spec"]["rules"]
    behind = {each["path"]: each["backend"]["service"]["name"] for each in rule["http"]["paths"]}
    assert behind == {"/": "portal", "/metrics": "closed", "/health": "closed"}
    assert "selector" not in of_kind(manifests, "Service")["closed"]["spec"]


def test_files_of_the_base_are_all_part_of_it() -> None:
    named = set(yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"])
    assert named == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
