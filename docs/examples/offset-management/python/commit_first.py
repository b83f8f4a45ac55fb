"""A commit before the processing loses a record when the reader crashes in between."""

import sys
import uuid

from confluent_kafka import Consumer, Producer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = GROUP = f"commit-first-{uuid.uuid4().hex[:8]}"


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
processed = []

reader = start_reader()
for turn in range(2):
    record = next_record(reader)
    reader.commit(message=record, asynchronous=False)
    if record.value() == b"b":
        break  # A crash, after the commit and before the processing.
    processed.append(record.value())
reader.close()

reader = start_reader()
processed.append(next_record(reader).value())
reader.close()

check(processed == [b"a", b"c"], "Committed first: a and c were processed, b is lost.")
