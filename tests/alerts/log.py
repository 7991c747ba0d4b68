"""What was seen, as a Markdown table: one line for each fault, of its last run."""

from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

LOG: Final = Path(__file__).with_name("log.md")
COLUMNS: Final = (
    *("alert", "severity", "fault", "told after", "resolved after", "receiver", "resumen"),
    *("held back", "told beside it", "seen"),
)
HEAD: Final = f"""\
# Alerts seen firing

Written by `make alerts`: each fault provoked on the six running services with a Kafka and a
PostgreSQL of their own, with Prometheus and Alertmanager between them and a webhook. Rules, routes
and inhibitions are the delivered ones; waits (`for`, ranges, group waits) are shortened, and two
limits lowered, as tests/alerts/rewriting.py says. *Told after*: seconds from the fault to the
webhook; *resolved after*: from the repair. *Held back*: alerts that fired as well, follow from this
one and were not told. *Told beside it*: others that were.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One fault; `seen` is a day, or why it was not."""

    alert: str
    severity: str
    fault: str
    told: str
    resolved: str
    receiver: str
    resumen: str
    held_back: str
    beside: str
    seen: str

    @property
    def key(self) -> tuple[str, str]:
        return self.alert, self.severity


def read() -> dict[tuple[str, str], Line]:
    """Return what the file says."""
    if not LOG.exists():
        return {}
    rows = [row for row in LOG.read_text("utf-8").splitlines() if row.startswith("| ")][1:]
    lines = [Line(*(cell.strip() for cell in row.strip("|").split(" | "))) for row in rows]
    return {line.key: line for line in lines}


def write(lines: dict[tuple[str, str], Line]) -> None:
    """Write all lines by name."""
    rows = [f"| {' | '.join(astuple(lines[key]))} |\n" for key in sorted(lines)]
    LOG.write_text(HEAD + "".join(rows), encoding="utf-8")
