"""Where things lie, all below the project's folder."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache"
RUN = PROJECT / ".run"
BACKUP = Path(os.environ.get("CARTAS_BACKUP_DIR", PROJECT / ".backup")).resolve()
ENV_FILE = RUN / "env"
STATUS = RUN / "status.json"
DEMO_SEEDED = RUN / "demo-seeded"
