"""What a client program must supply for the scenarios to drive its library.

Every call is synchronous and bounded in time. An error that the library reports becomes a `KafkaFailure`; what
the library cannot do at all becomes `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from .model import (
    TP, ClusterInfo, Commit, ConsumerOptions, GroupInfo, ProducerInfo, ProducerOptions, Record, Sent, TopicInfo,
    TransactionInfo,
)

Position = int | str  # an offset, or BEGINNING, END, COMMITTED of the model


class Producer(Protocol):
    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        timestamp: int | None = None,
    ) -> Future[Sent]:
        """Hands a record to the library; the future ends with the broker's answer, without further calls."""

    def flush(self) -> None: ...

    def begin_transaction(self) -> None: ...

    def commit_transaction(self) -> None: ...

    def abort_transaction(self) -> None: ...

    def send_offsets(self, commits: dict[TP, Commit], group_metadata: object) -> None:
        """Makes commits part of the transaction, on behalf of the member whose `group_metadata` this is."""

    def close(self) -> None: ...


class Consumer(Protocol):
    #: Every set of partitions that the library told its rebalance callback it had to give up.
    revocations: list[set[TP]]

    def subscribe(self, topics: list[str]) -> None: ...

    def assign(self, positions: dict[TP, Position]) -> None: ...

    def poll(self, seconds: float) -> list[Record]:
        """Returns as soon as there are records, or none after `seconds`; serves rebalances meanwhile."""

    def assignment(self) -> set[TP]: ...

    def seek(self, tp: TP, position: Position) -> None: ...

    def wait_at_end(self, tp: TP) -> None:
        """Returns when the library has found its position and that is the end of the partition."""

    def offsets(self, tp: TP) -> tuple[int, int]:
        """The first offset and the end offset."""

    def offset_for_time(self, tp: TP, timestamp: int) -> int | None: ...

    def commit(self, commits: dict[TP, Commit]) -> None: ...

    def commit_async(self, commits: dict[TP, Commit]) -> Future[None]:
        """The future is ended by the library's own callback, while the consumer is being polled."""

    def committed(self, tp: TP) -> Commit | None: ...

    def group_metadata(self) -> object:
        """What the library's producer wants to know of a member whose offsets a transaction commits."""

    def close(self) -> None: ...


class Admin(Protocol):
    def create_topic(self, name: str, partitions: int, configs: dict[str, str]) -> None: ...

    def delete_topic(self, name: str) -> None: ...

    def add_partitions(self, name: str, total: int) -> None: ...

    def describe_topic(self, name: str) -> TopicInfo: ...

    def topic_configs(self, name: str) -> dict[str, str]: ...

    def list_groups(self) -> dict[str, str | None]:
        """The states by group; None where the library's list does not tell the state."""

    def describe_group(self, group: str) -> GroupInfo: ...

    def group_offsets(self, group: str) -> dict[TP, int]: ...

    def describe_cluster(self) -> ClusterInfo: ...

    def describe_transaction(self, transactional_id: str) -> TransactionInfo: ...

    def list_transactions(self) -> dict[str, str]:
        """The states by transactional id."""

    def describe_producers(self, tp: TP) -> list[ProducerInfo]: ...

    def abort_transaction(self, tp: TP, producer: ProducerInfo) -> None: ...

    def close(self) -> None: ...


class Client(Protocol):
    """A library bound to one broker."""

    #: The library's error for a group without commits and the reset policy none.
    no_offset_error: str
    #: Its error for a position outside the log and the reset policy none.
    out_of_range_error: str
    #: Its errors for a commit that the group coordinator refused.
    refused_commit_errors: set[str]
    #: Its error for a member whose instance id another one took; None when it shows none.
    fenced_error: str | None
    #: Its errors for what a producer does after another one took its transactional id.
    fenced_producer_errors: set[str]
    #: Its errors for the commit of a transaction that the broker aborted because of its timeout.
    late_producer_errors: set[str]
    #: Its errors for offsets in a transaction on behalf of a member that the group does not have; None when its
    #: producer names only the group.
    refused_offsets_errors: set[str] | None
    #: What the library adds on the wire to the metadata of a commit.
    metadata_suffix: str
    #: Whether the library can send a header without a value.
    sends_null_headers: bool

    def __init__(self, bootstrap: str): ...

    def codecs(self) -> list[str]:
        """The codecs besides none that the library can use here."""

    def producer(self, options: ProducerOptions) -> Producer: ...

    def consumer(self, options: ConsumerOptions) -> Consumer: ...

    def admin(self) -> Admin: ...
