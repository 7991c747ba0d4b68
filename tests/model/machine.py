"""The state machine: what Hypothesis may let happen, step by step."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from tests.model.facts import Fact
from tests.model.kafka import PARTITIONS
from tests.model.processes import Fate
from tests.model.stage import Stage
from tests.model.world import CONSUMERS, RELAYS, Backup, World

KEYS = ("k0", "k1", "k2")
# Kafka's messages hold no more faults in a row than stop a consumer for good.
MAX_FAULTY = 3
CONSUMER_GATES = ("claim", "poll", "begin", "advance", "effect", "outbox", "commit", "reread")
RELAY_GATES = ("lead", "next", "send", "delete")
LATE = (Fate.LATE, Fate.VERY_LATE)
LOST_COMMITS = (Fate.CRASH, Fate.CRASH_AFTER, Fate.CUT, Fate.LOST, *LATE)
NOTE_GATES = ("begin", "outbox", "commit")


Rule = TypeVar("Rule", bound=Callable[..., None])


class Part(StrEnum):
    """What a story may be about; without one it is about everything."""

    OWNERS = "owners that lose their partitions"
    COMMITS = "commits whose answer is lost"
    REPEATS = "messages that come again"
    BACKUPS = "restored backups"
    RETENTION = "messages that Kafka has deleted"
    RELAYS = "relays that die or stop"
    NOTES = "requests that commit late"


def about(*parts: Part) -> Callable[[Rule], Rule]:
    """A rule for stories about `parts`, and about everything."""
    return precondition(lambda machine: machine.part is None or machine.part in parts)


facts = st.lists(st.sampled_from(KEYS), max_size=4)
some_facts = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4)
fates = st.sampled_from(list(Fate))


def gates(names: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(names)


class Delivery(RuleBasedStateMachine):
    """Two consumers, two relays, requests over HTTP, and everything that goes wrong."""

    stage: ClassVar[Stage]
    part: ClassVar[Part | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.stage.new_world()
        self.revisions: Counter[str] = Counter()
        self.faulty = 0
        self.saved: Backup | None = None
        self.broken = False
        self.do(self.world.prepare())

    def do(self, step: object) -> object:
        try:
            return self.stage.runner.run(step)  # type: ignore[arg-type]
        except BaseException:
            self.broken = True
            raise

    def _publish(self, keys: list[str]) -> None:
        for key in keys:
            self.revisions[key] += 1
            self.world.append(Fact(key, self.revisions[key]))

    @about(Part.OWNERS, Part.COMMITS, Part.REPEATS, Part.BACKUPS, Part.RETENTION, Part.RELAYS)
    @rule(name=st.sampled_from(CONSUMERS), new=facts, at=gates(CONSUMER_GATES), fate=fates)
    def consume(self, name: str, new: list[str], at: str | None, fate: Fate) -> None:
        self._publish(new)
        self.do(self.world.turn(name, at=at, fate=fate))

    @about(Part.OWNERS)
    @rule(
        name=st.sampled_from(CONSUMERS),
        new=some_facts,
        at=st.sampled_from(CONSUMER_GATES),
        then=st.none() | st.sampled_from(("poll", "begin")),
        later=facts,
    )
    def lose_partitions_while_paused(
        self, name: str, new: list[str], at: str, then: str | None, later: list[str]
    ) -> None:
        """The owner stops; the other claims all and goes on, or not yet; the owner wakes."""
        (other,) = set(CONSUMERS) - {name}
        self._publish(new)
        self.do(self.world.turn(name, at=at, fate=Fate.HOLD))
        self.world.kafka.assign(dict.fromkeys(range(PARTITIONS), other))
        self.do(self.world.turn(other, at=then, fate=Fate.HOLD))
        self.do(self.world.turn(name))
        self._publish(later)

    @about(Part.OWNERS)
    @rule(name=st.sampled_from(CONSUMERS), new=some_facts, fate=st.sampled_from(LATE))
    def claim_late(self, name: str, new: list[str], fate: Fate) -> None:
        """A claim arrives after the one that repeats it: it fences off its own sender."""
        self.world.kafka.assign(dict.fromkeys(range(PARTITIONS), name))
        self.do(self.world.turn(name, at="claim", fate=fate))
        self._publish(new)

    @about(Part.COMMITS)
    @rule(name=st.sampled_from(CONSUMERS), new=some_facts, fate=st.sampled_from(LOST_COMMITS))
    def lose_a_commit(self, name: str, new: list[str], fate: Fate) -> None:
        self._publish(new)
        self.do(self.world.turn(name, at="commit", fate=fate))

    @about(Part.OWNERS)
    @rule(owners=st.tuples(*(st.sampled_from(CONSUMERS) for _ in range(PARTITIONS))))
    def rebalance(self, owners: tuple[str, ...]) -> None:
        self.world.kafka.assign(dict(enumerate(owners)))

    @about(Part.REPEATS)
    @rule(key=st.sampled_from(KEYS), revision=st.integers(1, 3))
    def repeat(self, key: str, revision: int) -> None:
        """A producer sends once more what it had sent."""
        if revision <= self.revisions[key]:
            self.world.append(Fact(key, revision))

    @about(Part.COMMITS)
    @rule(key=st.sampled_from(KEYS))
    def send_faulty(self, key: str) -> None:
        if self.faulty < MAX_FAULTY:
            self.faulty += 1
            self.world.append(Fact(key, 0, faulty=True))

    @about(Part.REPEATS)
    @rule(name=st.sampled_from(CONSUMERS), number=st.integers(1, 3))
    def deliver_again(self, name: str, number: int) -> None:
        process = self.world.places.get(name)
        if process is not None and process.reader is not None:
            process.reader.again = number
            self.do(self.world.turn(name))

    @about(Part.RELAYS, Part.NOTES, Part.BACKUPS)
    @rule(name=st.sampled_from(RELAYS), at=gates(RELAY_GATES), fate=fates)
    def relay(self, name: str, at: str | None, fate: Fate) -> None:
        self.do(self.world.turn(name, at=at, fate=fate))

    @about(Part.RELAYS)
    @rule(name=st.sampled_from(RELAYS), new=some_facts, at=st.sampled_from(RELAY_GATES))
    def pause_a_relay(self, name: str, new: list[str], at: str) -> None:
        """It wakes when its turn comes; what it had taken may not follow what came after."""
        (other,) = set(RELAYS) - {name}
        for each, gate in ((name, at), (other, None)):
            self._publish(new)
            for consumer in CONSUMERS:
                self.do(self.world.turn(consumer))
            self.do(self.world.turn(each, at=gate, fate=Fate.HOLD))

    @about(Part.NOTES)
    @rule(name=st.sampled_from(RELAYS), at=st.sampled_from(RELAY_GATES), sent=st.booleans())
    def commit_behind_the_relay(self, name: str, at: str, sent: bool) -> None:
        """A lower id becomes visible while a relay has taken higher ones, or has sent them."""
        self.do(self.world.note(at="commit", fate=Fate.HOLD))
        self.do(self.world.note(at=None, fate=Fate.PASS))
        if sent:
            self.do(self.world.turn(name))
        self.do(self.world.turn(name, at=at, fate=Fate.HOLD))
        self.go_on_with_notes()
        self.do(self.world.turn(name))

    @about(Part.NOTES)
    @rule(at=gates(NOTE_GATES), fate=fates)
    def note(self, at: str | None, fate: Fate) -> None:
        """A request over HTTP; one that is held goes on when its turn comes at the end."""
        self.do(self.world.note(at=at, fate=fate))

    @about(Part.NOTES)
    @rule()
    def go_on_with_notes(self) -> None:
        for name in [name for name in self.world.places if name.startswith("note")]:
            self.do(self.world.turn(name))

    @about(Part.BACKUPS)
    @rule()
    def back_up(self) -> None:
        self.saved = self.do(self.world.backup())  # type: ignore[assignment]

    @about(Part.BACKUPS)
    @rule()
    def restore(self) -> None:
        """What Kafka has forgotten is not read again: then a backup is of no use to the model."""
        if self.saved is not None and not self.world.account.forgotten:
            self.do(self.world.restore(self.saved))

    @about(Part.BACKUPS)
    @rule(new=some_facts)
    def lose_what_was_done(self, new: list[str]) -> None:
        """The backup is from just before a day that was worked and published."""
        self.back_up()
        self._publish(new)
        for name in (*CONSUMERS, *RELAYS):
            self.do(self.world.turn(name))
        self.restore()

    @about(Part.RETENTION)
    @rule(new=some_facts, partition=st.integers(0, PARTITIONS - 1))
    def forget(self, new: list[str], partition: int) -> None:
        """Kafka's retention takes what was not yet read, of a partition that had been read."""
        self._publish(new)
        end = len(self.world.kafka.logs[partition])
        read = self.world.account.offsets.get(partition, 0)
        if 0 < read < end and not self.world.account.restored:
            self.world.forget(partition)

    @invariant()
    def rules_hold(self) -> None:
        self.do(self.world.check())

    def teardown(self) -> None:
        try:
            if not self.broken:
                self.do(self.world.come_to_rest())
        finally:
            self.stage.runner.run(self.world.stop())
