"""Where things lie, all below the project's folder."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache"
RUN = PROJECT / ".run"
ENV_FILE = RUN / "env"
STATUS = RUN / "status.json"
DEMO_SEEDED = RUN / "demo-seeded"
