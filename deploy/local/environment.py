"""The settings of a local run: generated once, kept in `.run/env`, overruled by the environment."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.errors import LocalError
from deploy.local.kafka import KafkaServer
from deploy.local.paths import BACKUP, ENV_FILE, RUN
from deploy.local.postgres import PostgresServer

# In the order of starting: who publishes reference data first.
SERVICE_PORTS = {
    "cartas": 8005,
    "measurements": 8001,
    "evaluator": 8002,
    "buzon": 8004,
    "notifier": 8003,
    "portal": 8000,
}
SMTP_PORT, MAILBOX_PORT = 8025, 8026
KAFKA_PORT, POSTGRES_PORT = 19092, 15432
SECRET_BYTES = 32
OFFSET = "CARTAS_PORT_OFFSET"


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of a run; a second run on one machine moves them all by CARTAS_PORT_OFFSET."""

    offset: int = 0

    @classmethod
    def from_environment(cls) -> "Ports":
        text = os.environ.get(OFFSET, "0")
        if not text.isdecimal() or int(text) > 40_000:
            raise LocalError(f"{OFFSET} is {text!r}: give a number from 0 to 40000")
        return cls(int(text))

    @property
    def kafka(self) -> int:
        return KAFKA_PORT + self.offset

    @property
    def postgres(self) -> int:
        return POSTGRES_PORT + self.offset

    @property
    def smtp(self) -> int:
        return SMTP_PORT + self.offset

    @property
    def mailbox(self) -> int:
        return MAILBOX_PORT + self.offset

    def service(self, name: str) -> int:
        return SERVICE_PORTS[name] + self.offset


@dataclass(frozen=True, slots=True)
class Layout:
    """What a run consists of: embedded servers, unless the environment names others."""

    ports: Ports
    environment: Mapping[str, str]
    own_kafka: bool
    own_postgres: bool

    @property
    def kafka(self) -> KafkaServer:
        return KafkaServer(RUN / "kafka", self.ports.kafka)

    @property
    def postgres(self) -> PostgresServer:
        return PostgresServer(RUN / "postgres", self.ports.postgres, BACKUP / "wal")

    def url(self, service: str) -> str:
        return self.environment[f"CARTAS_{service.upper()}_URL"]

    @property
    def mailbox_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.mailbox}"

    @property
    def passwords(self) -> dict[str, str]:
        """Of each service's role in the embedded PostgreSQL."""
        return {name: _password(self.environment, name) for name in SERVICE_PORTS}

    def ports_wanted(self) -> dict[int, str]:
        """Each port this run listens on, with what for."""
        wanted = {self.ports.service(name): name for name in SERVICE_PORTS}
        wanted |= {self.ports.smtp: "the mailbox's SMTP", self.ports.mailbox: "the mailbox's page"}
        if self.own_kafka:
            wanted |= {self.ports.kafka: "Kafka", self.ports.kafka + 1: "Kafka's controller"}
        if self.own_postgres:
            wanted[self.ports.postgres] = "PostgreSQL"
        return wanted


def prepare(path: Path = ENV_FILE) -> Layout:
    """Read or make the settings of this run and write them down; secrets stay what they were."""
    ports = Ports.from_environment()
    generated = _generate(ports, read_env_file(path))
    _write_private(path, "".join(f"{name}={value}\n" for name, value in generated.items()))
    given = {name: value for name, value in os.environ.items() if name.startswith("CARTAS_")}
    databases = {_database_variable(name) for name in SERVICE_PORTS}
    return Layout(
        ports,
        {**generated, **given, "CARTAS_ENV_FILE": str(path)},
        own_kafka="CARTAS_KAFKA_SERVERS" not in given,
        own_postgres=not databases <= given.keys(),
    )


def read_env_file(path: Path = ENV_FILE) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}


def _generate(ports: Ports, known: Mapping[str, str]) -> dict[str, str]:
    server = PostgresServer(RUN / "postgres", ports.postgres)
    made = {
        "CARTAS_KAFKA_SERVERS": f"127.0.0.1:{ports.kafka}",
        "CARTAS_LOG_FORMAT": "json",
        "CARTAS_SERVICE_SECRET": known.get("CARTAS_SERVICE_SECRET") or _secret(),
        "CARTAS_PUBLIC_URL": f"http://127.0.0.1:{ports.service('portal')}",
        "CARTAS_SMTP_HOST": "127.0.0.1",
        "CARTAS_SMTP_PORT": str(ports.smtp),
        "CARTAS_POSTGRES_DIR": str(server.home),
    }
    for name in SERVICE_PORTS:
        password = _password(known, name) or _secret()
        made[_database_variable(name)] = server.url_of(name, password, name)
        made[f"CARTAS_{name.upper()}_PORT"] = str(ports.service(name))
        made[f"CARTAS_{name.upper()}_URL"] = f"http://127.0.0.1:{ports.service(name)}"
    return made


def _database_variable(service: str) -> str:
    return f"CARTAS_{service.upper()}_DATABASE_URL"


def _password(environment: Mapping[str, str], service: str) -> str:
    return urlsplit(environment.get(_database_variable(service), "")).password or ""


def _secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)
