"""Heads of requests that no honest client writes, byte by byte."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random
from urllib.parse import urlsplit

from tests.e2e.town import Town
from tests.hostile.over_http import Counts

POST = b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
AMBIGUOUS = (
    POST + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    POST + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    POST + b"Content-Length: 5, 6\r\n\r\nabcde",
    POST + b"Content-Length: -1\r\n\r\n",
    POST + b"Content-Length: +5\r\n\r\nabcde",
    POST + b"Content-Length: 0x5\r\n\r\nabcde",
    POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    POST + b" " + CHUNKED + b"\r\n0\r\n\r\n",
    POST + CHUNKED + b"\r\nffffffffffffffffff\r\nabc",
    POST + CHUNKED + b"\r\n-1\r\nabc\r\n0\r\n\r\n",
    POST + CHUNKED + b"\r\n0x1\r\na\r\n0\r\n\r\n",
    GET + b"X: a\x00b\r\n\r\n",
    GET + b"X: a\rContent-Length: 5\r\n\r\n",
)
"""Two readers could disagree where these end: nothing behind them is read."""
STRANGE = (
    GET + b" folded: y\r\n\r\n",
    GET.replace(b"\r", b"") + b"\n",
    GET.replace(b"1.1", b"9.9") + b"\r\n",
    b"GET /%00/%ff/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    GET + b"Cookie: " + b"a" * 100_000 + b"\r\n\r\n",
    GET + b"".join(b"X-%d: y\r\n" % number for number in range(8000)) + b"\r\n",
    GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 2000,
)


async def write_all(town: Town, services: Sequence[str], rng: Random, number: int) -> Counts:
    """Write so many, each with a good request behind it; return how they were answered."""
    counts: Counts = Counter()
    for _ in range(number):
        head = rng.choice(AMBIGUOUS + STRANGE)
        answer = await _written(town.system.url(rng.choice(services)), head + GET + b"\r\n")
        assert b"HTTP/1.1 5" not in answer, (head[:200], answer[:300])
        if head in AMBIGUOUS:
            assert answer.count(b"HTTP/1.1 ") <= 1, (head[:200], answer[:300])
        told = answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else ""
        counts["heads of requests", f"{told} on the wire" if told else "connection closed"] += 1
    return counts


async def _written(url: str, sent: bytes) -> bytes:
    to = urlsplit(url)
    reader, writer = await asyncio.open_connection(to.hostname, to.port)
    try:
        writer.write(sent)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()
