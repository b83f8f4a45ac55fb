from __future__ import annotations

import random
import struct
import sys
import threading
import time
from typing import TextIO

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

TURN_SECONDS = 0.2
# The work on what a poll has given lasts up to this long. A pause of the process often falls into it.
WORK_SECONDS = 0.2
POLL_RECORDS = 200

REFUSALS = {
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.STALE_MEMBER_EPOCH, KafkaError.FENCED_MEMBER_EPOCH,
}

PROTOCOLS = {
    "consumer": {"group.protocol": "consumer", "group.remote.assignor": "uniform"},
    "eager": {"partition.assignment.strategy": "range"},
    "cooperative": {"partition.assignment.strategy": "cooperative-sticky"},
}
CLASSIC = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500}


class Lines:
    """Tells the harness what members see, each line with the time and written at once."""

    def __init__(self, out: TextIO):
        self._out = out
        self._lock = threading.Lock()

    def say(self, member: int, what: str) -> None:
        with self._lock:
            self._out.write(f"{time.time_ns() // 1000} {member} {' '.join(what.split())}\n")
            self._out.flush()


class GaveUp(Exception):
    """Some errors are for good: an application closes the client and makes another."""


class Member:
    """Polls, processes, and commits what it has processed."""

    def __init__(self, number: int, bootstrap: str, topic: str, group: str, protocol: str, lines: Lines):
        self._number = number
        self._topic = topic
        self._lines = lines
        self._eager = protocol == "eager"
        self._owned: set[int] = set()
        # What is processed and owned, but not known to be committed.
        self._uncommitted: dict[int, int] = {}
        self._leaving = threading.Event()
        self._state_asked = threading.Event()
        classic = CLASSIC if protocol != "consumer" else {}
        self._settings = {
            "bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "max.poll.interval.ms": 15000, "reconnect.backoff.max.ms": 200,
            "fetch.wait.max.ms": 200, "log_level": 3,
        } | PROTOCOLS[protocol] | classic
        self._consumer = confluent_kafka.Consumer(self._settings)

    def leave(self) -> None:
        self._leaving.set()

    def ask_state(self) -> None:
        self._state_asked.set()

    def run(self) -> None:
        while not self._leaving.is_set():
            try:
                self._live()
            except GaveUp as exception:
                self._say(f"renewed {exception}")
                self._owned, self._uncommitted = set(), {}
            self._consumer.close()
            if not self._leaving.is_set():
                self._consumer = confluent_kafka.Consumer(self._settings)
        self._say("left")

    def _live(self) -> None:
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._gone("revoked"), on_lost=self._gone("lost"))
        while not self._leaving.is_set():
            self._turn()

    def _turn(self) -> None:
        # `consume` alone would wait for the full number of records or the whole time.
        first = self._consumer.poll(TURN_SECONDS)
        messages = [first, *self._consumer.consume(POLL_RECORDS, 0)] if first is not None else []
        records = [message for message in messages if not self._is_error(message)]
        # The second call may have given away what the first one read.
        records = [record for record in records if record.partition() in self._owned]
        self._process(records)
        if self._uncommitted:
            # What an application does with its records, unless it is to leave.
            self._leaving.wait(random.uniform(0, WORK_SECONDS))
            self._commit()
        if self._state_asked.is_set():
            self._state_asked.clear()
            self._say(f"state {self._membership()}")

    def _is_error(self, message: Message) -> bool:
        if message.error() is None:
            return False
        if message.error().fatal() or message.error().code() == KafkaError._FATAL:
            raise GaveUp(message.error())
        print(f"member {self._number}: {message.error()}", file=sys.stderr, flush=True)
        return True

    def _process(self, records: list[Message]) -> None:
        epoch = self._epoch()
        partitions: dict[int, list[Message]] = {}
        for record in records:
            partitions.setdefault(record.partition(), []).append(record)
        for partition, own in partitions.items():
            for offset, number, count in _runs(own):
                self._say(f"processed {epoch} {partition} {offset} {number} {count}")
            self._uncommitted[partition] = own[-1].offset() + 1

    def _commit(self) -> None:
        done = self._uncommitted
        offsets = ",".join(f"{partition}:{offset}" for partition, offset in done.items())
        self._say(f"committing {self._epoch()} {offsets}")
        metadata = f"member {self._number}"
        commits = [TopicPartition(self._topic, partition, offset, metadata) for partition, offset in done.items()]
        try:
            answers = self._consumer.commit(offsets=commits, asynchronous=False)
            error = next((answer.error for answer in answers if answer.error is not None), None)
        except KafkaException as exception:
            error = exception.args[0]
        if error is None:
            self._uncommitted = {}
            self._say(f"committed {self._epoch()}")
        elif error.code() == KafkaError._FATAL:
            self._say(f"unknown {error}")
            raise GaveUp(error)
        else:
            self._say(f"{'refused' if error.code() in REFUSALS else 'unknown'} {error}")

    def _epoch(self) -> int:
        """The generation or member epoch, which stands behind a magic word in what a transactional producer is given."""
        metadata = self._consumer.consumer_group_metadata()
        (epoch,) = struct.unpack_from("<i", metadata, len(b"CGMDv2:"))
        return epoch

    def _membership(self) -> str:
        return f"{self._consumer.memberid() or '-'} {self._epoch()} {_numbers(self._owned)}"

    def _assigned(self, _consumer: confluent_kafka.Consumer, partitions: list[TopicPartition]) -> None:
        given = {assigned.partition for assigned in partitions}
        self._owned = given if self._eager else self._owned | given
        self._say(f"assigned {self._membership()}")

    def _gone(self, word: str):
        def gone(_consumer: confluent_kafka.Consumer, partitions: list[TopicPartition]) -> None:
            taken = {revoked.partition for revoked in partitions}
            self._owned -= taken
            for partition in taken:
                self._uncommitted.pop(partition, None)
            self._say(f"{word} {_numbers(taken)}")

        return gone

    def _say(self, what: str) -> None:
        self._lines.say(self._number, what)


def _runs(records: list[Message]):
    """The runs of offsets and numbers without a gap, each as its first offset, its first number and its length."""
    runs: list[list[int]] = []
    for record in records:
        offset, number = record.offset(), int(record.value())
        if runs and (offset, number) == (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]):
            runs[-1][2] += 1
        else:
            runs.append([offset, number, 1])
    return runs


def _numbers(partitions: set[int]) -> str:
    return ",".join(str(partition) for partition in sorted(partitions)) or "-"
