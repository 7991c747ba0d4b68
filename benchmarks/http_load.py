"""A light load of events over HTTP, in a process of its own: a job on standard input, JSON out.

Keep-alive connections on bare asyncio, requests made of templates, answers found by their length:
a client library would need more of the machine than what is measured. Closed loop: each connection
sends again when it is answered. Open loop: request n is due n / rate seconds after the start, and
its latency counts from there, however late it could be sent.
"""

import asyncio
import json
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import msgspec
import uvloop

from benchmarks.load import SERVICE, SOURCE

BATCHED = b"application/cloudevents-batch+json"
SINGLE = b"application/cloudevents+json"
KINDS = (b"ticket.issued", b"ticket.called")
EVENT = (
    b'{"specversion":"1.0","id":"%b-%d","source":"%b","type":"%b","time":"%b",'
    b'"data":{"case":"%b-%d","service":"%b","unit":"U%02d","attributes":{"tipo":"copia"}}}'
)
POST = (
    b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer %b\r\n"
    b"content-type: %b\r\ncontent-length: %d\r\n\r\n%b"
)
EMPTY = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
STARTS_AFTER_SECONDS = 0.5
TICK_SECONDS = 0.002
"""To wake for each request alone costs the load more than it costs the service to take it in."""
ANSWERS_WITHIN_SECONDS = 30.0


class Job(msgspec.Struct, frozen=True):
    """What to send. `batch` 0: empty requests. `rate` 0: closed loop. `name` begins every id."""

    port: int
    name: str
    seconds: float
    connections: int
    token: str = ""
    batch: int = 1
    rate: int = 0
    time: str = ""


class Report(msgspec.Struct):
    """What came of it. Request n held the events n * batch and the following.

    `unconfirmed` are the requests of which an event may not have been taken. Seconds.
    """

    requests: int
    seconds: float
    statuses: dict[str, int]
    unconfirmed: list[int]
    p50: float
    p99: float
    longest: float
    cpu: float


@dataclass(slots=True)
class Load:
    """The state of a run; one for all connections."""

    job: Job
    sent: int = 0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    unconfirmed: list[int] = field(default_factory=list)
    idle: list["Connection"] = field(default_factory=list)
    due: deque[tuple[int, float]] = field(default_factory=deque)
    ends: float = 0.0

    def request(self, number: int) -> bytes:
        """Return the request of that number."""
        job = self.job
        if job.batch == 0:
            return EMPTY
        first = number * job.batch
        events = [_event(job, first + place) for place in range(job.batch)]
        body = b"[%b]" % b",".join(events) if job.batch > 1 else events[0]
        kind = BATCHED if job.batch > 1 else SINGLE
        return POST % (job.token.encode(), kind, len(body), body)

    def answered(self, connection: "Connection", status: str, body: bytes) -> None:
        """Note an answer and give the connection its next request."""
        now = time.perf_counter()
        self.latencies.append(now - connection.since)
        self.statuses[status] += 1
        expected = b"" if self.job.batch == 0 else b'{"accepted":%d,"refused":[]}' % self.job.batch
        if body != expected:
            self.unconfirmed.append(connection.number)
        if self.job.rate == 0 and now < self.ends:
            self.next(connection, now)
        elif self.due:
            connection.send(*self.due.popleft())
        else:
            self.idle.append(connection)

    def next(self, connection: "Connection", since: float) -> None:
        """Send the next request of a closed loop."""
        self.sent += 1
        connection.send(self.sent - 1, since)


def _event(job: Job, number: int) -> bytes:
    name = job.name.encode()
    told = (name, number, SOURCE.encode(), KINDS[number % 2], job.time.encode(), name, number // 2)
    return EVENT % (*told, SERVICE.encode(), number % 20)


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._read = b""
        self._transport: asyncio.WriteTransport | None = None
        self.number = 0
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def send(self, number: int, since: float) -> None:
        """Send a request; its latency counts from `since`."""
        assert self._transport is not None
        self.number, self.since = number, since
        self._transport.write(self._load.request(number))

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end:
            return
        _, _, length = head.lower().partition(b"content-length: ")
        if len(body) >= int(length.partition(b"\r\n")[0] or 0):
            self._read = b""
            self._load.answered(self, head[9:12].decode(), body)


async def drive(job: Job) -> Report:
    """Run the job."""
    load, loop = Load(job), asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Connection(load), "127.0.0.1", job.port))[1]
        for _ in range(job.connections)
    ]
    began = await (_open_loop if job.rate else _closed_loop)(load, connections)
    took = time.perf_counter() - began
    ordered = sorted(load.latencies)
    return Report(
        requests=load.sent,
        seconds=took,
        statuses=dict(load.statuses),
        unconfirmed=load.unconfirmed,
        p50=ordered[len(ordered) // 2],
        p99=ordered[len(ordered) * 99 // 100],
        longest=ordered[-1],
        cpu=time.process_time(),
    )


async def _closed_loop(load: Load, connections: list[Connection]) -> float:
    """Return when the first request was sent."""
    now = time.perf_counter()
    load.ends = now + load.job.seconds
    for connection in connections:
        load.next(connection, now)
    await asyncio.sleep(load.job.seconds)
    await _all_answered(load)
    return now


async def _open_loop(load: Load, connections: list[Connection]) -> float:
    """Return when the first request was due."""
    load.idle = connections
    rate, start = load.job.rate, time.perf_counter() + STARTS_AFTER_SECONDS
    for number in range(int(rate * load.job.seconds)):
        due = start + number / rate
        while (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(max(early, TICK_SECONDS))
        load.sent += 1
        if load.idle:
            load.idle.pop().send(number, due)
        else:
            load.due.append((number, due))
    await _all_answered(load)
    return start


async def _all_answered(load: Load) -> None:
    """Raises TimeoutError when an answer stays away."""
    async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
        while len(load.latencies) < load.sent:
            await asyncio.sleep(0.01)


def main() -> None:
    """Read the job, run it, print the report."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    report = uvloop.run(drive(job))
    print(json.dumps(msgspec.to_builtins(report)))


if __name__ == "__main__":
    main()
