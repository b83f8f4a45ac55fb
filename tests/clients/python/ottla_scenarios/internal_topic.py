"""The topic of the group coordinator, seen from outside."""

from __future__ import annotations

import struct
import time
from typing import NamedTuple

from .checks import eventually, expect, expect_failure, expect_true
from .model import BEGINNING, TP, Commit, Record
from .scenario import ACK_SECONDS, Scenario, commit_from_outside, filled_topic, read

OFFSETS_TOPIC = "__consumer_offsets"
OFFSET_COMMIT_KEY = 1


class CommitKey(NamedTuple):
    group: str
    topic: str
    partition: int


class CommitValue(NamedTuple):
    offset: int
    leader_epoch: int | None
    metadata: str
    timestamp: int


def read_offsets_topic(scenario: Scenario) -> None:
    tp = filled_topic(scenario, 10)
    group = scenario.name("group")
    before = int(time.time() * 1000)
    commit_from_outside(scenario, group, tp, Commit(7, "seven"))
    after = int(time.time() * 1000)

    partitions = scenario.admin().describe_topic(OFFSETS_TOPIC).leaders
    expect("partitions of the offsets topic", set(partitions), set(range(50)))
    reader = scenario.consumer()
    reader.assign({TP(OFFSETS_TOPIC, partition): BEGINNING for partition in partitions})
    wanted = CommitKey(group, tp.topic, tp.partition)
    found = eventually(
        f"a record of {wanted}",
        lambda: [record for record in reader.poll(0.1) if _commit_key(record) == wanted],
    )
    expect("number of records of the commit", len(found), 1)
    value = _commit_value(found[0].value)
    expect("offset", value.offset, 7)
    expect("metadata", value.metadata, "seven" + scenario.client.metadata_suffix)
    expect_true(f"leader epoch {value.leader_epoch} was not made up", value.leader_epoch in (None, -1, 0))
    expect_true(
        f"commit timestamp {value.timestamp} lies within {before}..{after} by a second",
        before - 1000 <= value.timestamp <= after + 1000,
    )


def offsets_topic_is_protected(scenario: Scenario) -> None:
    # A commit, so that the topic exists whatever ran before.
    tp = filled_topic(scenario, 1)
    commit_from_outside(scenario, scenario.name("group"), tp, Commit(1))
    target = TP(OFFSETS_TOPIC, 0)
    reader = scenario.consumer()
    reader.assign({target: BEGINNING})
    _, end = reader.offsets(target)

    intruder = scenario.name("intruder").encode()
    producer = scenario.producer()

    def produce() -> None:
        sent = producer.send(target.topic, intruder, key=intruder, partition=target.partition)
        producer.flush()
        sent.result(timeout=ACK_SECONDS)

    expect_failure("produce", {"INVALID_TOPIC_EXCEPTION"}, produce)
    _, new_end = reader.offsets(target)
    # Other groups of the broker may have committed meanwhile, so what counts is that none of it is ours.
    if new_end > end:
        reader.seek(target, end)
        appended = read(reader, 1)
        expect("intruders", [record for record in appended if record.value == intruder], [])


def _commit_key(record: Record) -> CommitKey | None:
    """None for records of other kinds, such as group metadata."""
    cursor = Cursor(record.key)
    if cursor.number(">h") != OFFSET_COMMIT_KEY:
        return None
    return CommitKey(cursor.string(), cursor.string(), cursor.number(">i"))


def _commit_value(data: bytes) -> CommitValue:
    cursor = Cursor(data)
    version = cursor.number(">h")
    expect_true(f"value version {version} is one of 0 to 4", 0 <= version <= 4)
    offset = cursor.number(">q")
    leader_epoch = cursor.number(">i") if version >= 3 else None
    metadata = cursor.compact_string() if version >= 4 else cursor.string()
    value = CommitValue(offset, leader_epoch, metadata, cursor.number(">q"))
    if version == 1:
        cursor.number(">q")  # the time of expiry
    if version >= 4:
        cursor.skip_tagged_fields()  # the topic id
    expect("bytes after the value", len(data) - cursor.at, 0)
    return value


class Cursor:
    """Reads the primitive types of the protocol."""

    def __init__(self, data: bytes):
        self._data = data
        self.at = 0

    def number(self, layout: str) -> int:
        (number,) = struct.unpack_from(layout, self._data, self.at)
        self.at += struct.calcsize(layout)
        return number

    def string(self) -> str:
        return self._take(self.number(">h")).decode()

    def compact_string(self) -> str:
        return self._take(self._unsigned_varint() - 1).decode()

    def skip_tagged_fields(self) -> None:
        for _ in range(self._unsigned_varint()):
            self._unsigned_varint()  # the tag
            self._take(self._unsigned_varint())

    def _take(self, length: int) -> bytes:
        self.at += length
        return self._data[self.at - length : self.at]

    def _unsigned_varint(self) -> int:
        result = shift = 0
        while True:
            byte = self.number("B")
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result
