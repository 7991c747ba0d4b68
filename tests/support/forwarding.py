"""A way to PostgreSQL that can hang: connections stay open and nothing comes through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from tests.support.servers import free_port


@dataclass(slots=True)
class Forwarder:
    """Listens on a port of its own and hands on what it gets, unless it hangs."""

    target: str
    port: int = field(default_factory=free_port)
    _goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """The target's address by way of this."""
        parts = urlsplit(self.target)
        credentials = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{self.port}"))

    @property
    def hangs(self) -> bool:
        return not self._goes_on.is_set()

    @hangs.setter
    def hangs(self, hangs: bool) -> None:
        if hangs:
            self._goes_on.clear()
        else:
            self._goes_on.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Forwarder"]:
        self._goes_on.set()
        server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.target)
        theirs, to_them = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(self._copy(reader, to_them), self._copy(theirs, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._goes_on.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
