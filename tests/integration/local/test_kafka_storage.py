"""A new broker's storage."""

import uuid

import pytest

from deploy.local.kafka import new_cluster_id


def test_a_cluster_id_is_never_taken_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in 64 of such ids begins with a hyphen, and Kafka's own tool refuses that."""
    hyphen, letter = uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=bytes(16))
    drawn = iter((hyphen, hyphen, letter))
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert new_cluster_id() == "A" * 22
    assert list(drawn) == []
