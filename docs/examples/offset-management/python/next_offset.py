"""The committed offset is that of the next record, not of the last one."""

import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"next-offset-{uuid.uuid4().hex[:8]}"


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


def commit(offset):
    reader = start_reader()
    reader.commit(offsets=[TopicPartition(TOPIC, 0, offset)], asynchronous=False)
    reader.close()


def first_record():
    reader = start_reader()
    first = next_record(reader)
    reader.close()
    return first.value()


produce("a", "b", "c")

# The record at offset 1, b, has been processed.
commit(1)
check(first_record() == b"b", "After a commit of 1, the offset of the last record, that record comes again.")
commit(1 + 1)
check(first_record() == b"c", "After a commit of 2, one more, the next record comes.")

# Consumer.commit(message=…) adds the one by itself.
reader = start_reader()
record = next_record(reader)
(committed,) = reader.commit(message=record, asynchronous=False)
reader.close()
check((record.offset(), committed.offset) == (2, 3), "The client's own commit, after the record at 2, is of 3.")
