"""Where things lie, all below the project's folder."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache"
RUN = PROJECT / ".run"
ENV_FILE = RUN / "env"
LOGS = RUN / "logs"
PIDS = RUN / "pids"
STATUS = RUN / "status.json"
