from __future__ import annotations

from concurrent.futures import Future

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from ottla_scenarios.checks import eventually
from ottla_scenarios.model import (
    BEGINNING, COMMITTED, CREATE_TIME, END, LOG_APPEND_TIME, TP, Commit, ConsumerOptions, Record, Unsupported,
)

from . import loop

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}
TIMESTAMP_TYPES = {0: CREATE_TIME, 1: LOG_APPEND_TIME}


class Consumer:
    def __init__(self, bootstrap: str, options: ConsumerOptions):
        if options.reset.startswith("by_duration"):
            raise Unsupported("aiokafka's auto_offset_reset takes no duration")
        if options.assignor not in ASSIGNORS:
            raise Unsupported(f"aiokafka has no {options.assignor} assignor")
        if options.protocol != "classic":
            raise Unsupported("aiokafka knows only the classic group protocol")
        self.revocations: list[set[TP]] = []
        self._bootstrap = bootstrap
        self._group = options.group
        self._consumer = loop.run(_start(bootstrap, options))

    def subscribe(self, topics: list[str]) -> None:
        loop.run(self._subscribe(topics))

    async def _subscribe(self, topics: list[str]) -> None:
        self._consumer.subscribe(topics, listener=Revocations(self.revocations))

    def assign(self, positions) -> None:
        loop.run(self._assign(positions))

    async def _assign(self, positions) -> None:
        self._consumer.assign([TopicPartition(*tp) for tp in positions])
        for tp, position in positions.items():
            await self._seek(tp, position)

    def poll(self, seconds: float) -> list[Record]:
        fetched = loop.run(self._consumer.getmany(timeout_ms=int(seconds * 1000)))
        return [_record(message) for messages in fetched.values() for message in messages]

    def assignment(self) -> set[TP]:
        return {TP(*tp) for tp in self._consumer.assignment()}

    def seek(self, tp: TP, position) -> None:
        loop.run(self._seek(tp, position))

    async def _seek(self, tp: TP, position) -> None:
        partition = TopicPartition(*tp)
        if position == BEGINNING:
            await self._consumer.seek_to_beginning(partition)
        elif position == END:
            await self._consumer.seek_to_end(partition)
        elif position != COMMITTED:
            self._consumer.seek(partition, position)

    def wait_at_end(self, tp: TP) -> None:
        _, end = self.offsets(tp)
        eventually(f"{tp} is at its end", lambda: self.poll(0.1) == [] and self._position(tp) == end)

    def _position(self, tp: TP) -> int | None:
        if tp not in self.assignment():
            return None
        return loop.run(self._consumer.position(TopicPartition(*tp)))

    def offsets(self, tp: TP) -> tuple[int, int]:
        partition = TopicPartition(*tp)
        beginnings = loop.run(self._consumer.beginning_offsets([partition]))
        ends = loop.run(self._consumer.end_offsets([partition]))
        return beginnings[partition], ends[partition]

    def offset_for_time(self, tp: TP, timestamp: int) -> int | None:
        partition = TopicPartition(*tp)
        found = loop.run(self._consumer.offsets_for_times({partition: timestamp}))[partition]
        return None if found is None else found.offset

    def commit(self, commits: dict[TP, Commit]) -> None:
        loop.run(self._consumer.commit(_offsets(commits)))

    def commit_async(self, commits: dict[TP, Commit]) -> Future[None]:
        # The library's own way is a task; its end is what other libraries call the callback.
        return loop.start(self._consumer.commit(_offsets(commits)))

    def committed(self, tp: TP) -> Commit | None:
        partition = TopicPartition(*tp)
        offset = loop.run(self._consumer.committed(partition))
        if offset is None:
            return None
        # The consumer does not tell the metadata; the admin client does.
        return Commit(offset, loop.run(self._commits_of_group([partition]))[partition].metadata)

    async def _commits_of_group(self, partitions):
        admin = await loop.started(AIOKafkaAdminClient(bootstrap_servers=self._bootstrap))
        try:
            return await admin.list_consumer_group_offsets(self._group, partitions=partitions)
        finally:
            await admin.close()

    def group_metadata(self) -> object:
        return self._group

    def close(self) -> None:
        loop.run(self._consumer.stop())


async def _start(bootstrap: str, options: ConsumerOptions) -> AIOKafkaConsumer:
    automatic = {}
    if options.auto_commit_ms is not None:
        automatic["auto_commit_interval_ms"] = options.auto_commit_ms
    # Within a coroutine, as the library asks for the running loop.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
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
    return await loop.started(consumer)


class Revocations(ConsumerRebalanceListener):
    def __init__(self, revocations: list[set[TP]]):
        self._revocations = revocations

    def on_partitions_revoked(self, revoked):
        if revoked:
            self._revocations.append({TP(*tp) for tp in revoked})

    def on_partitions_assigned(self, assigned):
        pass


def _offsets(commits: dict[TP, Commit]) -> dict[TopicPartition, tuple[int, str]]:
    return {TopicPartition(*tp): (commit.offset, commit.metadata) for tp, commit in commits.items()}


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
