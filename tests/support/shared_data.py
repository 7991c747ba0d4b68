"""The real data sets: found beside the project, or where CARTAS_SHARED_DIR says."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with `data/` and `payloads/`; skips without it unless CARTAS_REQUIRE_SHARED is 1."""
    folder = Path(os.environ.get("CARTAS_SHARED_DIR", PROJECT.parent / "shared")).resolve()
    if (folder / "data").is_dir():
        return folder
    missing = f"no data sets at {folder}: set CARTAS_SHARED_DIR"
    if os.environ.get("CARTAS_REQUIRE_SHARED") == "1":
        pytest.fail(missing)
    pytest.skip(missing)
