"""Programs of Debian packages that some tests call."""

import os
import shutil
from typing import Final

import pytest

PACKAGES: Final = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def tool(name: str) -> str:
    """Return its path; skips without it, unless CARTAS_REQUIRE_SHARED is 1 as in CI."""
    found = shutil.which(name)
    if found is not None:
        return found
    reason = f"{name} is not installed (Debian package {PACKAGES[name]})"
    if os.environ.get("CARTAS_REQUIRE_SHARED") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
