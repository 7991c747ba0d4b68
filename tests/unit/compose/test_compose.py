"""What docker-compose.yml and its additions promise, and that services know what they are told."""

import re
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.environment import SERVICE_PORTS
from ops.backup.settings import NAMES, BackupSettings
from shared.settings import FILE_SUFFIX, ServiceSettings

Document = dict[str, Any]
MAIN = Path("docker-compose.yml")
ADDITIONS = sorted(Path("deploy/compose").glob("*.yml"))
PREPARE = Path("deploy/compose/prepare.sh")
EXAMPLE = Path("deploy/compose/example.env")
SERVICES = tuple(SERVICE_PORTS)
ONE_OFF = {"databases", "doctor", "restore", "setup"}
# Published for whoever asks for it by the one setting; all else stays on this machine.
PUBLIC = {"portal", "measurements"}
VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?][^}]*)?\}")


class _Loader(yaml.SafeLoader):
    """Knows what compose's own tags say: that something is taken away or replaced."""


_Loader.add_constructor("!reset", lambda loader, node: None)
_Loader.add_constructor("!override", lambda loader, node: None)


def read(path: Path) -> Document:
    found: Document = yaml.load(path.read_text(), _Loader)
    return found


@pytest.fixture(scope="module")
def compose() -> Document:
    return read(MAIN)


def settings_of(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = import_module(f"services.{service}.settings").Settings
    return found


def known_settings(services: tuple[str, ...] = SERVICES) -> set[str]:
    names = {
        cls.variable(field) for cls in map(settings_of, services) for field in cls.model_fields
    }
    addresses = {f"CARTAS_{service.upper()}_URL" for service in SERVICES}
    ports = {f"CARTAS_{service.upper()}_PORT" for service in SERVICES}
    names |= {NAMES + field.upper() for field in BackupSettings.model_fields}
    names.add(f"{NAMES}URL")
    return names | {name + FILE_SUFFIX for name in names} | addresses | ports


@pytest.mark.parametrize("path", [MAIN, *ADDITIONS], ids=str)
def test_every_setting_that_is_named_exists_in_a_service(path: Path) -> None:
    common = read(MAIN)["x-environment"].keys()
    for name, container in read(path)["services"].items():
        told = {each for each in container.get("environment", {}) if each.startswith("CARTAS_")}
        assert told - {"CARTAS_ENV_FILE"} <= known_settings(), name
        if name in SERVICES:
            assert told - common <= known_settings((name,)), name


def test_a_secret_is_told_by_its_file_and_by_nothing_else(compose: Document) -> None:
    for name, container in compose["services"].items():
        for variable, value in container.get("environment", {}).items():
            if re.search(r"(PASSWORD|SECRET|KEY)$", variable):
                pytest.fail(f"{name}: {variable} holds a secret")
            if value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in container["secrets"], name
            assert not re.search(r"://[^@/]*:[^@/]*@", value), f"{name}: {variable}"


def test_a_service_reads_its_own_secrets_only(compose: Document) -> None:
    for service in SERVICES:
        own = {"service_secret", f"{service}_database_password", "contact_key"}
        assert set(compose["services"][service]["secrets"]) <= own


def test_every_secret_is_made_at_random_the_first_time(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    for _ in range(2):
        made = subprocess.run(
            ["sh", str(_clone(tmp_path) / PREPARE), str(folder)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert not made.stderr
    files = {each.name: each.read_text() for each in folder.iterdir() if each.is_file()}
    named = {name for path in (MAIN, *ADDITIONS) for name in read(path).get("secrets", {})}
    assert files.keys() == named
    assert files.pop("smtp_password") == ""
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in files.values())
    assert len(set(files.values())) == len(files)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "service_secret").stat().st_mode & 0o777 == 0o644


def test_what_is_there_is_not_made_anew(tmp_path: Path) -> None:
    clone = _clone(tmp_path)
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "service_secret").write_text("mine")
    (clone / ".env").write_text("MINE=1\n")
    subprocess.run(["sh", str(clone / PREPARE), str(folder)], capture_output=True, check=True)
    assert (folder / "service_secret").read_text() == "mine"
    assert (clone / ".env").read_text() == "MINE=1\n"


def _clone(home: Path) -> Path:
    """What the script needs of the project, in a place where it may write."""
    clone = home / "clone"
    (clone / PREPARE.parent).mkdir(parents=True, exist_ok=True)
    for path in (PREPARE, EXAMPLE):
        (clone / path).write_text(path.read_text())
    return clone


def test_nothing_is_published_beyond_this_machine_unless_asked(compose: Document) -> None:
    for name, container in compose["services"].items():
        for port in container.get("ports", ()):
            address = "${CARTAS_LISTEN:-127.0.0.1}:" if name in PUBLIC else "127.0.0.1:"
            assert port.startswith(address), f"{name}: {port}"


def test_no_container_may_or_takes_more_than_it_needs(compose: Document) -> None:
    for name, container in compose["services"].items():
        assert container["cap_drop"] == ["ALL"], name
        assert container["security_opt"] == ["no-new-privileges:true"], name
        assert {"memory", "pids"} <= container["deploy"]["resources"]["limits"].keys(), name
        assert container["logging"]["options"].keys() == {"max-size", "max-file"}, name
        restarts = container.get("restart", "no")
        assert restarts == ("no" if name in ONE_OFF else "unless-stopped"), name
        if container["image"].startswith("${CARTAS_IMAGE"):
            assert container["read_only"] is True, name


def test_everything_starts_behind_what_it_needs(compose: Document) -> None:
    services = compose["services"]
    for service in SERVICES:
        assert services[service]["depends_on"] == {
            "setup": {"condition": "service_completed_successfully"}
        }
    needed = {name: each["condition"] for name, each in services["setup"]["depends_on"].items()}
    assert needed == {"kafka": "service_healthy", "databases": "service_completed_successfully"}
    for name in SERVICES:
        assert services["simulator"]["depends_on"][name] == {"condition": "service_healthy"}


def test_a_command_of_an_operator_starts_nothing_else(compose: Document) -> None:
    """During an outage `run` would wait for what is away, or start what was stopped on purpose."""
    typed = [
        (path, line)
        for path in [Path("README.md"), MAIN, *Path("docs").rglob("*.md")]
        for line in re.findall(r"docker compose run ([^`\n]*)", path.read_text(encoding="utf-8"))
    ]
    assert len(typed) > 5
    for path, line in typed:
        words = set(line.split())
        behind = {name for name, each in compose["services"].items() if "depends_on" in each}
        if "SERVICE" in words or words & behind:
            assert "--no-deps" in words, f"{path}: {line}"


def test_whoever_reads_settings_of_services_has_a_user_at_a_kafka_of_ones_own(
    compose: Document,
) -> None:
    """Without it a setting that says SASL would stop the process."""
    common = compose["x-environment"].keys()
    readers = {
        name
        for name, each in compose["services"].items()
        if common <= each.get("environment", {}).keys()
    }
    told = read(Path("deploy/compose/kafka.yml"))["services"]
    assert readers >= {*SERVICES, "setup", "simulator"}
    for name in readers:
        assert told[name]["environment"]["CARTAS_KAFKA_USERNAME"], name
        assert told[name]["secrets"], name


def test_whoever_speaks_to_kafka_or_postgresql_finds_their_authorities(compose: Document) -> None:
    common = compose["x-environment"].keys()
    for name, each in compose["services"].items():
        if common <= each.get("environment", {}).keys():
            mounted = [volume.split(":")[-2] for volume in each["volumes"]]
            assert "/etc/cartas/authorities" in mounted, name


def test_the_example_names_what_can_be_said_and_nothing_else() -> None:
    said = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    asked = {name for path in (MAIN, *ADDITIONS) for name in VARIABLE.findall(path.read_text())}
    assert asked - {"CARTAS_IMAGE"} <= said
    assert said - asked - {"COMPOSE_FILE", "TZ"} <= known_settings()


def test_the_image_carries_what_the_programs_need_and_the_build_is_given() -> None:
    given = {
        line[1:] for line in Path(".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", Path("deploy/Dockerfile").read_text(), re.M)
    assert {name for line in copied for name in line.split()} == given
    assert all(Path(name).exists() for name in given)


def test_a_volume_that_a_container_of_ours_makes_belongs_to_who_writes_into_it(
    compose: Document,
) -> None:
    """On a new machine the restore comes first; Docker gives a new volume the image's owner."""
    made = re.findall(
        r"install --directory --owner \S+ --group (\S+) (?:--mode \d+ )?(/\S+)",
        Path("deploy/Dockerfile").read_text(),
    )
    owners = {folder: group for group, folder in made}
    for name in ("restore", "simulator"):
        container = compose["services"][name]
        group = container.get("user", "cartas:cartas").split(":")[1]
        for volume in container["volumes"]:
            source, target = volume.split(":")[:2]
            if source in compose["volumes"]:
                assert owners.get(target) == group, f"{name}: {target}"


def test_grafana_finds_its_data_source_and_dashboards(compose: Document) -> None:
    grafana = compose["services"]["grafana"]
    mounted = dict(volume.split(":")[:2][::-1] for volume in grafana["volumes"])
    provisioning = Path(mounted["/etc/grafana/provisioning"])
    [source] = read(provisioning / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    [provider] = read(provisioning / "dashboards" / "cartas.yml")["providers"]
    assert list(Path(mounted[provider["options"]["path"]]).glob("*.json"))


def test_every_image_of_others_is_named_with_its_version(compose: Document) -> None:
    for name, container in compose["services"].items():
        image = container["image"]
        assert image.startswith("${CARTAS_IMAGE") or re.search(r":v?\d+(\.\d+)*$", image), name
