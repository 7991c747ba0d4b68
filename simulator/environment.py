"""Where the services answer: the environment, else the env file of a local run."""

import os

from pydantic import SecretStr

from shared.settings import env_file, secret_in_file


def service_url(service: str) -> str:
    """Return the base address of a service. Exits where it is not set."""
    name = f"CARTAS_{service.upper()}_URL"
    return _required(name, f"the address of {service}").rstrip("/")


def service_secret() -> SecretStr:
    """Return the services' common secret. Exits where it is not set."""
    return SecretStr(_required("CARTAS_SERVICE_SECRET", "the services' common secret"))


def _required(name: str, what: str) -> str:
    found = os.environ.get(name) or secret_in_file(name, os.environ) or _from_file().get(name)
    if not found:
        raise SystemExit(f"set {name} to {what}")
    return found


def _from_file() -> dict[str, str]:
    path = env_file()
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
