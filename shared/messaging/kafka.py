"""How our clients speak to Kafka: addresses, security, the options whose defaults lose data."""

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from shared.errors import ConfigurationError
from shared.settings import ServiceSettings

MAX_MESSAGE_BYTES = 1_048_576
REQUEST_TIMEOUT_MS = 20_000
# The client retries a commit, a start and a farewell without end and without a word.
CLIENT_ANSWERS_WITHIN_SECONDS = 60.0
# Time for three addresses of which two swallow what is sent to them.
BROKER_ANSWERS_WITHIN_MS = 4_000
BROKERS_ANSWER_WITHIN_SECONDS = 12.0


def client_options(settings: ServiceSettings) -> dict[str, Any]:
    """Return the connection options that consumers, producers and admin clients share.

    Raises ConfigurationError where the authority's file cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_servers.split(","),
        "client_id": settings.service,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": _tls(settings),
    }
    if settings.kafka_username is not None and settings.kafka_password is not None:
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_username
        options["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return options


def _tls(settings: ServiceSettings) -> ssl.SSLContext | None:
    if "SSL" not in settings.kafka_security_protocol.replace("SASL_", ""):
        return None
    cafile = str(settings.kafka_ca_file) if settings.kafka_ca_file else None
    try:
        context: ssl.SSLContext = create_ssl_context(cafile=cafile)
    except OSError as error:
        variable = settings.variable("kafka_ca_file")
        raise ConfigurationError(f"{variable}: {cafile} holds no authority: {error}") from error
    return context


def group_id(settings: ServiceSettings, *, group: str, topic: str) -> str:
    """Return the name that Kafka has for those who read a topic together."""
    return f"{settings.topic_prefix}{group}.{topic}"


def consumer_options(settings: ServiceSettings, *, group: str, topic: str) -> dict[str, Any]:
    """Return the options of a consumer whose offsets live in PostgreSQL.

    `auto_offset_reset="none"`: an offset that Kafka no longer holds halts the partition; it
    never jumps. The session bounds how long a killed process keeps its partitions; the others hear
    of what changed with their next heartbeat (docs/decisions/0043). One goes on while a handler
    works, so only a frozen process is put out. The group waits up to 60 s for a batch in flight
    when partitions move. The broker answers a fetch with the first byte that comes, and makes an
    idle consumer ask no more than twice a second. Each topic has a Kafka group of its own: every
    assignment stops the whole group, and one topic's members are no business of another's.
    """
    return client_options(settings) | {
        "group_id": group_id(settings, group=group, topic=topic),
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "session_timeout_ms": 6_000,
        "heartbeat_interval_ms": 1_000,
        "rebalance_timeout_ms": 60_000,
        "max_poll_interval_ms": 900_000,
        "fetch_max_wait_ms": 500,
        "max_partition_fetch_bytes": 2 * MAX_MESSAGE_BYTES,
    }


def producer_options(settings: ServiceSettings) -> dict[str, Any]:
    """Return the options of a producer that Kafka acknowledges from all in-sync replicas."""
    return client_options(settings) | {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": "lz4",
        "max_request_size": MAX_MESSAGE_BYTES,
        "max_batch_size": MAX_MESSAGE_BYTES - 1024,
    }


async def close(consumer: AIOKafkaConsumer) -> None:
    """Close a consumer's client, however that ends; waits CLIENT_ANSWERS_WITHIN_SECONDS at most.

    A fetch that failed and pauses is cancelled by the client and comes back to it as a
    cancellation. Taken for one of ours it would end the loop that closes, without a word, and
    leave the client's connections looking for Kafka for ever.
    """
    if not await _ends_well(consumer.stop()):
        await _ends_well(consumer._client.close())


async def _ends_well(step: Coroutine[Any, Any, None]) -> bool:
    task = asyncio.create_task(step)
    await asyncio.wait({task}, timeout=CLIENT_ANSWERS_WITHIN_SECONDS)
    is_late = task.cancel()
    return not is_late and not task.cancelled() and task.exception() is None


async def brokers_alive(settings: ServiceSettings) -> int:
    """Return how many brokers Kafka names as alive; 0 where none answers in time."""
    options = client_options(settings) | {"request_timeout_ms": BROKER_ANSWERS_WITHIN_MS}
    client = AIOKafkaClient(**options)
    try:
        async with asyncio.timeout(BROKERS_ANSWER_WITHIN_SECONDS):
            await client.bootstrap()
        return len(client.cluster.brokers())
    except (TimeoutError, KafkaError, OSError):
        return 0
    finally:
        await client.close()
