"""Settings of the copies: CARTAS_BACKUP_<FIELD>."""

from datetime import time
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ops.settings import OperatorSettings, SettingsError
from shared.settings import PREFIX

NAMES = f"{PREFIX}BACKUP_"


class BackupSettings(OperatorSettings):
    """What a copy is made of, where it goes, when, and how many stay."""

    model_config = SettingsConfigDict(env_prefix=NAMES)
    from_file: ClassVar[str] = "database_password"

    dir: Path = Field(description="Copies, and below it `wal`: on another disk than PostgreSQL's.")
    database_url: SecretStr | None = Field(
        default=None, description="A role with REPLICATION; its database only serves to sign in."
    )
    database_password: SecretStr | None = Field(
        default=None, description="The password, where the address has none; or in _FILE."
    )
    at: time = Field(default=time(3, 30), description="HH:MM of the machine's (or TZ's) clock.")
    kept: int = Field(default=7, ge=1, le=366, description="Copies; of WAL what they need.")
    programs: Path | None = Field(
        default=None, description="Folder of PostgreSQL's programs, where PATH does not have them."
    )
    host: str = Field(default="127.0.0.1", description="Address that /metrics listens on.")
    port: int = Field(default=8010, ge=1, le=65535)

    @property
    def url(self) -> str:
        """Address of the server to be copied. Raises SettingsError where it is not said."""
        if self.database_url is None:
            raise SettingsError(f"{NAMES}DATABASE_URL: needed to copy a server")
        url = self.database_url.get_secret_value()
        return url if self.database_password is None else self._with_password(url)

    def _with_password(self, url: str) -> str:
        parts = urlsplit(url)
        user, at, place = parts.netloc.rpartition("@")
        if not at or ":" in user or self.database_password is None:
            raise SettingsError(f"{NAMES}DATABASE_URL: name a user and no password")
        password = quote(self.database_password.get_secret_value(), safe="")
        return parts._replace(netloc=f"{user}:{password}@{place}").geturl()
