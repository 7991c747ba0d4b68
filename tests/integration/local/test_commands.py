"""What the terminal says before anything starts."""

import socket
from pathlib import Path

import pytest

from deploy.local import commands, environment
from deploy.local.errors import LocalError


def test_a_taken_port_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTAS_PORT_OFFSET", "20000")
    layout = environment.prepare(tmp_path / "env")
    port = layout.ports.service("portal")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(LocalError) as refused:
            commands.check_machine(layout)
    said = str(refused.value)
    assert f"port {port} (portal) is taken by" in said
    assert "CARTAS_PORT_OFFSET=" in said
    assert "\n" not in said


def test_too_little_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "FREE_BYTES_NEEDED", 10**18)
    with pytest.raises(LocalError, match="free on this disk"):
        commands.check_machine(environment.prepare(tmp_path / "env"))
