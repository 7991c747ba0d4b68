"""Settings from the environment, validated when a process starts, all faults listed at once."""

import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar, Final, Self, TypeVar, get_args
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.sources import DotEnvSettingsSource, EnvSettingsSource

PREFIX = "CARTAS_"
DEFAULT_ENV_FILE = Path(".run/env")

# A secret may stand in a file, whose path <VARIABLE>_FILE tells.
FILE_SUFFIX: Final = "_FILE"
_MAX_SECRET_BYTES: Final = 65_536

_OWN_IN_EVERY_SERVICE = frozenset({"database_url", "database_password", "port", "pool_size"})


def env_file() -> Path:
    """Return the file that is read before the environment; it need not exist."""
    return Path(os.environ.get("CARTAS_ENV_FILE", DEFAULT_ENV_FILE))


class SecretFileError(Exception):
    """A file that should hold a secret holds none that can be read."""


def secret_in_file(variable: str, environment: Mapping[str, str]) -> str | None:
    """Return what stands in the file that `<variable>_FILE` names, None where it names none.

    Line ends after it are not part of it. Raises SecretFileError, which quotes no content.
    """
    path = environment.get(variable + FILE_SUFFIX)
    if not path:
        return None
    if environment.get(variable):
        raise SecretFileError(f"{variable} is set as well: give one of the two")
    try:
        with Path(path).open("rb") as file:
            found = file.read(_MAX_SECRET_BYTES + 1)
        secret = found.decode().rstrip("\r\n")
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretFileError(f"{path} is no text") from None
    if not secret or len(found) > _MAX_SECRET_BYTES:
        raise SecretFileError(f"{path} is empty or too large")
    return secret


class ServiceSettings(BaseSettings):
    """Settings every service has.

    A service declares `class Settings(ServiceSettings, service="buzon")`. Fields of this base are
    read from CARTAS_<FIELD>; database_url, database_password, port, pool_size and the service's own
    fields from CARTAS_<SERVICE>_<FIELD>. Each secret may stand in a file instead, which
    <VARIABLE>_FILE names.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    service: ClassVar[str] = ""

    kafka_servers: str = Field(description="host:port of brokers, comma separated.")
    kafka_security_protocol: str = Field(
        default="PLAINTEXT", pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$"
    )
    kafka_sasl_mechanism: str = Field(
        default="SCRAM-SHA-512", pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$"
    )
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = Field(default=None, description="CA of the brokers, for TLS.")
    kafka_replication: int = Field(default=1, ge=1, le=7, description="Copies of a new topic.")
    topic_prefix: str = Field(default="", pattern=r"^[a-z0-9.-]{0,40}$")
    refused_keep_days: int = Field(
        default=90, ge=1, le=3650, description="How long refused payloads are kept."
    )
    log_format: str = Field(default="json", pattern="^(json|console)$")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    service_secret: SecretStr = Field(min_length=32, description="The services' own credential.")
    public_url: str = Field(pattern=r"^https?://[^\s/]+$", description="Address of the portal.")
    host: str = Field(default="127.0.0.1", description="Address that HTTP listens on.")
    proxies: str = Field(
        default="127.0.0.1",
        description="Addresses or networks of proxies, comma separated: they tell who asks.",
    )
    postgres_dir: Path | None = Field(
        default=None,
        description="PostgreSQL's data, where it is on this machine: its disk is told.",
    )
    startup_wait_seconds: float = Field(
        default=60.0, ge=0, le=3600, description="How long to wait for PostgreSQL at the start."
    )
    shutdown_seconds: float = Field(default=20.0, gt=0, le=300)

    database_url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    database_password: SecretStr | None = Field(
        default=None, description="The password, where the address has none."
    )
    port: int = Field(ge=1, le=65535)
    pool_size: int = Field(default=6, ge=3, le=100, description="PostgreSQL connections.")

    @property
    def refused_keep(self) -> timedelta:
        """How long what was refused is kept."""
        return timedelta(days=self.refused_keep_days)

    def __init_subclass__(cls, *, service: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if service:
            cls.service = service

    @model_validator(mode="before")
    @classmethod
    def _put_the_password_into_the_address(cls, given: Any) -> Any:
        """Return the settings with an address that is whole; the password is quoted for it."""
        password = given.get("database_password")
        if not password or not given.get("database_url"):
            return given
        scheme, _, rest = _plain(given["database_url"]).partition("://")
        user, at, place = rest.partition("@")
        if not at or ":" in user or "/" in user:
            raise ValueError("with database_password, the address names a user and no password")
        whole = f"{scheme}://{user}:{quote(_plain(password), safe='')}@{place}"
        return {**given, "database_url": SecretStr(whole)}

    @field_validator("proxies")
    @classmethod
    def _proxies_are_addresses(cls, given: str) -> str:
        """A network that is misspelt would be no proxy's, and all people one client."""
        for proxy in given.split(","):
            ip_network(proxy.strip())
        return given

    @model_validator(mode="after")
    def _kafka_credentials_are_whole(self) -> Self:
        if (self.kafka_username is None) != (self.kafka_password is None):
            raise ValueError("kafka_username and kafka_password go together")
        if "SASL" in self.kafka_security_protocol and self.kafka_username is None:
            raise ValueError(
                f"{self.kafka_security_protocol} needs kafka_username and its password"
            )
        return self

    @classmethod
    def variable(cls, field: str) -> str:
        """Return the environment variable that sets `field`."""
        shared = field in ServiceSettings.model_fields and field not in _OWN_IN_EVERY_SERVICE
        middle = "" if shared else f"{cls.service}_"
        return f"{PREFIX}{middle}{field}".upper()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment and the files it names, then the env file."""
        return (
            init_settings,
            _Environment(settings_cls),
            _SecretFiles(settings_cls),
            _EnvFile(settings_cls, env_file=env_file(), env_file_encoding="utf-8"),
        )


class _Naming:
    """Maps a field to its variable; the rest of the sources is pydantic-settings' own."""

    settings_cls: type[ServiceSettings]

    def _extract_field_info(self, field: Any, field_name: str) -> list[tuple[str, str, bool]]:
        name = self.settings_cls.variable(field_name).lower()
        return [(field_name, name, False)]


class _Environment(_Naming, EnvSettingsSource):  # type: ignore[misc]  # the naming is ours
    pass


class _EnvFile(_Naming, DotEnvSettingsSource):  # type: ignore[misc]
    def __call__(self) -> dict[str, Any]:
        return EnvSettingsSource.__call__(self)


class _SecretFiles(PydanticBaseSettingsSource):
    """Secrets whose place is told instead of their value."""

    settings_cls: type[ServiceSettings]

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
        variable = self.settings_cls.variable(field_name)
        found = secret_in_file(variable, os.environ) if is_secret else None
        return found, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}


def _plain(text: str | SecretStr) -> str:
    return text.get_secret_value() if isinstance(text, SecretStr) else text


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load_settings(settings: type[SettingsT]) -> SettingsT:
    """Read the settings; on faults print all of them, one a line, and exit with status 2."""
    try:
        return settings()
    except ValidationError as error:
        sys.stderr.write(explain_faults(settings, error))
    except SecretFileError as error:
        sys.stderr.write(f"{settings.service}: {error}\n")
    raise SystemExit(2)


def explain_faults(settings: type[ServiceSettings], error: ValidationError) -> str:
    """Return one line a fault, naming the variable to set, never its value."""
    lines = [f"{settings.service}: the settings have {error.error_count()} fault(s):"]
    for fault in error.errors(include_input=False, include_url=False):
        if not fault["loc"]:  # of several settings together: the words name them
            lines.append(f"  {fault['msg']}")
            continue
        field = str(fault["loc"][0])
        info = settings.model_fields.get(field)
        about = f" ({info.description})" if info is not None and info.description else ""
        lines.append(f"  {settings.variable(field)}: {fault['msg']}{about}")
    return "\n".join(lines) + "\n"
