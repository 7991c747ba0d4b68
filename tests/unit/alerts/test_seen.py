"""The run in which alerts are seen firing: every alert has its fault, and only waits differ."""

import re
from pathlib import Path

import pytest
import yaml

from tests.alerts import log
from tests.alerts.plan import FAULTS
from tests.alerts.rewriting import quick_prometheus, quick_rules, shortened
from tests.support.alerting import PROMETHEUS, alerts, names_in, read
from tests.support.tools import tool
from tests.unit.alerts.test_rules import run


def test_every_alert_has_a_fault_that_provokes_it() -> None:
    wanted = {(rule.name, rule.labels["severity"]) for rule in alerts()}
    several = {name for name, _ in wanted if sum(name == other for other, _ in wanted) > 1}
    provoked = {(fault.alert, fault.severity) for fault in FAULTS}
    assert provoked == {(name, severity if name in several else None) for name, severity in wanted}
    assert len(FAULTS) == len(wanted)


@pytest.mark.parametrize(
    ("number", "unit", "quick"),
    [(30, "s", "4s"), (2, "m", "4s"), (5, "m", "10s"), (26, "h", "78s"), (1, "d", "720s")],
)
def test_waits_are_shortened_and_never_shorter_than_two_scrapes(
    number: int, unit: str, quick: str
) -> None:
    assert shortened(number, unit) == quick


@pytest.mark.parametrize("path", sorted(PROMETHEUS.glob("rules/*.yml")), ids=lambda path: path.stem)
def test_a_shortened_rule_asks_for_the_same_and_says_the_same(path: Path) -> None:
    kept = ("alert", "record", "labels", "annotations")
    rules = [
        [rule for group in file["groups"] for rule in group["rules"]]
        for file in (read(path), quick_rules(read(path)))
    ]
    for declared, quick in zip(*rules, strict=True):
        assert declared.keys() == quick.keys()
        assert [declared.get(key) for key in kept] == [quick.get(key) for key in kept]
        assert names_in(declared["expr"]) == names_in(quick["expr"])


def test_only_limits_on_ages_of_minutes_are_shortened() -> None:
    changed = {
        declared["alert"]: (declared["expr"].rsplit(" ", 1)[1], quick["expr"].rsplit(" ", 1)[1])
        for path in PROMETHEUS.glob("rules/*.yml")
        for declared, quick in zip(
            *(each["groups"][0]["rules"] for each in (read(path), quick_rules(read(path)))),
            strict=True,
        )
        if not set(re.findall(r"[<>] [\d.]+", declared["expr"]))
        <= set(re.findall(r"[<>] [\d.]+", quick["expr"]))
    }
    assert changed == {"TaskLate": ("600", "60"), "MailStuck": ("600", "60")}


def test_prometheus_accepts_what_the_run_gives_it(tmp_path: Path) -> None:
    path = quick_prometheus(tmp_path, "127.0.0.1:1")
    run(tool("promtool"), "check", "config", path)
    jobs = yaml.safe_load(path.read_text())["scrape_configs"]
    assert all(job["file_sd_configs"] for job in jobs)


def test_a_log_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LOG", tmp_path / "log.md")
    lines = {
        line.key: line
        for line in (
            log.Line("A", "none", "nothing", "2026-11-23", "abc", resumen="Siempre"),
            log.Line("B", "critical", "x", "not seen: y", "abc", held_back="C", beside="D, E"),
        )
    }
    log.write(lines, whole="Both in one run.")
    assert "\nBoth in one run.\n\n| alert |" in log.LOG.read_text(encoding="utf-8")
    assert log.read() == lines
    log.write(lines)
    assert "in one run" not in log.LOG.read_text(encoding="utf-8")
