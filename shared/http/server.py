"""The HTTP server of every service: uvicorn on the parser of Node.js, with its missing limit."""

import asyncio
import logging
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 64 * 1024
"""What may come without a body: request line, headers, trailers, extensions of chunks."""
KEEP_ALIVE_SECONDS = 30
JOINED_BYTES = 16 * 1024
"""What is larger is worth a packet, and no copying."""


class HeadTooLargeError(Exception):
    """More came before the body, or after it, than a request may say there."""


class JoiningTransport:
    """A transport that sends an answer's head with its body: one packet, half the system calls.

    A small piece waits for the next one, at most until the event loop has turned. No more than one
    is ever held back, so a client that does not read is noticed as without it.
    """

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._loop = asyncio.get_running_loop()
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, or hold back until what follows comes."""
        if self._held:
            self._transport.write(self._held + data)
            self._held = b""
        elif len(data) < JOINED_BYTES:
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what is held back; then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            self._transport.write(self._held)
            self._held = b""


class LimitedProtocol(HttpToolsProtocol):
    """Neither the parser nor uvicorn bounds what it collects until a head is complete."""

    _unsettled = 0
    """Bytes since the last head, piece of a body or end of a request."""
    _head = 0
    """Bytes of this request's line and headers."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(JoiningTransport(transport))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Parse; close a connection that only ever begins."""
        self._unsettled += len(data)
        super().data_received(data)
        if self._unsettled > MAX_HEAD_BYTES and not self.transport.is_closing():
            logger.warning("request_head_too_large")
            self._refuse()

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unsettled = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unsettled = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unsettled = 0
        super().on_message_complete()

    def _count(self, number: int) -> None:
        """The parser turns the error into its own, which is answered with 400."""
        self._head += number
        if self._head > MAX_HEAD_BYTES:
            raise HeadTooLargeError

    def _refuse(self) -> None:
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve `app` until the process is told to stop."""
    uvicorn.run(app, **options(settings))


def options(settings: ServiceSettings) -> dict[str, Any]:
    """Return how uvicorn is to serve."""
    return {
        "host": settings.host,
        "port": settings.port,
        "http": LimitedProtocol,
        "log_config": None,
        "access_log": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": int(settings.shutdown_seconds),
        "server_header": False,
        "proxy_headers": True,
        "forwarded_allow_ips": settings.proxies,
    }
