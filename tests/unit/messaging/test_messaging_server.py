"""The HTTP server: what comes before, after and between bodies has a limit too."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from uvicorn.server import ServerState

from shared.http.server import MAX_HEAD_BYTES, LimitedProtocol, options
from tests.support.topics import settings_of

OPEN = b"POST / HTTP/1.1\r\nhost: x\r\n"
CLOSE = b"connection: close\r\n"
CHUNKED = OPEN + b"transfer-encoding: chunked\r\n\r\n"
PIECE = 8 * 1024
# More than the event loop reads at once, which may all count with what came before it.
ENDLESS_BYTES = 1024 * 1024
ENDLESS_PIECES = 20_000


def app() -> FastAPI:
    made = FastAPI()

    @made.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    @made.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for made.state.pieces in range(ENDLESS_PIECES):
                yield b"x" * PIECE

        return StreamingResponse(pieces())

    return made


@pytest.fixture
def served() -> FastAPI:
    return app()


@pytest_asyncio.fixture
async def port(served: FastAPI) -> AsyncIterator[int]:
    config = uvicorn.Config(served, http=LimitedProtocol, lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LimitedProtocol(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*state.tasks)


async def answers(port: int, *said: bytes) -> bytes:
    """Say it all, leave the line open, return what is answered until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with suppress(ConnectionError):
        writer.writelines(said)
        async with asyncio.timeout(20):
            while piece := await reader.read(PIECE):
                answer += piece
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        pytest.param(b"POST /", b"a" * PIECE, id="an address"),
        pytest.param(OPEN, b"a" * PIECE, id="the name of a header"),
        pytest.param(OPEN + b"a: ", b"b" * PIECE, id="a header"),
        pytest.param(OPEN, b"a: b\r\n" * (PIECE // 6), id="headers"),
        pytest.param(CHUNKED + b"0\r\na: ", b"b" * PIECE, id="a trailer"),
        pytest.param(CHUNKED + b"1;a=", b"b" * PIECE, id="an extension of a chunk"),
    ],
)
async def test_a_request_that_never_gets_to_its_point_is_cut_off(
    port: int, begin: bytes, endless: bytes
) -> None:
    await answers(port, begin, *(ENDLESS_BYTES // PIECE) * [endless])


async def test_bodies_larger_than_a_head_and_requests_in_a_row_are_served(port: int) -> None:
    body = b"x" * (4 * MAX_HEAD_BYTES)
    length = b"content-length: %d\r\n" % len(body)
    declared, last = (OPEN + length + more + b"\r\n" + body for more in (b"", CLOSE))
    piece = b"%x\r\n%b\r\n" % (PIECE, b"x" * PIECE)
    chunked = CHUNKED + 40 * piece + b"0\r\nafter: all\r\n\r\n"
    said = await answers(port, declared, chunked, last)
    assert said.count(b"HTTP/1.1 200") == 3
    assert said.count(b"%d" % len(body)) == 2
    assert b"%d" % (40 * PIECE) in said


async def test_a_head_of_ordinary_size_is_read_whole(port: int) -> None:
    cookie = b"cookie: %b\r\n" % (b"c" * 15_000)
    said = await answers(port, OPEN + cookie + CLOSE + b"content-length: 2\r\n\r\nhi")
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b"2")


def first_pieces(port: int) -> list[bytes]:
    """Return what comes at once of each of many answers."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        pieces = []
        for _ in range(100):
            line.sendall(OPEN + b"content-length: 2\r\n\r\nhi")
            pieces.append(line.recv(PIECE))
    return pieces


async def test_an_answer_comes_in_one_piece(port: int) -> None:
    for piece in await asyncio.to_thread(first_pieces, port):
        assert piece.endswith(b"\r\n\r\n2")


async def test_who_does_not_read_is_not_written_to_without_end(port: int, served: FastAPI) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n")
    assert served.state.pieces < ENDLESS_PIECES // 2
    writer.transport.abort()


@pytest.mark.parametrize(
    ("proxies", "client"),
    [
        pytest.param("127.0.0.1", "10.1.2.3", id="a stranger is not believed"),
        pytest.param("127.0.0.1,10.1.0.0/16", "203.0.113.7", id="a proxy of a network is"),
    ],
)
async def test_a_proxy_that_is_named_tells_who_the_client_is(proxies: str, client: str) -> None:
    """Or all citizens behind it would be one, with one citizen's limits."""
    made = app()

    @made.get("/client")
    async def told(request: Request) -> str:
        return request.client.host if request.client else ""

    settings = settings_of("127.0.0.1:1", "").model_copy(update={"proxies": proxies})
    config = uvicorn.Config(made, **options(settings))
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=("10.1.2.3", 1))
    # What the client wrote itself stands before what the proxy saw.
    forged = {"x-forwarded-for": "198.51.100.9, 203.0.113.7"}
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        assert (await http.get("/client", headers=forged)).json() == client
