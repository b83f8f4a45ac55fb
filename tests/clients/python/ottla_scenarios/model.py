"""The values that scenarios and client libraries exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

# Start positions for `assign` and `seek`, beside plain offsets.
BEGINNING = "beginning"
END = "end"
COMMITTED = "committed"

CREATE_TIME = "CreateTime"
LOG_APPEND_TIME = "LogAppendTime"

# The protocol's names of the error codes that scenarios expect; each library spells them in its own way.
ERROR_NAMES = {
    1: "OFFSET_OUT_OF_RANGE",
    3: "UNKNOWN_TOPIC_OR_PARTITION",
    17: "INVALID_TOPIC_EXCEPTION",
    22: "ILLEGAL_GENERATION",
    25: "UNKNOWN_MEMBER_ID",
    27: "REBALANCE_IN_PROGRESS",
    36: "TOPIC_ALREADY_EXISTS",
    37: "INVALID_PARTITIONS",
    47: "INVALID_PRODUCER_EPOCH",
    48: "INVALID_TXN_STATE",
    82: "FENCED_INSTANCE_ID",
    90: "PRODUCER_FENCED",
    105: "TRANSACTIONAL_ID_NOT_FOUND",
    111: "UNRELEASED_INSTANCE_ID",
}


class KafkaFailure(Exception):
    """An error that a client library reported: `name` is the protocol's name or else the library's own."""

    def __init__(self, name: str, detail: object = ""):
        super().__init__(f"{name} {detail}".strip())
        self.name = name


class Unsupported(Exception):
    """The client library has no way to do what the scenario asks for."""


class TP(NamedTuple):
    topic: str
    partition: int


class Commit(NamedTuple):
    offset: int
    metadata: str = ""


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int
    timestamp_type: str

    @property
    def tp(self) -> TP:
        return TP(self.topic, self.partition)


class Sent(NamedTuple):
    """Where the broker says it put a record."""

    partition: int
    offset: int


@dataclass(frozen=True)
class ProducerOptions:
    codec: str = "none"
    linger_ms: int = 5
    batch_bytes: int = 16_384
    idempotent: bool = False
    # One request in flight, so that a retry keeps the order without idempotence too.
    one_in_flight: bool = False
    # A producer with an id is idempotent, and made ready for its first transaction when it is made.
    transactional_id: str | None = None
    transaction_timeout_ms: int = 60_000


@dataclass(frozen=True)
class ConsumerOptions:
    group: str | None = None
    reset: str = "earliest"
    auto_commit_ms: int | None = None
    assignor: str = "range"
    session_timeout_ms: int = 30_000
    instance_id: str | None = None
    client_id: str = "ottla-scenarios"
    # Or "consumer", where the assignor is the broker's and the session timeout too.
    protocol: str = "classic"
    isolation: str = "read_uncommitted"
    fetch_wait_ms: int = 500
    fetch_min_bytes: int = 1


@dataclass(frozen=True)
class TopicInfo:
    leaders: dict[int, int]
    topic_id: str | None = None


@dataclass(frozen=True)
class MemberInfo:
    client_id: str
    assignment: frozenset[TP]


@dataclass(frozen=True)
class GroupInfo:
    state: str
    assignor: str
    members: list[MemberInfo] = field(default_factory=list)


@dataclass(frozen=True)
class ClusterInfo:
    cluster_id: str
    nodes: list[tuple[str, int]]


class TransactionInfo(NamedTuple):
    state: str
    timeout_ms: int
    partitions: frozenset[TP]
    producer_id: int
    epoch: int


class ProducerInfo(NamedTuple):
    """A producer as the leader of a partition knows it; without an open transaction its start is None or -1."""

    producer_id: int
    epoch: int
    last_sequence: int
    transaction_start: int | None
