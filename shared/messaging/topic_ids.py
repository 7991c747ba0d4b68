"""The identity of a topic in its cluster, and what one may do there: what the client cannot ask.

A topic made anew under its name has another id. The client library stops at version 5 of the
Metadata API; topic ids (KIP-516) come with version 10, so this module speaks that one version
(Kafka protocol guide, Metadata API).
"""

from enum import IntEnum
from io import BytesIO
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    NodeNotReadyError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_UUID_BYTES = 16


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(_UUID_BYTES)


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequestStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestStruct]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topic: str, *, with_operations: bool = False) -> None:
        self._topic = topic
        self._with_operations = with_operations

    def build(self, request_struct_class: type[_MetadataRequestStruct]) -> _MetadataRequestStruct:
        wanted: list[tuple[bytes, str, dict[int, bytes]]] = [(bytes(_UUID_BYTES), self._topic, {})]
        return request_struct_class(wanted, False, False, self._with_operations, {})


class _GroupRequestStruct(RequestStruct):  # type: ignore[misc]
    """The client reads its own request of this version by the schema of the one before."""

    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = DescribeGroupsRequest_v3.SCHEMA


class _GroupRequest(Request[_GroupRequestStruct]):  # type: ignore[misc]
    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[_GroupRequestStruct]) -> _GroupRequestStruct:
        return request_struct_class([self._group], True)


async def read_topic_id(client: AIOKafkaClient, topic: str) -> str:
    """Return cluster id and topic id as one string. Raises UnknownTopicOrPartitionError.

    `client` is what consumers, producers and administration clients speak through.
    """
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    response: Any = await client.send(node, _MetadataRequest(topic))
    error_code, name, topic_id, *_ = response.topics[0]
    if error_code:
        raise for_code(error_code)(topic)
    if name != topic:
        raise UnknownTopicOrPartitionError(topic)
    return f"{response.cluster_id}:{topic_id.hex()}"


class Operation(IntEnum):
    """What the broker may allow on a topic or a group (Kafka protocol, AclOperation)."""

    READ = 3
    WRITE = 4


async def authorized_operations(client: AIOKafkaClient, topic: str) -> frozenset[Operation]:
    """Return what `client` may do with a topic; nothing where it may not even see it (KIP-430)."""
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    response: Any = await client.send(node, _MetadataRequest(topic, with_operations=True))
    error_code, *_, operations, _ = response.topics[0]
    return frozenset() if error_code else _named(operations)


async def authorized_operations_on_group(
    admin: AIOKafkaAdminClient, group: str
) -> frozenset[Operation]:
    """Return what `admin` may do with a consumer group, there or not yet; nothing if unseen."""
    try:
        coordinator = await admin.find_coordinator(group)
    except GroupAuthorizationFailedError:
        return frozenset()
    response: Any = await admin._send_request(_GroupRequest(group), coordinator)
    error_code, *_, operations = response.groups[0]
    return frozenset() if error_code else _named(operations)


def _named(operations: int) -> frozenset[Operation]:
    """Return what the bits of an answer say."""
    return frozenset(each for each in Operation if operations >> each & 1)


async def topic_id_of(consumer: AIOKafkaConsumer, topic: str) -> str:
    """Return it as a consumer's own connection tells. Raises KafkaError."""
    return await read_topic_id(consumer._client, topic)
