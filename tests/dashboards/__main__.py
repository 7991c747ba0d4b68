"""`python -m tests.dashboards`, beside a running `make demo`: asks every query of every panel.

Each must return a series with a figure in it, and each label that a legend names must be there. It
looks again until all have done so or the time is over; then it prints what each panel shows.
Exit code 0 where all do.
"""

import json
import math
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from deploy.grafana.__main__ import FOLDER
from deploy.local.environment import SERVICE_PORTS, read_env_file
from tests.dashboards.prometheus import Prometheus, scraping
from tests.support.queries import filled_in

WITHIN_SECONDS: Final = 300.0
PAUSE_SECONDS: Final = 5.0
# The demo's breach is one of the wall clock: no event caused it, and no latency is taken of it.
EMPTY_IN_THE_DEMO: Final = frozenset({"From an event to the alert's mail"})
LABEL: Final = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of one panel."""

    dashboard: str
    panel: str
    legend: str
    expr: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of it: how many series, one of the figures, or why it is no answer."""

    series: int = 0
    figure: str = ""
    fault: str = ""


def queries() -> Iterator[Asked]:
    """Yield every query of the committed dashboards."""
    for path in sorted(FOLDER.glob("*.json")):
        dashboard = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                legend = target.get("legendFormat", "")
                yield Asked(path.stem, panel["title"], legend, filled_in(target["expr"]))


def variables() -> Iterator[tuple[str, str, str]]:
    """Yield (dashboard, label, metric) of what the variables ask for."""
    for path in sorted(FOLDER.glob("*.json")):
        for variable in json.loads(path.read_text())["templating"]["list"]:
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", str(variable.get("query")))
            if found:
                yield path.stem, found[2], found[1]


def look(prometheus: Prometheus, asked: Asked) -> Shown:
    """Ask it once."""
    found = prometheus.ask(asked.expr)
    figures = [float(series["value"][1]) for series in found]
    real = [figure for figure in figures if math.isfinite(figure)]
    if not found:
        return Shown(fault="no series")
    if not real:
        return Shown(len(found), fault="no figure")
    if missing := _missing(asked.legend, [series["metric"] for series in found]):
        return Shown(len(found), fault=f"no label {missing}")
    return Shown(len(found), f"{max(real):.6g}")


def _missing(legend: str, series: list[dict[str, Any]]) -> str:
    wanted = LABEL.findall(legend)
    return next((label for label in wanted for each in series if label not in each), "")


def look_at_all(prometheus: Prometheus, portal: str) -> dict[Asked, Shown]:
    """Ask each query until it shows something or the time is over."""
    found = {asked: Shown(fault="not asked") for asked in queries()}
    give_up = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < give_up:
        httpx.get(portal, follow_redirects=True, timeout=20)  # a page that somebody looks at
        for asked, shown in found.items():
            if shown.fault:
                found[asked] = look(prometheus, asked)
        if not any(is_fault(asked, shown) for asked, shown in found.items()):
            break
        time.sleep(PAUSE_SECONDS)
    return found


def is_fault(asked: Asked, shown: Shown) -> bool:
    """Return whether it shows nothing and should."""
    return bool(shown.fault) and asked.panel not in EMPTY_IN_THE_DEMO


def tell(found: Mapping[Asked, Shown]) -> int:
    """Print a line for each query; return how many show nothing."""
    for asked, shown in found.items():
        what = shown.fault.upper() or f"{shown.series:3} series, up to {shown.figure}"
        print(f"{asked.dashboard:9} {asked.panel:36} {what}")
        if shown.fault:
            print(f"          {asked.expr}")
    faults = sum(is_fault(asked, shown) for asked, shown in found.items())
    empty = sum(bool(shown.fault) for shown in found.values())
    print(f"{len(found)} queries, {empty} empty, {faults} of them a fault")
    return faults


def main() -> None:
    """Look at the system whose addresses are in .run/env."""
    environment = read_env_file()
    addresses = {name: environment.get(f"CARTAS_{name.upper()}_URL") for name in SERVICE_PORTS}
    known = {name: url for name, url in addresses.items() if url}
    if len(known) < len(addresses):
        sys.exit("no system runs here: make demo")
    with scraping(known) as prometheus:
        faults = tell(look_at_all(prometheus, known["portal"]))
        for dashboard, label, metric in variables():
            values = prometheus.values_of(label, metric)
            print(f"{dashboard:9} variable {label}: {', '.join(values) or 'NOTHING'}")
            faults += not values
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
