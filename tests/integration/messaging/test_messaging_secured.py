"""Kafka with TLS and passwords: who has the authority and the password is let in, nobody else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError

from deploy.local import kafka
from deploy.local.kafka import KafkaServer
from deploy.local.processes import Places, start, stop
from deploy.rehearsal.certificates import Authority
from shared.contracts import topics
from shared.messaging.kafka import brokers_alive
from shared.messaging.topics import create_topics
from shared.settings import ServiceSettings
from tests.support.servers import QUICK_JAVA, free_port, free_port_pair

HOST = "127.0.0.1"
USER, PASSWORD = "cartas-buzon", "a-password-of-this-test"
SECURED = """\
listeners=BROKER://{host}:{port},SECURED://{host}:{secured},CONTROLLER://{host}:{controller}
advertised.listeners=BROKER://{host}:{port},SECURED://{host}:{secured}
listener.security.protocol.map=BROKER:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.secured.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN
listener.name.secured.scram-sha-256.sasl.jaas.config={module}.scram.ScramLoginModule required;
listener.name.secured.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;
listener.name.secured.plain.sasl.jaas.config={module}.plain.PlainLoginModule required \
user_{user}="{password}";
"""
SCRAM = tuple(
    word
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
    for word in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
)


class Settings(ServiceSettings, service="buzon"):
    """Those of every service are all there is to it."""


@dataclass(frozen=True, slots=True)
class Secured:
    """The listener with TLS, and the file of who vouches for it."""

    servers: str
    authority: Path

    def settings(self, **changed: Any) -> Settings:
        usual = {
            "kafka_servers": self.servers,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_username": USER,
            "kafka_password": PASSWORD,
            "kafka_ca_file": self.authority,
            "service_secret": "s" * 32,
            "public_url": "https://cartas.example",
            "database_url": "postgresql://nobody@127.0.0.1/nothing",
            "port": 8004,
        }
        return Settings(**{**usual, **changed})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    home = tmp_path_factory.mktemp("secured")
    authority = Authority()
    (home / "authority.crt").write_bytes(authority.certificate())
    (home / "kafka.pem").write_bytes(b"".join(authority.server("broker", addresses=[HOST])))
    port, place = free_port_pair(), free_port()
    words = {"host": HOST, "port": port, "controller": port + 1, "secured": place, "user": USER}
    module = "org.apache.kafka.common.security"
    properties = SECURED.format(
        **words, password=PASSWORD, keystore=home / "kafka.pem", module=module
    )
    server, places = (
        KafkaServer(home / "kafka", port, properties, SCRAM, QUICK_JAVA),
        Places.below(home),
    )
    server.prepare()
    process = start(server.program(), places)
    try:
        await kafka.wait_until_ready(server.servers)
        yield Secured(f"{HOST}:{place}", home / "authority.crt")
    finally:
        stop(server.program(), places)
        process.wait()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
async def test_who_has_authority_and_password_is_let_in(secured: Secured, mechanism: str) -> None:
    prefix = f"{mechanism.lower()}."
    settings = secured.settings(kafka_sasl_mechanism=mechanism, topic_prefix=prefix)
    assert await brokers_alive(settings) == 1
    assert await create_topics(settings, [topics.CARTAS]) == [
        f"{prefix}{topics.CARTAS.name}",
        f"{prefix}{topics.CARTAS.dead_letters}",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"kafka_password": "another"},
        {"kafka_username": "nobody"},
        {"kafka_ca_file": None},
        {"kafka_security_protocol": "SASL_PLAINTEXT"},
        {"kafka_security_protocol": "SSL"},
    ],
    ids=lambda changed: "-".join(changed),
)
async def test_nobody_else_is(secured: Secured, changed: dict[str, Any]) -> None:
    with pytest.raises(KafkaError):
        await create_topics(secured.settings(**changed), [topics.CARTAS])


async def test_a_server_that_is_called_otherwise_is_not_spoken_to(secured: Secured) -> None:
    """The certificate is for the address 127.0.0.1 and the name `broker`."""
    servers = secured.servers.replace(HOST, "localhost")
    assert await brokers_alive(secured.settings(kafka_servers=servers)) == 0
