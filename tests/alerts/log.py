"""What was seen, as a Markdown table: one line for each fault, of its last run."""

from dataclasses import astuple, dataclass
from pathlib import Path
from textwrap import fill
from typing import Final

LOG: Final = Path(__file__).with_name("log.md")
COLUMNS: Final = (
    *("alert", "severity", "fault", "seen", "code", "pending", "firing", "told", "resolved"),
    *("told as", "held back", "told beside it"),
)
HEAD: Final = """\
# Alerts seen firing

Written by `make alerts`: each fault provoked on the six running services with a Kafka and a
PostgreSQL of their own, with Prometheus and Alertmanager between them and a webhook; the system is
well again before the next. Rules, routes and inhibitions are the delivered ones; waits are divided
at load time as tests/alerts/rewriting.py says (`for` and ranges in seconds by 10, in minutes by 30,
in hours by 1200, in days by 120, `keep_firing_for` and limits on an age of five minutes or more by
10, scrapes every 2 s), so the seconds say that it happens and in which order, not how long it takes
where it is delivered.

*Pending*, *firing*: seconds from the fault until Prometheus said so (`-`: a rule without `for`);
*told*: until the webhook had it from the receiver of its severity; *resolved*: from the repair
until the webhook was told that it is over. *Held back*: alerts that fired as well, follow from this
one and were not told. *Told beside it*: others that were; *ServiceDown* where the fault starts a
service anew, which takes longer than the divided wait.

"""
TABLE: Final = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One fault; times in whole seconds; `seen` is a day, or why it was not; `code` a commit."""

    alert: str
    severity: str
    fault: str
    seen: str
    code: str
    pending: str = ""
    firing: str = ""
    told: str = ""
    resolved: str = ""
    resumen: str = ""
    held_back: str = ""
    beside: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.alert, self.severity

    @property
    def is_seen(self) -> bool:
        return self.seen.startswith("20")


def read() -> dict[tuple[str, str], Line]:
    """Return what the file says."""
    if not LOG.exists():
        return {}
    rows = [row for row in LOG.read_text("utf-8").splitlines() if row.startswith("| ")][1:]
    lines = [Line(*(cell.strip() for cell in row.strip("|").split(" | "))) for row in rows]
    return {line.key: line for line in lines}


def write(lines: dict[tuple[str, str], Line], *, whole: str = "") -> None:
    """Write all lines by name; `whole` says of a run that it saw all of them."""
    rows = [f"| {' | '.join(astuple(lines[key]))} |\n" for key in sorted(lines)]
    said = f"{fill(whole, 100)}\n\n" if whole else ""
    LOG.write_text(HEAD + said + TABLE + "".join(rows), encoding="utf-8")
