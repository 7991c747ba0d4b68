"""The settings of each service as this environment has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field, SecretStr, ValidationError

from ops.doctor.findings import Finding, mend, unknown, well
from ops.settings import SERVICES
from shared.settings import SecretFileError, ServiceSettings

TRIED_OUT: Final = ("only-for-trying-out", "changeme", "change-me", "example", "password", "secret")
LEAST_PASSWORD: Final = 16
LEAST_SECRET: Final = 32
LEAST_DIFFERENT: Final = 8


class _Cartas(ServiceSettings, service="cartas"):
    port: int = 8005


class _Measurements(ServiceSettings, service="measurements"):
    port: int = 8001


class _Evaluator(ServiceSettings, service="evaluator"):
    port: int = 8002


class _Buzon(ServiceSettings, service="buzon"):
    port: int = 8004
    contact_key: SecretStr | None = None


class _Portal(ServiceSettings, service="portal"):
    port: int = 8000


class MailSettings(ServiceSettings, service="notifier"):
    """The notifier's: of them CARTAS_SMTP_<FIELD> is the installation's."""

    port: int = 8003
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["auto", "none", "starttls", "tls"] = "auto"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None

    @classmethod
    def variable(cls, field: str) -> str:
        return f"CARTAS_{field}".upper() if field.startswith("smtp_") else super().variable(field)


CLASSES: Final[Mapping[str, type[ServiceSettings]]] = {
    each.service: each
    for each in (_Cartas, _Measurements, _Evaluator, _Buzon, MailSettings, _Portal)
}


@dataclass(frozen=True, slots=True)
class Known:
    """The settings of those services that this environment has whole, and their faults."""

    of: Mapping[str, ServiceSettings]
    findings: tuple[Finding, ...]

    @property
    def any(self) -> ServiceSettings | None:
        """Whichever there are: what is common to all stands in each."""
        return next(iter(self.of.values()), None)


def known() -> Known:
    """Read the settings of every service; nothing raises."""
    found: dict[str, ServiceSettings] = {}
    findings: list[Finding] = []
    for service in SERVICES:
        cls = CLASSES[service]
        try:
            found[service] = cls()
        except SecretFileError as error:
            findings.append(mend(f"settings of {service}", str(error), "name a file that is there"))
        except ValidationError as error:
            findings.append(_fault(cls, error))
    return Known(found, (*findings, *_secrets(found)))


def _fault(cls: type[ServiceSettings], error: ValidationError) -> Finding:
    what = f"settings of {cls.service}"
    faults = error.errors(include_input=False, include_url=False)
    if any(fault["loc"] == ("database_url",) and fault["type"] == "missing" for fault in faults):
        variable = cls.variable("database_url")
        return unknown(what, f"{variable} is not set here", "look where that service runs, too")
    told = "; ".join(
        f"{cls.variable(str(fault['loc'][0])) if fault['loc'] else 'together'}: {fault['msg']}"
        for fault in faults
    )
    return mend(what, told, "correct the variable and start the service again")


def _secrets(found: Mapping[str, ServiceSettings]) -> Iterator[Finding]:
    passwords: dict[str, str] = {}
    for service, settings in found.items():
        password = _password(settings.database_url.get_secret_value())
        if password is not None:
            passwords[service] = password
    weak = [name for name, password in passwords.items() if _is_weak(password, LEAST_PASSWORD)]
    if weak:
        what = "CARTAS_<SERVICE>_DATABASE_PASSWORD: 32 random bytes as hex, also in PostgreSQL"
        yield mend("database passwords", f"can be guessed: {', '.join(weak)}", what)
    elif len(set(passwords.values())) < len(passwords):
        yield mend("database passwords", "services share one", "give each role its own")
    elif passwords:
        yield well("database passwords", f"{len(passwords)}, none is short, known or shared")
    for settings in list(found.values())[:1]:
        secret = settings.service_secret.get_secret_value()
        if _is_weak(secret, LEAST_SECRET):
            do = "CARTAS_SERVICE_SECRET: 32 random bytes"
            yield mend("service secret", "it can be guessed", do)
        else:
            yield well("service secret", "not short, not a known one")
    buzon = found.get("buzon")
    if isinstance(buzon, _Buzon):
        yield _contact_key(buzon)


def _contact_key(buzon: _Buzon) -> Finding:
    if buzon.contact_key is None:
        do = "set CARTAS_BUZON_CONTACT_KEY (or _FILE) before the first folio, and keep a copy apart"
        return mend("key of the contacts", "none of its own: the service secret's is used", do)
    return well("key of the contacts", "set; keep a copy of it apart from the backups")


def _password(url: str) -> str | None:
    who, at, _ = url.partition("://")[2].rpartition("@")
    _, colon, password = who.partition(":")
    return password if at and colon else None


def _is_weak(secret: str, least: int) -> bool:
    told = secret.lower()
    known_one = any(word in told for word in TRIED_OUT)
    return len(secret) < least or len(set(secret)) < LEAST_DIFFERENT or known_one
