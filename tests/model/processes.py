"""Processes that stop at gates: before each statement, send and poll the script decides."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

# Who is not quiet after so many turns of the event loop turns in circles.
LOOP_TURNS = 10_000


class Fate(StrEnum):
    """What becomes of one interaction with a server, and of the process that began it."""

    PASS = "pass"
    HOLD = "hold"
    """Stopped before it, with all that it holds, until it is let go on."""
    CRASH = "crash"
    CRASH_AFTER = "crash after"
    """The server has done it; the process dies before it knows."""
    CUT = "cut"
    """It never reaches the server; the connection is gone."""
    LOST = "lost"
    """The server has done it; the answer is lost with the connection."""
    LATE = "late"
    """The connection is gone; the server does it one interaction of ours later."""
    VERY_LATE = "very late"
    """As above, three interactions later, or when we wait for its locks."""


LATENESS = {Fate.LATE: 1, Fate.VERY_LATE: 3}


class Killed(BaseException):
    """The process is gone; no `except Exception` of its code can know."""


class Line(Protocol):
    """A connection over which statements go."""

    severed: bool

    def get_server_pid(self) -> int: ...

    async def end_on_server(self) -> None: ...


class GroupMember(Protocol):
    """A consumer that follows what the group assigns to it."""

    again: int

    def hear_of_the_group(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Later:
    """A statement that is still on its way to the server."""

    due: int
    line: Line
    act: Callable[[], Awaitable[Any]]


@dataclass(slots=True, eq=False)
class Process:
    """One process of ours: its tasks, the gates at which they wait, whether it lives."""

    name: str
    changed: asyncio.Event
    """Set when a server has answered it."""
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    waiting: deque[tuple[str, asyncio.Future[Fate]]] = field(default_factory=deque)
    busy: list[Line] = field(default_factory=list)
    """Connections on which the server works at this moment."""
    sessions_changing: int = 0
    later: list[Later] = field(default_factory=list)
    sleeping: list[Callable[[], None]] = field(default_factory=list)
    hear: Callable[[], None] | None = None
    """What PostgreSQL would call with a notification."""
    reader: "GroupMember | None" = None
    landing: list[Line] = field(default_factory=list)
    landings: list[asyncio.Task[None]] = field(default_factory=list)
    """What arrives late, at this moment."""
    passed: int = 0
    dead: bool = False

    def spawn(self, main: Coroutine[Any, Any, Any]) -> None:
        """Run `main` as part of this process."""
        context = copy_context()
        context.run(CURRENT.set, self)
        task = asyncio.get_running_loop().create_task(main, context=context)
        task.add_done_callback(hear_the_end)
        self.tasks.append(task)

    async def gate(
        self,
        label: str,
        act: Callable[[], Awaitable[T]],
        *,
        broken: Exception,
        line: Line | None = None,
    ) -> T:
        """Wait for the script's word, then act on it. Raises `broken` or Killed."""
        fate = await self._word(label)
        self.passed += 1
        if fate is Fate.CRASH:
            self._die()
        if line is not None and line.severed:
            raise broken
        if fate in LATENESS and line is not None:
            line.severed = True
            self.later.append(Later(self.passed + LATENESS[fate], line, act))
            raise broken
        result = None if fate is Fate.CUT else await self._do(act, line)
        if self.dead or fate is Fate.CRASH_AFTER:
            self._die()
        if fate is Fate.PASS:
            return result  # type: ignore[return-value]  # None only of a statement that was cut
        if line is not None:
            line.severed = True
            with self.changing_sessions():
                await line.end_on_server()
        raise broken

    @contextmanager
    def changing_sessions(self) -> Iterator[None]:
        """While the model opens or ends a session of it, it is not asleep."""
        self.sessions_changing += 1
        try:
            yield
        finally:
            self.sessions_changing -= 1
            self.changed.set()

    async def _word(self, label: str) -> Fate:
        if self.dead:
            raise Killed
        word: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        self.waiting.append((label, word))
        return await word

    async def _do(self, act: Callable[[], Awaitable[T]], line: Line | None) -> T:
        if line is None:
            return await act()
        self.busy.append(line)
        try:
            return await act()
        finally:
            self.busy.remove(line)
            self.changed.set()

    def _die(self) -> None:
        self.dead = True
        raise Killed

    def next_gate(self) -> str | None:
        """Return what it would do next, or None where it sleeps, waits for a lock or is gone."""
        return self.waiting[0][0] if self.waiting else None

    def let(self, fate: Fate) -> None:
        """Give the word to the gate that was reached first."""
        _, word = self.waiting.popleft()
        if not word.done():
            word.set_result(fate)

    def wake(self) -> None:
        """End the waits for news of Kafka and of PostgreSQL."""
        if self.hear is not None:
            self.hear()
        while self.sleeping:
            self.sleeping.pop()()

    def kill(self) -> None:
        """End all of it where it stands; what waits for a lock ends when it gets it."""
        self.dead = True
        while self.waiting:
            _, word = self.waiting.popleft()
            if not word.done():
                word.set_exception(Killed())
        if not self.busy:
            for task in self.tasks:
                task.cancel()

    @property
    def ended(self) -> bool:
        return all(task.done() for task in (*self.tasks, *self.landings))

    def land(self, *, all_of_it: bool = False) -> None:
        """Let what is late arrive, as far as it is due; it may have to wait for a lock."""
        for late in [each for each in self.later if all_of_it or each.due <= self.passed]:
            self.later.remove(late)
            self.landing.append(late.line)
            landing = asyncio.create_task(self._land(late))
            landing.add_done_callback(hear_the_end)
            self.landings.append(landing)

    async def _land(self, late: Later) -> None:
        try:
            await late.act()
            await late.line.end_on_server()
        finally:
            self.landing.remove(late.line)
            self.changed.set()


CURRENT: ContextVar[Process] = ContextVar("CURRENT")


def hear_the_end(task: asyncio.Task[Any]) -> None:
    """Of a task that nobody may be left to await; see `World._raise_what_is_ours`."""
    if not task.cancelled():
        task.exception()


async def quiet() -> None:
    """Let every task go on that can, until each waits for something from outside the loop."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # nothing public tells
    for _ in range(LOOP_TURNS):
        await asyncio.sleep(0)
        if not ready:
            return
    raise AssertionError("a process turns in circles")
