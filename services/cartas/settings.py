"""Settings of the cartas service."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings, service="cartas"):
    """What the cartas service needs beside the settings of every service."""

    port: int = Field(default=8005, ge=1, le=65535)
