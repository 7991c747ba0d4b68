"""Settings of the notifier."""

from datetime import timedelta
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from shared.settings import ServiceSettings


class Settings(ServiceSettings, service="notifier"):
    """What the notifier needs beside the settings of every service."""

    port: int = Field(default=8003, ge=1, le=65535)
    smtp_host: str = Field(min_length=1, description="Mail server that takes our mail.")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["auto", "none", "starttls", "tls"] = Field(
        default="auto", description="auto: STARTTLS where offered, and always with a password."
    )
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_hello_name: str | None = Field(
        default=None, description="Our name in EHLO; the host's own where it is not set."
    )
    smtp_attempt_seconds: float = Field(
        default=30.0, gt=0, le=300, description="A whole attempt, from connecting to the answer."
    )
    smtp_connections: int = Field(
        default=4, ge=1, le=50, description="Sessions with the mail server, and mails under way."
    )
    sender: str | None = Field(
        default=None,
        pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+$",
        description="Institutional mailbox of our mail; avisos@ at the portal's host by default.",
    )
    sender_name: str = Field(default="Cartas compromiso", min_length=1, max_length=100)
    delivery_poll_seconds: float = Field(
        default=1.0, gt=0, le=60, description="Mail that is written here is offered at once."
    )
    mail_keep_days: int = Field(
        default=400, ge=30, le=36500, description="Texts of settled mail; the ledger stays."
    )
    escalation_poll_seconds: float = Field(default=5.0, gt=0, le=600)

    @model_validator(mode="after")
    def _credentials_are_a_pair(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password go together")
        if self.smtp_password is not None and self.smtp_security == "none":
            raise ValueError("a password needs smtp_security starttls or tls")
        return self

    @property
    def mail_keep(self) -> timedelta:
        """How long the words of a settled mail are kept."""
        return timedelta(days=self.mail_keep_days)

    @property
    def sender_mailbox(self) -> str:
        return self.sender or f"avisos@{urlsplit(self.public_url).hostname}"

    @property
    def start_tls(self) -> bool | None:
        """None leaves it to what the server offers; a password never goes in the clear."""
        if self.smtp_security == "auto":
            return True if self.smtp_password else None
        return self.smtp_security == "starttls"

    @classmethod
    def variable(cls, field: str) -> str:
        """The mail server is the installation's, not the notifier's own: CARTAS_SMTP_HOST."""
        return f"CARTAS_{field}".upper() if field.startswith("smtp_") else super().variable(field)

    @property
    def lease_seconds(self) -> float:
        """How long mails are left to the process that took them: to be offered and recorded."""
        return self.smtp_attempt_seconds + 15

    @property
    def begin_within_seconds(self) -> float:
        """How much of a lease must be left to offer a mail: an attempt, and time to record it."""
        return self.smtp_attempt_seconds + 5
