"""A commit without arguments covers all that was handed out, processed or not."""

import sys
import uuid

from confluent_kafka import Consumer, Producer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"commit-all-{uuid.uuid4().hex[:8]}"


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


produce("a", "b", "c")

reader = start_reader()
records = reader.consume(3, timeout=30)
# Only a is processed here.
(committed,) = reader.commit(asynchronous=False)
reader.close()  # A crash.
check(
    (len(records), committed.offset) == (3, 3),
    "Of a, b, c only a was processed. The commit was of 3 nevertheless.",
)

produce("d")
reader = start_reader()
check(next_record(reader).value() == b"d", "The successor starts with d: b and c are lost.")
reader.close()
