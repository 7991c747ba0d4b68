"""Dashboards: what is committed is what the code says, and each panel says what it shows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.grafana.__main__ import FOLDER, dashboards

Json = dict[str, Any]
PROMETHEUS_LABELS = {"job", "instance", "le"}
LEAST_WORDS = 4


def committed() -> dict[str, Json]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard: Json) -> Iterator[Json]:
    yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


def all_panels(kind: str = "") -> list[Any]:
    return [
        pytest.param(panel, id=f"{name}: {panel['title']}")
        for name, dashboard in committed().items()
        for panel in panels(dashboard)
        if panel["type"].startswith(kind)
    ]


def expressions(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        yield from (target["expr"] for target in panel["targets"])


def test_what_is_committed_is_what_the_code_says() -> None:
    written = {path.name: text for path, text in dashboards()}
    found = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert found == written, "run `make dashboards` and commit what it wrote"


def test_there_is_a_dashboard_for_each_question() -> None:
    titles = {name: dashboard["title"] for name, dashboard in committed().items()}
    assert titles == {
        "flow": "Cartas · Flow",
        "promises": "Cartas · Promises",
        "units": "Cartas · Units and actions",
        "sources": "Cartas · Sources",
        "services": "Cartas · Each service",
    }
    assert len({dashboard["uid"] for dashboard in committed().values()}) == len(titles)


@pytest.mark.parametrize("panel", all_panels())
def test_a_panel_says_what_it_shows_in_which_unit_and_from_where(panel: Json) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert len(panel["description"].split()) >= LEAST_WORDS
    assert panel["description"].endswith(".")
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


@pytest.mark.parametrize(
    "panel", [each for each in all_panels() if each.values[0]["type"] == "stat"]
)
def test_one_number_is_coloured_by_its_limits(panel: Json) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["color"]["mode"] == "thresholds"
    assert len(panel["targets"]) == 1
    steps = [step["value"] for step in defaults["thresholds"]["steps"][1:]]
    assert steps == sorted(steps)


@pytest.mark.parametrize(
    "panel", [each for each in all_panels() if each.values[0]["type"] == "table"]
)
def test_columns_of_a_table_are_named_once_and_overrides_name_columns(panel: Json) -> None:
    [names] = [
        each["options"]["renameByName"]
        for each in panel["transformations"]
        if each["id"] == "organize"
    ]
    assert list(names) == [f"Value #{target['refId']}" for target in panel["targets"]]
    assert len(set(names.values())) == len(names)
    overridden = {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]}
    assert overridden <= set(names.values())
    assert all(target["instant"] and target["format"] == "table" for target in panel["targets"])


@pytest.mark.parametrize("name", sorted(committed()))
def test_panels_have_ids_and_places_of_their_own(name: str) -> None:
    dashboard = committed()[name]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels(dashboard):
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24, panel["title"]
        assert not taken & cells, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", sorted(committed()))
def test_variables_of_queries_exist_and_are_used(name: str) -> None:
    dashboard = committed()[name]
    known = {variable["name"] for variable in dashboard["templating"]["list"]} - {"datasource"}
    used = {
        found
        for expr in expressions(dashboard)
        for found in re.findall(r"\$(\w+)", expr)
        if not found.startswith("__")
    }
    assert used == known


def test_a_rate_is_taken_over_a_range_that_holds_enough_scrapes() -> None:
    for dashboard in committed().values():
        for expr in expressions(dashboard):
            ranges = re.findall(r"\[([^]]+)\]", expr)
            assert set(ranges) <= {"$__rate_interval", "5m", "1h"}, expr
