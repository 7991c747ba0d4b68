"""What a runbook tells to type exists, and nothing is written into a database by hand."""

import re
from importlib import import_module
from pathlib import Path
from typing import Final

import click
import pytest

from deploy.local.environment import SERVICE_PORTS
from tests.support.alerting import RUNBOOKS

SERVICES: Final = tuple(SERVICE_PORTS)
TYPED: Final = re.compile(rf"`((?:SERVICE|{'|'.join(SERVICES)}|ops) [a-z][^`]*)`", re.DOTALL)
WRITES: Final = re.compile(r"\b(UPDATE|DELETE FROM|INSERT INTO|TRUNCATE|ALTER TABLE)\b")
PAGES: Final = sorted(RUNBOOKS.glob("*.md"))


def programs(name: str) -> list[click.Group]:
    """The program that a page names; SERVICE is each of them."""
    if name == "ops":
        return [group_of("ops")]
    return [group_of(f"services.{each}") for each in ([name] if name in SERVICES else SERVICES)]


def group_of(package: str) -> click.Group:
    module = vars(import_module(f"{package}.__main__"))
    found: click.Group = module["cli"] if "cli" in module else module["main"]
    assert isinstance(found, click.Group)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_runbook_exist_with_their_options(page: Path) -> None:
    for typed in TYPED.findall(page.read_text(encoding="utf-8")):
        program, *words = typed.removesuffix("…").split()
        for command in programs(program):
            found: click.Command = command
            left = list(words)
            while isinstance(found, click.Group) and left and left[0] in found.commands:
                found = found.commands[left.pop(0)]
            assert not isinstance(found, click.Group) or not left, typed
            options = {option for each in found.params for option in each.opts}
            assert {word for word in left if word.startswith("--")} <= options, typed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_runbook_writes_into_no_database(page: Path) -> None:
    """Our tables hold each other's evidence: a command changes what belongs together."""
    assert not WRITES.findall(page.read_text(encoding="utf-8"))
