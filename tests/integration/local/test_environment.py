"""The settings of a local run."""

import os
from pathlib import Path

import pytest

from deploy.local import environment
from deploy.local.errors import LocalError


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CARTAS_")]:
        monkeypatch.delenv(name)


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "env"
    first, second = environment.prepare(file), environment.prepare(file)
    assert first.environment == second.environment
    assert file.stat().st_mode & 0o777 == 0o600
    passwords = set(first.passwords.values())
    assert len(passwords) == 6
    assert all(len(password) >= 32 for password in passwords)


def test_ports_move_together_and_secrets_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = environment.prepare(tmp_path / "env")
    monkeypatch.setenv("CARTAS_PORT_OFFSET", "100")
    moved = environment.prepare(tmp_path / "env")
    assert {port + 100 for port in here.ports_wanted()} == moved.ports_wanted().keys()
    assert here.passwords == moved.passwords
    assert moved.url("portal") == "http://127.0.0.1:8100"


def test_servers_named_by_the_environment_replace_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTAS_KAFKA_SERVERS", "kafka.example:9092")
    layout = environment.prepare(tmp_path / "env")
    assert not layout.own_kafka
    assert layout.own_postgres
    assert layout.environment["CARTAS_KAFKA_SERVERS"] == "kafka.example:9092"
    assert 19092 not in layout.ports_wanted()


def test_all_databases_named_leave_no_server_of_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in environment.SERVICE_PORTS:
        monkeypatch.setenv(f"CARTAS_{service.upper()}_DATABASE_URL", "postgresql://db.example/x")
    assert not environment.prepare(tmp_path / "env").own_postgres


@pytest.mark.parametrize("offset", ["-1", "a", "70000", "1.5"])
def test_an_impossible_offset_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: str
) -> None:
    monkeypatch.setenv("CARTAS_PORT_OFFSET", offset)
    with pytest.raises(LocalError, match="CARTAS_PORT_OFFSET"):
        environment.prepare(tmp_path / "env")
