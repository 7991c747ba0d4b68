"""Settings of the portal."""

from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from shared.settings import ServiceSettings

PROJECT: Final = Path(__file__).resolve().parents[2]
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
Address = r"^https?://[^\s]+[^\s/]$"


class Settings(ServiceSettings, service="portal"):
    """What the portal needs beside the settings of every service."""

    port: int = Field(default=8000, ge=1, le=65535)
    buzon_url: str = Field(pattern=Address, description="Base address of the buzon service.")
    cartas_url: str = Field(pattern=Address, description="Base address of the cartas service.")
    evaluator_url: str = Field(pattern=Address, description="Base address of the evaluator.")
    measurements_url: str = Field(pattern=Address, description="Base address of measurements.")
    notifier_url: str = Field(pattern=Address, description="Base address of the notifier.")
    sign_in_minutes: int = Field(default=15, ge=1, le=120, description="Life of a mailed link.")
    session_hours: int = Field(default=12, ge=1, le=72)
    allow_http: bool = Field(
        default=False, description="Serve plain HTTP under a name that is not this machine's."
    )
    static_dir: Path = Field(
        default=PROJECT / "build" / "static", description="Where `portal assets` wrote its files."
    )

    @model_validator(mode="after")
    def _sessions_travel_encrypted(self) -> Self:
        address = urlsplit(self.public_url)
        if address.scheme == "http" and address.hostname not in LOOPBACK and not self.allow_http:
            raise ValueError("the public address must be https, or allow_http must be set")
        return self

    @classmethod
    def variable(cls, field: str) -> str:
        """Other services' addresses are the installation's, not the portal's own."""
        if field.endswith("_url") and field.removesuffix("_url") in PEERS:
            return f"CARTAS_{field}".upper()
        return super().variable(field)

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are only sent over TLS: always, but on this very machine."""
        return self.public_url.startswith("https://")

    def address_of(self, service: str) -> str:
        """Return the base address of another service."""
        return str(getattr(self, f"{service}_url"))


PEERS: Final = ("buzon", "cartas", "evaluator", "measurements", "notifier")
