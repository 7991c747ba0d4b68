from pathlib import Path

import pytest

from tests.support.kustomize import Manifest, build

BASE = Path("deploy/kubernetes/base")
OVERLAY = Path("deploy/kubernetes/overlays/example")


@pytest.fixture
def manifests() -> list[Manifest]:
    """What the example makes of the base; each test gets its own."""
    return build(OVERLAY)
