from __future__ import annotations

import uuid
from concurrent.futures import Future

import confluent_kafka
from confluent_kafka import (
    OFFSET_BEGINNING, OFFSET_END, OFFSET_INVALID, OFFSET_STORED, TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException,
    TopicPartition,
)

from ottla_scenarios.checks import eventually
from ottla_scenarios.model import (
    BEGINNING, COMMITTED, CREATE_TIME, END, LOG_APPEND_TIME, TP, Commit, ConsumerOptions, Record, Unsupported,
)

from .common import CALL_SECONDS, failure, failures, patiently, settings

POSITIONS = {BEGINNING: OFFSET_BEGINNING, END: OFFSET_END, COMMITTED: OFFSET_STORED}


class Consumer:
    def __init__(self, bootstrap: str, options: ConsumerOptions):
        if options.reset.startswith("by_duration"):
            raise Unsupported("librdkafka's auto.offset.reset knows only earliest, latest and error")
        self.revocations: list[set[TP]] = []
        self._at_end: set[TP] = set()
        self._commits: list[Future[None]] = []
        self._consumer = confluent_kafka.Consumer(settings(bootstrap) | self._settings(options))
        self._closed = False

    def _settings(self, options: ConsumerOptions) -> dict:
        configured = {
            # librdkafka insists on a group, even where none is used.
            "group.id": options.group or f"unused-{uuid.uuid4()}",
            "client.id": options.client_id,
            "auto.offset.reset": "error" if options.reset == "none" else options.reset,
            "enable.auto.commit": options.auto_commit_ms is not None,
            "fetch.wait.max.ms": options.fetch_wait_ms,
            "fetch.min.bytes": options.fetch_min_bytes,
            "isolation.level": options.isolation,
            # The only sign that the position at the end has been found.
            "enable.partition.eof": True,
            "on_commit": self._note_commit,
        }
        if options.protocol == "consumer":
            configured |= {"group.protocol": "consumer", "group.remote.assignor": options.assignor}
        else:
            configured |= {
                "group.protocol": "classic",
                "partition.assignment.strategy": options.assignor,
                "session.timeout.ms": options.session_timeout_ms,
                "heartbeat.interval.ms": 300,
            }
        if options.auto_commit_ms is not None:
            configured["auto.commit.interval.ms"] = options.auto_commit_ms
        if options.instance_id is not None:
            configured["group.instance.id"] = options.instance_id
        return configured

    def subscribe(self, topics: list[str]) -> None:
        def revoked(_consumer, partitions):
            self.revocations.append({TP(lost.topic, lost.partition) for lost in partitions})

        with failures():
            self._consumer.subscribe(topics, on_revoke=revoked, on_lost=revoked)

    def assign(self, positions) -> None:
        with failures():
            self._consumer.assign([_with_offset(tp, position) for tp, position in positions.items()])

    def poll(self, seconds: float) -> list[Record]:
        # `consume` alone would wait for the full number of records or the whole time.
        with failures():
            first = self._consumer.poll(seconds)
            rest = self._consumer.consume(5_000, 0) if first is not None else []
        messages = [first, *rest] if first is not None else []
        return [_record(message) for message in messages if not self._is_end(message)]

    def _is_end(self, message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.code() != KafkaError._PARTITION_EOF:
            raise failure(error)
        self._at_end.add(TP(message.topic(), message.partition()))
        return True

    def assignment(self) -> set[TP]:
        with failures():
            return {TP(tp.topic, tp.partition) for tp in self._consumer.assignment()}

    def seek(self, tp: TP, position) -> None:
        self._at_end.discard(tp)

        def sought() -> bool:
            try:
                self._consumer.seek(_with_offset(tp, position))
                return True
            except KafkaException as exception:
                # Until the assignment has reached librdkafka's own thread.
                if exception.args[0].code() == KafkaError._STATE:
                    return False
                raise failure(exception.args[0]) from exception

        eventually(f"seek {tp} to {position}", sought)

    def wait_at_end(self, tp: TP) -> None:
        eventually(f"{tp} is at its end", lambda: self.poll(0.1) == [] and tp in self._at_end)

    def offsets(self, tp: TP) -> tuple[int, int]:
        partition = TopicPartition(*tp)
        return patiently(lambda: self._consumer.get_watermark_offsets(partition, timeout=CALL_SECONDS, cached=False))

    def offset_for_time(self, tp: TP, timestamp: int) -> int | None:
        with failures():
            (found,) = self._consumer.offsets_for_times([TopicPartition(*tp, timestamp)], timeout=CALL_SECONDS)
        if found.error is not None:
            raise failure(found.error)
        return None if found.offset == OFFSET_END else found.offset

    def commit(self, commits: dict[TP, Commit]) -> None:
        with failures():
            answers = self._consumer.commit(offsets=_commits(commits), asynchronous=False)
        for answer in answers:
            if answer.error is not None:
                raise failure(answer.error)

    def commit_async(self, commits: dict[TP, Commit]) -> Future[None]:
        done: Future[None] = Future()
        self._commits.append(done)
        with failures():
            self._consumer.commit(offsets=_commits(commits), asynchronous=True)
        return done

    def _note_commit(self, error, partitions) -> None:
        """Called by polls for every commit, of which only the asynchronous ones are waited for."""
        if not self._commits:
            return
        done = self._commits.pop(0)
        problems = [problem for problem in (error, *(tp.error for tp in partitions)) if problem is not None]
        if problems:
            done.set_exception(failure(problems[0]))
        else:
            done.set_result(None)

    def committed(self, tp: TP) -> Commit | None:
        (found,) = patiently(lambda: self._consumer.committed([TopicPartition(*tp)], timeout=CALL_SECONDS))
        if found.error is not None:
            raise failure(found.error)
        return None if found.offset == OFFSET_INVALID else Commit(found.offset, found.metadata or "")

    def group_metadata(self) -> object:
        return self._consumer.consumer_group_metadata()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._consumer.close()


def _with_offset(tp: TP, position) -> TopicPartition:
    return TopicPartition(*tp, POSITIONS.get(position, position))


def _commits(commits: dict[TP, Commit]) -> list[TopicPartition]:
    return [TopicPartition(*tp, commit.offset, commit.metadata) for tp, commit in commits.items()]


def _record(message) -> Record:
    kind, timestamp = message.timestamp()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.headers() or [],
        timestamp,
        LOG_APPEND_TIME if kind == TIMESTAMP_LOG_APPEND_TIME else CREATE_TIME,
    )
