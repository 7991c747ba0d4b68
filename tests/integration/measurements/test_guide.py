"""What the guide for emitters prints is what happens."""

import asyncio
import json
import re
import shutil

import pytest
import yaml

from services.measurements.domain.mapping import (
    AttributeColumn,
    Condition,
    EventColumn,
    Exclusion,
    Mapping,
    Skip,
)
from services.measurements.domain.mapping_file import MappingFile
from tests.integration.measurements.support import System
from tests.support.programs import PROJECT
from tests.support.waiting import eventually

GUIDE = PROJECT / "docs" / "guides" / "emitters.md"
FILES = GUIDE.with_name("files.md")
DECLARED = (Mapping, EventColumn, AttributeColumn, Condition, Exclusion, Skip)
COMMANDS_WITHOUT_A_FILE = 4


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guide's commands need curl")
async def test_the_commands_of_the_guide_work_as_printed(system: System) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    script = "\necho\n".join(["set -eu", *blocks[:COMMANDS_WITHOUT_A_FILE]])
    script = script.replace("http://127.0.0.1:8001", system.url)
    script = script.replace(".venv/bin/measurements", f"{system.python} -m services.measurements")
    output = await _bash(system, script)
    answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert output.count("202 Accepted") == 2
    assert answers[0] == {"accepted": 1, "refused": []}
    (refused,) = answers[1]["refused"]
    assert (refused["index"], refused["reason"], refused["field"]) == (1, "schema", "time")
    assert answers[2]["source"] == "https://turnos.example/registro-civil"
    await eventually(lambda: _facts(system, 2))


async def _bash(system: System, script: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=PROJECT,
        env=system.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def _facts(system: System, number: int) -> bool:
    return await system.count("fact") == number


def _examples() -> list[str]:
    """Return the whole mapping of the guide to files first, then its fragments."""
    return re.findall(r"```yaml\n(.*?)```", FILES.read_text(), re.DOTALL)


def test_every_example_of_a_mapping_is_valid() -> None:
    whole, *fragments = map(yaml.safe_load, _examples())
    assert len(fragments) >= 6
    for changes in ({}, *fragments):
        MappingFile("guide.yaml", yaml.safe_dump(whole | changes, allow_unicode=True))


def test_the_guide_shows_every_key_of_a_mapping() -> None:
    guide = FILES.read_text()
    for declared in DECLARED:
        for name, field in declared.model_fields.items():
            assert re.search(rf"\b{field.alias or name}\b", guide), name
