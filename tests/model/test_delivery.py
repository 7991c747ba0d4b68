"""Delivery keeps its promises under every interleaving; with any rule broken, it is caught."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.messaging.support import SERVICE
from tests.model.invariants import BrokenRuleError
from tests.model.machine import Delivery, Part
from tests.model.mutants import MUTANTS
from tests.model.stage import Stage
from tests.support.databases import Templates, own_databases

EXAMPLES_OF_A_PART = 10
EXAMPLES_OF_A_MUTANT = 100
STEPS = 10


@pytest_asyncio.fixture(scope="module")
async def url(database_templates: Templates) -> AsyncIterator[str]:
    async with own_databases(database_templates) as fresh:
        yield await fresh(SERVICE)


@pytest.fixture(scope="module")
def stage(url: str) -> Iterator[Stage]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        stage = Stage.open(url, runner)
        yield stage
        stage.close()


@pytest.fixture
def delivery(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> type[Delivery]:
    # Each story is full of failures, and each is logged.
    caplog.set_level(logging.CRITICAL + 1, "shared.messaging")
    stage.put_on(monkeypatch)
    Delivery.stage = stage
    return Delivery


def told(examples: int, *phases: Phase) -> settings:
    """The same stories on every run."""
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("part", Part)
def test_delivery(part: Part, delivery: type[Delivery], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "part", part)
    run_state_machine_as_test(delivery, settings=told(EXAMPLES_OF_A_PART, Phase.generate))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_caught(
    name: str, delivery: type[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = MUTANTS[name]
    monkeypatch.setattr(delivery, "part", mutant.part)
    mutant.broken(monkeypatch)
    # Where two processes race for a lock a replay may end otherwise: the first finding counts.
    with pytest.raises((BrokenRuleError, FlakyFailure)) as caught:
        run_state_machine_as_test(delivery, settings=told(EXAMPLES_OF_A_MUTANT, Phase.generate))
    found = getattr(caught.value, "exceptions", [caught.value])
    assert any(isinstance(each, BrokenRuleError) for each in found), found
    assert mutant.noticed in str(list(found))
