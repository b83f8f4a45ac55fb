"""The position and the committed offset are two numbers."""

import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"seek-{uuid.uuid4().hex[:8]}"


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


def position():
    return reader.position([TopicPartition(TOPIC, 0)])[0].offset


def committed():
    return reader.committed([TopicPartition(TOPIC, 0)], timeout=30)[0].offset


produce("a", "b", "c")
reader = start_reader()
for number in range(3):
    record = next_record(reader)
reader.commit(message=record, asynchronous=False)
check((position(), committed()) == (3, 3), "After reading and committing a, b, c: position 3, committed 3.")

reader.seek(TopicPartition(TOPIC, 0, 0))
check(next_record(reader).value() == b"a", "After a seek to 0 the reader gets a.")
check((position(), committed()) == (1, 3), "Position 1, committed still 3: a seek commits nothing.")

reader.commit(offsets=[TopicPartition(TOPIC, 0, 0)], asynchronous=False)
check(
    next_record(reader).value() == b"b",
    "After a commit of 0 the same reader goes on with b: a commit moves no position.",
)
reader.close()
