"""Settings: all faults at once, by the name to set, without a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.messaging.kafka import client_options
from shared.settings import ServiceSettings, load_settings


class Settings(ServiceSettings, service="buzon"):
    retries: int


GOOD = {
    "CARTAS_KAFKA_SERVERS": "127.0.0.1:9092",
    "CARTAS_SERVICE_SECRET": "a-secret-of-at-least-32-characters",
    "CARTAS_PUBLIC_URL": "https://cartas.example",
    "CARTAS_BUZON_DATABASE_URL": "postgresql://buzon:hunter2@127.0.0.1/buzon",
    "CARTAS_BUZON_PORT": "8004",
    "CARTAS_BUZON_RETRIES": "3",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CARTAS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CARTAS_ENV_FILE", os.devnull)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_shared_and_own_settings_are_read_by_their_names() -> None:
    settings = load_settings(Settings)
    assert (settings.kafka_servers, settings.port, settings.retries) == ("127.0.0.1:9092", 8004, 3)
    assert settings.database_url.get_secret_value().endswith("/buzon")


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "env"
    file.write_text("CARTAS_BUZON_PORT=9999\nCARTAS_LOG_LEVEL=DEBUG\nOTHER=ignored\n")
    monkeypatch.setenv("CARTAS_ENV_FILE", str(file))
    settings = load_settings(Settings)
    assert (settings.port, settings.log_level) == (8004, "DEBUG")


def test_all_faults_are_listed_at_once_and_no_secret_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARTAS_SERVICE_SECRET", "too-short-secret")
    monkeypatch.setenv("CARTAS_PUBLIC_URL", "cartas.example")
    monkeypatch.setenv("CARTAS_BUZON_PORT", "70000")
    monkeypatch.delenv("CARTAS_KAFKA_SERVERS")
    monkeypatch.delenv("CARTAS_BUZON_RETRIES")
    with pytest.raises(SystemExit) as ended:
        load_settings(Settings)
    printed = capsys.readouterr()
    assert ended.value.code == 2
    named = {line.split(":")[0].strip() for line in printed.err.splitlines()[1:]}
    assert named == {
        "CARTAS_SERVICE_SECRET",
        "CARTAS_PUBLIC_URL",
        "CARTAS_BUZON_PORT",
        "CARTAS_KAFKA_SERVERS",
        "CARTAS_BUZON_RETRIES",
    }
    for secret in ("too-short-secret", "hunter2", "70000"):
        assert secret not in printed.err + printed.out


def test_secrets_do_not_show_where_settings_are_printed() -> None:
    settings = load_settings(Settings)
    for secret in ("hunter2", "a-secret-of"):
        assert secret not in f"{settings!r}{settings}{settings.model_dump()}"


@pytest.mark.parametrize(
    ("protocol", "encrypted"),
    [("PLAINTEXT", False), ("SASL_PLAINTEXT", False), ("SSL", True), ("SASL_SSL", True)],
)
def test_kafka_is_spoken_to_over_tls_where_the_settings_say_so(
    protocol: str, encrypted: bool
) -> None:
    settings = load_settings(Settings).model_copy(
        update={
            "kafka_security_protocol": protocol,
            "kafka_username": "buzon",
            "kafka_password": SecretStr("hunter2"),
        }
    )
    options = client_options(settings)
    assert (options["ssl_context"] is not None) is encrypted
    assert options["sasl_plain_username"] == "buzon"


def in_file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.fixture
def password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(
        "CARTAS_BUZON_DATABASE_URL", "postgresql://buzon@db:5432/buzon?sslmode=require"
    )
    path = tmp_path / "password"
    monkeypatch.setenv("CARTAS_BUZON_DATABASE_PASSWORD_FILE", in_file(path, "p@ss/w:rd%\n"))
    return path


def test_every_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = "of-a-file-and-at-least-32-characters"
    monkeypatch.delenv("CARTAS_SERVICE_SECRET")
    monkeypatch.setenv("CARTAS_SERVICE_SECRET_FILE", in_file(tmp_path / "one", f"{secret}\r\n"))
    monkeypatch.setenv("CARTAS_KAFKA_PASSWORD_FILE", in_file(tmp_path / "two", "hunter2 "))
    monkeypatch.setenv("CARTAS_KAFKA_USERNAME", "buzon")
    settings = load_settings(Settings)
    assert settings.service_secret.get_secret_value() == secret
    assert settings.kafka_password is not None
    assert settings.kafka_password.get_secret_value() == "hunter2 "


def test_no_setting_is_called_as_the_file_of_another() -> None:
    names = {Settings.variable(field) for field in Settings.model_fields}
    assert not names & {f"{name}_FILE" for name in names}


def test_the_password_of_a_file_is_quoted_into_the_address(password_file: Path) -> None:
    address = load_settings(Settings).database_url.get_secret_value()
    assert address == "postgresql://buzon:p%40ss%2Fw%3Ard%25@db:5432/buzon?sslmode=require"


def test_a_secret_of_two_places_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], password_file: Path
) -> None:
    monkeypatch.setenv("CARTAS_BUZON_DATABASE_PASSWORD", "hunter2")
    with pytest.raises(SystemExit) as ended:
        load_settings(Settings)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "CARTAS_BUZON_DATABASE_PASSWORD is set as well" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe", b"x" * 65_537])
def test_a_file_without_a_secret_stops_the_start(
    capsys: pytest.CaptureFixture[str], password_file: Path, content: bytes | None
) -> None:
    if content is None:
        password_file.unlink()
    else:
        password_file.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        load_settings(Settings)
    assert ended.value.code == 2
    assert str(password_file) in capsys.readouterr().err


def test_an_address_with_two_passwords_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], password_file: Path
) -> None:
    monkeypatch.setenv("CARTAS_BUZON_DATABASE_URL", GOOD["CARTAS_BUZON_DATABASE_URL"])
    with pytest.raises(SystemExit):
        load_settings(Settings)
    told = capsys.readouterr().err
    assert "the address names a user and no password" in told
    assert "hunter2" not in told
    assert "p@ss" not in told


@pytest.mark.parametrize(
    "given",
    [
        {"CARTAS_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
        {"CARTAS_KAFKA_USERNAME": "buzon"},
        {"CARTAS_KAFKA_PASSWORD": "hunter2"},
        {"CARTAS_KAFKA_SASL_MECHANISM": "GSSAPI"},
    ],
)
def test_credentials_that_are_not_whole_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        load_settings(Settings)
    told = capsys.readouterr().err
    assert "kafka" in told.lower()
    assert "hunter2" not in told


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_stops_the_start_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "authority.crt"
    if content:
        path.write_text(content)
    monkeypatch.setenv("CARTAS_KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("CARTAS_KAFKA_CA_FILE", str(path))
    command = [sys.executable, "-m", "services.buzon", "serve"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert f"CARTAS_KAFKA_CA_FILE: {path} holds no authority" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("proxies", ["", "proxy.example", "10.1.2.3/8", "127.0.0.1,"])
def test_a_proxy_that_is_no_address_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], proxies: str
) -> None:
    monkeypatch.setenv("CARTAS_PROXIES", proxies)
    with pytest.raises(SystemExit):
        load_settings(Settings)
    assert "CARTAS_PROXIES" in capsys.readouterr().err
