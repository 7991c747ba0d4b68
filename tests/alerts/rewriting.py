"""The delivered configuration with shorter waits, other addresses and a webhook as receiver."""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.alerting import ALERTMANAGER, PROMETHEUS, read

SCRAPE: Final = "2s"
SHORTENED: Final = {"s": 10, "m": 30, "h": 1200, "d": 120}
"""By how much a wait in seconds, minutes, hours or days is divided; none is under two scrapes.

Days less than hours: a broker that is missing for a day is no longer missed, and what follows from
it must have fired by then.
"""
KEPT_SHORTENED: Final = 10
"""What goes on firing does so while services catch up, and that is not any shorter."""
LEAST_SECONDS: Final = 4
UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONG_LIMIT_SECONDS: Final = 300
LIMIT_SHORTENED: Final = 10
"""By how much a limit on an age is divided that is as long as the one above or longer."""

_AGE: Final = re.compile(r"_seconds\b[^>]*> (\d+)\s*$")
_WAIT: Final = re.compile(r"(?<=\[)(\d+)([smhd])(?=\])|(?<=offset )(\d+)([smhd])")


def shortened(number: int, unit: str) -> str:
    """Return a wait as the run has it."""
    seconds = number * UNIT_SECONDS[unit] // SHORTENED[unit]
    return f"{max(LEAST_SECONDS, seconds)}s"


def quick_rules(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file of rules with its waits and its limits on ages shortened."""
    quick: dict[str, Any] = deepcopy(dict(declared))
    for rule in (rule for group in quick["groups"] for rule in group["rules"]):
        rule["expr"] = _WAIT.sub(_shorter, rule["expr"])
        if "for" in rule:
            rule["for"] = shortened(*_parts(rule["for"]))
        if "keep_firing_for" in rule:
            number, unit = _parts(rule["keep_firing_for"])
            rule["keep_firing_for"] = f"{number * UNIT_SECONDS[unit] // KEPT_SHORTENED}s"
        rule["expr"] = _AGE.sub(_lower, rule["expr"])
    return quick


def _lower(found: "re.Match[str]") -> str:
    limit = int(found[1])
    lower = limit // LIMIT_SHORTENED if limit >= LONG_LIMIT_SECONDS else limit
    return found[0].replace(f"> {limit}", f"> {lower}")


def _shorter(found: "re.Match[str]") -> str:
    number, unit = (part for part in found.groups() if part is not None)
    return shortened(int(number), unit)


def _parts(wait: str) -> tuple[int, str]:
    return int(wait[:-1]), wait[-1]


def quick_prometheus(folder: Path, alertmanager: str) -> Path:
    """Write prometheus.yml and its rules; each job's addresses are in targets/JOB.json."""
    (folder / "rules").mkdir()
    for path in PROMETHEUS.glob("rules/*.yml"):
        (folder / "rules" / path.name).write_text(yaml.safe_dump(quick_rules(read(path))))
    config = read(PROMETHEUS / "prometheus.yml")
    for wait in ("scrape_interval", "scrape_timeout", "evaluation_interval"):
        config["global"][wait] = SCRAPE
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}]
    config["scrape_configs"] = [_from_file(job) for job in config["scrape_configs"]]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def _from_file(job: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in job.items() if not key.endswith("_configs")}
    found = {"files": [f"targets/{job['job_name']}.json"], "refresh_interval": "1s"}
    return {**kept, "file_sd_configs": [found]}


def quick_alertmanager(folder: Path, webhook: str, *, group_wait: str) -> Path:
    """Write alertmanager.yml: same routes and inhibitions, each receiver a path of `webhook`."""
    config = read(ALERTMANAGER / "alertmanager.yml")
    del config["global"], config["templates"]
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": group_wait, "group_interval": "2s"}
    config["receivers"] = [_webhook(each["name"], webhook) for each in config["receivers"]]
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def _webhook(name: str, address: str) -> dict[str, Any]:
    told = {"url": f"{address}/{name}", "send_resolved": True}
    return {"name": name, "webhook_configs": [told]}


def targets(addresses: Iterable[str]) -> list[dict[str, list[str]]]:
    """Return what a file of targets says."""
    return [{"targets": sorted(addresses)}]
