"""What a PromQL expression names, and how a dashboard's variables are filled in."""

import re
from typing import Final

VALUES: Final = {"__rate_interval": "1m", "municipality": ".*", "unit": ".*", "service": ".*"}
"""What the variables stand for where everything is chosen."""

_WORDS: Final = frozenset({"and", "or", "unless", "bool", "by", "without", "on", "ignoring"})
_QUOTED: Final = re.compile(r'"[^"]*"')
_MATCHERS: Final = re.compile(r"\{[^}]*\}")
_RANGE: Final = re.compile(r"\[[^]]*\]")
_GROUPING: Final = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME: Final = re.compile(r"\b[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()")
_LABEL: Final = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)")


def metrics_of(expr: str) -> set[str]:
    """Return the names of series that the expression reads; functions and labels are none."""
    bare = _GROUPING.sub("", _RANGE.sub("", _MATCHERS.sub("", _QUOTED.sub('""', expr))))
    return set(_NAME.findall(bare)) - _WORDS


def labels_of(expr: str) -> set[str]:
    """Return the labels by which the expression chooses or groups."""
    bare = _QUOTED.sub('""', expr)
    chosen = {label for part in _MATCHERS.findall(bare) for label in _LABEL.findall(part)}
    grouped = {
        label
        for part in re.findall(r"\bby\s*\(([^)]*)\)", bare)
        for label in re.findall(r"[a-z_]+", part)
    }
    return chosen | grouped


def filled_in(expr: str) -> str:
    """Return the expression as Grafana sends it, where everything is chosen."""
    return re.sub(r"\$(\w+)", lambda found: VALUES[found[1]], expr)
