"""PostgreSQL with TLS, by what stands in its address: the real server behind a real handshake.

The wheel's PostgreSQL is built without TLS, so the handshake is done by a listener before it, as
its protocol has it: a request for TLS, one letter, then TLS. The rehearsal has one with its own.
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from asyncpg.exceptions import ConnectionDoesNotExistError

from deploy.rehearsal.certificates import Authority
from shared.database import open_pool
from tests.support.servers import Servers

HOST = "127.0.0.1"
WANTS_TLS = struct.pack("!ii", 8, 80877103)


@dataclass(frozen=True, slots=True)
class Secured:
    """The same database as superuser, where TLS is spoken, and the file of who vouches for it."""

    url: str
    authority: Path


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@dataclass(frozen=True, slots=True)
class _Front:
    """Refuses who does not ask for TLS; hands on what the others say."""

    context: ssl.SSLContext
    port: int

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(len(WANTS_TLS)) != WANTS_TLS:
            writer.close()
            return
        writer.write(b"S")
        try:
            await writer.start_tls(self.context)
        except OSError:
            return
        inner_reader, inner_writer = await asyncio.open_connection(HOST, self.port)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


@pytest_asyncio.fixture
async def secured(servers: Servers, tmp_path: Path) -> AsyncIterator[Secured]:
    authority = Authority()
    (tmp_path / "authority.crt").write_bytes(authority.certificate())
    (tmp_path / "server.pem").write_bytes(b"".join(authority.server("db", addresses=[HOST])))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    place = urlsplit(servers.database_url)
    front = _Front(context, place.port or 5432)
    async with await asyncio.start_server(front.serve, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        user = place.netloc.rpartition("@")[0]
        yield Secured(f"postgresql://{user}@{HOST}:{port}{place.path}", tmp_path / "authority.crt")


async def asked(url: str) -> int:
    async with await open_pool(url, name="test", size=1) as pool:
        return int(await pool.fetchval("SELECT 42"))


async def test_who_knows_the_authority_speaks_to_it(secured: Secured) -> None:
    verified = f"?sslmode=verify-full&sslrootcert={secured.authority}"
    assert await asked(secured.url + verified) == 42


async def test_who_does_not_know_it_does_not(secured: Secured, tmp_path: Path) -> None:
    (tmp_path / "another.crt").write_bytes(Authority().certificate())
    with pytest.raises(ssl.SSLCertVerificationError):
        await asked(f"{secured.url}?sslmode=verify-full&sslrootcert={tmp_path / 'another.crt'}")


async def test_a_server_that_is_called_otherwise_is_not_spoken_to(secured: Secured) -> None:
    """The certificate is for the address 127.0.0.1 and the name `db`."""
    url = secured.url.replace(HOST, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        await asked(f"{url}?sslmode=verify-full&sslrootcert={secured.authority}")


async def test_without_tls_there_is_no_way_in(secured: Secured) -> None:
    with pytest.raises(ConnectionDoesNotExistError):
        await asked(f"{secured.url}?sslmode=disable")
