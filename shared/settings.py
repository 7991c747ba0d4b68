"""Settings from the environment, validated when a process starts, all faults listed at once."""

import os
import sys
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.sources import DotEnvSettingsSource, EnvSettingsSource

PREFIX = "CARTAS_"
DEFAULT_ENV_FILE = Path(".run/env")

_OWN_IN_EVERY_SERVICE = frozenset({"database_url", "port", "pool_size"})


def env_file() -> Path:
    """Return the file that is read before the environment; it need not exist."""
    return Path(os.environ.get("CARTAS_ENV_FILE", DEFAULT_ENV_FILE))


class ServiceSettings(BaseSettings):
    """Settings every service has.

    A service declares `class Settings(ServiceSettings, service="buzon")`. Fields of this base are
    read from CARTAS_<FIELD>; database_url, port, pool_size and the service's own fields from
    CARTAS_<SERVICE>_<FIELD>.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    service: ClassVar[str] = ""

    kafka_servers: str = Field(description="host:port of brokers, comma separated.")
    kafka_security_protocol: str = Field(
        default="PLAINTEXT", pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$"
    )
    kafka_sasl_mechanism: str = Field(default="SCRAM-SHA-512")
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = Field(default=None, description="CA of the brokers, for TLS.")
    kafka_replication: int = Field(default=1, ge=1, le=7, description="Copies of a new topic.")
    topic_prefix: str = Field(default="", pattern=r"^[a-z0-9.-]{0,40}$")
    log_format: str = Field(default="json", pattern="^(json|console)$")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    service_secret: SecretStr = Field(min_length=32, description="The services' own credential.")
    public_url: str = Field(pattern=r"^https?://[^\s/]+$", description="Address of the portal.")
    host: str = Field(default="127.0.0.1", description="Address that HTTP listens on.")
    postgres_dir: Path | None = Field(
        default=None,
        description="PostgreSQL's data, where it is on this machine: its disk is told.",
    )
    startup_wait_seconds: float = Field(
        default=60.0, ge=0, le=3600, description="How long to wait for PostgreSQL at the start."
    )
    shutdown_seconds: float = Field(default=20.0, gt=0, le=300)

    database_url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    port: int = Field(ge=1, le=65535)
    pool_size: int = Field(default=6, ge=3, le=100, description="PostgreSQL connections.")

    def __init_subclass__(cls, *, service: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if service:
            cls.service = service

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
        """Arguments, then the environment, then the env file."""
        return (
            init_settings,
            _Environment(settings_cls),
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


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load_settings(settings: type[SettingsT]) -> SettingsT:
    """Read the settings; on faults print all of them, one a line, and exit with status 2."""
    try:
        return settings()
    except ValidationError as error:
        sys.stderr.write(explain_faults(settings, error))
        raise SystemExit(2) from None


def explain_faults(settings: type[ServiceSettings], error: ValidationError) -> str:
    """Return one line a fault, naming the variable to set, never its value."""
    lines = [f"{settings.service}: the settings have {error.error_count()} fault(s):"]
    for fault in error.errors(include_input=False, include_url=False):
        field = str(fault["loc"][0]) if fault["loc"] else "?"
        info = settings.model_fields.get(field)
        about = f" ({info.description})" if info is not None and info.description else ""
        lines.append(f"  {settings.variable(field)}: {fault['msg']}{about}")
    return "\n".join(lines) + "\n"
