"""librdkafka's automatic commit covers a record that is still being processed."""

import sys
import time
import uuid

from confluent_kafka import OFFSET_STORED, Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"auto-commit-loses-{uuid.uuid4().hex[:8]}"


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
        "enable.auto.commit": True,
        "auto.commit.interval.ms": 100,
        "auto.offset.reset": "earliest",
    })
    reader.assign([TopicPartition(TOPIC, 0, OFFSET_STORED)])
    return reader


def next_record(reader):
    record = reader.poll(30)
    if record is None or record.error():
        sys.exit(f"No record came: {record and record.error()}")
    return record


def committed():
    (answer,) = watcher.committed([TopicPartition(TOPIC, 0)], timeout=30)
    return max(answer.offset, 0)


def wait_until_committed():
    deadline = time.monotonic() + 30
    while committed() == 0:
        if time.monotonic() > deadline:
            sys.exit("Nothing was committed within 30 seconds.")
    return committed()


watcher = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": GROUP})
produce("a", "b")

reader = start_reader()
record = next_record(reader)
# From here on the record is being processed, and this program calls nothing of the reader.
check(
    (record.value(), wait_until_committed()) == (b"a", 1),
    "a is still being processed, and the client has committed 1.",
)

# A crash now: the successor goes on from the committed offset.
successor = start_reader()
check(next_record(successor).value() == b"b", "After a crash now, the successor starts with b: a is lost.")
