"""The files of Prometheus and Alertmanager, read for tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.programs import PROJECT

PROMETHEUS: Final = PROJECT / "deploy/prometheus"
ALERTMANAGER: Final = PROJECT / "deploy/alertmanager"
RUNBOOKS: Final = PROJECT / "docs/runbooks"

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_MATCHERS: Final = re.compile(r"\{([^}]*)\}")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_RANGE: Final = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_NAME: Final = re.compile(r"(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])")
_SELECTOR: Final = re.compile(r'([a-zA-Z_:][\w:]*)\{((?:[^}"]|"(?:[^"\\]|\\.)*")*)\}')
_LABEL: Final = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_WORDS: Final = frozenset({"and", "or", "unless", "bool", "by", "on", "ignoring", "without"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of one of the files; `name` is of an alert or of a recorded series."""

    file: Path
    name: str
    is_alert: bool
    expr: str
    declared: dict[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.declared.get("labels", {}))

    @property
    def annotations(self) -> dict[str, str]:
        return dict(self.declared.get("annotations", {}))


@lru_cache
def rules() -> tuple[Rule, ...]:
    """Return every rule of the files that prometheus.yml names."""
    return tuple(
        Rule(path, rule.get("alert") or rule["record"], "alert" in rule, rule["expr"], rule)
        for path in sorted(PROMETHEUS.glob("rules/*.yml"))
        for group in read(path)["groups"]
        for rule in group["rules"]
    )


def alerts() -> tuple[Rule, ...]:
    """Return the rules that alert; two may share a name and differ in severity."""
    return tuple(rule for rule in rules() if rule.is_alert)


def read(path: Path) -> Any:
    """Return what a YAML file says."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def names_in(expr: str) -> frozenset[str]:
    """Return the metrics that an expression names."""
    bare = _QUOTED.sub('""', expr)
    for noise in (_MATCHERS, _GROUPING, _RANGE):
        bare = noise.sub(" ", bare)
    return frozenset(_NAME.findall(bare)) - _WORDS


def labels_in(expr: str) -> Iterator[tuple[str, str]]:
    """Yield (metric, label) of each selector."""
    for metric, matchers in _SELECTOR.findall(expr):
        for label in _LABEL.findall(matchers):
            yield metric, label
