"""The offset in the same file as the result: each record counts once, wherever the crash is."""

import json
import os
import sys
import tempfile
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
TOPIC = f"outside-{uuid.uuid4().hex[:8]}"


def check(holds, claim):
    if not holds:
        sys.exit(f"This does not hold: {claim}")
    print(claim)


def produce(*values):
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for value in values:
        producer.produce(TOPIC, value)
    producer.flush()


def next_record(reader):
    record = reader.poll(30)
    if record is None or record.error():
        sys.exit(f"No record came: {record and record.error()}")
    return record


def load():
    with open(CHECKPOINT) as file:
        return json.load(file)


def save(checkpoint, crash=False):
    with open(CHECKPOINT + ".new", "w") as file:
        json.dump(checkpoint, file)
        file.flush()
        os.fsync(file.fileno())
    if not crash:
        os.rename(CHECKPOINT + ".new", CHECKPOINT)  # Offset and sum change in one step.


def run(count, crash_at=None):
    """Goes on where the checkpoint says; nothing is committed to the broker."""
    checkpoint = load()
    reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused", "enable.auto.commit": False})
    reader.assign([TopicPartition(TOPIC, 0, checkpoint["offset"])])
    for number in range(count):
        record = next_record(reader)
        checkpoint = {"offset": record.offset() + 1, "sum": checkpoint["sum"] + int(record.value())}
        save(checkpoint, crash=record.offset() == crash_at)
    reader.close()


directory = tempfile.TemporaryDirectory()
CHECKPOINT = os.path.join(directory.name, "checkpoint.json")
save({"offset": 0, "sum": 0})
produce("10", "20", "30")

run(2, crash_at=1)
check(load() == {"offset": 1, "sum": 10}, "A crash before the rename of the second checkpoint: offset 1, sum 10.")
run(2)
check(load() == {"offset": 3, "sum": 60}, "Run again, from offset 1: offset 3, sum 60. Each record counts once.")
