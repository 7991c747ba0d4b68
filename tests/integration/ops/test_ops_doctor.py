"""`ops doctor`: each fault provoked on real servers, named, and gone once it is mended."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from deploy.local.kafka import KafkaServer
from deploy.local.processes import Places, start, stop
from ops.doctor import addresses, kafka, machine, mail, postgres
from ops.doctor.findings import Finding, Outcome
from ops.doctor.settings import CLASSES, MailSettings
from shared.clock import utc_now
from shared.messaging.topic_ids import Operation
from shared.messaging.topics import admin_client, create_topics
from shared.settings import ServiceSettings
from tests.integration.notifier.support import mail_server
from tests.support.databases import FreshDatabase
from tests.support.processes import SERVICE_SECRET
from tests.support.servers import QUICK_JAVA, Servers, free_port, free_port_pair
from tests.support.waiting import eventually

ROLE = "doctor_patient"
PASSWORD = "a-password-of-the-patient"


def settings_for(service: str, **told: Any) -> ServiceSettings:
    given: dict[str, Any] = {
        "kafka_servers": "127.0.0.1:1",
        "service_secret": SecretStr(SERVICE_SECRET),
        "public_url": "https://cartas.municipio.example",
        "database_url": SecretStr("postgresql://nobody@127.0.0.1:1/nothing"),
    }
    return CLASSES[service](**(given | told))


async def found(service: str, settings: ServiceSettings) -> dict[str, Finding]:
    return {each.what: each async for each in postgres.look(service, settings)}


@pytest_asyncio.fixture
async def patient(database: FreshDatabase) -> AsyncIterator[tuple[ServiceSettings, str]]:
    """Settings of a buzon whose role owns its database, and the superuser's address of it."""
    url = await database("buzon")
    name = url.rpartition("/")[2]
    place = url.rpartition("@")[2].partition("/")[0]
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        await owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
        own = SecretStr(f"postgresql://{ROLE}:{PASSWORD}@{place}/{name}")
        yield settings_for("buzon", database_url=own), url
    finally:
        await owner.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
        await owner.close()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_database_as_it_should_be_is_well(patient: tuple[ServiceSettings, str]) -> None:
    told = await found("buzon", patient[0])
    assert {each.outcome for each in told.values()} == {Outcome.WELL}
    assert told.keys() == {
        "schema of buzon",
        "role of buzon",
        "server of buzon",
        "clock of this machine",
    }


@pytest.mark.parametrize(
    ("what", "statement", "said"),
    [
        ("schema", "DELETE FROM schema_migration WHERE name LIKE 'buzon/%'", "migrate"),
        ("role", f"ALTER ROLE {ROLE} CREATEDB REPLICATION", "createdb, replication"),
        ("role", f"REVOKE ALL ON folio FROM {ROLE}", "folio"),
    ],
)
async def test_a_fault_of_the_database_is_named(
    patient: tuple[ServiceSettings, str], what: str, statement: str, said: str
) -> None:
    settings, url = patient
    await execute(url, statement)
    finding = (await found("buzon", settings))[f"{what} of buzon"]
    assert finding.outcome is Outcome.MEND
    assert said in finding.told
    assert finding.do


async def test_a_role_that_enters_another_database_is_named(
    patient: tuple[ServiceSettings, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "SERVICES", ("postgres", "buzon"))
    finding = (await found("buzon", patient[0]))["role of buzon"]
    assert finding.outcome is Outcome.MEND
    assert "postgres" in finding.told


async def test_a_server_that_is_away_or_refuses_is_told_apart(
    patient: tuple[ServiceSettings, str],
) -> None:
    away = await found("buzon", settings_for("buzon"))
    assert away["database of buzon"].outcome is Outcome.UNKNOWN
    url = patient[0].database_url.get_secret_value().replace(PASSWORD, "another")
    refused = await found("buzon", settings_for("buzon", database_url=SecretStr(url)))
    assert refused["database of buzon"].outcome is Outcome.MEND
    assert "another" not in refused["database of buzon"].told


async def test_topics_are_compared_with_the_contract(servers: Servers, topic_prefix: str) -> None:
    settings = settings_for("buzon", kafka_servers=servers.kafka, topic_prefix=topic_prefix)
    assert {each.outcome async for each in kafka.look(settings)} == {Outcome.WELL}
    async with admin_client(settings) as admin:
        await alter(admin, f"{topic_prefix}complaints.v1", {"retention.ms": "86400000"})
        await alter(admin, f"{topic_prefix}cartas.v1", {"cleanup.policy": "delete"})
        small = {"cleanup.policy": "compact", "max.message.bytes": "1000"}
        await alter(admin, f"{topic_prefix}results.v1", small)
        await admin.delete_topics([f"{topic_prefix}breaches.v1"])
    expected = {
        "complaints.v1": "kept 1 days instead of 400",
        "cartas.v1": "cleanup.policy is delete",
        "results.v1": "max.message.bytes is too small",
        "breaches.v1": "is not there, or not shown to us",
    }

    async def named() -> bool:
        return await faults_of(settings) == expected

    await eventually(named, 30, what="the faults, once the broker knows of them")
    copies = settings_for(
        "buzon", kafka_servers=servers.kafka, topic_prefix=topic_prefix, kafka_replication=3
    )
    told = {each.what: each async for each in kafka.look(copies)}
    assert "fewer than 3 copies" in told[f"topic {topic_prefix}complaints.v1"].told


async def faults_of(settings: ServiceSettings) -> dict[str, str]:
    prefix = f"topic {settings.topic_prefix}"
    return {
        each.what.removeprefix(prefix): each.told
        async for each in kafka.look(settings)
        if each.outcome is Outcome.MEND
    }


async def alter(admin: AIOKafkaAdminClient, topic: str, configs: dict[str, str]) -> None:
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])


async def test_a_kafka_that_is_away_is_not_called_faulty() -> None:
    (finding,) = [each async for each in kafka.look(settings_for("buzon"))]
    assert finding.outcome is Outcome.UNKNOWN
    assert (await kafka.look_at_rights("buzon", settings_for("buzon"))).outcome is Outcome.UNKNOWN


TOPIC_RESOURCE, GROUP_RESOURCE, LITERAL, ALLOW = 2, 3, 3, 3
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SASL = """\
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},CLIENT://127.0.0.1:{client}
advertised.listeners=BROKER://127.0.0.1:{port},CLIENT://127.0.0.1:{client}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.client.plain.sasl.jaas.config={login} required user_buzon="the-password-of-buzon";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


@pytest_asyncio.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[tuple[KafkaServer, int]]:
    """A broker with ACLs and the port on which it asks for a password."""
    port, client = free_port_pair(), free_port()
    properties = SASL.format(login=LOGIN, port=port, controller=port + 1, client=client)
    server = KafkaServer(tmp_path / "kafka", port, properties, java_options=QUICK_JAVA)
    server.prepare()
    places = Places.below(tmp_path)
    process = start(server.program(), places)
    try:
        yield server, client
    finally:
        stop(server.program(), places)
        process.wait()


async def allow(
    operator: ServiceSettings, operation: Operation, name: str, kind: int = TOPIC_RESOURCE
) -> None:
    """Let `buzon` do it with the topic, or as the group, from anywhere."""
    request = CreateAclsRequest(kind, name, LITERAL, "User:buzon", "*", operation, ALLOW)
    async with admin_client(operator) as admin:
        response: Any = await admin._send_request(request)
        assert [code for code, _ in response.creation_responses] == [0]


async def test_what_acls_lack_or_give_too_much_is_named(
    guarded: tuple[KafkaServer, int],
) -> None:
    server, client = guarded
    operator = settings_for("buzon", kafka_servers=server.servers)

    async def made() -> bool:
        try:
            return bool(await create_topics(operator))
        except Exception:  # noqa: BLE001 - whatever it is, it is not up yet
            return False

    await eventually(made, 60, what="topics")
    buzon = settings_for(
        "buzon",
        kafka_servers=f"127.0.0.1:{client}",
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="PLAIN",
        kafka_username="buzon",
        kafka_password=SecretStr("the-password-of-buzon"),
    )

    async def told(outcome: Outcome, words: str) -> None:
        async def is_told() -> bool:
            finding = await kafka.look_at_rights("buzon", buzon)
            assert (finding.outcome, finding.told) == (outcome, words)
            return True

        await eventually(is_told, 30, what=words)

    await allow(operator, Operation.READ, "cartas.v1")
    await allow(operator, Operation.WRITE, "cartas.v1.dlt")
    await told(Outcome.MEND, "it may not write complaints.v1; read as group buzon.cartas.v1")
    await allow(operator, Operation.WRITE, "complaints.v1")
    await told(Outcome.MEND, "it may not read as group buzon.cartas.v1")
    await allow(operator, Operation.READ, "buzon.cartas.v1", GROUP_RESOURCE)
    await told(Outcome.WELL, "may what it must, and no more")
    await allow(operator, Operation.READ, "breaches.v1")
    await told(Outcome.MEND, "it may more than it must: read breaches.v1")
    none = await kafka.look_at_rights("buzon", operator)
    assert none.outcome is Outcome.WELL
    assert none.told.startswith("none: ")


def mail_settings(port: int, **told: Any) -> MailSettings:
    made = settings_for("notifier", smtp_host="127.0.0.1", smtp_port=port, **told)
    assert isinstance(made, MailSettings)
    return made


async def test_the_mail_server_is_asked_how_it_would_take_mail() -> None:
    assert (await mail.look(mail_settings(1))).outcome is Outcome.MEND
    async with mail_server() as server:
        plain = await mail.look(mail_settings(server.port))
        assert plain.outcome is Outcome.UNKNOWN
        assert "trying out" in plain.told
        needs = await mail.look(mail_settings(server.port, smtp_security="starttls"))
        assert needs.outcome is Outcome.MEND
        assert "no STARTTLS" in needs.told


def certified(folder: Path, days: int) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself and holds so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / f"{days}.crt", folder / f"{days}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


@pytest.mark.parametrize(
    ("days", "trusted", "outcome", "said"),
    [
        (90, True, Outcome.WELL, "until"),
        (10, True, Outcome.MEND, "in 9 days"),
        (90, False, Outcome.MEND, "self-signed"),
    ],
)
async def test_a_certificate_is_looked_at_as_a_client_would(
    tmp_path: Path, days: int, trusted: bool, outcome: Outcome, said: str
) -> None:
    pem, secret = certified(tmp_path, days)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        endpoint = addresses.Endpoint("x", "localhost", port, pem if trusted else None)
        told = await asyncio.to_thread(addresses.certificate, endpoint)
    assert told.outcome is outcome, told
    assert said in told.told.replace("self signed", "self-signed")


async def test_where_tls_is_looked_for_follows_from_the_settings() -> None:
    settings = settings_for(
        "buzon",
        kafka_servers="a:9093,b:9093",
        kafka_security_protocol="SSL",
        database_url=SecretStr("postgresql://x@db/x?sslmode=verify-full&sslrootcert=/ca.crt"),
    )
    places = [(each.host, each.port, each.authority) for each in addresses.endpoints(settings)]
    assert places == [
        ("cartas.municipio.example", 443, None),
        ("a", 9093, None),
        ("b", 9093, None),
        ("db", 5432, Path("/ca.crt")),
    ]
    plain = settings.model_copy(update={"public_url": "http://cartas.municipio.example"})
    (first,) = [each async for each in addresses.look(replace_servers(plain))]
    assert first.outcome is Outcome.MEND


def replace_servers(settings: ServiceSettings) -> ServiceSettings:
    """The same without anything to connect to."""
    return settings.model_copy(
        update={
            "kafka_security_protocol": "PLAINTEXT",
            "database_url": SecretStr("postgresql://x@db/x"),
        }
    )


async def test_the_age_of_the_newest_copy_is_told(tmp_path: Path) -> None:
    assert (await machine.backup(None, None)).outcome is Outcome.UNKNOWN
    assert (await machine.backup(tmp_path, None)).outcome is Outcome.MEND
    assert (await machine.backup(None, "http://127.0.0.1:1")).outcome is Outcome.UNKNOWN
    old = utc_now() - timedelta(hours=30)
    (tmp_path / f"{old:%Y%m%dT%H%M%SZ}").mkdir()
    assert (await machine.backup(tmp_path, None)).outcome is Outcome.MEND
    (tmp_path / f"{utc_now():%Y%m%dT%H%M%SZ}").mkdir()
    assert (await machine.backup(tmp_path, None)).outcome is Outcome.WELL
