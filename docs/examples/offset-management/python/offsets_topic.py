"""Committed offsets are records of the topic __consumer_offsets."""

import struct
import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"offsets-topic-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def start_reader():
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": GROUP,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    })
    reader.subscribe([TOPIC])
    return reader


def next_record(reader):
    record = reader.poll(30)
    if record is None or record.error():
        sys.exit(f"No record came: {record and record.error()}")
    return record


def text(data, at):
    (length,) = struct.unpack_from(">h", data, at)
    return data[at + 2 : at + 2 + length].decode(), at + 2 + length


def offset_records(count):
    """Reads __consumer_offsets until so many records are about GROUP's offset of TOPIC."""
    reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused", "enable.auto.commit": False})
    partitions = reader.list_topics("__consumer_offsets", timeout=30).topics["__consumer_offsets"].partitions
    reader.assign([TopicPartition("__consumer_offsets", partition, 0) for partition in partitions])
    found = []
    while len(found) < count:
        record = next_record(reader)
        key, value = record.key(), record.value()
        # A key of version 0 or 1 is about an offset, of version 2 about a group.
        if struct.unpack_from(">h", key)[0] <= 1:
            group, at = text(key, 2)
            topic, at = text(key, at)
            if (group, topic) == (GROUP, TOPIC):
                found.append(None if value is None else struct.unpack_from(">hq", value)[1])
    reader.close()
    return found


produce("a", "b", "c")
reader = start_reader()
for number in range(3):
    reader.commit(message=next_record(reader), asynchronous=False)
reader.close()
check(offset_records(3) == [1, 2, 3], "Three commits are three records in __consumer_offsets, of 1, 2 and 3.")

admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
admin.delete_consumer_groups([GROUP])[GROUP].result()
check(offset_records(4)[3] is None, "After the group was deleted there is a fourth, without a value: a tombstone.")

reader = start_reader()
check(next_record(reader).value() == b"a", "The group has no offset now and starts as its reset policy says, with a.")
reader.close()
