"""A second broker beside the first, which keeps the controller."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.kafka import KafkaServer
from deploy.local.processes import Program, start
from deploy.local.test_servers import TestServers
from shared.messaging.kafka import brokers_alive
from tests.support.topics import settings_of
from tests.support.waiting import eventually

DIRECTORY: Final = "c2Vjb25kLWJyb2tlci1kaQ"
SECONDS: Final = 120.0


@dataclass(slots=True)
class SecondBroker:
    """Topics made while it runs have half of their partitions there, and nowhere else."""

    servers: TestServers
    server: KafkaServer
    child: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, anew where it was killed, and wait until Kafka names both."""
        await asyncio.to_thread(self.server.prepare)
        program = Program("kafka-2", self.server.program().command)
        self.child = start(program, self.servers.places)
        settings = settings_of(self.servers.kafka.servers, "")

        async def both() -> bool:
            return await brokers_alive(settings) == 2

        await eventually(both, SECONDS, what="two brokers are alive")

    async def kill(self) -> None:
        """SIGKILL, as a power cut."""
        if self.child is not None:
            self.child.kill()
            await asyncio.to_thread(self.child.wait)


@asynccontextmanager
async def second_broker(servers: TestServers, folder: Path) -> AsyncIterator[SecondBroker]:
    """It runs when this begins; it is killed at the end."""
    first = servers.kafka
    port = first.port + 2
    properties = (
        f"node.id=2\nprocess.roles=broker\nlisteners=BROKER://127.0.0.1:{port}\n"
        f"controller.quorum.voters=1@127.0.0.1:{first.port + 1}\n"
    )
    broker = SecondBroker(servers, _Second(folder, port, properties, cluster=_cluster_of(first)))
    try:
        await broker.start()
        yield broker
    finally:
        await broker.kill()


@dataclass(frozen=True, slots=True)
class _Second(KafkaServer):
    cluster: str = ""

    def _format(self) -> None:
        """Belong to the cluster that is there."""
        self.data.mkdir(parents=True, exist_ok=True)
        meta = f"version=1\nnode.id=2\ncluster.id={self.cluster}\ndirectory.id={DIRECTORY}\n"
        (self.data / "meta.properties").write_text(meta)


def _cluster_of(server: KafkaServer) -> str:
    text = (server.data / "meta.properties").read_text()
    (found,) = re.findall(r"^cluster\.id=(\S+)$", text, re.MULTILINE)
    return str(found)
