"""The harness itself: a difference is seen, the instants are seeded, the log is taken up again."""

from collections import Counter
from pathlib import Path

from tests.chaos.__main__ import INSIDE, KILLS, missing
from tests.chaos.kills import LOCKED, planned
from tests.chaos.log import Line, Log
from tests.chaos.picture import Picture
from tests.chaos.table import EQUAL
from tests.chaos.town import chunks
from tests.chaos.world import TARGETS


def test_a_picture_tells_what_is_missing_and_what_is_too_much() -> None:
    calm = Picture({"mails": Counter({"a": 1, "b": 1}), "breaches": Counter({"x": 1})})
    other = Picture({"mails": Counter({"a": 2}), "breaches": Counter({"x": 1})})
    assert calm.differences(calm) == []
    assert calm.differences(other) == ["mails: missing b", "mails: extra a"]


def test_kills_are_the_same_for_a_seed_and_as_many_as_wanted() -> None:
    wanted = [(target, 4, 1) for target in TARGETS]
    kills = planned(3, wanted)
    assert kills == planned(3, wanted)
    assert kills != planned(4, wanted)
    assert Counter(kill.target for kill in kills) == dict.fromkeys(TARGETS, 4)
    inside = [kill for kill in kills if kill.held is not None]
    assert Counter(kill.target for kill in inside) == dict.fromkeys(TARGETS, 1)
    assert all(kill.table in LOCKED[str(kill.held)] for kill in inside)


def test_traffic_is_the_same_for_a_seed() -> None:
    assert chunks(5, 3, cases=4) == chunks(5, 3, cases=4)
    assert chunks(5, 3, cases=4) != chunks(6, 3, cases=4)


def test_a_log_is_taken_up_where_it_ends(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.md")
    rounds = []
    while wanted := missing(log, ["evaluator", "kafka"]):
        rounds.append(wanted)
        seed = log.next_seed()
        compared = "2 faults" if len(rounds) == 1 else EQUAL
        log.add([_line(seed, *each, compared=compared) for each in wanted])
        assert len(rounds) < 10
    assert rounds[0] == rounds[1], "a run that came out different counts for nothing"
    assert log.next_seed() == len(rounds) + 1
    for target in ("evaluator", "kafka"):
        done = log.done(target)
        assert (done.kills, done.inside) == (KILLS, INSIDE)


def _line(seed: int, target: str, kills: int, inside: int, *, compared: str) -> Line:
    return Line(
        day="2026-11-23",
        code="abc",
        seed=seed,
        target=target,
        kills=kills,
        inside=inside,
        instants="1 (evaluator.outbox), 7",
        events=1,
        judged=1,
        breaches=1,
        actions=1,
        mails="1 (0)",
        compared=compared,
    )
