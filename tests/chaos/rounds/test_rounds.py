"""The short form: faults of every kind that ask for nothing of the machine, and the planning."""

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.rounds import network
from tests.chaos.rounds.arena import ground, ways
from tests.chaos.rounds.engine import disturbed, stages, undisturbed
from tests.chaos.rounds.faults import DECK, SERVERS, Fault, Kind, impossible, planned
from tests.chaos.rounds.log import Line, Log
from tests.chaos.rounds.lost import BY_NAME
from tests.chaos.table import EQUAL
from tests.chaos.world import SERVICES

SEED = 11
# What is to expire comes before the clock that is ahead: Kafka keeps a record of the future, and
# what lies beside it.
ROUNDS = (
    (
        Fault(Kind.EXPIRED, "measurements.v1", 0.1, 0.0),
        Fault(Kind.RECREATED, "service-events.v1", 0.6, 0.0, "while it is read"),
    ),
    (
        Fault(Kind.DELAY, "emitters>measurements", 0.0, 2.0, "50 ms"),
        Fault(Kind.HALF_OPEN, "measurements>postgres", 0.1, 2.0, "downstream"),
        Fault(Kind.STOP, "evaluator", 0.2, 2.0),
        Fault(Kind.CLOCK, "measurements", 0.3, 0.0, "+1 h"),
        Fault(Kind.TORN, "buzon>postgres", 0.3, 2.0, "after 700 bytes"),
        Fault(Kind.CUT, "portal>kafka", 0.4, 1.5),
        Fault(Kind.RESET, "notifier>kafka", 0.4, 1.0),
        Fault(Kind.KILL, "kafka", 0.6, 0.0),
    ),
)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.skipif(network.program() is None, reason="toxiproxy is not installed")
async def test_what_is_decided_survives_faults(tmp_path: Path) -> None:
    rounds = [[fault for fault in faults if not impossible(fault.kind)] for faults in ROUNDS]
    acts, outcomes = stages(SEED, rounds, cases=12), []
    async with ground(tmp_path) as on:
        calm, wrong = await undisturbed(on, tmp_path / "calm", acts)
        assert wrong == []
        for name in ("verdicts", "results", "breaches", "actions", "mails", "statements"):
            assert calm.number(name) > 0, f"the traffic makes no {name}"
        async for outcome in disturbed(on, tmp_path / "rounds", acts, calm=calm):
            assert list(outcome.differences) == []
            assert list(outcome.imbalances) == []
            assert outcome.accused == 0
            assert list(outcome.ended) == []
            outcomes.append(outcome)
    assert len(outcomes) == len(ROUNDS)


def test_faults_are_the_same_for_a_seed_and_of_every_kind() -> None:
    assert planned(3) == planned(3)
    assert planned(3) != planned(4)
    drawn = [fault for seed in range(20) for fault in planned(seed)]
    assert Counter(fault.kind for fault in drawn) == Counter(
        {kind: 20 * DECK.count(kind) for kind in Kind}
    )
    assert {fault.where for fault in drawn} == {*SERVICES, *SERVERS, *ways(), *BY_NAME}
    assert all(0 <= fault.share < 1 for fault in drawn)


def test_a_log_counts_what_came_out_equal(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.md")
    assert log.next_seed() == 1
    log.add([_line(4, compared=EQUAL), _line(5, compared="2 differ")])
    assert log.done() == {"stop": 1}
    assert log.next_seed() == 6


def _line(seed: int, *, compared: str) -> Line:
    return Line(
        day="2026-11-23",
        code="abc",
        seed=seed,
        fault="stop",
        where="evaluator",
        lasted="2 s",
        at="12 of 88",
        facts=88,
        quiet_after="8.1",
        compared=compared,
        balances="hold",
        accused=0,
        ended=0,
    )
