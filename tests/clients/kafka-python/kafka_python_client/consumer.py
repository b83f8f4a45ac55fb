from __future__ import annotations

from concurrent.futures import Future

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from ottla_scenarios.checks import eventually
from ottla_scenarios.model import (
    BEGINNING, COMMITTED, CREATE_TIME, END, LOG_APPEND_TIME, TP, Commit, ConsumerOptions, Record, Unsupported,
)

from .common import CALL_MS, failure, failures, settings

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}
TIMESTAMP_TYPES = {0: CREATE_TIME, 1: LOG_APPEND_TIME}


class Consumer:
    def __init__(self, bootstrap: str, options: ConsumerOptions):
        if options.reset.startswith("by_duration"):
            raise Unsupported("kafka-python's auto_offset_reset takes no duration")
        if options.protocol != "classic":
            raise Unsupported("kafka-python knows only the classic group protocol")
        self.revocations: list[set[TP]] = []
        automatic = {}
        if options.auto_commit_ms is not None:
            automatic["auto_commit_interval_ms"] = options.auto_commit_ms
        with failures():
            self._consumer = KafkaConsumer(
                **settings(bootstrap),
                **automatic,
                group_id=options.group,
                group_instance_id=options.instance_id,
                client_id=options.client_id,
                auto_offset_reset=options.reset,
                enable_auto_commit=options.auto_commit_ms is not None,
                partition_assignment_strategy=[ASSIGNORS[options.assignor]],
                session_timeout_ms=options.session_timeout_ms,
                heartbeat_interval_ms=300,
                fetch_max_wait_ms=options.fetch_wait_ms,
                isolation_level=options.isolation,
                fetch_min_bytes=options.fetch_min_bytes,
            )

    def subscribe(self, topics: list[str]) -> None:
        with failures():
            self._consumer.subscribe(topics, listener=Revocations(self.revocations))

    def assign(self, positions) -> None:
        with failures():
            self._consumer.assign([TopicPartition(*tp) for tp in positions])
        for tp, position in positions.items():
            self.seek(tp, position)

    def poll(self, seconds: float) -> list[Record]:
        with failures():
            fetched = self._consumer.poll(timeout_ms=int(seconds * 1000))
        return [_record(message) for messages in fetched.values() for message in messages]

    def assignment(self) -> set[TP]:
        return {TP(*tp) for tp in self._consumer.assignment()}

    def seek(self, tp: TP, position) -> None:
        partition = TopicPartition(*tp)
        with failures():
            if position == BEGINNING:
                self._consumer.seek_to_beginning(partition)
            elif position == END:
                self._consumer.seek_to_end(partition)
            elif position != COMMITTED:
                self._consumer.seek(partition, position)

    def wait_at_end(self, tp: TP) -> None:
        _, end = self.offsets(tp)
        eventually(f"{tp} is at its end", lambda: self.poll(0.1) == [] and self._position(tp) == end)

    def _position(self, tp: TP) -> int | None:
        if tp not in self.assignment():
            return None
        with failures():
            return self._consumer.position(TopicPartition(*tp), timeout_ms=CALL_MS)

    def offsets(self, tp: TP) -> tuple[int, int]:
        partition = TopicPartition(*tp)
        with failures():
            beginnings = self._consumer.beginning_offsets([partition], timeout_ms=CALL_MS)
            ends = self._consumer.end_offsets([partition], timeout_ms=CALL_MS)
        return beginnings[partition], ends[partition]

    def offset_for_time(self, tp: TP, timestamp: int) -> int | None:
        partition = TopicPartition(*tp)
        with failures():
            found = self._consumer.offsets_for_times({partition: timestamp}, timeout_ms=CALL_MS)[partition]
        return None if found is None else found.offset

    def commit(self, commits: dict[TP, Commit]) -> None:
        with failures():
            self._consumer.commit(_offsets(commits), timeout_ms=CALL_MS)

    def commit_async(self, commits: dict[TP, Commit]) -> Future[None]:
        done: Future[None] = Future()

        def committed(_offsets, answer):
            if isinstance(answer, Exception):
                done.set_exception(failure(answer))
            else:
                done.set_result(None)

        with failures():
            self._consumer.commit_async(_offsets(commits), callback=committed)
        return done

    def committed(self, tp: TP) -> Commit | None:
        with failures():
            found = self._consumer.committed(TopicPartition(*tp), metadata=True, timeout_ms=CALL_MS)
        return None if found is None else Commit(found.offset, found.metadata)

    def group_metadata(self) -> object:
        return self._consumer.group_metadata()

    def close(self) -> None:
        self._consumer.close(timeout_ms=CALL_MS)


class Revocations(ConsumerRebalanceListener):
    def __init__(self, revocations: list[set[TP]]):
        self._revocations = revocations

    def on_partitions_revoked(self, revoked):
        if revoked:
            self._revocations.append({TP(*tp) for tp in revoked})

    def on_partitions_assigned(self, assigned):
        pass


def _offsets(commits: dict[TP, Commit]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {TopicPartition(*tp): OffsetAndMetadata(commit.offset, commit.metadata) for tp, commit in commits.items()}


def _record(message) -> Record:
    return Record(
        message.topic,
        message.partition,
        message.offset,
        message.key,
        message.value,
        [*message.headers],
        message.timestamp,
        TIMESTAMP_TYPES[message.timestamp_type],
    )
