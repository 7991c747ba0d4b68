"""Rules, their tests and their runbooks agree with each other and with what services export."""

import re
import subprocess
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.local.environment import SERVICE_PORTS
from tests.support.alerting import (
    ALERTMANAGER,
    PROMETHEUS,
    RUNBOOKS,
    Rule,
    alerts,
    labels_in,
    names_in,
    read,
    rules,
)
from tests.support.exported import exported, text_of
from tests.support.programs import PROJECT
from tests.support.tools import tool

SEVERITIES: Final = frozenset({"critical", "warning", "none"})
SECTIONS: Final = (
    *("## What it means", "## Who suffers", "## What to look at", "## What to do"),
    "## How to see that it worked",
)
SCRAPED: Final = frozenset({"job", "instance"})
FOREIGN: Final = frozenset(
    {
        "up",
        "alertmanager_notifications_failed_total",
        "kube_cronjob_status_last_successful_time",
        "prometheus_rule_evaluation_failures_total",
    }
)
"""What Prometheus, Alertmanager and Kubernetes tell of themselves."""

ALERTS: Final = sorted({rule.name for rule in alerts()})


def run(*command: str | Path, told: bytes = b"") -> None:
    done = subprocess.run(
        list(map(str, command)), input=told, capture_output=True, check=False, cwd=PROJECT
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-4000:]


def test_prometheus_accepts_its_configuration_and_rules() -> None:
    run(tool("promtool"), "check", "config", PROMETHEUS / "prometheus.yml")
    run(tool("promtool"), "check", "rules", "--lint-fatal", *PROMETHEUS.glob("rules/*.yml"))


@pytest.mark.parametrize("path", sorted(PROMETHEUS.glob("tests/*.yml")), ids=lambda path: path.stem)
def test_rules_fire_and_resolve_as_their_tests_say(path: Path) -> None:
    run(tool("promtool"), "test", "rules", path)


def test_alertmanager_accepts_its_configuration() -> None:
    run(tool("amtool"), "check-config", ALERTMANAGER / "alertmanager.yml")


@pytest.mark.parametrize("service", [*SERVICE_PORTS, "backup"])
def test_metrics_are_named_as_prometheus_wants_them(service: str) -> None:
    run(tool("promtool"), "check", "metrics", told=text_of(service))


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule.name)
def test_an_alert_says_how_bad_what_and_what_to_do(rule: Rule) -> None:
    assert rule.labels["severity"] in SEVERITIES
    assert rule.annotations.keys() == {"summary", "resumen", "description", "runbook_url"}
    assert rule.annotations["runbook_url"] == f"docs/runbooks/{rule.name}.md"
    assert rule.annotations["summary"] != rule.annotations["resumen"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_its_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == f"# {name}"
    assert lines[2].startswith("En breve: ")
    assert [line for line in lines if line.startswith("## ")] == list(SECTIONS)
    said = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]
    assert all(section.strip() for section in said)


def test_there_is_no_runbook_of_an_alert_that_is_not_there() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == set(ALERTS)
    listed = re.findall(r"\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == ALERTS


@pytest.mark.parametrize(
    "rule", alerts(), ids=lambda rule: f"{rule.name}-{rule.labels['severity']}"
)
def test_an_alert_is_tested_silent_firing_and_silent_again(rule: Rule) -> None:
    shown = [_states(case, rule) for case in read(PROMETHEUS / "tests" / rule.file.name)["tests"]]
    if rule.name == "Watchdog":
        assert [True, True] in shown
    else:
        assert any(_course(states)[:3] == [0, 1, 0] for states in shown)


def _states(case: dict[str, Any], rule: Rule) -> list[bool]:
    wanted = f'alertname="{rule.name}",alertstate="firing",severity="{rule.labels["severity"]}"'
    looks = [look for look in case["promql_expr_test"] if wanted in look["expr"]]
    return [bool(look["exp_samples"]) for look in looks]


def _course(states: Sequence[bool]) -> list[int]:
    return [int(state) for state, _ in groupby(states)]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_a_rule_names_only_metrics_and_labels_that_exist(rule: Rule) -> None:
    ours = {series: family for family in exported().values() for series in family.series}
    recorded = {other.name for other in rules() if not other.is_alert}
    queries = [rule.expr, *re.findall(r'query "([^"]*)"', rule.annotations.get("description", ""))]
    for expr in queries:
        assert names_in(expr) <= ours.keys() | recorded | FOREIGN
        for metric, label in labels_in(expr):
            if metric in ours:
                assert label in SCRAPED.union(ours[metric].labels), f"{metric} has no {label}"


def test_what_a_rule_names_is_found_in_its_expression() -> None:
    """The reading of expressions sees what it should: a metric that is not there is noticed."""
    expr = 'sum by (job) (rate(a_total{x=~"b|c{d}"}[5m])) > 10 * job:e:max offset 5m and absent(f)'
    assert names_in(expr) == {"a_total", "job:e:max", "f"}
    assert list(labels_in(expr)) == [("a_total", "x")]


@pytest.mark.parametrize("name", [rule.name for rule in rules() if not rule.is_alert])
def test_a_recorded_series_is_used(name: str) -> None:
    users = [rule for rule in rules() if rule.is_alert and name in names_in(rule.expr)]
    assert users


def test_alertmanager_knows_the_alerts_by_their_names() -> None:
    config = read(ALERTMANAGER / "alertmanager.yml")
    inhibitions = config["inhibit_rules"]
    matchers = [
        matcher
        for rule in inhibitions
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
    ]
    matchers += [matcher for route in config["route"]["routes"] for matcher in route["matchers"]]
    named = {
        name
        for matcher in matchers
        if matcher.startswith("alertname")
        for name in re.findall(r'"([^"]*)"', matcher)[0].split("|")
    }
    assert named <= set(ALERTS)
    assert {"PostgresAway", "KafkaAway", "ServiceDown", "Watchdog"} <= named


def test_prometheus_looks_at_every_service_where_compose_has_it() -> None:
    jobs = {job["job_name"]: job for job in read(PROMETHEUS / "prometheus.yml")["scrape_configs"]}
    assert jobs.keys() == {*SERVICE_PORTS, "backup", "prometheus", "alertmanager"}
    environment = read(PROJECT / "docker-compose.yml")["x-environment"]
    for service in SERVICE_PORTS:
        (found,) = jobs[service]["dns_sd_configs"]
        address = environment[f"CARTAS_{service.upper()}_URL"]
        assert address == f"http://{found['names'][0]}:{found['port']}"


def test_the_page_of_metrics_is_what_the_services_export() -> None:
    page = (PROJECT / "docs/metrics.md").read_text(encoding="utf-8")
    told = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            name, kind, _, labels, bound, tells = line.strip("| ").split(" | ")
            told[name.strip("`")] = (kind, labels, tells)
            assert bound
    assert told == {
        family.name: (family.kind, ", ".join(family.labels) or "–", family.tells)
        for family in exported().values()
    }
