"""Delivery keeps its promises under every interleaving; with any rule broken, it is caught."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.messaging.support import SERVICE
from tests.model.facts import Fact
from tests.model.invariants import BrokenRuleError
from tests.model.machine import KEYS, Delivery, Part
from tests.model.mutants import MUTANTS
from tests.model.processes import Fate
from tests.model.stage import Stage
from tests.model.world import CONSUMERS, RELAYS, World
from tests.support.databases import Templates, own_databases

EXAMPLES_OF_EVERYTHING = 60
EXAMPLES_OF_A_PART = 10
# Most are found within 20 stories, whatever the seed; the seed changes with the machine's text.
EXAMPLES_OF_A_MUTANT = 300
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
) -> Iterator[type[Delivery]]:
    # Each story is full of failures, and each is logged.
    caplog.set_level(logging.CRITICAL + 1, "shared.messaging")
    stage.put_on(monkeypatch)
    Delivery.stage = stage
    yield Delivery
    assert stage.unheard_now() == []


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
        report_multiple_bugs=False,
    )


@pytest.mark.parametrize("part", [None, *Part])
def test_delivery(
    part: Part | None, delivery: type[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "part", part)
    examples = EXAMPLES_OF_EVERYTHING if part is None else EXAMPLES_OF_A_PART
    run_state_machine_as_test(delivery, settings=told(examples, Phase.generate))


def test_what_a_failed_relay_had_on_its_way_is_heard_of(delivery: type[Delivery]) -> None:
    stage = delivery.stage
    stage.runner.run(_fail_between_two_loads(stage.new_world()))
    assert stage.unheard_now() == []


async def _fail_between_two_loads(world: World) -> None:
    """The second load is on its way when the rows of the first cannot be deleted."""
    consumer, relay = CONSUMERS[0], RELAYS[0]
    await world.prepare()
    for revision, gate, fate in ((1, "send", Fate.HOLD), (2, "delete", Fate.CUT)):
        world.append(Fact(KEYS[0], revision))
        await world.turn(consumer)
        await world.turn(relay, at=gate, fate=fate)
    await world.come_to_rest()
    await world.stop()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_caught(
    name: str, delivery: type[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = MUTANTS[name]
    monkeypatch.setattr(delivery, "part", mutant.part)
    mutant.broken(monkeypatch)
    with pytest.raises(BrokenRuleError, match="|".join(mutant.noticed)):
        run_state_machine_as_test(delivery, settings=told(EXAMPLES_OF_A_MUTANT, Phase.generate))
