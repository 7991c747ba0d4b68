"""Where the stories are played: one database, one loop, the scripted clients in their places."""

import asyncio
import gc
from dataclasses import dataclass, field
from typing import Any, Self

import asyncpg
import pytest

from shared.messaging import bell
from shared.messaging import consumer as consumer_module
from shared.messaging import guard as guard_module
from shared.messaging import relay as relay_module
from shared.messaging.backoff import Backoff
from tests.integration.messaging.support import Settings, settings_for
from tests.model.facts import CREATE
from tests.model.kafka import Reader, Sender
from tests.model.postgres import Sessions
from tests.model.processes import CURRENT
from tests.model.world import World

NEVER_SECONDS = 3600.0
LOOKED_AT = -1.0


@dataclass(slots=True)
class Stage:
    """What outlives a story."""

    settings: Settings
    runner: "asyncio.Runner"
    sessions: Sessions
    control: "asyncpg.Connection[asyncpg.Record]"
    unheard: list[str] = field(default_factory=list)
    """What the loop would have logged: mostly, exceptions that nobody retrieved.

    Logged, it could spoil a story: the garbage collector calls at any time, and a traceback cannot
    be written while source is being parsed.
    """
    world: World = field(init=False)

    @classmethod
    def open(cls, url: str, runner: asyncio.Runner) -> Self:
        """Make the tables of the effects in a migrated database."""
        control = runner.run(asyncpg.connect(url))
        runner.run(control.execute(CREATE))
        stage = cls(settings_for("scripted:1", "", url), runner, Sessions(url), control)
        runner.get_loop().set_exception_handler(
            lambda _, context: stage.unheard.append(f"{context['message']}: {context}")
        )
        return stage

    def new_world(self) -> World:
        """Begin a story."""
        self.world = World(self.settings, self.sessions, self.control)
        return self.world

    def unheard_now(self) -> list[str]:
        """Return what has come since it was asked for last."""
        gc.collect()
        found, self.unheard = self.unheard, []
        return found

    def close(self) -> None:
        self.runner.run(self.sessions.close())
        self.runner.run(self.control.close())

    def put_on(self, patch: pytest.MonkeyPatch) -> None:
        """Give our code the scripted clients, and take the waiting out of its waits."""
        connect = asyncpg.connect

        async def session(*arguments: Any, **options: Any) -> Any:
            process = CURRENT.get(None)
            if process is None:
                return await connect(*arguments, **options)
            return await self.sessions.take(process)

        async def known_topic(*_: Any) -> str:
            return "cluster:topic"

        async def untold(_: object) -> None:
            """A relay hears of a commit when the script wakes its process."""

        async def at_once(_: Backoff) -> None:
            await asyncio.sleep(0)

        patch.setattr(asyncpg, "connect", session)
        patch.setattr(Backoff, "sleep", at_once)
        patch.setattr(consumer_module, "AIOKafkaConsumer", lambda **_: Reader(self.world.kafka))
        patch.setattr(consumer_module, "topic_id", known_topic)
        patch.setattr(consumer_module, "FEW_RECORDS", 0)
        patch.setattr(guard_module, "topic_id_of", known_topic)
        patch.setattr(consumer_module, "KAFKA_COMMIT_SECONDS", 0.0)
        patch.setattr(consumer_module, "RECLAIM_SECONDS", 0.0)
        patch.setattr(relay_module, "AIOKafkaProducer", lambda **_: Sender(self.world.kafka))
        patch.setattr(bell, "tell_relay", untold)
        patch.setattr(relay_module, "STANDBY_SECONDS", 0.0)
        patch.setattr(relay_module, "DELETE_AFTER_SECONDS", NEVER_SECONDS)
        patch.setattr(relay_module._Landed, "is_due", _at_the_second_look)
        patch.setattr(relay_module, "POLL_SECONDS", NEVER_SECONDS)


def _at_the_second_look(landed: "relay_module._Landed") -> bool:
    """Acknowledged rows wait until the script wakes the relay once more; others may come first."""
    due = bool(landed.acknowledged) and landed.since == LOOKED_AT
    landed.since = LOOKED_AT if landed.acknowledged else landed.since
    return due
