"""The lock of Kafka's jars."""

import re
from pathlib import Path

import pytest

from deploy.local import kafka_jars
from deploy.local.errors import LocalError
from deploy.local.kafka_jars import Jar


def test_every_jar_of_the_lock_has_a_sum_and_no_address() -> None:
    jars = kafka_jars.locked()
    assert {jar.version for jar in jars if jar.artifact == "kafka_2.13"} == {"4.1.1"}
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert "://" not in kafka_jars.LOCK.read_text()


def test_a_jar_with_another_content_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloaded = tmp_path / "downloaded.jar"
    downloaded.write_bytes(b"something else")
    monkeypatch.setattr(kafka_jars, "locked", lambda: (Jar("g", "a", "1", "0" * 64),))
    monkeypatch.setattr(kafka_jars, "_download", lambda *_: downloaded)
    with pytest.raises(LocalError, match="SHA-256"):
        kafka_jars.fetch(progress=lambda _done, _total: None, jars_dir=tmp_path / "jars")
    assert not list((tmp_path / "jars").iterdir())


def test_what_the_lock_does_not_name_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old-1.jar").write_bytes(b"of an earlier version")
    monkeypatch.setattr(kafka_jars, "locked", lambda: ())
    kafka_jars.fetch(progress=lambda _done, _total: None, jars_dir=tmp_path)
    assert not list(tmp_path.iterdir())
