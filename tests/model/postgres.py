"""Sessions of the real PostgreSQL whose statements are gates, and whose ends are scripted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg

from tests.model.processes import Killed, Process

# Statements by what is written in them; the first that fits names the gate.
GATES = {
    "INSERT INTO applied": "effect",
    "INSERT INTO kafka_offset": "claim",
    "UPDATE kafka_offset": "advance",
    "AS goes_on": "look",
    "FROM kafka_offset": "reread",
    "INSERT INTO outbox": "outbox",
    "pg_try_advisory_lock": "lead",
    "DELETE FROM outbox": "delete",
    "FROM outbox": "next",
    "INSERT INTO refusal": "refuse",
}


def gate_of(query: str) -> str:
    """Return the name of the gate before a statement: one of GATES, or its first word."""
    for text, gate in GATES.items():
        if text in query:
            return gate
    return query.split()[0].rstrip(";").lower()


class Session(asyncpg.Connection):
    """A session that belongs to one process at a time; `severed` ends it for that process."""

    process: Process | None = None
    sessions: "Sessions | None" = None
    severed = False
    _top_xact: object | None

    async def _through(self, query: str, act: Any) -> Any:
        if self.process is None:
            return await act()
        if self.process.dead:
            raise Killed
        if self.severed:
            raise ConnectionResetError(query)
        broken = ConnectionResetError(query)
        return await self.process.gate(gate_of(query), act, broken=broken, line=self)

    async def execute(self, query: str, *args: Any, **more: Any) -> Any:
        return await self._through(query, partial(super().execute, query, *args, **more))

    async def executemany(self, command: str, args: Any, **more: Any) -> Any:
        return await self._through(command, partial(super().executemany, command, args, **more))

    async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
        return await self._through(query, partial(super().fetch, query, *args, **more))

    async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
        return await self._through(query, partial(super().fetchrow, query, *args, **more))

    async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
        return await self._through(query, partial(super().fetchval, query, *args, **more))

    async def add_listener(self, channel: Any, callback: Any) -> None:
        """Notifications come when the script wakes the process, none by themselves."""
        if self.process is not None:
            self.process.hear = partial(callback, self, 0, channel, "")

    async def end_on_server(self) -> None:
        """What the server does at the end of a session: roll back, release the locks."""
        if self.is_in_transaction():
            await asyncpg.Connection.execute(self, "ROLLBACK")
        await asyncpg.Connection.execute(self, "SELECT pg_advisory_unlock_all()")

    async def close(self, **more: Any) -> None:
        """End it for its process. To the server that is an end, without a new login afterwards."""
        if self.sessions is None:
            await super().close(**more)
        else:
            await self.sessions.give_back(self)


class Sessions:
    """All sessions of the model, those in use and those that wait for their next process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connect = asyncpg.connect
        self._idle: list[Session] = []
        self._all: list[Session] = []

    async def take(self, process: Process) -> Session:
        """Open a session for `process`."""
        with process.changing_sessions():
            session = self._idle.pop() if self._idle else await self._new()
        session.process, session.severed = process, False
        # A BEGIN that never arrived is what the client remembers.
        session._top_xact = None
        return session

    async def _new(self) -> Session:
        # Nothing here crashes PostgreSQL: what is committed is visible, durable or not.
        session = await self._connect(
            self._url,
            connection_class=Session,
            server_settings={"synchronous_commit": "off", "jit": "off"},
        )
        session.sessions = self
        self._all.append(session)
        return session

    async def give_back(self, session: Session) -> None:
        """End a session, unless the server has still to hear from it."""
        process = session.process
        if process is not None and not any(late.line is session for late in process.later):
            with process.changing_sessions():
                await session.end_on_server()
            session.process = None
            self._idle.append(session)

    async def end_all(self) -> None:
        """End every session; no process is left that would use one."""
        for session in self._all:
            await session.end_on_server()
            session.process = None
        self._idle = list(self._all)

    async def close(self) -> None:
        """Close the connections themselves."""
        for session in self._all:
            session.sessions = None
            await session.close()


class SessionPool:
    """What a process takes its sessions from; as much of asyncpg's pool as is used."""

    def __init__(self, sessions: Sessions, process: Process) -> None:
        self._sessions = sessions
        self._process = process

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Session]:
        session = await self._sessions.take(self._process)
        try:
            yield session
        finally:
            await self._sessions.give_back(session)

    async def execute(self, query: str, *args: Any) -> Any:
        async with self.acquire() as session:
            return await session.execute(query, *args)

    async def fetch(self, query: str, *args: Any) -> Any:
        async with self.acquire() as session:
            return await session.fetch(query, *args)
