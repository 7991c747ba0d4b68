"""Where the services answer: the same environment and file that the services read."""

import os
from pathlib import Path
from typing import ClassVar, Final, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import PREFIX, SecretFileError, env_file, secret_in_file

Address = r"^https?://[^\s]+[^\s/]$"
SERVICES: Final = ("cartas", "measurements", "evaluator", "buzon", "notifier", "portal")


class SettingsError(Exception):
    """The settings do not say where to look; one line a fault."""


class OperatorSettings(BaseSettings):
    """Read first from the environment, then from the services' own file.

    `from_file` names the field that may also be the content of a file, as <NAME>_FILE says.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )
    from_file: ClassVar[str]

    @classmethod
    def load(cls) -> Self:
        """Return the settings. Raises SettingsError, which names every variable at fault."""
        prefix = cls.model_config["env_prefix"]
        try:
            settings = cls(_env_file=env_file())
            secret = secret_in_file(f"{prefix}{cls.from_file}".upper(), os.environ)
        except SecretFileError as error:
            raise SettingsError(str(error)) from None
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False)
            lines = [f"{prefix}{fault['loc'][0]}".upper() + f": {fault['msg']}" for fault in faults]
            raise SettingsError("\n".join(lines)) from None
        if secret is None:
            return settings
        return settings.model_copy(update={cls.from_file: SecretStr(secret)})


class Settings(OperatorSettings):
    """CARTAS_<FIELD>: where each service answers."""

    from_file: ClassVar[str] = "service_secret"

    cartas_url: str = Field(pattern=Address)
    measurements_url: str = Field(pattern=Address)
    evaluator_url: str = Field(pattern=Address)
    buzon_url: str = Field(pattern=Address)
    notifier_url: str = Field(pattern=Address)
    portal_url: str = Field(pattern=Address)
    service_secret: SecretStr | None = Field(default=None, min_length=32)
    postgres_dir: Path | None = Field(
        default=None, description="PostgreSQL's data, where it is on this machine."
    )

    def address_of(self, service: str) -> str:
        """Return a service's base address."""
        return str(getattr(self, f"{service}_url"))
