"""Settings: all faults at once, by the name to set, without a secret."""

import os
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
