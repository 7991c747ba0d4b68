"""The queries of dashboards: what they read is exported, and Prometheus understands them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.exported import exported
from tests.support.queries import filled_in, labels_of, metrics_of
from tests.support.tools import tool
from tests.unit.grafana.test_dashboards import Json, committed, expressions

PROMETHEUS_LABELS = {"job", "instance", "le"}
# Of series that no registry declares: Prometheus' own, and one whose label is known at the start.
OTHER_LABELS: dict[str, set[str]] = {
    "up": set(),
    "cartas_schema_info": {"version"},
    "ALERTS": {"alertname", "alertstate"},
}


def test_what_a_query_names_is_found() -> None:
    expr = (
        'sum by (job) (rate(one_total{what="two", kind=~"a|b"}[5m]) / ignoring (what) three)'
        " or 60 * (time() - max(four)) unless vector(0) > bool 5e3"
    )
    assert metrics_of(expr) == {"one_total", "three", "four"}
    assert labels_of(expr) == {"job", "what", "kind"}
    assert filled_in("x{job=~'$service'}[$__rate_interval]") == "x{job=~'.*'}[1m]"


@pytest.mark.parametrize("name", sorted(committed()))
def test_every_metric_and_label_of_a_query_is_exported_by_the_code(name: str) -> None:
    labels = {
        series: set(family.labels) for family in exported().values() for series in family.series
    } | OTHER_LABELS
    dashboard = committed()[name]
    queries = [*expressions(dashboard), *variable_queries(dashboard)]
    assert queries
    for expr in queries:
        metrics = metrics_of(expr)
        assert metrics, expr
        assert metrics <= labels.keys(), f"{metrics - labels.keys()} in {expr}"
        known = PROMETHEUS_LABELS.union(*(labels[metric] for metric in metrics))
        assert labels_of(expr) <= known, f"{labels_of(expr) - known} in {expr}"


def variable_queries(dashboard: Json) -> Iterator[str]:
    """`label_values(metric, label)` as a query by that label."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"])
            assert found is not None
            yield f"count by ({found[2]}) ({found[1]})"


def test_promises_are_counts_and_never_guessed_from_the_growth_of_a_counter() -> None:
    for expr in expressions(committed()["promises"]):
        assert not re.search(r"\b(increase|rate|irate|delta)\b", expr), expr
        assert all(exported()[metric].kind == "gauge" for metric in metrics_of(expr)), expr


def test_grafana_finds_the_dashboards_and_their_data_source() -> None:
    folder = Path("deploy/grafana/provisioning")
    provider = yaml.safe_load((folder / "dashboards/cartas.yml").read_text())["providers"][0]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    [source] = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    scraping = yaml.safe_load(Path("deploy/prometheus/prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == scraping["global"]["scrape_interval"]


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": filled_in(expr)}
        for dashboard in committed().values()
        for number, expr in enumerate(expressions(dashboard))
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    checked = subprocess.run(
        [tool("promtool"), "check", "rules", "--lint=none", str(file)],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout
