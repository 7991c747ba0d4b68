"""A Kafka and a PostgreSQL for tests and development, apart from any running system."""

import subprocess
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import kafka, postgres
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.processes import Places, failed, running, start, stop


@dataclass(slots=True)
class TestServers:
    """Two servers in `home`; they outlive the process that started them until `stop`."""

    __test__ = False  # pytest: not a class of tests

    home: Path
    kafka_port: int = 29092
    postgres_port: int = 25432
    kafka_properties: str = ""
    java_options: tuple[str, ...] = ()
    postgres_environment: Mapping[str, str] = field(default_factory=dict)
    _children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return Places.below(self.home)

    @property
    def kafka(self) -> KafkaServer:
        return KafkaServer(
            self.home / "kafka",
            self.kafka_port,
            self.kafka_properties,
            java_options=self.java_options,
        )

    @property
    def postgres(self) -> PostgresServer:
        return PostgresServer(
            self.home / "postgres", self.postgres_port, environment=self.postgres_environment
        )

    @property
    def environment(self) -> dict[str, str]:
        """What leads tests to both servers."""
        return {
            "CARTAS_TEST_KAFKA_SERVERS": self.kafka.servers,
            "CARTAS_TEST_DATABASE_URL": self.postgres.url,
        }

    async def start(self) -> None:
        """Start what is not running yet and wait until both answer."""
        for server in (self.postgres, self.kafka):
            if not running(server.program().name, self.places):
                server.prepare()
                self._children.append(start(server.program(), self.places))
        await self._wait("postgres", postgres.wait_until_ready(self.postgres.url))
        await self._wait("kafka", kafka.wait_until_ready(self.kafka.servers))

    async def _wait(self, name: str, ready: Awaitable[None]) -> None:
        try:
            await ready
        except TimeoutError as error:
            raise failed(name, self.places, "did not become ready") from error

    def stop(self) -> None:
        stop(self.kafka.program(), self.places)
        stop(self.postgres.program(), self.places)
        for child in self._children:
            child.wait()
