"""How full Kafka's disks are, as the brokers tell (KIP-827).

The client library stops at version 1 of the DescribeLogDirs API; sizes of disks come with version
4, so this module speaks that one version (Kafka protocol guide, DescribeLogDirs API).
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from shared.messaging.topics import admin_client
from shared.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Disk:
    """A broker's disk with the least room left of those it keeps its log on."""

    broker: int
    total_bytes: int
    free_bytes: int


class _LogDirsResponse(Response):  # type: ignore[misc]  # the client is untyped
    API_KEY = 35
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "results",
            CompactArray(
                ("error_code", Int16),
                ("log_dir", CompactString("utf-8")),
                (
                    "topics",
                    CompactArray(
                        ("name", CompactString("utf-8")),
                        (
                            "partitions",
                            CompactArray(
                                ("partition", Int32),
                                ("size", Int64),
                                ("offset_lag", Int64),
                                ("is_future", Boolean),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("tags", TaggedFields),
                    ),
                ),
                ("total_bytes", Int64),
                ("usable_bytes", Int64),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _LogDirsRequestStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 35
    API_VERSION = 4
    RESPONSE_TYPE = _LogDirsResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                ("partitions", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _LogDirsRequest(Request[_LogDirsRequestStruct]):  # type: ignore[misc]
    """About no topic: only the disks are asked for."""

    API_KEY = 35

    def build(self, request_struct_class: type[_LogDirsRequestStruct]) -> _LogDirsRequestStruct:
        no_topics: list[tuple[str, list[int]]] = []
        return request_struct_class(no_topics, {})


async def fullest_disks(settings: ServiceSettings) -> list[Disk]:
    """Return the fullest disk of each broker that tells. Raises KafkaError."""
    async with admin_client(settings) as admin:
        return [disk async for disk in _disks(admin)]


async def _disks(admin: AIOKafkaAdminClient) -> AsyncIterator[Disk]:
    cluster = await admin.describe_cluster()
    for broker in sorted(each["node_id"] for each in cluster["brokers"]):
        response: Any = await admin._send_request(_LogDirsRequest(), broker)
        told = list(_told(broker, response.results))
        if told:
            yield min(told, key=lambda disk: disk.free_bytes)


def _told(broker: int, results: Sequence[tuple[Any, ...]]) -> Iterator[Disk]:
    for error_code, _, _, total_bytes, usable_bytes, *_ in results:
        if not error_code and total_bytes > 0:
            yield Disk(broker, total_bytes, usable_bytes)
