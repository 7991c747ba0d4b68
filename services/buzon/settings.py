"""Settings of the buzon."""

from datetime import timedelta

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings, service="buzon"):
    """What the buzon needs beside the settings of every service."""

    port: int = Field(default=8004, ge=1, le=65535)
    contact_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Root of the key that seals contacts; the service secret's if unset.",
    )
    repeat_hours: int = Field(
        default=24, ge=1, le=720, description="How long a repeated filing gets the same answer."
    )
    minimum_fill_seconds: int = Field(
        default=3, ge=0, le=60, description="A form that was filled in faster was not by a person."
    )
    window_seconds: int = Field(
        default=3600, ge=1, le=86400, description="Window in which requests are counted."
    )
    filings_per_client: int = Field(default=20, ge=1, description="In one window.")
    filings_in_all: int = Field(default=2000, ge=1, description="In one window.")
    lookups_per_client: int = Field(default=60, ge=1, description="In one window.")
    lookups_in_all: int = Field(default=20000, ge=1, description="In one window.")
    progress_poll_seconds: float = Field(default=0.5, gt=0, le=60)
    idle_progress_seconds: float = Field(default=30.0, gt=0, le=600)
    contact_keep_days: int | None = Field(
        default=None, ge=30, le=36500, description="Contacts, after the answer; unset: no term."
    )
    text_keep_days: int | None = Field(
        default=None, ge=30, le=36500, description="Texts, after the answer; unset: no term."
    )

    @property
    def contact_keep(self) -> timedelta | None:
        """How long a contact is kept after the answer; None: until a person decides."""
        return None if self.contact_keep_days is None else timedelta(days=self.contact_keep_days)

    @property
    def text_keep(self) -> timedelta | None:
        """The same of what was written."""
        return None if self.text_keep_days is None else timedelta(days=self.text_keep_days)
