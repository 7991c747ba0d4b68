"""Kafka Streams on the common job: the shared folder's own program, on the jars of Kafka 4.1.1."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.common_job.events import PEERS, for_peers, generator
from benchmarks.environment import PREFIX, Bench, cpu_seconds
from shared.messaging.kafka import client_options, producer_options

STREAMS = "org.apache.kafka:kafka-streams:4.1.1"
PARTITIONS = 8
LIMIT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Drained:
    """One contender's run: from its first record to the moment its last effect is durable.

    CPU in seconds of the contender, PostgreSQL and Kafka. `memory` is the greatest resident size
    in bytes. `counters` are read back from where they are durable.
    """

    records: int
    seconds: float
    client: float
    postgres: float
    kafka: float
    memory: int
    counters: dict[str, list[int]]

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds

    @property
    def cpu(self) -> float:
        """CPU seconds of all three for 100,000 records."""
        return 100_000 * (self.client + self.postgres + self.kafka) / self.records


def available() -> str | None:
    """Return why Kafka Streams cannot be run here; None where it can."""
    if not (PEERS / "PeerStreams.java").exists():
        return "the shared folder with the peers' programs is absent (CARTAS_SHARED_DIR)"
    return None if shutil.which("javac") else "there is no javac to compile it"


def compiled(folder: Path) -> str:
    """Compile the peer; return its class path."""
    import jgo
    from jgo.maven import MavenContext

    maven = MavenContext(timeout=60)
    jars = [
        str(
            maven.project(item.groupId, item.artifactId)
            .at_version(item.version)
            .artifact()
            .resolve()
        )
        for item in jgo.resolve(STREAMS)
    ]
    classes = folder / "classes"
    classes.mkdir(parents=True, exist_ok=True)
    source = str(PEERS / "PeerStreams.java")
    path = os.pathsep.join(jars)
    subprocess.run(["javac", "-nowarn", "-d", str(classes), "-cp", path, source], check=True)
    return os.pathsep.join([str(classes), *jars])


async def fill(made: Bench, topic: str, count: int) -> None:
    """Make the peers' topic and put their events on it."""
    await make_topics(made, topic)
    producer = AIOKafkaProducer(**producer_options(made.settings()), linger_ms=20)
    await producer.start()
    try:
        for key, value in for_peers(count):
            await producer.send(topic, value, key=key)
        await producer.flush()
    finally:
        await producer.stop()


async def make_topics(made: Bench, *names: str) -> None:
    """Make topics with as many partitions as the peers were measured on."""
    admin = AIOKafkaAdminClient(**client_options(made.settings()))
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    finally:
        await admin.close()


async def streams(
    made: Bench, path: str, *, topic: str, count: int, guarantee: str, run: str
) -> Drained:
    """Run Kafka Streams with one thread and its durable store of ids, until it has drained."""
    breaches, refused = f"{PREFIX}{run}-breaches", f"{PREFIX}{run}-dlt"
    await make_topics(made, breaches, refused)
    targets = made.folder / "targets.json"
    targets.write_text(json.dumps(generator().targets()))
    environment = os.environ | {
        "KB_BOOT": made.servers.kafka,
        "KB_RUN": run,
        "KB_TOPIC": topic,
        "KB_N": str(count),
        "KB_BREACHES": breaches,
        "KB_DLT": refused,
        "KB_TARGETS": str(targets),
        "KB_STATE": str(made.folder / run),
        "KB_DIR": str(made.folder),
    }
    process = await asyncio.create_subprocess_exec(
        *("java", "-Xmx1g", "-cp", path, "PeerStreams", guarantee, "1", "window"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(LIMIT_SECONDS):
        return await _watch(made, process, count)


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    spent: tuple[float, float, float]

    @classmethod
    def now(cls, made: Bench, client: psutil.Process) -> "_Moment":
        spent = tuple(cpu_seconds(each) for each in (client, made.postgres, made.kafka))
        return cls(asyncio.get_running_loop().time(), (spent[0], spent[1], spent[2]))


async def _watch(made: Bench, process: asyncio.subprocess.Process, count: int) -> Drained:
    """Read what the peer says of itself: FIRST, DONE, COUNTERS and a file."""
    assert process.stdout is not None
    client = psutil.Process(process.pid)
    moments: dict[str, _Moment] = {}
    memory, counters = 0, {}
    async for line in process.stdout:
        word, _, rest = line.decode().strip().partition(" ")
        if word in ("FIRST", "DONE"):
            moments[word] = _Moment.now(made, client)
            memory = max(memory, client.memory_info().rss)
        if word == "MARK":
            memory = max(memory, client.memory_info().rss)
        if word == "COUNTERS":
            counters = json.loads(Path(rest).read_text())
    await process.wait()
    first, done = moments["FIRST"], moments["DONE"]
    return drained(first, done, count, memory, counters)


def drained(
    first: _Moment, done: _Moment, count: int, memory: int, counters: dict[str, list[int]]
) -> Drained:
    """Return a run between two moments."""
    client, postgres, kafka = (b - a for a, b in zip(first.spent, done.spent, strict=True))
    return Drained(count, done.at - first.at, client, postgres, kafka, memory, counters)


Moment = Callable[[Bench, psutil.Process], _Moment]
moment: Moment = _Moment.now
